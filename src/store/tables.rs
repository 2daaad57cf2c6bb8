//! Every table of a store. No other file names one.

use std::collections::BTreeSet;
use std::ops::Bound;

use redb::{
    ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, TableError,
    WriteTransaction,
};

use super::fault::{Fault, Step};
use super::rows::{self, Stored, StoredMut};
use crate::error::Error;
use crate::record::{AccountNo, MAX_RECORD, Record, RecordError, decode, encode};
use crate::run::RunRow;
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

/// What redb knows each table as.
type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;

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

    /// Whether its rows are those of runs and not of redb.
    pub(super) const fn is_in_runs(self) -> bool {
        matches!(self, Self::Entities | Self::Usernames | Self::Phones)
    }

    fn definition(self) -> Rows {
        TableDefinition::new(self.name())
    }

    /// The table opened for reading; `None` if nothing was ever put into it.
    pub(super) fn open(self, transaction: &ReadTransaction) -> Step<Option<Box<dyn Stored>>> {
        match transaction.open_table(self.definition()) {
            Ok(rows) => Ok(Some(Box::new(rows))),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The table opened for writing.
    pub(super) fn open_mut(self, transaction: &WriteTransaction) -> Step<StoredMut<'_>> {
        Ok(transaction.open_table(self.definition())?)
    }

    /// Writes the table anew as densely as can be, if much of its pages is empty. Rows that came
    /// between others have split full pages into halves.
    pub(super) fn pack(self, transaction: &WriteTransaction) -> Step<()> {
        if self.is_in_runs() { Ok(()) } else { packed(transaction, self.definition()) }
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

fn packed(transaction: &WriteTransaction, definition: Rows) -> Step<()> {
    let packed: Rows = TableDefinition::new("packed");
    {
        let loose = transaction.open_table(definition)?;
        let stats = loose.stats()?;
        if stats.fragmented_bytes() < (stats.stored_bytes() + stats.metadata_bytes()) / 10 {
            return Ok(());
        }
        let mut table = transaction.open_table(packed)?;
        let mut cursor = table.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
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

/// What the tables say of themselves: under `applied` the number of the last record of the log
/// that they contain, under `dense` how many bytes redb's rows needed when that was last known,
/// under `run` the last number that a run got.
const LOG: Rows = TableDefinition::new("log");
const APPLIED: &[u8] = b"applied";
const DENSE: &[u8] = b"dense";
const LAST_RUN: &[u8] = b"run";

/// The runs: number, big-endian, and record. And the accounts that were removed since, and of which
/// runs have rows: number and nothing.
const RUNS: Rows = TableDefinition::new("runs");

/// The number of the last record of the log that the tables contain; 0 before the first.
pub(super) fn applied(transaction: &ReadTransaction) -> Step<u64> {
    number(opened(transaction.open_table(LOG))?.as_ref(), APPLIED)
}

/// How many bytes the rows needed when that was last known; 0 if it never was.
pub(super) fn dense(transaction: &ReadTransaction) -> Step<u64> {
    number(opened(transaction.open_table(LOG))?.as_ref(), DENSE)
}

fn opened<T>(table: Result<T, TableError>) -> Step<Option<T>> {
    match table {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn number(
    table: Option<&impl ReadableTable<&'static [u8], &'static [u8]>>,
    name: &[u8],
) -> Step<u64> {
    let Some(table) = table else { return Ok(0) };
    match table.get(name)? {
        Some(number) => number_of(name, number.value()),
        None => Ok(0),
    }
}

fn number_of(name: &[u8], bytes: &[u8]) -> Step<u64> {
    let number = bytes.try_into().map(u64::from_le_bytes);
    number.map_err(|_| Fault::record("log", name, RecordError::Key))
}

/// Says with this transaction that the tables contain the log up to this record.
pub(super) fn set_applied(transaction: &WriteTransaction, number: u64) -> Step<()> {
    set(transaction, APPLIED, number)
}

/// Says with this transaction how many bytes redb's rows need.
pub(super) fn set_dense(transaction: &WriteTransaction, bytes: u64) -> Step<()> {
    set(transaction, DENSE, bytes)
}

fn set(transaction: &WriteTransaction, name: &[u8], number: u64) -> Step<()> {
    transaction.open_table(LOG)?.insert(name, number.to_le_bytes().as_slice())?;
    Ok(())
}

/// What the tables say of runs.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Number and record of each, the newest last.
    pub(super) runs: Vec<(u64, RunRow)>,
    /// Accounts that were removed and of which runs have rows.
    pub(super) removed: BTreeSet<AccountNo>,
}

/// What the tables say of runs.
pub(super) fn named(transaction: &ReadTransaction) -> Step<Named> {
    match opened(transaction.open_table(RUNS))? {
        Some(table) => named_by(&table),
        None => Ok(Named::default()),
    }
}

/// What the tables say of runs, as this transaction sees them, and the last number that a run got.
pub(super) fn named_in(transaction: &WriteTransaction) -> Step<(Named, u64)> {
    let last = number(Some(&transaction.open_table(LOG)?), LAST_RUN)?;
    Ok((named_by(&transaction.open_table(RUNS)?)?, last))
}

fn named_by(table: &impl ReadableTable<&'static [u8], &'static [u8]>) -> Step<Named> {
    let mut named = Named::default();
    for row in table.iter()? {
        let (key, record) = row?;
        let damaged = |error| Fault::record("runs", key.value(), error);
        match (key.value().try_into(), key.value().try_into()) {
            (Ok(number), _) => {
                let run = decode((), record.value()).map_err(damaged)?;
                named.runs.push((u64::from_be_bytes(number), run));
            }
            (_, Ok(account)) => drop(named.removed.insert(AccountNo::from_key(account))),
            _ => return Err(damaged(RecordError::Key)),
        }
    }
    // A key of four bytes may stand between those of eight.
    named.runs.sort_unstable_by_key(|(number, _)| *number);
    Ok(named)
}

/// Names runs and takes the names of others away, in this transaction.
pub(super) fn set_runs(
    transaction: &WriteTransaction,
    named: &[(u64, RunRow)],
    unnamed: &[u64],
    last: u64,
) -> Step<()> {
    let mut table = transaction.open_table(RUNS)?;
    for number in unnamed {
        table.remove(number.to_be_bytes().as_slice())?;
    }
    for (number, run) in named {
        let record = encoded("a run", run)?;
        table.insert(number.to_be_bytes().as_slice(), record.as_slice())?;
    }
    set(transaction, LAST_RUN, last)
}

/// Says with this transaction of which removed accounts runs have rows.
pub(super) fn set_removed(
    transaction: &WriteTransaction,
    removed: &BTreeSet<AccountNo>,
) -> Step<()> {
    let mut table = transaction.open_table(RUNS)?;
    let is_account = |key: &[u8]| key.len() == AccountNo(0).key().len();
    table.retain(|key, _| !is_account(key))?;
    for account in removed {
        table.insert(account.key().as_slice(), [].as_slice())?;
    }
    Ok(())
}

/// The value under `key` in a table of records, decoded.
pub(super) fn get<R: Record>(
    rows: &(impl rows::Rows + ?Sized),
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
