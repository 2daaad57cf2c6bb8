//! Merges segments. A merge of much data goes on beside flushes and checkpoints, and becomes current in a
//! generation of its own.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, TryLockError};

use super::super::error::{EngineError, EngineResult};
use super::super::segments::Segments;
use super::super::version::Version;
use super::merge_output::{EntityChanges, MergeOutput};
use super::{Writer, locked};
use crate::error::Result;
use crate::file::{Extent, Pin};
use crate::record::AccountNo;
use crate::segment::{NewSegment, Segment, SegmentBuilder};

/// From so many small segments on they are merged even while a caller waits.
const TOO_MANY_SHORT: usize = 24;

/// A segment of fewer bytes is small.
const SHORT: usize = if cfg!(any(test, fuzzing)) { 64 << 10 } else { 4 << 20 };

/// A checkpoint merges segments of at most this many bytes in all, which takes some 20 ms. Otherwise
/// flushes would have to wait for it.
const MOST_IN_CHECKPOINT: usize = if cfg!(any(test, fuzzing)) { 16 << 10 } else { 4 << 20 };

/// If there are too many small segments, a checkpoint merges the newest of them, of at most this many bytes
/// in all.
const MOST_IN_CHECKPOINT_IF_MANY: usize = 4 * SHORT;

/// If a load adds more segments than this during a merge, calls that fill a memtable wait for the merge.
const MOST_ADDED_DURING_MERGE: usize = if cfg!(any(test, fuzzing)) { 16 } else { 64 };

/// A segment is merged with the newer data, unless it is more than this many times as large.
const RATIO: usize = 4;

/// While a client fills one memtable after another, a segment is merged only where the newer data that
/// it is merged with is at least this many times as large. So each row is written once more where the
/// data has grown eightfold, and up to seven segments of each size are left.
const RATIO_UNDER_LOAD: usize = 7;

/// After so many rows, which take half a millisecond, the merging thread does other work that is due.
const ROWS_BETWEEN: u32 = if cfg!(any(test, fuzzing)) { 16 } else { 1_024 };

/// When segments are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Only where they are too many: a caller waits.
    Seldom,
    /// As it pays while a client fills one memtable after the other.
    UnderLoad,
    /// As it pays for later reads.
    Eager,
    /// All of them, to one.
    All,
}

/// How many of the newest segments to merge with `bytes` of newer changes: as many as possible, so
/// that the oldest of them is not too large for what it is merged with. A segment that is known to be damaged
/// stays, and so do older ones.
pub(super) fn to_merge(newest_first: &[Arc<Segment>], bytes: usize, merge: Merge) -> usize {
    let most = match merge {
        Merge::Seldom => too_many_short(newest_first),
        Merge::UnderLoad | Merge::Eager | Merge::All => usize::MAX,
    };
    let pays = |segment: usize, newer: usize| match merge {
        Merge::UnderLoad => segment.saturating_mul(RATIO_UNDER_LOAD) <= newer,
        Merge::Seldom | Merge::Eager | Merge::All => segment <= newer.saturating_mul(RATIO),
    };
    let (mut newer, mut merged) = (bytes, 0);
    let whole = newest_first.iter().take(most).take_while(|segment| !segment.is_damaged());
    for (count, segment) in (1..).zip(whole) {
        if pays(segment.len(), newer) {
            merged = count;
        }
        newer = newer.saturating_add(segment.len());
    }
    merged
}

/// The same for a checkpoint. It leaves a merge of much data to the flusher. Where the small segments are
/// too many, it merges some of them.
pub(super) fn to_merge_in_checkpoint(
    newest_first: &[Arc<Segment>],
    bytes: usize,
    merge: Merge,
) -> usize {
    let merged = to_merge(newest_first, bytes, merge);
    let with = |most: usize| {
        let ends = newest_first.iter().take(merged).scan(0_usize, |end, segment| {
            *end = end.saturating_add(segment.len());
            Some(*end)
        });
        ends.take_while(|end| *end <= most).count()
    };
    if with(MOST_IN_CHECKPOINT) == merged {
        merged
    } else if too_many_short(newest_first) > 0 {
        with(MOST_IN_CHECKPOINT_IF_MANY)
    } else {
        0
    }
}

/// How many of the newest segments are small, if they are too many.
fn too_many_short(newest_first: &[Arc<Segment>]) -> usize {
    let short = newest_first.iter().take_while(|segment| segment.len() < SHORT).count();
    if short < TOO_MANY_SHORT { 0 } else { short }
}

/// Marks the segment in which a merge has found damage. Later merges use newer segments only.
pub(super) fn mark_damaged(error: &EngineError, segments: &[Arc<Segment>]) {
    let damaged = |segment: &&Arc<Segment>| Some(segment.number()) == error.damaged_segment();
    if let Some(segment) = segments.iter().find(damaged) {
        tracing::warn!(?error, "a damaged segment is not merged");
        segment.mark_damaged();
    }
}

/// A segment that was merged from others, and is in no generation yet.
pub(super) struct MergedSegments {
    /// The segments that it was merged from: neighbours, the newest first.
    old: Vec<Arc<Segment>>,
    /// `None` if no row is left.
    pub(super) new: Option<NewSegment>,
    /// Removed accounts whose last rows this merge has dropped.
    pub(super) forgotten: BTreeSet<AccountNo>,
    /// How many syncs had failed before it was written.
    pub(super) failed_syncs: u64,
}

impl MergedSegments {
    /// Where the segments that it was merged from are among these, if they still are.
    pub(super) fn place_in(&self, segments: &Segments) -> Option<Range<usize>> {
        let number = self.old.first()?.number();
        let first = segments.iter().position(|segment| segment.number() == number)?;
        let place = first..first + self.old.len();
        let here = segments.newest_first.get(place.clone())?;
        let are_same = here.iter().zip(&self.old).all(|(here, old)| here.number() == old.number());
        are_same.then_some(place)
    }
}

/// A merge that has begun.
struct Merging {
    version: Arc<Version>,
    /// Keeps the pages of the segments, also if they are replaced meanwhile.
    _pin: Arc<Pin>,
    /// How many of the newest segments are merged.
    count: usize,
    /// The number of the newest of them.
    newest: u64,
    /// The number of the new segment.
    number: u64,
    /// The pages for it.
    pages: Extent,
}

/// How a merge has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeEnd {
    /// The merged segment is current.
    Merged,
    /// No merge pays.
    Nothing,
    /// The merge has changed nothing. A compaction, closing or `between` cancelled it, another merge was going
    /// on, its segments were replaced, or no pages were free. The flusher tries again later.
    Cancelled,
}

impl Writer {
    /// Merges the newest segments into one if `merge` says so. Flushes and checkpoints of other threads go
    /// on meanwhile. The merging thread does its other work in `between`, which may cancel the merge.
    pub(crate) fn merge_segments(
        &self,
        merge: Merge,
        between: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<MergeEnd> {
        if !self.merge_pays(merge) {
            return Ok(MergeEnd::Nothing);
        }
        let _merge = match self.merge_lock.try_lock() {
            Ok(merge) => merge,
            Err(TryLockError::Poisoned(merge)) => merge.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(MergeEnd::Cancelled),
        };
        let begun = self.begin_merge(merge).map_err(|source| self.io(source))?;
        let Some(merging) = begun else { return Ok(MergeEnd::Cancelled) };
        let is_cancelled = Cell::new(false);
        let go_on = || {
            if !self.waits_for_merge()
                && between().is_continue()
                && self.has_segment(merging.newest)
            {
                return Ok(());
            }
            is_cancelled.set(true);
            Err(io::Error::from(io::ErrorKind::Interrupted).into())
        };
        let merged = self.guarded(|| {
            let merged = self.write_merged(&merging, &go_on)?;
            self.publish_merged(merged)
        });
        self.merging.store(0, Ordering::Release);
        let end = if is_cancelled.get() { Ok(MergeEnd::Cancelled) } else { merged };
        if !matches!(end, Ok(MergeEnd::Merged)) {
            // Truncates the file after the last page in use, since the merge may have filled the disk.
            let _checkpoint = locked(&self.checkpoint);
            if let Err(error) = self.trim() {
                self.log_failure("the file keeps its length", &error);
            }
        }
        end
    }

    /// Whether segments would be merged.
    fn merge_pays(&self, merge: Merge) -> bool {
        to_merge(&self.current().version.segments.newest_first, 0, merge) > 1
    }

    /// Locks out merges, and cancels the current one.
    pub(super) fn lock_merge(&self) -> MutexGuard<'_, ()> {
        self.waiting_compactions.fetch_add(1, Ordering::AcqRel);
        let merge = locked(&self.merge_lock);
        self.waiting_compactions.fetch_sub(1, Ordering::AcqRel);
        merge
    }

    /// Whether a compaction waits for a merge to end.
    pub(crate) fn waits_for_merge(&self) -> bool {
        self.waiting_compactions.load(Ordering::Acquire) > 0
    }

    /// The newest segment that a merge in progress will replace.
    pub(crate) fn merging(&self) -> Option<u64> {
        Some(self.merging.load(Ordering::Acquire)).filter(|number| *number > 0)
    }

    /// Whether the current generation has the segment of this number.
    fn has_segment(&self, number: u64) -> bool {
        self.current().version.segments.iter().any(|segment| segment.number() == number)
    }

    /// Whether a load has added so many segments during a merge that it has to wait.
    pub(super) fn has_too_many_segments(&self) -> bool {
        let Some(merging) = self.merging() else { return false };
        let current = self.current();
        let segments = current.version.segments.iter();
        segments.take_while(|segment| segment.number() != merging).count() > MOST_ADDED_DURING_MERGE
    }

    /// Chooses the segments. From now on no checkpoint merges them.
    fn begin_merge(&self, merge: Merge) -> io::Result<Option<Merging>> {
        let _checkpoint = locked(&self.checkpoint);
        let mut durable = locked(&self.durable);
        let current = self.current();
        let segments = &current.version.segments.newest_first;
        let count = to_merge(segments, 0, merge);
        let old = segments.get(..count).unwrap_or_default();
        let [newest, _, ..] = old else { return Ok(None) };
        let pages: u32 = old.iter().map(|segment| segment.info().extent.pages).sum();
        self.reclaim_in(&mut durable);
        durable.leave_room(self.disk(), &self.space)?;
        // The heads of a group take a few bytes more if its ids are far apart. The builder gives unused
        // pages back.
        let Some(pages) = self.space.take(pages.saturating_add(pages / 32 + 1)) else {
            return Ok(None);
        };
        durable.manifest.last_number += 1;
        let (newest, number) = (newest.number(), durable.manifest.last_number);
        self.merging.store(newest, Ordering::Release);
        let (version, pin) = (Arc::clone(&current.version), Arc::clone(&current.pin));
        Ok(Some(Merging { version, _pin: pin, count, newest, number, pages }))
    }

    fn write_merged(
        &self,
        merging: &Merging,
        go_on: &dyn Fn() -> EngineResult<()>,
    ) -> EngineResult<MergedSegments> {
        let failed_syncs = self.disk().failed_syncs();
        let segments = &merging.version.segments;
        let (old, older) = segments.newest_first.split_at(merging.count);
        let seal = &self.opener.seal;
        let builder = SegmentBuilder::new(self.disk(), seal, &self.space, merging.number);
        let builder = builder.within(merging.pages).with_filter();
        let mut rows = 0_u32;
        let mut on_row = || {
            rows = rows.wrapping_add(1);
            if rows.is_multiple_of(ROWS_BETWEEN) { go_on() } else { Ok(()) }
        };
        let removed = &segments.removed;
        let output = MergeOutput { builder, older, removed, on_row: &mut on_row };
        let output = output.write(&EntityChanges::default(), old);
        let builder = output.inspect_err(|error| mark_damaged(error, old))?;
        go_on()?;
        let new = if builder.is_empty() { None } else { Some(builder.finish()?.0) };
        go_on()?;
        // Most of it is durable before others have to wait for it.
        self.disk().sync()?;
        let forgotten = if older.is_empty() { removed.clone() } else { BTreeSet::new() };
        Ok(MergedSegments { old: old.to_vec(), new, forgotten, failed_syncs })
    }

    /// Makes a merged segment current, in a checkpoint, if the segments that it was merged from are still
    /// there.
    fn publish_merged(&self, merged: MergedSegments) -> EngineResult<MergeEnd> {
        let _checkpoint = locked(&self.checkpoint);
        if merged.place_in(&self.current().version.segments).is_none() {
            return Ok(MergeEnd::Cancelled);
        }
        self.publish_next(Merge::Seldom, Some(merged))?;
        Ok(MergeEnd::Merged)
    }
}
