//! What an engine holds in memory.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::buffer::{Change, Entry, Key, Layer};
use super::fault::{Fault, Step};
use super::rows::Row;
use super::snapshot::Snapshot;
use super::tables::{Span, Table};
use super::view::{Changes, Found, Page, page_of};
use crate::file::LogRecord;
use crate::record::{RecordError, RowChange, changes};

/// Changes over the tables, the latest of each row.
#[derive(Default)]
pub(super) struct State {
    /// What the tables do not have.
    rows: Layer,
    /// What is on its way into the tables; `rows` lies over it.
    pub(super) older: Option<Older>,
    /// The keys of those in `rows` that are nowhere on disk, in any order, some twice.
    fresh: Vec<(Table, Key)>,
    /// The last batch.
    pub(super) batch: u64,
    /// The last batch that a commit has begun with: rows of later ones stand in `fresh`.
    collected: u64,
    /// The tables as they were committed, once somebody has asked for them; within, `None` while
    /// there are none.
    pub(super) below: Option<Option<Arc<Snapshot>>>,
}

/// Changes that are on their way into the tables.
#[derive(Clone)]
pub(super) struct Older {
    pub(super) layer: Arc<Layer>,
    /// The last record of the log whose changes are among them.
    pub(super) number: u64,
    /// That record is on disk. Before, the tables must not have it either.
    pub(super) logged: bool,
}

/// A change and the row that it is of.
pub(super) type RowChanged = (Table, Key, Change);

/// What a batch has changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Applied {
    pub(super) batch: u64,
    /// Nothing was waiting for the disk before.
    pub(super) first: bool,
}

/// Changes to be brought to the disk.
pub(super) struct Fresh {
    pub(super) changes: Vec<RowChanged>,
    /// The last batch of them.
    pub(super) batch: u64,
}

/// All changes, to be brought into the tables.
pub(super) struct Taken {
    pub(super) layer: Arc<Layer>,
    pub(super) batch: u64,
    fresh: Vec<(Table, Key)>,
}

impl State {
    /// How much memory the changes take, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.rows.bytes() + self.older.as_ref().map_or(0, |older| older.layer.bytes())
    }

    /// Puts a batch over the rows.
    pub(super) fn apply(&mut self, changes: Changes) -> Applied {
        self.batch += 1;
        let (batch, collected) = (self.batch, self.collected);
        let first = self.fresh.is_empty();
        for (table, changes) in Table::ALL.into_iter().zip(changes) {
            for (key, change) in changes {
                let old = self.rows.put(table, Arc::clone(&key), Entry { change, batch });
                if old.is_none_or(|old| old.batch <= collected) {
                    self.fresh.push((table, key));
                }
            }
        }
        Applied { batch, first }
    }

    /// Begins with what these records of the log say.
    pub(super) fn of(records: &[LogRecord]) -> Step<Self> {
        Ok(Self { rows: replayed(records)?, ..Self::default() })
    }

    /// What is nowhere on disk, as of this moment.
    pub(super) fn collect(&mut self) -> Fresh {
        self.collected = self.batch;
        let mut keys = std::mem::take(&mut self.fresh);
        keys.sort_unstable();
        keys.dedup();
        let with_change = |(table, key): (Table, Key)| {
            let change = self.rows.get(table, &key)?.change.clone();
            Some((table, key, change))
        };
        let changes = keys.into_iter().filter_map(with_change).collect();
        Fresh { changes, batch: self.batch }
    }

    /// Takes back what could not be brought to the disk.
    pub(super) fn take_back(&mut self, fresh: Fresh) {
        self.fresh.extend(fresh.changes.into_iter().map(|(table, key, _)| (table, key)));
    }

    /// Sets aside what a record of this number makes complete, to be brought into the tables while
    /// others write. Nothing is fresh.
    pub(super) fn set_aside(&mut self, number: u64) {
        let layer = Arc::new(std::mem::take(&mut self.rows));
        self.older = Some(Older { layer, number, logged: false });
    }

    /// The record that what was set aside waits for is on disk.
    pub(super) fn logged(&mut self) {
        if let Some(older) = &mut self.older {
            older.logged = true;
        }
    }

    /// Takes back what was set aside.
    pub(super) fn take_all_back(&mut self) {
        if let Some(older) = self.older.take() {
            self.rows.put_below(&older.layer);
        }
    }

    /// Sets everything aside, to be brought into the tables while nobody commits. What is written
    /// meanwhile is fresh.
    pub(super) fn take_all(&mut self) -> Taken {
        self.take_all_back();
        let layer = Arc::new(std::mem::take(&mut self.rows));
        self.older = Some(Older { layer: Arc::clone(&layer), number: 0, logged: false });
        self.collected = self.batch;
        Taken { layer, batch: self.batch, fresh: std::mem::take(&mut self.fresh) }
    }

    /// Takes back what did not get into the tables.
    pub(super) fn put_back(&mut self, taken: Taken) {
        self.take_all_back();
        self.fresh.extend(taken.fresh);
    }

    /// What was set aside is in these tables.
    pub(super) fn arrived(&mut self, below: Option<Arc<Snapshot>>) {
        self.older = None;
        self.below = below.map(Some);
    }

    /// All changes as one layer, and the tables below them, as of this moment.
    pub(super) fn freeze(&self) -> Option<(Layer, Option<Arc<Snapshot>>)> {
        let below = self.below.clone()?;
        let mut rows = self.rows.clone();
        if let Some(older) = &self.older {
            rows.put_below(&older.layer);
        }
        Some((rows, below))
    }

    pub(super) fn look(&self, table: Table, key: &[u8]) -> Option<Found> {
        match self.changed(table, key) {
            Some(change) => Some(Found::Changed(change)),
            None => self.below.clone().map(Found::Below),
        }
    }

    /// What has become of a row, if it has changed.
    pub(super) fn changed(&self, table: Table, key: &[u8]) -> Option<Change> {
        let older = || self.older.as_ref().and_then(|older| older.layer.get(table, key));
        self.rows.get(table, key).or_else(older).map(|entry| entry.change.clone())
    }

    pub(super) fn page(&self, table: Table, span: &Span, most: usize) -> Option<Page> {
        let below = self.below.clone()?;
        let older = self.older.as_ref().map(|older| older.layer.as_ref());
        let layers: Vec<&Layer> = std::iter::once(&self.rows).chain(older).collect();
        Some(page_of(&layers, below, table, span, most))
    }
}

/// What these records of the log say together. The last ones are looked at first: most of what is
/// written was written over soon.
pub(super) fn replayed(records: &[LogRecord]) -> Step<Layer> {
    let mut rows = Layer::default();
    for record in records.iter().rev() {
        for change in changes(&record.content) {
            let RowChange { table, key, value } =
                change.map_err(|error| Fault::record("log", &[], error))?;
            let unknown = || Fault::record("log", key, RecordError::Value { field: "table" });
            let table = Table::of(table).ok_or_else(unknown)?;
            let fits = table.key_len().is_none_or(|len| len == key.len());
            if !fits || value.zip(table.value_len()).is_some_and(|(v, len)| v.len() != len) {
                return Err(Fault::record("log", key, RecordError::Key));
            }
            if rows.get(table, key).is_none() {
                let change = value.map(|value| Row::new(value.to_vec()));
                rows.put(table, key.into(), Entry { change, batch: 0 });
            }
        }
    }
    Ok(rows)
}

/// Changes, and more of them, as the content of a record of the log.
pub(super) fn content_of(changes: &[RowChanged], more: &[RowChanged]) -> Zeroizing<Vec<u8>> {
    let len = content_len(changes) + content_len(more);
    let mut content = Zeroizing::new(Vec::with_capacity(len));
    for (table, key, change) in changes.iter().chain(more) {
        RowChange { table: *table as u8, key, value: change.as_deref() }.write(&mut content);
    }
    content
}

/// How long that is.
pub(super) fn content_len(changes: &[RowChanged]) -> usize {
    let len = |(table, key, change): &RowChanged| {
        RowChange { table: *table as u8, key, value: change.as_deref() }.len()
    };
    changes.iter().map(len).sum()
}
