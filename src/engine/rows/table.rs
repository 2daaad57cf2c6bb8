//! Every table of a store. No other file names one.

use std::ops::Bound;

use super::super::error::{EngineError, EngineResult};
use super::{RowKey, Rows};
use crate::error::Error;
use crate::record::{AccountNo, MAX_RECORD, Record, decode, encode, encode_into};
use crate::types::{Entity, PeerId};

/// A table. Its number is in the log, and is its index in [`Table::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
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
    /// Account, name -> small value of a client's own.
    Extras,
}

/// How many tables there are.
pub(crate) const TABLES: usize = Table::ALL.len();

impl Table {
    pub(crate) const ALL: [Self; 9] = [
        Self::Sessions,
        Self::Logins,
        Self::Dcs,
        Self::States,
        Self::Entities,
        Self::Usernames,
        Self::Phones,
        Self::SentFiles,
        Self::Extras,
    ];

    /// The table of this number.
    pub(crate) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Logins => "logins",
            Self::Dcs => "dcs",
            Self::States => "states",
            Self::Entities => "entities",
            Self::Usernames => "usernames",
            Self::Phones => "phones",
            Self::SentFiles => "sent_files",
            Self::Extras => "extras",
        }
    }

    /// The length of every key, or `None` where a text is the key or its end.
    pub(crate) const fn key_len(self) -> Option<usize> {
        match self {
            Self::Sessions | Self::Usernames | Self::Phones | Self::Extras => None,
            Self::Logins => Some(4),
            Self::Dcs => Some(8),
            Self::States | Self::Entities => Some(12),
            Self::SentFiles => Some(29),
        }
    }

    /// The length of every value, or `None` where it is a record.
    pub(crate) const fn value_len(self) -> Option<usize> {
        match self {
            Self::Sessions => Some(4),
            Self::Usernames | Self::Phones => Some(8),
            _ => None,
        }
    }

    /// Whether its rows are in segments, and not in the base.
    pub(crate) const fn is_in_segments(self) -> bool {
        matches!(self, Self::Entities | Self::Usernames | Self::Phones)
    }

    /// Whether its rows may hold an auth key or other secrets of a login.
    pub(crate) const fn is_secret(self) -> bool {
        !matches!(self, Self::States | Self::Entities | Self::Usernames | Self::Phones)
    }

    /// Every row of one account.
    pub(crate) fn span(self, account: AccountNo) -> Span {
        let first = account.key();
        match self.key_len() {
            Some(len) => {
                let padded = |fill| {
                    let mut key = first.to_vec();
                    key.resize(len, fill);
                    RowKey::from(&*key)
                };
                Span { from: Bound::Included(padded(0)), to: Bound::Included(padded(0xff)) }
            }
            None => {
                let behind =
                    account.0.checked_add(1).map(|next| RowKey::from(&AccountNo(next).key()[..]));
                let to = behind.map_or(Bound::Unbounded, Bound::Excluded);
                Span { from: Bound::Included(RowKey::from(&first[..])), to }
            }
        }
    }
}

/// A range of a table's keys.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) from: Bound<RowKey>,
    pub(crate) to: Bound<RowKey>,
}

impl Span {
    /// Every row of a table.
    pub(crate) const ALL: Self = Self { from: Bound::Unbounded, to: Bound::Unbounded };

    pub(crate) fn from(&self) -> Bound<&[u8]> {
        self.from.as_ref().map(|key| &**key)
    }

    pub(crate) fn to(&self) -> Bound<&[u8]> {
        self.to.as_ref().map(|key| &**key)
    }

    /// Both ends, unless nothing can lie between them, which a map refuses to be asked.
    pub(crate) fn bounds(&self) -> Option<(Bound<&RowKey>, Bound<&RowKey>)> {
        let is_empty = match (&self.from, &self.to) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (
                Bound::Included(from) | Bound::Excluded(from),
                Bound::Included(to) | Bound::Excluded(to),
            ) => from >= to,
        };
        (!is_empty).then_some((self.from.as_ref(), self.to.as_ref()))
    }

    /// Those of these keys, which are sorted, that lie in it.
    pub(crate) fn of_sorted<'a>(&self, keys: &'a [RowKey]) -> &'a [RowKey] {
        let from = keys.partition_point(|key| match &self.from {
            Bound::Included(from) => key < from,
            Bound::Excluded(from) => key <= from,
            Bound::Unbounded => false,
        });
        let to = keys.partition_point(|key| match &self.to {
            Bound::Included(to) => key <= to,
            Bound::Excluded(to) => key < to,
            Bound::Unbounded => true,
        });
        keys.get(from..to).unwrap_or_default()
    }
}

/// The value under `key` in a table of records, decoded.
pub(crate) fn get<R: Record>(
    rows: &(impl Rows + ?Sized),
    table: Table,
    key: &[u8],
    says: R::Key,
) -> EngineResult<Option<R>> {
    match rows.get(table, key)? {
        Some(record) => Ok(Some(decoded(table, key, says, &record)?)),
        None => Ok(None),
    }
}

/// A record decoded; its table and key are in the error.
pub(crate) fn decoded<R: Record>(
    table: Table,
    key: &[u8],
    says: R::Key,
    record: &[u8],
) -> EngineResult<R> {
    decode(says, record).map_err(|error| EngineError::record(table.name(), key, error))
}

/// A record encoded, or the refusal of one that is too long.
pub(crate) fn encoded<R: Record>(what: &'static str, value: &R) -> EngineResult<Vec<u8>> {
    Ok(encode(value).ok_or(Error::TooLarge { what, most: MAX_RECORD })?)
}

/// Appends the record of an entity to `place`, or refuses one that is too long.
pub(crate) fn append_entity(entity: &Entity, place: &mut Vec<u8>) -> EngineResult<()> {
    if encode_into(entity, place) {
        return Ok(());
    }
    Err(Error::TooLarge { what: "an entity", most: MAX_RECORD }.into())
}

/// The owner that an index row names.
pub(crate) fn owner(index: Table, key: &[u8], row: &[u8]) -> EngineResult<PeerId> {
    let marked = row.try_into().ok().map(i64::from_le_bytes);
    let owner = marked.and_then(PeerId::from_marked);
    owner.ok_or_else(|| EngineError::index(index.name(), key, "it names nobody"))
}

/// An index row that names this owner.
pub(crate) fn owned_by(owner: PeerId) -> [u8; 8] {
    owner.marked().to_le_bytes()
}
