//! Rows as a reader sees them: changes in memory over what the engine holds.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::buffer::{Change, Key, Layer};
use super::core::Core;
use super::fault::{Fault, Step};
use super::follower::Moment;
use super::rows::{Row, Rows, RowsMut, Stored, Value, Visit};
use super::snapshot::Snapshot;
use super::tables::{Span, TABLES, Table, owner};
use crate::record::{AccountNo, PeerKey, TextKey};
use crate::run::Index;
use crate::types::PeerId;

/// The rows as a reader sees them.
pub(super) enum View<'a> {
    /// With all changes of this process.
    Live(&'a Core),
    /// As another process committed them.
    Moment(Moment),
}

/// Where a row stands.
pub(super) enum Found {
    Changed(Change),
    Below(Option<Arc<Snapshot>>),
}

/// A part of a span.
pub(super) struct Page {
    pub(super) changes: Vec<(Key, Change)>,
    /// The part ends before this key; `None`: with the span.
    pub(super) until: Option<Key>,
    pub(super) below: Option<Arc<Snapshot>>,
}

impl View<'_> {
    /// The change of this row that is in memory, or else the tables below it; both as of one
    /// moment.
    fn look(&self, table: Table, key: &[u8]) -> Step<Found> {
        let core = match self {
            Self::Moment(moment) => return Ok(moment.look(table, key)),
            Self::Live(core) => core,
        };
        loop {
            if let Some(found) = core.state().look(table, key) {
                return Ok(found);
            }
            core.below()?;
        }
    }

    /// Entities as they all are at one moment, in the order of the keys that are asked for.
    pub(super) fn entities<'k>(
        &self,
        keys: impl Iterator<Item = &'k [u8; 12]> + Clone,
        visit: &mut dyn FnMut(Option<Value>) -> Step<bool>,
    ) -> Step<()> {
        let table = Table::Entities;
        let (changes, below) = loop {
            let seen = match self {
                Self::Moment(moment) => {
                    let look = |key: &[u8; 12]| moment.changed(table, key);
                    Some((keys.clone().map(look).collect::<Vec<_>>(), moment.below()))
                }
                Self::Live(core) => {
                    let state = core.state();
                    let look = |key: &[u8; 12]| state.changed(table, key);
                    let below = state.below.clone();
                    below.map(|below| (keys.clone().map(look).collect(), below))
                }
            };
            match (seen, self) {
                (Some(seen), _) => break seen,
                (None, Self::Live(core)) => drop(core.below()?),
                (None, Self::Moment(_)) => return Ok(()),
            }
        };
        for (key, change) in keys.zip(changes) {
            let value = match (change, &below) {
                (Some(change), _) => change.map(Value::Held),
                (None, Some(below)) => below.runs().get(key)?,
                (None, None) => None,
            };
            if !visit(value)? {
                break;
            }
        }
        Ok(())
    }

    /// The changes of a span that are in memory and the tables below them, as of one moment. At
    /// most about `most` changes.
    fn page(&self, table: Table, span: &Span, most: usize) -> Step<Page> {
        let core = match self {
            Self::Moment(moment) => return Ok(moment.page(table, span, most)),
            Self::Live(core) => core,
        };
        loop {
            if let Some(page) = core.state().page(table, span, most) {
                return Ok(page);
            }
            core.below()?;
        }
    }

    /// The entity that an index finds under this text, which is folded, and its record.
    pub(super) fn find(
        &self,
        index: Index,
        account: AccountNo,
        text: &str,
    ) -> Step<Option<(PeerId, Option<Value>)>> {
        let (table, key) = (index.table(), TextKey::of(account, text));
        match self.look(table, &key)? {
            Found::Changed(Some(row)) => {
                let id = owner(table, &key, &row)?;
                Ok(Some((id, self.get(Table::Entities, &PeerKey::of(account, id))?)))
            }
            Found::Changed(None) | Found::Below(None) => Ok(None),
            Found::Below(Some(snapshot)) => {
                let Some((key, below)) = snapshot.runs().holder(index, account, text)? else {
                    return Ok(None);
                };
                let nobody = || Fault::index(table.name(), &key, "it names nobody");
                let id = PeerKey::peer(&key).ok_or_else(nobody)?;
                // It shows the text still, or the index would have changed with it.
                Ok(Some((
                    id,
                    match self.look(Table::Entities, &key)? {
                        Found::Changed(change) => change.map(Value::Held),
                        Found::Below(_) => Some(below),
                    },
                )))
            }
        }
    }

    /// The rows of a table that are in memory, over those of the tables.
    pub(super) fn changed(&self, table: Table) -> Step<Vec<(Key, Row)>> {
        let page = self.page(table, &Span::ALL, usize::MAX)?;
        let rows = page.changes.into_iter().filter_map(|(key, change)| Some((key, change?)));
        Ok(rows.collect())
    }

    /// How many entities an account has, where that can be told without counting them.
    pub(super) fn entity_count(&self, account: AccountNo) -> Step<Option<u64>> {
        let table = Table::Entities;
        let page = self.page(table, &table.span(account), usize::MAX)?;
        let below = match &page.below {
            Some(snapshot) => snapshot.open(table)?,
            None => None,
        };
        let Some(rows) = below else {
            let live = page.changes.iter().filter(|(_, change)| change.is_some());
            return Ok(Some(live.count() as u64));
        };
        if page.changes.len() > MOST_LOOKED_UP {
            return Ok(None);
        }
        let Some(mut count) = rows.count(account)? else { return Ok(None) };
        for (key, change) in &page.changes {
            match (rows.get(key)?.is_some(), change.is_some()) {
                (false, true) => count += 1,
                (true, false) => count = count.saturating_sub(1),
                _ => {}
            }
        }
        Ok(Some(count))
    }
}

impl Rows for View<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Step<Option<Value>> {
        match self.look(table, key)? {
            Found::Changed(change) => Ok(change.map(Value::Held)),
            Found::Below(None) => Ok(None),
            Found::Below(Some(snapshot)) => match snapshot.open(table)? {
                Some(rows) => rows.get(key),
                None => Ok(None),
            },
        }
    }

    fn each(&self, table: Table, span: &Span, most: usize, visit: Visit<'_>) -> Step<()> {
        let mut rest = span.clone();
        loop {
            let Page { changes, until, below } = self.page(table, &rest, most)?;
            let below = match &below {
                Some(snapshot) => snapshot.open(table)?,
                None => None,
            };
            let to = until.as_ref().map_or(rest.to(), |key| Bound::Excluded(key));
            let merged = Merged { changes, below, from: rest.from(), to };
            if !merged.each(visit)? {
                return Ok(());
            }
            match until {
                Some(key) => rest.from = Bound::Included(key.to_vec()),
                None => return Ok(()),
            }
        }
    }
}

/// Where more has changed than this, counting all rows is no slower.
const MOST_LOOKED_UP: usize = 10_000;

/// A stretch of a table with changes over it.
pub(super) struct Merged<'a> {
    changes: Vec<(Key, Change)>,
    below: Option<&'a dyn Stored>,
    from: Bound<&'a [u8]>,
    to: Bound<&'a [u8]>,
}

impl<'a> Merged<'a> {
    /// This span of the rows below with these changes over it.
    pub(super) fn over(
        below: Option<&'a dyn Stored>,
        changes: Vec<(Key, Change)>,
        span: &'a Span,
    ) -> Self {
        Self { changes, below, from: span.from(), to: span.to() }
    }

    /// Shows every row; says whether more is wanted.
    pub(super) fn each(self, visit: Visit<'_>) -> Step<bool> {
        let mut changes = self.changes.into_iter().peekable();
        let mut go_on = true;
        let show = |key: &[u8], change: &Change, visit: Visit<'_>| match change {
            Some(row) => visit(key, row),
            None => Ok(true),
        };
        if let Some(rows) = self.below {
            rows.each(self.from, self.to, &mut |key, value| {
                while let Some((before, change)) = changes.next_if(|(at, _)| at.as_ref() < key) {
                    go_on = show(&before, &change, visit)?;
                    if !go_on {
                        return Ok(false);
                    }
                }
                go_on = match changes.next_if(|(at, _)| at.as_ref() == key) {
                    Some((_, change)) => show(key, &change, visit)?,
                    None => visit(key, value)?,
                };
                Ok(go_on)
            })?;
        }
        while go_on && let Some((key, change)) = changes.next() {
            go_on = show(&key, &change, visit)?;
        }
        Ok(go_on)
    }
}

/// The changes of a span in layers, the upper ones first, as one page.
pub(super) fn page_of(
    layers: &[&Layer],
    below: Option<Arc<Snapshot>>,
    table: Table,
    span: &Span,
    most: usize,
) -> Page {
    let mut changes = BTreeMap::new();
    let mut until: Option<Key> = None;
    for layer in layers {
        let mut live = 0;
        for (key, entry) in layer.range(table, span) {
            if live == most.max(1) {
                // The part ends where the layer that was cut first ends.
                let earlier = until.as_ref().is_none_or(|until| key < until);
                until = if earlier { Some(Arc::clone(key)) } else { until };
                break;
            }
            live += usize::from(entry.change.is_some());
            changes.entry(Arc::clone(key)).or_insert_with(|| entry.change.clone());
        }
    }
    if let Some(until) = &until {
        changes.retain(|key, _| key < until);
    }
    Page { changes: changes.into_iter().collect(), until, below }
}

/// Changes to be made all at once, seen over what they change.
pub(super) struct Batch<'a> {
    below: &'a dyn Rows,
    changes: Changes,
}

/// Changes of rows by table.
pub(super) type Changes = [BTreeMap<Key, Change>; TABLES];

impl<'a> Batch<'a> {
    pub(super) fn new(below: &'a dyn Rows) -> Self {
        Self { below, changes: Changes::default() }
    }

    /// The changes, of which there may be none.
    pub(super) fn into_changes(self) -> Changes {
        self.changes
    }

    fn change(&mut self, table: Table, key: &[u8], change: Change) {
        if let Some(changes) = self.changes.get_mut(table as usize) {
            changes.insert(key.into(), change);
        }
    }
}

impl Rows for Batch<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Step<Option<Value>> {
        match self.changes.get(table as usize).and_then(|changes| changes.get(key)) {
            Some(change) => Ok(change.clone().map(Value::Held)),
            None => self.below.get(table, key),
        }
    }

    /// Of what is below: nobody walks over what the same batch has changed.
    fn each(&self, table: Table, span: &Span, most: usize, visit: Visit<'_>) -> Step<()> {
        self.below.each(table, span, most, visit)
    }
}

impl RowsMut for Batch<'_> {
    /// What stands there already is no change. What cannot be read is written over.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Step<()> {
        let same = self.get(table, key).is_ok_and(|old| old.is_some_and(|old| *old == *value));
        if same { Ok(()) } else { self.set(table, key, value) }
    }

    fn set(&mut self, table: Table, key: &[u8], value: &[u8]) -> Step<()> {
        self.change(table, key, Some(Row::new(value.to_vec())));
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Step<()> {
        if self.get(table, key).map_or(true, |old| old.is_some()) {
            self.change(table, key, None);
        }
        Ok(())
    }
}
