//! The work of the flusher: flushes, checkpoints of full memtables, and merges after a load.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::flusher::{Request, Work};
use super::merge::{Merge, to_merge};
use super::{LONG_LOG, Writer, locked};
use crate::error::Result;

/// A flush checkpoints an active memtable of more than `buffer_size / LOGGED_PART` bytes, and does not log
/// it. Otherwise the same rows would be written to the log and soon again to a segment.
const LOGGED_PART: usize = 4;

/// The flusher merges segments that a load has left unmerged after this time without a full memtable.
const CALM: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 2_000 });

/// After so long what failed is tried again, if there is no flush interval.
const RETRY: Duration = Duration::from_secs(1);

/// What a run of the flusher has written, of memtables and log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Nothing, or a record of the log.
    Record,
    /// Frozen memtables.
    Frozen,
    /// All memtables.
    All,
}

impl Writer {
    /// Does the work of the flusher, and then a merge if one pays.
    fn work_in_background(self: &Arc<Self>, work: Work) {
        let was_long = self.flush_in_background(work);
        self.merge_in_background(was_long);
    }

    /// Does work that is due, while a merge is going on.
    fn work_beside_merge(self: &Arc<Self>) {
        if let Some(work) = self.flusher.take_due() {
            self.flush_in_background(work);
        }
    }

    /// Flushes or makes a checkpoint. Says whether the log was long. If it fails, the next caller is told,
    /// and it is tried again.
    fn flush_in_background(self: &Arc<Self>, work: Work) -> bool {
        self.flush_or_checkpoint(work).unwrap_or_else(|error| {
            tracing::error!(path = %self.path.display(), %error, "a flush failed; its data stays in memory");
            *locked(&self.failure) = Some(error);
            let interval = self.options.flush_interval;
            self.flusher.add(Request::FlushWithin(if interval.is_zero() { RETRY } else { interval }));
            false
        })
    }

    fn flush_or_checkpoint(self: &Arc<Self>, work: Work) -> Result<bool> {
        self.check_process()?;
        if work == Work::Flush {
            // Cleared before rows are collected: a write that comes later requests the next flush.
            self.flush_requested.store(false, Ordering::Release);
        }
        let written = self.write_full_memtables(work);
        if work == Work::Flush && !matches!(written, Ok(Written::All)) {
            // The log may have room where a checkpoint finds none.
            self.sync_to(self.sequence())?;
        }
        // If the checkpoint failed, its rows are in the log now, or the next flush logs them.
        let written = written.unwrap_or_else(|error| {
            self.log_failure("memtables stay in memory", &error);
            Written::Record
        });
        if written != Written::Record {
            self.merge_later();
        }
        let is_long = locked(&self.durable).log.used() > LONG_LOG;
        if is_long && let Err(error) = self.checkpoint(Merge::Eager) {
            self.log_failure("the log stays long", &error);
        }
        Ok(is_long)
    }

    /// Writes full memtables into segments. Merges few segments, because a load is going on.
    fn write_full_memtables(&self, work: Work) -> Result<Written> {
        let current = self.current();
        let is_frozen = current.memtables.iter().skip(1).any(|frozen| !frozen.rows().is_empty());
        drop(current);
        if is_frozen {
            let _checkpoint = locked(&self.checkpoint);
            self.publish_frozen(Merge::UnderLoad)?;
        }
        let active = self.active_bytes.load(Ordering::Acquire);
        if work == Work::Flush && active > self.options.buffer_size / LOGGED_PART {
            self.checkpoint(Merge::UnderLoad)?;
            return Ok(Written::All);
        }
        Ok(if is_frozen { Written::Frozen } else { Written::Record })
    }

    /// Notes that a checkpoint under load has left segments unmerged.
    pub(super) fn merge_later(&self) {
        *locked(&self.unmerged_since) = Some(Instant::now());
    }

    /// Merges segments if that pays: a few under load, and after a load or a long log all that pays for
    /// later reads.
    fn merge_in_background(self: &Arc<Self>, was_long: bool) {
        let merge = match self.load_ends_within() {
            Some(left) if !left.is_zero() => Some(Merge::UnderLoad),
            Some(_) => Some(Merge::Eager),
            None => was_long.then_some(Merge::Eager),
        };
        if merge == Some(Merge::Eager) {
            *locked(&self.unmerged_since) = None;
        }
        if let Some(merge) = merge
            && self.merge_pays(merge)
            && let Err(error) = self.merge_segments(merge, &|| self.work_beside_merge())
        {
            self.log_failure("segments stay unmerged", &error);
        }
        if let Some(left) = self.load_ends_within() {
            self.flusher.add(Request::FlushWithin(left));
        }
    }

    /// How long no memtable may be full until a load is over, if there was one.
    fn load_ends_within(&self) -> Option<Duration> {
        locked(&self.unmerged_since).map(|since| CALM.saturating_sub(since.elapsed()))
    }

    /// Whether segments would be merged.
    pub(super) fn merge_pays(&self, merge: Merge) -> bool {
        to_merge(&self.current().version.segments.newest_first, 0, merge) > 1
    }

    pub(super) fn schedule(self: &Arc<Self>, request: Request) {
        let writer = Arc::clone(self);
        let work = Arc::new(move |work| writer.work_in_background(work));
        self.flusher.schedule(request, self.options.thread, work);
    }
}
