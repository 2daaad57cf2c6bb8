//! One committed state of the tables, with those that were asked for open.

use std::sync::{Arc, OnceLock};

use redb::ReadTransaction;

use super::fault::Step;
use super::image::Reading;
use super::rows::Stored;
use super::runs::{EntityRows, IndexRows, Runs};
use super::tables::{TABLES, Table, applied, dense};
use crate::run::Index;

/// A table once it has been opened; `None` if nothing was ever put into it.
type Place = OnceLock<Option<Box<dyn Stored>>>;

/// A committed state. Beginning a transaction and opening a table costs several times what a
/// lookup does, so all readers share one until the next commit.
pub(super) struct Snapshot {
    tables: [Place; TABLES],
    runs: Arc<Runs>,
    transaction: ReadTransaction,
    /// Let go when nothing of the file is looked at any more.
    _reading: Option<Reading>,
}

impl Snapshot {
    pub(super) fn new(
        transaction: ReadTransaction,
        runs: Arc<Runs>,
        reading: Option<Reading>,
    ) -> Self {
        Self { tables: Default::default(), runs, transaction, _reading: reading }
    }

    /// The table, opened the first time it is asked for.
    pub(super) fn open(&self, table: Table) -> Step<Option<&dyn Stored>> {
        let Some(place) = self.tables.get(table as usize) else { return Ok(None) };
        if let Some(opened) = place.get() {
            return Ok(opened.as_deref());
        }
        let runs = || Arc::clone(&self.runs);
        let opened: Option<Box<dyn Stored>> = match table {
            Table::Entities => Some(Box::new(EntityRows(runs()))),
            Table::Usernames => Some(Box::new(IndexRows(runs(), Index::Usernames))),
            Table::Phones => Some(Box::new(IndexRows(runs(), Index::Phones))),
            _ => table.open(&self.transaction)?,
        };
        Ok(place.get_or_init(|| opened).as_deref())
    }

    /// The runs.
    pub(super) fn runs(&self) -> &Arc<Runs> {
        &self.runs
    }

    /// How many bytes redb's rows needed when that was last known.
    pub(super) fn dense(&self) -> Step<u64> {
        dense(&self.transaction)
    }

    /// The number of the last record of the log that is contained.
    pub(super) fn applied(&self) -> Step<u64> {
        applied(&self.transaction)
    }
}
