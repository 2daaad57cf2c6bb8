//! Rows that are not in the engine's tables yet, ordered, in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use redb::WriteTransaction;

use super::fault::Step;
use super::rows::Row;
use super::runs::{Edit, Merge};
use super::tables::{Span, TABLES, Table};

/// A key, shared between the places that remember it.
pub(super) type Key = Arc<[u8]>;

/// What becomes of a row: its new content, or `None` where it is deleted.
pub(super) type Change = Option<Row>;

/// What a row takes beside its bytes, roughly.
const OVERHEAD: usize = 96;

/// Changes of rows, the latest of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    tables: [BTreeMap<Key, Entry>; TABLES],
    bytes: usize,
}

/// A change and the number of the batch that made it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) change: Change,
    pub(super) batch: u64,
}

impl Layer {
    pub(super) fn get(&self, table: Table, key: &[u8]) -> Option<&Entry> {
        self.tables.get(table as usize)?.get(key)
    }

    /// Puts a change in, over one of the same row, which it gives back.
    pub(super) fn put(&mut self, table: Table, key: Key, entry: Entry) -> Option<Entry> {
        let rows = self.tables.get_mut(table as usize)?;
        self.bytes += weight(&key, &entry);
        let len = key.len();
        let old = rows.insert(key, entry);
        if let Some(old) = &old {
            self.bytes -= OVERHEAD + len + old.change.as_deref().map_or(0, <[u8]>::len);
        }
        old
    }

    /// How many rows have changes that come into redb's tables.
    pub(super) fn count_of_redb(&self) -> u64 {
        let redb = Table::ALL.into_iter().filter(|table| !table.is_in_runs());
        let rows = redb.filter_map(|table| self.tables.get(table as usize));
        rows.map(|rows| rows.len() as u64).sum()
    }

    /// Puts in what `older` says of rows that nothing is said of here.
    pub(super) fn put_below(&mut self, older: &Self) {
        for (table, key, entry) in older.iter() {
            if self.get(table, key).is_none() {
                self.put(table, Arc::clone(key), entry.clone());
            }
        }
    }

    /// Puts the changes into the tables, each table's in the order of its keys.
    pub(super) fn put_into(
        &self,
        transaction: &WriteTransaction,
        runs: &mut Edit<'_>,
        merge: Merge,
    ) -> Step<()> {
        // A run first, which may lie at the end of the file, where redb wants to grow.
        runs.bring(self, merge)?;
        for table in Table::ALL.into_iter().filter(|table| !table.is_in_runs()) {
            let mut changes = self.range(table, &Span::ALL).peekable();
            if changes.peek().is_none() {
                continue;
            }
            let mut rows = table.open_mut(transaction)?;
            for (key, entry) in changes {
                match &entry.change {
                    Some(row) => drop(rows.insert(key.as_ref(), &**row)?),
                    None => drop(rows.remove(key.as_ref())?),
                }
            }
        }
        Ok(())
    }

    /// How many bytes the entities take of the changes.
    pub(super) fn entity_bytes(&self) -> usize {
        let rows = self.range(Table::Entities, &Span::ALL);
        rows.map(|(_, entry)| entry.change.as_deref().map_or(0, <[u8]>::len)).sum()
    }

    /// How much memory the changes take, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Every change, in the order of tables and keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Table, &Key, &Entry)> {
        Table::ALL.into_iter().flat_map(|table| {
            let rows = self.tables.get(table as usize);
            rows.into_iter().flatten().map(move |(key, entry)| (table, key, entry))
        })
    }

    /// The changes of one table's span in the order of their keys.
    pub(super) fn range(&self, table: Table, span: &Span) -> impl Iterator<Item = (&Key, &Entry)> {
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (span.from(), span.to());
        let rows = self.tables.get(table as usize).filter(|rows| !rows.is_empty());
        let rows = rows.filter(|_| !is_empty(bounds));
        rows.map(|rows| rows.range::<[u8], _>(bounds)).into_iter().flatten()
    }
}

/// Whether nothing can lie between these bounds, which a map does not like to be asked.
fn is_empty((from, to): (Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Included(to) | Bound::Excluded(to),
        ) => from >= to,
    }
}

fn weight(key: &[u8], entry: &Entry) -> usize {
    OVERHEAD + key.len() + entry.change.as_deref().map_or(0, <[u8]>::len)
}
