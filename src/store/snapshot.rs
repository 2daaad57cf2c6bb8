//! One committed state of a store, with its tables open.

use std::sync::OnceLock;

use redb::{Key, ReadOnlyTable, ReadTransaction, TableError, Value};

use super::fault::Step;
use super::tables::Table;

/// A table once it has been opened; `None` if nothing was ever put into it.
pub(super) type Place<K, V> = OnceLock<Option<ReadOnlyTable<K, V>>>;

/// A committed state. Beginning a transaction and opening a table costs several times what a
/// lookup does, so all readers share one until the next commit.
pub(super) struct Snapshot {
    transaction: ReadTransaction,
    pub(super) sessions: Place<&'static [u8], u32>,
    pub(super) logins: Place<&'static [u8; 4], &'static [u8]>,
    pub(super) dcs: Place<&'static [u8; 8], &'static [u8]>,
    pub(super) states: Place<&'static [u8; 12], &'static [u8]>,
    pub(super) entities: Place<&'static [u8; 12], &'static [u8]>,
    pub(super) usernames: Place<&'static [u8], i64>,
    pub(super) phones: Place<&'static [u8], i64>,
    pub(super) sent_files: Place<&'static [u8; 29], &'static [u8]>,
}

impl Snapshot {
    pub(super) fn new(transaction: ReadTransaction) -> Self {
        Self {
            transaction,
            sessions: Place::new(),
            logins: Place::new(),
            dcs: Place::new(),
            states: Place::new(),
            entities: Place::new(),
            usernames: Place::new(),
            phones: Place::new(),
            sent_files: Place::new(),
        }
    }

    /// The table, opened the first time it is asked for.
    pub(super) fn open<K: Key, V: Value>(
        &self,
        table: Table<K, V>,
    ) -> Step<Option<&ReadOnlyTable<K, V>>> {
        let place = (table.place)(self);
        if let Some(opened) = place.get() {
            return Ok(opened.as_ref());
        }
        let opened = match self.transaction.open_table(table.definition()) {
            Ok(rows) => Some(rows),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(place.get_or_init(|| opened).as_ref())
    }
}
