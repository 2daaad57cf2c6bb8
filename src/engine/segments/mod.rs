//! The segments of a generation, which hold its entities, read as one: newer segments shadow older
//! ones.

mod tables;

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::error::EngineResult;
use super::rows::{RowBytes, Visit};
use crate::record::{AccountNo, PeerKey, Record};
use crate::segment::{
    Cursor, IndexKind, Key, Segment, SegmentError, SegmentRow, SegmentSlice, entity_hash,
};
use crate::types::Entity;

pub(crate) use self::tables::{EntityTable, IndexTable, table_of};

/// All segments of one generation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segments {
    pub(crate) newest_first: Vec<Arc<Segment>>,
    /// Accounts that were removed after the segments were written: their rows do not count.
    pub(crate) removed: BTreeSet<AccountNo>,
}

impl Segments {
    /// These segments, the newest last, without the rows of removed accounts.
    pub(crate) fn of(
        oldest_first: impl DoubleEndedIterator<Item = Arc<Segment>>,
        removed: BTreeSet<AccountNo>,
    ) -> Self {
        Self { newest_first: oldest_first.rev().collect(), removed }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.newest_first.iter()
    }

    fn of_account(&self, account: AccountNo) -> impl Iterator<Item = (usize, &Arc<Segment>)> {
        let removed = self.is_removed(account);
        let segments = self.newest_first.iter().enumerate();
        segments.filter(move |(_, segment)| segment.spans(account.0) && !removed)
    }

    fn is_removed(&self, account: AccountNo) -> bool {
        !self.removed.is_empty() && self.removed.contains(&account)
    }

    /// Roughly how many bytes are of accounts that were removed.
    pub(crate) fn dead_bytes(&self) -> EngineResult<u64> {
        let mut bytes = 0;
        for segment in self.iter().filter(|_| !self.removed.is_empty()) {
            let (mut all, mut dead) = (0, 0);
            segment.accounts(&mut |account, rows, gone| {
                let rows = u64::from(rows) + u64::from(gone);
                all += rows;
                dead += if self.is_removed(AccountNo(account)) { rows } else { 0 };
            })?;
            bytes += segment.len() as u64 * dead / all.max(1);
        }
        Ok(bytes)
    }

    /// The record of an entity; `None` where no segment has it or a tombstone is newer.
    pub(crate) fn get(&self, key: &Key) -> EngineResult<Option<RowBytes>> {
        let hash = entity_hash(key);
        for (_, segment) in self.of_account(PeerKey::account(key)) {
            if !segment.may_have(hash) {
                continue;
            }
            let copy = |payload: Option<&[u8]>| Some(RowBytes::record(Entity::TAG, payload?));
            if let Some(newest) = segment.get(key, copy)? {
                return Ok(newest);
            }
        }
        Ok(None)
    }

    /// The entity that shows this text, which is folded, and its record. A segment finds also what
    /// a newer one has replaced: such an entity does not count.
    pub(crate) fn holder(
        &self,
        index: IndexKind,
        account: AccountNo,
        text: &str,
    ) -> EngineResult<Option<(Key, RowBytes)>> {
        let mut hash = None;
        for (at, segment) in self.of_account(account) {
            let (mut holder, mut newer) = (None, Ok(()));
            let hash = *hash.get_or_insert_with(|| segment.hash(account.0, text));
            if !segment.may_have(hash) {
                continue;
            }
            segment.find_by_text(index, account.0, text, hash, &mut |row| {
                match (self.is_shadowed(at, &row.key), row.payload) {
                    (Ok(false), Some(payload)) => {
                        holder = Some((row.key, RowBytes::record(Entity::TAG, payload)));
                    }
                    (Ok(_), _) => {}
                    (Err(error), _) => newer = Err(error),
                }
                Ok(holder.is_some() || newer.is_err())
            })?;
            newer?;
            if holder.is_some() {
                return Ok(holder);
            }
        }
        Ok(None)
    }

    fn is_shadowed(&self, at: usize, key: &Key) -> EngineResult<bool> {
        let (account, hash) = (PeerKey::account(key), entity_hash(key));
        for (_, segment) in self.of_account(account).take_while(|(newer, _)| *newer < at) {
            if segment.may_have(hash) && segment.has(key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Visits every entity within these bounds, in the order of the keys.
    pub(crate) fn each(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        visit: Visit<'_>,
    ) -> EngineResult<()> {
        let within = |key: &Key| match to {
            Bound::Included(to) => key.as_slice() <= to,
            Bound::Excluded(to) => key.as_slice() < to,
            Bound::Unbounded => true,
        };
        let (first, but) = match from {
            Bound::Included(from) => (key_of(from), None),
            Bound::Excluded(from) => (key_of(from), Some(from)),
            Bound::Unbounded => (Key::default(), None),
        };
        let mut merged = MergedRows::from(self.iter().map(Arc::as_ref), &first)?;
        let mut record = Vec::new();
        while let Some(SegmentRow { key, payload }) = merged.next()? {
            if !within(&key) {
                break;
            }
            let left_out = but == Some(key.as_slice()) || self.is_removed(PeerKey::account(&key));
            let Some(payload) = payload.filter(|_| !left_out) else { continue };
            record.clear();
            record.push(Entity::TAG);
            record.extend_from_slice(&payload);
            if !visit(&key, &record)? {
                break;
            }
        }
        Ok(())
    }

    /// How many entities an account has, if a single segment has all of them.
    pub(crate) fn count(&self, account: AccountNo) -> EngineResult<Option<u64>> {
        let mut counts = Vec::new();
        for (_, segment) in self.of_account(account) {
            counts.extend(Some(segment.count(account.0)?).filter(|count| *count != (0, 0)));
        }
        Ok(match counts.as_slice() {
            [] => Some(0),
            [(rows, _)] => Some(*rows),
            _ => None,
        })
    }
}

/// As much of a key as there is, and zeros.
pub(crate) fn key_of(bytes: &[u8]) -> Key {
    let mut key = Key::default();
    for (place, byte) in key.iter_mut().zip(bytes) {
        *place = *byte;
    }
    key
}

/// Segments as one: of each entity what the newest says.
pub(crate) struct MergedRows<'a>(Vec<Cursor<'a>>);

impl<'a> MergedRows<'a> {
    /// These, the newest first, from a key on.
    pub(crate) fn from(
        segments: impl Iterator<Item = &'a Segment>,
        first: &Key,
    ) -> EngineResult<Self> {
        let walks: Result<_, SegmentError> =
            segments.map(|segment| Cursor::from(segment, first)).collect();
        Ok(Self(walks?))
    }

    pub(crate) fn next(&mut self) -> EngineResult<Option<SegmentRow<SegmentSlice<'a>>>> {
        let Some(key) = self.0.iter().filter_map(Cursor::front).min() else { return Ok(None) };
        // The first of those with the smallest key is the newest.
        let mut newest = None;
        for walk in self.0.iter_mut().filter(|walk| walk.front() == Some(key)) {
            let row = walk.next()?;
            newest = newest.or(row);
        }
        Ok(newest)
    }
}
