//! Changes that are made all at once.

use super::error::EngineResult;
use super::memtable::{Change, Changes};
use super::overlay::merged;
use super::rows::{RowBytes, RowKey, RowValue, Rows, RowsMut, Span, Table, Visit};

/// Changes that are made all at once, seen over what they change.
pub(crate) struct Batch<'a> {
    below: &'a dyn Rows,
    changes: Changes,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(below: &'a dyn Rows) -> Self {
        Self { below, changes: Changes::default() }
    }

    /// The changes; there may be none.
    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }

    fn change(&mut self, table: Table, key: &[u8], change: Change) {
        if let Some(changes) = self.changes.table_mut(table) {
            changes.put(key.into(), change, |old, new| *old = new);
        }
    }
}

impl Rows for Batch<'_> {
    fn get(&self, table: Table, key: &[u8]) -> EngineResult<Option<RowBytes>> {
        match self.changes.table(table).and_then(|changes| changes.get(&RowKey::from(key))) {
            Some(change) => Ok(change.clone().map(RowBytes::Held)),
            None => self.below.get(table, key),
        }
    }

    fn each(&self, table: Table, span: &Span, most: usize, visit: Visit<'_>) -> EngineResult<()> {
        let Some(changes) = self.changes.table(table) else {
            return self.below.each(table, span, most, visit);
        };
        let changes =
            changes.range(span).map(|(key, change)| (RowKey::clone(key), change.clone())).collect();
        let below = |visit: Visit<'_>| self.below.each(table, span, most, visit);
        merged(changes, below, visit).map(drop)
    }
}

impl RowsMut for Batch<'_> {
    /// A row that is the same already is no change. A row that cannot be read is overwritten.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> EngineResult<()> {
        let same = self.get(table, key).is_ok_and(|old| old.is_some_and(|old| *old == *value));
        if same { Ok(()) } else { self.set(table, key, value) }
    }

    fn set(&mut self, table: Table, key: &[u8], value: &[u8]) -> EngineResult<()> {
        self.change(table, key, Some(RowValue::of(table, value)));
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> EngineResult<()> {
        if self.get(table, key).map_or(true, |old| old.is_some()) {
            self.change(table, key, None);
        }
        Ok(())
    }
}
