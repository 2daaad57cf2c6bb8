//! Writes changes of entities into a segment, merged with older segments.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::error::{EngineError, EngineResult};
use super::super::memtable::{Change, MemRows};
use super::super::overlay::chunk_of;
use super::super::rows::{Span, Table};
use super::super::segments::{MergedRows, key_of};
use crate::record::{AccountNo, EntityFields, PeerKey, fields_of};
use crate::segment::{IndexKind, Key, Segment, SegmentBuilder};
use crate::types::{Entity, fold_phone, folded_username};

/// Changes of entities, in the order of their keys.
#[derive(Default)]
pub(super) struct EntityChanges(pub(super) Vec<(Key, Change)>);

impl EntityChanges {
    /// The entities of these memtables, the newest first.
    pub(super) fn of<'a>(memtables: impl Iterator<Item = &'a MemRows> + Clone) -> Self {
        let (table, all) = (Table::Entities, Span::ALL);
        let mut with_entities = memtables.clone().filter(|rows| rows.has_entities());
        if let (Some(rows), None) = (with_entities.next(), with_entities.next()) {
            let rows = rows.range(table, &all, u64::MAX);
            return Self(rows.map(|(key, change)| (key_of(key), change.clone())).collect());
        }
        let chunk = chunk_of(memtables, u64::MAX, table, &all, usize::MAX);
        Self(chunk.changes.into_iter().map(|(key, change)| (key_of(&key), change)).collect())
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|(_, change)| change.as_deref().map_or(0, <[u8]>::len)).sum()
    }
}

impl FromIterator<(Key, Change)> for EntityChanges {
    fn from_iter<I: IntoIterator<Item = (Key, Change)>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}

/// Writes the rows of a merge into a segment.
pub(super) struct MergeOutput<'a, 'b> {
    pub(super) builder: SegmentBuilder<'b>,
    /// The segments that the new one will lie over.
    pub(super) older: &'a [Arc<Segment>],
    pub(super) removed: &'a BTreeSet<AccountNo>,
    /// Called for each row. An error of it ends the merge.
    pub(super) on_row: &'a mut dyn FnMut() -> EngineResult<()>,
}

impl<'b> MergeOutput<'_, 'b> {
    /// Writes these changes and the rows of these segments, the newest first, which are older.
    pub(super) fn write(
        mut self,
        entities: &EntityChanges,
        segments: &[Arc<Segment>],
    ) -> EngineResult<SegmentBuilder<'b>> {
        let mut rows = MergedRows::from(segments.iter().map(Arc::as_ref), &Key::default())?;
        let mut below = rows.next()?;
        for (key, change) in &entities.0 {
            while let Some(row) = below.take_if(|row| row.key < *key) {
                self.push(&row.key, row.payload.as_deref())?;
                below = rows.next()?;
            }
            if below.as_ref().is_some_and(|row| row.key == *key) {
                below = rows.next()?;
            }
            let record = change.as_deref().and_then(|record| record.split_first());
            self.push(key, record.map(|(_, payload)| payload))?;
        }
        while let Some(row) = below {
            self.push(&row.key, row.payload.as_deref())?;
            below = rows.next()?;
        }
        Ok(self.builder)
    }

    fn push(&mut self, key: &Key, payload: Option<&[u8]>) -> EngineResult<()> {
        (self.on_row)()?;
        let account = PeerKey::account(key);
        if self.removed.contains(&account) {
            return Ok(());
        }
        // A tombstone says nothing where no older segment has rows of the account.
        if payload.is_none() && !self.older.iter().any(|segment| segment.spans(account.0)) {
            return Ok(());
        }
        push(&mut self.builder, key, payload)
    }
}

/// How many rows these segments have, tombstones too.
pub(super) fn rows_in(segments: &[Arc<Segment>]) -> EngineResult<u64> {
    let mut all = 0;
    for segment in segments {
        all += segment.row_count()?;
    }
    Ok(all)
}

/// Adds a row and what it is found by.
pub(super) fn push(
    builder: &mut SegmentBuilder<'_>,
    key: &Key,
    payload: Option<&[u8]>,
) -> EngineResult<()> {
    builder.push(key, payload)?;
    let Some(payload) = payload else { return Ok(()) };
    let fields: EntityFields<'_> = fields_of::<Entity>(payload)
        .map_err(|error| EngineError::record(Table::Entities.name(), key, error))?;
    for name in fields.usernames.iter() {
        builder.index(IndexKind::Usernames, &folded_username(name));
    }
    if let Some(phone) = fold_phone(fields.phone) {
        builder.index(IndexKind::Phones, &phone);
    }
    Ok(())
}
