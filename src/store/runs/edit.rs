//! Changing the runs with a transaction of the tables: new ones are written, old ones go.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use redb::WriteTransaction;

use super::super::buffer::Layer;
use super::super::fault::{Fault, Step};
use super::super::image::Image;
use super::super::rows::Visit;
use super::super::tables::{Span, Table, set_removed, set_runs};
use super::{Merged, Runs, key_of};
use crate::record::{AccountNo, EntityFields, PeerKey, fields_of};
use crate::run::{Builder, Index, Key, NewRun, Run, Twins};
use crate::types::{Entity, fold_phone, folded_username};

/// At most so many short runs lie over each other before they are merged even where that is in
/// somebody's way.
const MOST_SHORT: usize = 24;

/// A run that is shorter than this is short, in bytes.
const SHORT: usize = 4 << 20;

/// A run is merged with what comes over it, unless it is so many times as long.
const RATIO: usize = 4;

/// When runs are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Merge {
    /// Only where they are too many: somebody waits.
    Seldom,
    /// As it pays.
    Now,
}

/// What one transaction does to the runs.
pub(in crate::store) struct Edit<'i> {
    image: &'i Image,
    /// As they are now, the changes of this edit among them.
    pub(in crate::store) runs: Runs,
    added: Vec<NewRun>,
    /// Those that are not named any more, or not where they were.
    dropped: Vec<Arc<Run>>,
    /// The last number that was given to a run.
    last_number: u64,
    removed_before: BTreeSet<AccountNo>,
}

impl<'i> Edit<'i> {
    pub(in crate::store) fn new(image: &'i Image, runs: Runs, last_number: u64) -> Self {
        let removed_before = runs.removed.clone();
        let (added, dropped) = (Vec::new(), Vec::new());
        Self { image, runs, added, dropped, last_number, removed_before }
    }

    /// Names in this transaction what it has changed.
    pub(in crate::store) fn name(&self, transaction: &WriteTransaction) -> Step<()> {
        if !self.added.is_empty() || !self.dropped.is_empty() {
            let named: Vec<_> = self.added.iter().map(|new| (new.number, new.row)).collect();
            let unnamed: Vec<_> = self.dropped.iter().map(|run| run.number()).collect();
            set_runs(transaction, &named, &unnamed, self.last_number)?;
        }
        if self.runs.removed == self.removed_before {
            return Ok(());
        }
        set_removed(transaction, &self.runs.removed)
    }

    /// The new runs keep their places, whatever happens.
    pub(in crate::store) fn keep(&mut self) {
        self.added.iter_mut().for_each(NewRun::keep);
    }

    /// The first pages of the runs that nothing names any more.
    pub(in crate::store) fn retired(&mut self) -> Vec<(u32, Weak<Run>)> {
        let dropped = self.dropped.drain(..);
        dropped.map(|run| (run.row().page, Arc::downgrade(&run))).collect()
    }

    /// Moves runs to places in front of where they are. Nothing else may be done with this edit.
    pub(in crate::store) fn lower(&mut self) -> Step<()> {
        let runs: Vec<_> = self.runs.iter().cloned().collect();
        let mut lowered = Vec::with_capacity(runs.len());
        for run in runs {
            lowered.push(match self.image.lowered(&run)? {
                Some(new) => {
                    let moved = self.image.run(new.number, new.row)?;
                    self.added.push(new);
                    self.dropped.push(run);
                    moved
                }
                None => run,
            });
        }
        self.runs.newest_first = lowered;
        Ok(())
    }

    /// Begins a run that is to lie over all others.
    pub(in crate::store) fn builder(&mut self) -> Builder<'i> {
        self.last_number += 1;
        self.image.run_builder(self.last_number)
    }

    /// Puts a run that was built over all others. Gives back rows that may show one text.
    pub(in crate::store) fn add(
        &mut self,
        builder: Builder<'_>,
    ) -> Step<(Arc<Run>, [Vec<Twins>; 2])> {
        let (new, twins) = builder.finish()?;
        let run = self.image.run(new.number, new.row)?;
        self.runs.newest_first.insert(0, Arc::clone(&run));
        self.added.push(new);
        Ok((run, twins))
    }

    /// Brings the entities of a layer in.
    pub(in crate::store) fn bring(&mut self, layer: &Layer, merge: Merge) -> Step<()> {
        let mut changes = layer.range(Table::Entities, &Span::ALL).peekable();
        if changes.peek().is_none() {
            return Ok(());
        }
        let merged = self.to_merge(layer.entity_bytes(), merge);
        if merged > 0 {
            match self.bring_merged(layer, merged) {
                // A damaged run stays as it is, and costs nothing but itself.
                Err(fault @ (Fault::Block(_) | Fault::Damaged(_))) => {
                    tracing::warn!(?fault, "a run that is damaged is not merged");
                }
                brought => return brought,
            }
        }
        self.bring_merged(layer, 0)
    }

    /// How many of the newest runs are to be merged with so many bytes that come over them.
    fn to_merge(&self, bytes: usize, merge: Merge) -> usize {
        let short = self.runs.iter().take_while(|run| run.len() < SHORT).count();
        let most = match merge {
            Merge::Seldom if short < MOST_SHORT => 0,
            Merge::Seldom => short,
            Merge::Now => usize::MAX,
        };
        let mut together = bytes;
        let merges = self.runs.iter().take(most).take_while(|run| {
            let merges = run.len() <= together.saturating_mul(RATIO);
            together = together.saturating_add(run.len());
            merges
        });
        merges.count()
    }

    /// Merges the newest runs where short ones are too many.
    pub(in crate::store) fn limit(&mut self) -> Step<()> {
        let newest = self.runs.iter().next().map_or(0, |run| run.len());
        let merged = self.to_merge(newest, Merge::Seldom);
        if merged < 2 {
            return Ok(());
        }
        match self.bring_merged(&Layer::default(), merged) {
            Err(Fault::Block(_) | Fault::Damaged(_)) => Ok(()),
            merged => merged,
        }
    }

    fn bring_merged(&mut self, layer: &Layer, merged: usize) -> Step<()> {
        let runs: Vec<_> = self.runs.iter().cloned().collect();
        let (newer, older) = runs.split_at(merged.min(runs.len()));
        let removed = self.runs.removed.clone();
        let mut filling = Filling { builder: self.builder(), older, removed };
        let mut rows = Merged::from(newer.iter().map(Arc::as_ref), &Key::default())?;
        let mut below = rows.next()?;
        for (key, entry) in layer.range(Table::Entities, &Span::ALL) {
            let key = key_of(key);
            while let Some(row) = below.filter(|row| row.key < key) {
                filling.push(&row.key, row.payload)?;
                below = rows.next()?;
            }
            if below.is_some_and(|row| row.key == key) {
                below = rows.next()?;
            }
            let record = entry.change.as_deref().and_then(|record| record.split_first());
            filling.push(&key, record.map(|(_, payload)| payload))?;
        }
        while let Some(row) = below {
            filling.push(&row.key, row.payload)?;
            below = rows.next()?;
        }
        let builder = filling.builder;
        self.replace(newer.to_vec(), builder)
    }

    /// Puts a run of the entities that `source` shows over all others.
    pub(in crate::store) fn fill(
        &mut self,
        source: &mut dyn FnMut(Visit<'_>) -> Step<()>,
    ) -> Step<()> {
        let mut builder = self.builder();
        source(&mut |key, record| {
            let payload = record.split_first().map(|(_, payload)| payload);
            push(&mut builder, &key_of(key), payload)?;
            Ok(true)
        })?;
        if builder.is_empty() { Ok(()) } else { self.add(builder).map(drop) }
    }

    /// Merges all runs to one, without what is gone.
    pub(in crate::store) fn merge_all(&mut self) -> Step<()> {
        let all: Vec<_> = self.runs.iter().cloned().collect();
        let removed = self.runs.removed.clone();
        let mut filling = Filling { builder: self.builder(), older: &[], removed };
        let mut rows = Merged::from(all.iter().map(Arc::as_ref), &Key::default())?;
        while let Some(row) = rows.next()? {
            filling.push(&row.key, row.payload)?;
        }
        let builder = filling.builder;
        self.runs.removed.clear();
        self.replace(all, builder)
    }

    /// An account was removed.
    pub(in crate::store) fn remove(&mut self, account: AccountNo) {
        if self.runs.iter().any(|run| run.spans(account.0)) {
            self.runs.removed.insert(account);
        }
    }

    /// Puts a run in the place of the newest ones.
    fn replace(&mut self, old: Vec<Arc<Run>>, builder: Builder<'_>) -> Step<()> {
        self.runs.newest_first.drain(..old.len().min(self.runs.newest_first.len()));
        for run in old {
            self.forget(run);
        }
        if builder.is_empty() { Ok(()) } else { self.add(builder).map(drop) }
    }

    /// A run is not named any more.
    fn forget(&mut self, run: Arc<Run>) {
        let before = self.added.len();
        self.added.retain(|new| new.number != run.number());
        if self.added.len() == before {
            self.dropped.push(run);
        }
    }
}

/// Rows on their way into a run.
struct Filling<'a, 'b> {
    builder: Builder<'b>,
    /// What the run will lie over.
    older: &'a [Arc<Run>],
    removed: BTreeSet<AccountNo>,
}

impl Filling<'_, '_> {
    fn push(&mut self, key: &Key, payload: Option<&[u8]>) -> Step<()> {
        let account = PeerKey::account(key);
        if self.removed.contains(&account) {
            return Ok(());
        }
        // That an entity is gone need not be said where nothing says that it is there.
        if payload.is_none() && !self.older.iter().any(|run| run.spans(account.0)) {
            return Ok(());
        }
        push(&mut self.builder, key, payload)
    }
}

/// Adds a row and what it is found by.
fn push(builder: &mut Builder<'_>, key: &Key, payload: Option<&[u8]>) -> Step<()> {
    builder.push(key, payload)?;
    let Some(payload) = payload else { return Ok(()) };
    let fields: EntityFields<'_> = fields_of::<Entity>(payload)
        .map_err(|error| Fault::record(Table::Entities.name(), key, error))?;
    for name in fields.usernames.iter() {
        builder.index(Index::Usernames, &folded_username(name));
    }
    if let Some(phone) = fold_phone(fields.phone) {
        builder.index(Index::Phones, &phone);
    }
    Ok(())
}
