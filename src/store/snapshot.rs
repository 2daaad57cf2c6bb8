//! One committed state of the engine, with its tables open.

use std::sync::OnceLock;

use redb::ReadTransaction;

use super::fault::Step;
use super::rows::Stored;
use super::tables::{TABLES, Table, applied, dense};

/// A table once it has been opened; `None` if nothing was ever put into it.
type Place = OnceLock<Option<Box<dyn Stored>>>;

/// A committed state. Beginning a transaction and opening a table costs several times what a
/// lookup does, so all readers share one until the next commit.
pub(super) struct Snapshot {
    transaction: ReadTransaction,
    tables: [Place; TABLES],
}

impl Snapshot {
    pub(super) fn new(transaction: ReadTransaction) -> Self {
        Self { transaction, tables: Default::default() }
    }

    /// The table, opened the first time it is asked for.
    pub(super) fn open(&self, table: Table) -> Step<Option<&dyn Stored>> {
        let Some(place) = self.tables.get(table as usize) else { return Ok(None) };
        if let Some(opened) = place.get() {
            return Ok(opened.as_deref());
        }
        let opened = table.open(&self.transaction)?;
        Ok(place.get_or_init(|| opened).as_deref())
    }

    /// How many bytes the rows needed when that was last known.
    pub(super) fn dense(&self) -> Step<u64> {
        dense(&self.transaction)
    }

    /// The number of the last record of the log that is contained.
    pub(super) fn applied(&self) -> Step<u64> {
        applied(&self.transaction)
    }
}
