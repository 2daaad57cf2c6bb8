//! Every table of a store. No other file names one.

use redb::{Key, ReadOnlyTable, ReadableTable, TableDefinition, Value};

use super::fault::{Fault, Step};
use super::snapshot::{Place, Snapshot};
use crate::error::Error;
use crate::record::{MAX_RECORD, Record, decode, encode};
use crate::types::PeerId;

/// A table: its name, and its place among those that a snapshot keeps open.
pub(super) struct Table<K: Key + 'static, V: Value + 'static> {
    pub(super) name: &'static str,
    pub(super) place: fn(&Snapshot) -> &Place<K, V>,
}

/// A table whose keys have `N` bytes and whose values are records.
pub(super) type Records<const N: usize> = Table<&'static [u8; N], &'static [u8]>;

/// A table that finds entities by a text.
pub(super) type Index = Table<&'static [u8], i64>;

/// Session name -> account number. The empty name holds the number that the next session gets.
pub(super) const SESSIONS: Table<&'static [u8], u32> =
    Table { name: "sessions", place: |tables| &tables.sessions };

/// Account -> login.
pub(super) const LOGINS: Records<4> = Table { name: "logins", place: |tables| &tables.logins };

/// Account, DC -> addresses and key.
pub(super) const DCS: Records<8> = Table { name: "dcs", place: |tables| &tables.dcs };

/// Account, channel -> state; the account itself has id 0.
pub(super) const STATES: Records<12> = Table { name: "states", place: |tables| &tables.states };

/// Account, peer -> entity.
pub(super) const ENTITIES: Records<12> =
    Table { name: "entities", place: |tables| &tables.entities };

/// Account, folded username -> marked id of its owner.
pub(super) const USERNAMES: Index = Table { name: "usernames", place: |tables| &tables.usernames };

/// Account, folded phone -> marked id of its owner.
pub(super) const PHONES: Index = Table { name: "phones", place: |tables| &tables.phones };

/// Account, MD5, size, kind -> sent file.
pub(super) const SENT_FILES: Records<29> =
    Table { name: "sent_files", place: |tables| &tables.sent_files };

impl<K: Key, V: Value> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Key, V: Value> Copy for Table<K, V> {}

impl<K: Key, V: Value> Table<K, V> {
    /// What redb knows it by.
    pub(super) const fn definition(self) -> TableDefinition<'static, K, V> {
        TableDefinition::new(self.name)
    }
}

/// A table of records, open for reading.
pub(super) type OpenRecords<const N: usize> = ReadOnlyTable<&'static [u8; N], &'static [u8]>;

/// The value under `key` in a table of records, decoded.
pub(super) fn get<const N: usize, R: Record>(
    rows: &impl ReadableTable<&'static [u8; N], &'static [u8]>,
    table: Records<N>,
    key: &[u8; N],
    says: R::Key,
) -> Step<Option<R>> {
    match rows.get(key)? {
        Some(record) => Ok(Some(decoded(table, key, says, record.value())?)),
        None => Ok(None),
    }
}

/// A record decoded; its table and key are in the error.
pub(super) fn decoded<const N: usize, R: Record>(
    table: Records<N>,
    key: &[u8; N],
    says: R::Key,
    record: &[u8],
) -> Step<R> {
    decode(says, record).map_err(|error| Fault::record(table.name, key, error))
}

/// A record encoded, or the refusal of one that is too long.
pub(super) fn encoded<R: Record>(what: &'static str, value: &R) -> Step<Vec<u8>> {
    Ok(encode(value).ok_or(Error::TooLarge { what, most: MAX_RECORD })?)
}

/// The owner that an index row names.
pub(super) fn owner(index: Index, key: &[u8], marked: i64) -> Step<PeerId> {
    PeerId::from_marked(marked).ok_or_else(|| Fault::index(index.name, key, "it names nobody"))
}
