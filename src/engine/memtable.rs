//! Recent changes in memory, over what the file holds.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::rows::{RowKey, RowMap, RowValue, Span, TABLES, Table};

/// The new content of a row, or `None` where it is deleted: a tombstone.
pub(crate) type Change = Option<RowValue>;

/// Rows of every table, each under the number of the table.
type Tables<V> = [RowMap<V>; TABLES];

/// Changes of rows by table.
#[derive(Debug)]
pub(crate) struct Changes(Tables<Change>);

/// A change and the row that it is of.
pub(crate) type RowChanged = (Table, RowKey, Change);

/// Roughly what a row takes beside its bytes.
const OVERHEAD: usize = 96;

/// Changes of rows, each with the sequence number of its batch. Only the first memtable of a store
/// changes; it is called active, the others frozen.
#[derive(Debug, Default)]
pub(crate) struct Memtable {
    rows: RwLock<MemRows>,
    /// The sequence numbers that read views read at, and how many views each has.
    views: Mutex<BTreeMap<u64, usize>>,
}

/// The rows of a memtable.
#[derive(Debug)]
pub(crate) struct MemRows {
    tables: Tables<VersionChain>,
    bytes: usize,
    /// The last batch.
    last: u64,
}

/// The versions of a row, the newest first. There is more than one only where a read view needs
/// an older one.
#[derive(Debug)]
struct VersionChain {
    sequence: u64,
    change: Change,
    older: Option<Box<VersionChain>>,
}

/// Changes that are nowhere on the disk yet.
#[derive(Debug, Default)]
pub(crate) struct Unlogged {
    /// The keys of their rows, in any order, some twice.
    pub(crate) keys: Vec<(Table, RowKey)>,
    /// The last batch that was collected for the log. `keys` has the rows of later batches.
    pub(crate) logged: u64,
}

/// The result of applying a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applied {
    pub(crate) sequence: u64,
    /// Roughly how much memory the memtable takes now.
    pub(crate) bytes: usize,
}

impl Default for Changes {
    fn default() -> Self {
        Self(Table::ALL.map(RowMap::of))
    }
}

impl Changes {
    pub(crate) fn table(&self, table: Table) -> Option<&RowMap<Change>> {
        self.0.get(table as usize).filter(|rows| !rows.is_empty())
    }

    pub(crate) fn table_mut(&mut self, table: Table) -> Option<&mut RowMap<Change>> {
        self.0.get_mut(table as usize)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(RowMap::is_empty)
    }
}

impl Default for MemRows {
    fn default() -> Self {
        Self { tables: Table::ALL.map(RowMap::of), bytes: 0, last: 0 }
    }
}

impl Memtable {
    /// An empty memtable after this batch.
    pub(crate) fn after(last: u64) -> Self {
        Self { rows: RwLock::new(MemRows { last, ..MemRows::default() }), views: Mutex::default() }
    }

    pub(crate) fn rows(&self) -> RwLockReadGuard<'_, MemRows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows_mut(&self) -> RwLockWriteGuard<'_, MemRows> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn views(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, usize>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps every row as it is now until [`unregister`](Self::unregister), and gives the sequence
    /// number to read at.
    pub(crate) fn register(&self) -> u64 {
        // While the rows are locked no batch comes in between.
        let rows = self.rows();
        *self.views().entry(rows.last).or_default() += 1;
        rows.last
    }

    pub(crate) fn unregister(&self, at: u64) {
        let mut views = self.views();
        if let Some(count) = views.get_mut(&at) {
            *count -= 1;
            if *count == 0 {
                views.remove(&at);
            }
        }
    }

    /// Takes a batch in, all of it at one moment.
    pub(crate) fn apply(&self, changes: Changes, unlogged: &mut Unlogged) -> Applied {
        let mut rows = self.rows_mut();
        let sequence = rows.last + 1;
        rows.last = sequence;
        let newest_view = self.views().last_key_value().map(|(at, _)| *at);
        unlogged.keys.reserve(changes.0.iter().map(RowMap::len).sum());
        for (table, changes) in Table::ALL.into_iter().zip(changes.0) {
            rows.reserve(table, changes.len());
            changes.for_each(|key, change| {
                let before = rows.put(table, key.clone(), sequence, change, newest_view);
                if before.is_none_or(|before| before <= unlogged.logged) {
                    unlogged.keys.push((table, key));
                }
            });
        }
        Applied { sequence, bytes: rows.bytes }
    }

    /// A memtable of these rows, as of this batch.
    pub(crate) fn of(changes: Vec<RowChanged>, sequence: u64) -> Self {
        let memtable = Self::after(sequence);
        memtable.replay(changes, sequence);
        memtable
    }

    /// Takes rows in that were replayed from the log.
    pub(crate) fn replay(&self, changes: Vec<RowChanged>, sequence: u64) {
        let mut rows = self.rows_mut();
        let newest_view = self.views().last_key_value().map(|(at, _)| *at);
        rows.last = rows.last.max(sequence);
        for (table, key, change) in changes {
            rows.put(table, key, sequence, change, newest_view);
        }
    }
}

impl MemRows {
    /// The last batch.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Roughly how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn has_entities(&self) -> bool {
        self.tables.get(Table::Entities as usize).is_some_and(|rows| !rows.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tables.iter().all(RowMap::is_empty)
    }

    /// Makes room for this many more rows.
    fn reserve(&mut self, table: Table, more: usize) {
        if let Some(rows) = self.tables.get_mut(table as usize) {
            rows.reserve(more);
        }
    }

    /// Puts a version in; gives the sequence number of the one before.
    fn put(
        &mut self,
        table: Table,
        key: RowKey,
        sequence: u64,
        change: Change,
        newest_view: Option<u64>,
    ) -> Option<u64> {
        let rows = self.tables.get_mut(table as usize)?;
        let (bytes, key_len) = (&mut self.bytes, key.len());
        *bytes += weight(key_len, &change);
        let (new, mut before) = (VersionChain { sequence, change, older: None }, None);
        rows.put(key, new, |old, mut new| {
            before = Some(old.sequence);
            // The version before is needed if a view reads at its batch or a later one.
            if newest_view.is_some_and(|view| view >= old.sequence && old.sequence < sequence) {
                let older = std::mem::replace(old, new);
                old.older = Some(Box::new(older));
            } else {
                *bytes -= weight(key_len, &old.change);
                new.older = old.older.take();
                *old = new;
            }
        });
        before
    }

    /// The change of a row as of this batch, if it had one.
    pub(crate) fn get(&self, table: Table, key: &RowKey, at: u64) -> Option<&Change> {
        self.tables.get(table as usize)?.get(key)?.at(at)
    }

    /// The newest change of a row.
    pub(crate) fn newest(&self, table: Table, key: &RowKey) -> Option<&Change> {
        self.get(table, key, u64::MAX)
    }

    /// The changes of a span as of this batch, in the order of their keys.
    pub(crate) fn range(
        &self,
        table: Table,
        span: &Span,
        at: u64,
    ) -> impl Iterator<Item = (&RowKey, &Change)> {
        let rows = self.tables.get(table as usize).filter(|rows| !rows.is_empty());
        let rows = rows.map(|rows| rows.range(span)).into_iter().flatten();
        rows.filter_map(move |(key, versions)| Some((key, versions.at(at)?)))
    }
}

impl VersionChain {
    fn at(&self, at: u64) -> Option<&Change> {
        let mut version = self;
        while version.sequence > at {
            version = version.older.as_deref()?;
        }
        Some(&version.change)
    }
}

/// Long chains of versions must not be dropped by recursion.
impl Drop for VersionChain {
    fn drop(&mut self) {
        let mut older = self.older.take();
        while let Some(mut version) = older {
            older = version.older.take();
        }
    }
}

fn weight(key_len: usize, change: &Change) -> usize {
    OVERHEAD + key_len + change.as_deref().map_or(0, <[u8]>::len)
}
