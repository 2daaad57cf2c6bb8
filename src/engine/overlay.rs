//! Merges changes in memory with the rows below them.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLockReadGuard};

use super::error::EngineResult;
use super::memtable::{Change, MemRows, Memtable, RowChanged};
use super::rows::{RowKey, Span, Table, Visit};

/// The changes of a chunk of a span.
pub(crate) struct ChangeChunk {
    pub(crate) changes: Vec<(RowKey, Change)>,
    /// The end of the chunk, exclusive; `None` if it is the end of the span.
    pub(crate) until: Option<RowKey>,
}

/// The changes of a span in several memtables, the newest first, as of batch `at`. After about
/// `most` live rows of one memtable the chunk ends.
pub(crate) fn chunk_of<'a>(
    memtables: impl Iterator<Item = &'a MemRows>,
    at: u64,
    table: Table,
    span: &Span,
    most: usize,
) -> ChangeChunk {
    let mut changes = BTreeMap::new();
    let mut until: Option<RowKey> = None;
    for rows in memtables {
        let mut live = 0;
        for (key, change) in rows.range(table, span, at) {
            if live == most.max(1) {
                let earlier = until.as_ref().is_none_or(|until| key < until);
                until = if earlier { Some(key.clone()) } else { until };
                break;
            }
            live += usize::from(change.is_some());
            changes.entry(key.clone()).or_insert_with(|| change.clone());
        }
    }
    if let Some(until) = &until {
        changes.retain(|key, _| key < until);
    }
    ChangeChunk { changes: changes.into_iter().collect(), until }
}

/// One memtable with the newest change of each row of these, the newest first. It has no older
/// versions: a view that reads those keeps the memtables that have them.
pub(crate) fn joined(memtables: &[Arc<Memtable>]) -> Memtable {
    let rows: Vec<_> = memtables.iter().map(|memtable| memtable.rows()).collect();
    Memtable::of(newest_of(&rows), rows.first().map_or(0, |newest| newest.last()))
}

/// The newest change of each row of these memtables, the newest first.
pub(crate) fn newest_of(memtables: &[RwLockReadGuard<'_, MemRows>]) -> Vec<RowChanged> {
    let mut all = Vec::new();
    for table in Table::ALL {
        let rows = memtables.iter().map(std::ops::Deref::deref);
        let chunk = chunk_of(rows, u64::MAX, table, &Span::ALL, usize::MAX);
        all.extend(chunk.changes.into_iter().map(|(key, change)| (table, key, change)));
    }
    all
}

/// Visits the rows that `below` gives, with these changes over them, in the order of their keys.
/// Says whether more are wanted.
pub(crate) fn merged(
    changes: Vec<(RowKey, Change)>,
    below: impl FnOnce(Visit<'_>) -> EngineResult<()>,
    visit: Visit<'_>,
) -> EngineResult<bool> {
    let mut changes = changes.into_iter().peekable();
    let mut go_on = true;
    let visit_change = |key: &[u8], change: &Change, visit: Visit<'_>| match change {
        Some(row) => visit(key, row),
        None => Ok(true),
    };
    below(&mut |key, value| {
        while let Some((before, change)) = changes.next_if(|(at, _)| **at < *key) {
            go_on = visit_change(&before, &change, visit)?;
            if !go_on {
                return Ok(false);
            }
        }
        go_on = match changes.next_if(|(at, _)| **at == *key) {
            Some((_, change)) => visit_change(key, &change, visit)?,
            None => visit(key, value)?,
        };
        Ok(go_on)
    })?;
    while go_on && let Some((key, change)) = changes.next() {
        go_on = visit_change(&key, &change, visit)?;
    }
    Ok(go_on)
}
