//! Every table of a store. No other file names one.

use std::ops::Bound;

use redb::{
    Key, ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, TableError,
    WriteTransaction,
};

use super::fault::{Fault, Step};
use super::rows::{Bytes, Rows, Stored, StoredMut};
use crate::error::Error;
use crate::record::{AccountNo, MAX_RECORD, Record, RecordError, decode, encode};
use crate::types::PeerId;

/// A table. Its number stands in the log, and is its place in [`Table::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    /// Session name -> account number. The empty name holds the number that the next session gets.
    Sessions,
    /// Account -> login.
    Logins,
    /// Account, DC -> addresses and key.
    Dcs,
    /// Account, channel -> state; the account itself has id 0.
    States,
    /// Account, peer -> entity.
    Entities,
    /// Account, folded username -> marked id of its owner.
    Usernames,
    /// Account, folded phone -> marked id of its owner.
    Phones,
    /// Account, MD5, size, kind -> sent file.
    SentFiles,
}

/// How many tables there are.
pub(super) const TABLES: usize = Table::ALL.len();

/// Rows of which neither key nor value has one length in all of them.
type Mixed = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Records under an account and a peer.
pub(super) type OfPeers = TableDefinition<'static, &'static [u8; 12], &'static [u8]>;

/// Marked ids under texts.
pub(super) type Index = TableDefinition<'static, &'static [u8], &'static [u8; 8]>;

/// Runs an expression with `$definition` being what redb knows a table by.
macro_rules! with_definition {
    ($table:expr, $definition:ident => $body:expr) => {
        match $table {
            Table::Sessions | Table::Logins | Table::Dcs | Table::SentFiles => {
                let $definition: Mixed = TableDefinition::new($table.name());
                $body
            }
            Table::States | Table::Entities => {
                let $definition: OfPeers = TableDefinition::new($table.name());
                $body
            }
            Table::Usernames | Table::Phones => {
                let $definition: Index = TableDefinition::new($table.name());
                $body
            }
        }
    };
}

impl Table {
    pub(super) const ALL: [Self; 8] = [
        Self::Sessions,
        Self::Logins,
        Self::Dcs,
        Self::States,
        Self::Entities,
        Self::Usernames,
        Self::Phones,
        Self::SentFiles,
    ];

    /// What opening a session and reading its key needs.
    pub(super) const CREDENTIALS: [Self; 3] = [Self::Sessions, Self::Logins, Self::Dcs];

    /// The table of this number.
    pub(super) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Logins => "logins",
            Self::Dcs => "dcs",
            Self::States => "states",
            Self::Entities => "entities",
            Self::Usernames => "usernames",
            Self::Phones => "phones",
            Self::SentFiles => "sent_files",
        }
    }

    /// The length of every key, or `None` where a text is the key or its end.
    pub(super) const fn key_len(self) -> Option<usize> {
        match self {
            Self::Sessions | Self::Usernames | Self::Phones => None,
            Self::Logins => Some(4),
            Self::Dcs => Some(8),
            Self::States | Self::Entities => Some(12),
            Self::SentFiles => Some(29),
        }
    }

    /// The length of every value, or `None` where it is a record.
    pub(super) const fn value_len(self) -> Option<usize> {
        match self {
            Self::Sessions => Some(4),
            Self::Usernames | Self::Phones => Some(8),
            _ => None,
        }
    }

    /// The table opened for reading; `None` if nothing was ever put into it.
    pub(super) fn open(self, transaction: &ReadTransaction) -> Step<Option<Box<dyn Stored>>> {
        fn opened<T: Stored + 'static>(
            rows: Result<T, TableError>,
        ) -> Step<Option<Box<dyn Stored>>> {
            match rows {
                Ok(rows) => Ok(Some(Box::new(rows))),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
        with_definition!(self, definition => opened(transaction.open_table(definition)))
    }

    /// Runs `work` on the table opened for writing.
    pub(super) fn open_mut<T>(
        self,
        transaction: &WriteTransaction,
        work: impl FnOnce(&mut dyn StoredMut) -> Step<T>,
    ) -> Step<T> {
        with_definition!(self, definition => work(&mut transaction.open_table(definition)?))
    }

    /// Writes the table anew as densely as can be, if much of its pages is empty. Rows that came
    /// between others have split full pages into halves.
    pub(super) fn pack(self, transaction: &WriteTransaction) -> Step<()> {
        with_definition!(self, definition => packed(transaction, definition))
    }

    /// Every row of one account.
    pub(super) fn span(self, account: AccountNo) -> Span {
        let first = account.key().to_vec();
        match self.key_len() {
            Some(len) => {
                let padded = |fill| {
                    let mut key = first.clone();
                    key.resize(len, fill);
                    key
                };
                Span { from: Bound::Included(padded(0)), to: Bound::Included(padded(0xff)) }
            }
            None => {
                let behind = account.0.checked_add(1).map(|next| AccountNo(next).key().to_vec());
                let to = behind.map_or(Bound::Unbounded, Bound::Excluded);
                Span { from: Bound::Included(first), to }
            }
        }
    }
}

fn packed<K: Key + Bytes, V: Bytes>(
    transaction: &WriteTransaction,
    definition: TableDefinition<'static, K, V>,
) -> Step<()> {
    let packed = TableDefinition::<K, V>::new("packed");
    {
        let loose = transaction.open_table(definition)?;
        let stats = loose.stats()?;
        if stats.fragmented_bytes() < (stats.stored_bytes() + stats.metadata_bytes()) / 10 {
            return Ok(());
        }
        let mut table = transaction.open_table(packed)?;
        let mut cursor = table.upper_bound_mut(Bound::<K::SelfType<'_>>::Unbounded)?;
        for row in loose.iter()? {
            let (key, value) = row?;
            cursor.insert_before(key.value(), value.value())?;
        }
        cursor.close()?;
    }
    transaction.delete_table(definition)?;
    transaction.rename_table(packed, definition)?;
    Ok(())
}

/// What redb knows the entities by.
pub(super) fn entity_records() -> OfPeers {
    TableDefinition::new(Table::Entities.name())
}

/// What redb knows an index by.
pub(super) fn index_rows(index: Table) -> Index {
    TableDefinition::new(index.name())
}

/// A stretch of a table's keys.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) from: Bound<Vec<u8>>,
    pub(super) to: Bound<Vec<u8>>,
}

impl Span {
    /// Every row of a table.
    pub(super) const ALL: Self = Self { from: Bound::Unbounded, to: Bound::Unbounded };

    pub(super) fn from(&self) -> Bound<&[u8]> {
        self.from.as_ref().map(Vec::as_slice)
    }

    pub(super) fn to(&self) -> Bound<&[u8]> {
        self.to.as_ref().map(Vec::as_slice)
    }
}

/// How far the log is contained in the other tables: under `applied`, the number of the last
/// record of it.
const LOG: Mixed = TableDefinition::new("log");
const APPLIED: &[u8] = b"applied";

/// In the same table, how many bytes the rows needed when that was last known.
const DENSE: &[u8] = b"dense";

/// The number of the last record of the log that the tables contain; 0 before the first.
pub(super) fn applied(transaction: &ReadTransaction) -> Step<u64> {
    number(transaction, APPLIED)
}

/// How many bytes the rows needed when that was last known; 0 if it never was.
pub(super) fn dense(transaction: &ReadTransaction) -> Step<u64> {
    number(transaction, DENSE)
}

fn number(transaction: &ReadTransaction, name: &[u8]) -> Step<u64> {
    match transaction.open_table(LOG) {
        Ok(table) => match table.get(name)? {
            Some(number) => {
                let number = number.value().try_into().map(u64::from_le_bytes);
                number.map_err(|_| Fault::record("log", name, RecordError::Key))
            }
            None => Ok(0),
        },
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Says with this transaction that the tables contain the log up to this record.
pub(super) fn set_applied(transaction: &WriteTransaction, number: u64) -> Step<()> {
    transaction.open_table(LOG)?.insert(APPLIED, number.to_le_bytes().as_slice())?;
    Ok(())
}

/// Says with this transaction how many bytes the rows need.
pub(super) fn set_dense(transaction: &WriteTransaction, bytes: u64) -> Step<()> {
    transaction.open_table(LOG)?.insert(DENSE, bytes.to_le_bytes().as_slice())?;
    Ok(())
}

/// Says with this transaction that dense rows of so many bytes were added.
pub(super) fn add_dense(transaction: &WriteTransaction, bytes: u64) -> Step<()> {
    let mut table = transaction.open_table(LOG)?;
    let before = ReadableTable::get(&table, DENSE)?;
    let before = before.and_then(|bytes| bytes.value().try_into().ok()).map(u64::from_le_bytes);
    let bytes = bytes.saturating_add(before.unwrap_or_default());
    table.insert(DENSE, bytes.to_le_bytes().as_slice())?;
    Ok(())
}

/// The value under `key` in a table of records, decoded.
pub(super) fn get<R: Record>(
    rows: &(impl Rows + ?Sized),
    table: Table,
    key: &[u8],
    says: R::Key,
) -> Step<Option<R>> {
    match rows.get(table, key)? {
        Some(record) => Ok(Some(decoded(table, key, says, &record)?)),
        None => Ok(None),
    }
}

/// A record decoded; its table and key are in the error.
pub(super) fn decoded<R: Record>(table: Table, key: &[u8], says: R::Key, record: &[u8]) -> Step<R> {
    decode(says, record).map_err(|error| Fault::record(table.name(), key, error))
}

/// A record encoded, or the refusal of one that is too long.
pub(super) fn encoded<R: Record>(what: &'static str, value: &R) -> Step<Vec<u8>> {
    Ok(encode(value).ok_or(Error::TooLarge { what, most: MAX_RECORD })?)
}

/// The owner that an index row names.
pub(super) fn owner(index: Table, key: &[u8], row: &[u8]) -> Step<PeerId> {
    let marked = row.try_into().ok().map(i64::from_le_bytes);
    let owner = marked.and_then(PeerId::from_marked);
    owner.ok_or_else(|| Fault::index(index.name(), key, "it names nobody"))
}

/// An index row that names this owner.
pub(super) fn owned_by(owner: PeerId) -> [u8; 8] {
    owner.marked().to_le_bytes()
}
