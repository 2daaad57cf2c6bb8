//! Read views: the rows of one moment, from the memtables and the version below them.

use std::ops::Bound;
use std::sync::Arc;

use super::error::{EngineError, EngineResult};
use super::memtable::{Change, Memtable};
use super::overlay::{ChangeChunk, chunk_of, merged};
use super::rows::{RowBytes, RowKey, RowValue, Rows, Span, Table, Visit, owner};
use super::segments::table_of;
use super::version::Version;
use crate::file::Pin;
use crate::record::{AccountNo, PeerKey, TextKey};
use crate::segment::IndexKind;
use crate::types::PeerId;

/// Where more has changed than this, counting all rows is no slower.
const MOST_LOOKED_UP: usize = 10_000;

/// Everything that is current: the memtables, the active one first, and the version below.
#[derive(Clone, Debug)]
pub(crate) struct SuperVersion {
    pub(crate) memtables: Vec<Arc<Memtable>>,
    /// Rows that were checkpointed and are in no base: only the log of the generation has them.
    pub(crate) log_only: Arc<Memtable>,
    pub(crate) version: Arc<Version>,
    /// Keeps the pages of the version.
    pub(crate) pin: Arc<Pin>,
}

impl SuperVersion {
    /// All memtables, the newest first.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        self.memtables.iter().chain([&self.log_only])
    }

    /// The last batch of these memtables, or of what lies below them.
    pub(crate) fn sequence_of(&self, frozen: &[Arc<Memtable>]) -> u64 {
        frozen.first().unwrap_or(&self.log_only).rows().last()
    }
}

/// The rows as they were at one moment. It costs little to make, and stays as it is whatever is
/// written meanwhile.
#[derive(Debug)]
pub(crate) struct View {
    super_version: Arc<SuperVersion>,
    /// The last batch that it sees.
    at: u64,
    /// The memtable that keeps older versions of rows for it.
    registered: bool,
}

impl Drop for View {
    fn drop(&mut self) {
        if let Some(active) = self.super_version.memtables.first().filter(|_| self.registered) {
            active.unregister(self.at);
        }
    }
}

impl View {
    /// The rows as they are now, whatever is written from now on.
    pub(crate) fn of(super_version: Arc<SuperVersion>) -> Self {
        let at = super_version.memtables.first().map_or(0, |active| active.register());
        Self { super_version, at, registered: true }
    }

    /// The newest version of each row. It is not a snapshot: each row is consistent, but two rows
    /// may be of different moments.
    pub(crate) fn latest(super_version: Arc<SuperVersion>) -> Self {
        Self { super_version, at: u64::MAX, registered: false }
    }

    /// The last batch that it sees.
    pub(crate) fn sequence(&self) -> u64 {
        self.at
    }

    /// Roughly how much memory each memtable takes, the active one first.
    #[cfg(test)]
    pub(crate) fn memtable_sizes(&self) -> Vec<usize> {
        self.super_version.memtables.iter().map(|memtable| memtable.rows().bytes()).collect()
    }

    pub(crate) fn version(&self) -> &Arc<Version> {
        &self.super_version.version
    }

    /// The newest change of a row since the version was written, if there is one.
    pub(crate) fn changed(&self, table: Table, key: &[u8]) -> Option<Change> {
        let key = RowKey::from(key);
        self.super_version
            .layers()
            .find_map(|memtable| memtable.rows().get(table, &key, self.at).cloned())
    }

    /// The changes of a span, at most about `most` of them.
    fn changes(&self, table: Table, span: &Span, most: usize) -> ChangeChunk {
        let memtables: Vec<_> =
            self.super_version.layers().map(|memtable| memtable.rows()).collect();
        chunk_of(memtables.iter().map(std::ops::Deref::deref), self.at, table, span, most)
    }

    /// The entity that an index finds under this text, which is folded, and its record.
    pub(crate) fn find(
        &self,
        index: IndexKind,
        account: AccountNo,
        text: &str,
    ) -> EngineResult<Option<(PeerId, Option<RowBytes>)>> {
        let (table, key) = (table_of(index), TextKey::of(account, text));
        match self.changed(table, &key) {
            Some(Some(row)) => {
                let id = owner(table, &key, &row)?;
                return Ok(Some((id, self.get(Table::Entities, &PeerKey::of(account, id))?)));
            }
            Some(None) => return Ok(None),
            None => {}
        }
        let Some((key, below)) = self.version().segments.holder(index, account, text)? else {
            return Ok(None);
        };
        let invalid = || EngineError::index(table.name(), &key, "it names no peer");
        let id = PeerKey::peer(&key).ok_or_else(invalid)?;
        // The text is the entity's still, or the index would have changed with it.
        let record = match self.changed(Table::Entities, &key) {
            Some(change) => change.map(RowBytes::Held),
            None => Some(below),
        };
        Ok(Some((id, record)))
    }

    /// The rows of a table that are in memory, over those of the version.
    pub(crate) fn changed_rows(&self, table: Table) -> Vec<(RowKey, RowValue)> {
        let chunk = self.changes(table, &Span::ALL, usize::MAX);
        chunk.changes.into_iter().filter_map(|(key, change)| Some((key, change?))).collect()
    }

    /// How many entities an account has, if that can be told without counting them.
    pub(crate) fn entity_count(&self, account: AccountNo) -> EngineResult<Option<u64>> {
        let table = Table::Entities;
        let changes = self.changes(table, &table.span(account), usize::MAX).changes;
        let Some(rows) = self.version().table(table)? else { return Ok(None) };
        if changes.len() > MOST_LOOKED_UP {
            return Ok(None);
        }
        let Some(mut count) = rows.count(account)? else { return Ok(None) };
        for (key, change) in &changes {
            match (rows.get(key)?.is_some(), change.is_some()) {
                (false, true) => count += 1,
                (true, false) => count = count.saturating_sub(1),
                _ => {}
            }
        }
        Ok(Some(count))
    }
}

impl Rows for View {
    fn get(&self, table: Table, key: &[u8]) -> EngineResult<Option<RowBytes>> {
        match self.changed(table, key) {
            Some(change) => Ok(change.map(RowBytes::Held)),
            None => match self.version().table(table)? {
                Some(rows) => rows.get(key),
                None => Ok(None),
            },
        }
    }

    fn each(&self, table: Table, span: &Span, most: usize, visit: Visit<'_>) -> EngineResult<()> {
        let below = self.version().table(table)?;
        let mut rest = span.clone();
        loop {
            let ChangeChunk { changes, until } = self.changes(table, &rest, most);
            let to = until.as_ref().map_or(rest.to(), |key| Bound::Excluded(key));
            let rows = |visit: Visit<'_>| match below {
                Some(rows) => rows.each(rest.from(), to, visit),
                None => Ok(()),
            };
            if !merged(changes, rows, visit)? {
                return Ok(());
            }
            match until {
                Some(key) => rest.from = Bound::Included(key),
                None => return Ok(()),
            }
        }
    }
}
