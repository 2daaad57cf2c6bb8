//! Changes that go past the memtables into a new generation: imports and removals.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::EngineResult;
use super::super::memtable::Change;
use super::super::overlay::merged;
use super::super::rows::{RowBytes, RowKey, RowValue, Rows, RowsMut, Span, Table, Visit};
use super::super::segments::key_of;
use super::generation_builder::GenerationBuilder;
use super::merge::Merge;
use super::{Writer, locked};
use crate::error::Result;
use crate::record::AccountNo;
use crate::segment::{Collision, Segment, SegmentBuilder};

/// Changes that may be too large for memory. They become durable together, or none does.
pub(crate) struct BulkWrite<'e, 'w> {
    next_generation: &'e mut GenerationBuilder<'w>,
    /// Changes of entities and index rows that are newer than the segments.
    changes: BTreeMap<(Table, RowKey), Change>,
}

impl Writer {
    /// Makes the changes of `work` in one generation; on any error none of them. Other writers
    /// wait.
    pub(crate) fn bulk_write<T>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut BulkWrite<'_, '_>) -> EngineResult<T>,
    ) -> Result<T> {
        self.check_writable()?;
        self.check_in_place()?;
        let _checkpoint = locked(&self.checkpoint);
        self.reclaim();
        let mut durable = locked(&self.durable);
        let _making = locked(&self.batch);
        // Its rows have a number of their own, which no view has yet.
        self.begin_memtable(1);
        let current = self.current();
        let frozen = current.memtables.get(1..).unwrap_or_default();
        self.guarded(|| {
            let manifest = durable.manifest.clone();
            let mut next_generation = self.next_generation(manifest, &current.version);
            next_generation.take_in(frozen, &current.log_only, Merge::Seldom)?;
            let mut bulk =
                BulkWrite { next_generation: &mut next_generation, changes: BTreeMap::new() };
            let done = work(&mut bulk)?;
            bulk.write_segment()?;
            next_generation.limit_segments()?;
            next_generation.limit_removed()?;
            next_generation.write_base_if_large(false)?;
            self.publish(&mut durable, next_generation, frozen)?;
            self.written.store(true, std::sync::atomic::Ordering::Release);
            Ok(done)
        })
    }
}

impl<'w> BulkWrite<'_, 'w> {
    /// Begins a segment that is newer than all others.
    pub(crate) fn builder(&mut self) -> SegmentBuilder<'w> {
        self.next_generation.builder()
    }

    /// Adds a finished segment as the newest. Returns the rows whose username or phone hashes collide.
    pub(crate) fn add(
        &mut self,
        builder: SegmentBuilder<'_>,
    ) -> EngineResult<(Arc<Segment>, [Vec<Collision>; 2])> {
        self.next_generation.add(builder)
    }

    /// Fills an empty table with the rows of `source`, in the order of their keys.
    pub(crate) fn fill(
        &mut self,
        table: Table,
        source: &mut dyn FnMut(Visit<'_>) -> EngineResult<()>,
    ) -> EngineResult<()> {
        match table {
            Table::Entities => self.next_generation.fill_entities(source),
            // Segments index them by themselves.
            Table::Usernames | Table::Phones => Ok(()),
            _ => source(&mut |key, value| {
                self.next_generation
                    .rows
                    .insert((table, key.into()), Some(RowValue::of(table, value)));
                Ok(true)
            }),
        }
    }

    /// Removes every row of an account from a table. Segments keep theirs, which do not count any
    /// more: the number of the account is not given to another.
    pub(crate) fn clear(&mut self, table: Table, account: AccountNo) -> EngineResult<()> {
        if table.is_in_segments() {
            self.next_generation.remove(account);
            return Ok(());
        }
        let mut keys = Vec::new();
        self.each(table, &table.span(account), usize::MAX, &mut |key, _| {
            keys.push(RowKey::from(key));
            Ok(true)
        })?;
        self.next_generation.rows.extend(keys.into_iter().map(|key| ((table, key), None)));
        Ok(())
    }

    /// Writes the changes of entities into a segment of their own.
    pub(crate) fn write_segment(&mut self) -> EngineResult<()> {
        let changes = std::mem::take(&mut self.changes).into_iter();
        let entities = changes.filter(|((table, _), _)| *table == Table::Entities);
        let entities = entities.map(|((_, key), change)| (key_of(&key), change)).collect();
        self.next_generation.add_entities(&entities, Merge::Seldom)
    }

    fn changes_of(&self, table: Table) -> &BTreeMap<(Table, RowKey), Change> {
        if table.is_in_segments() { &self.changes } else { &self.next_generation.rows }
    }

    fn change(&mut self, table: Table, key: &[u8], change: Change) {
        let changes =
            if table.is_in_segments() { &mut self.changes } else { &mut self.next_generation.rows };
        changes.insert((table, key.into()), change);
    }
}

impl Rows for BulkWrite<'_, '_> {
    fn get(&self, table: Table, key: &[u8]) -> EngineResult<Option<RowBytes>> {
        match self.changes_of(table).get(&(table, RowKey::from(key))) {
            Some(change) => Ok(change.clone().map(RowBytes::Held)),
            None if table.is_in_segments() => self.next_generation.segments.row(table, key),
            None => {
                let below = self.next_generation.version().table(table)?;
                below.map_or(Ok(None), |rows| rows.get(key))
            }
        }
    }

    fn each(&self, table: Table, span: &Span, _: usize, visit: Visit<'_>) -> EngineResult<()> {
        let within =
            |key: &[u8]| std::ops::RangeBounds::<[u8]>::contains(&(span.from(), span.to()), key);
        let from = (table, RowKey::from(&[][..]));
        let changes = self.changes_of(table).range(from..).take_while(|((of, _), _)| *of == table);
        let changes = changes.filter(|((_, key), _)| within(key));
        let changes = changes.map(|((_, key), change)| (key.clone(), change.clone())).collect();
        let (from, to) = (span.from(), span.to());
        let below = |visit: Visit<'_>| match table {
            Table::Entities => self.next_generation.segments.each(from, to, visit),
            _ => match self.next_generation.version().table(table)? {
                Some(rows) => rows.each(from, to, visit),
                None => Ok(()),
            },
        };
        merged(changes, below, visit).map(drop)
    }
}

impl RowsMut for BulkWrite<'_, '_> {
    fn set(&mut self, table: Table, key: &[u8], value: &[u8]) -> EngineResult<()> {
        self.change(table, key, Some(RowValue::of(table, value)));
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> EngineResult<()> {
        self.change(table, key, None);
        Ok(())
    }
}
