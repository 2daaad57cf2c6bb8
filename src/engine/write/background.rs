//! The work of the flusher: flushes, checkpoints of full memtables, and merges after a load.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::flusher::{Request, Work};
use super::generation_builder::{Merge, to_merge};
use super::{LONG_LOG, Writer, locked};
use crate::error::Result;

/// A flush checkpoints an active memtable of more than `buffer_size / LOGGED_PART` bytes, and does not log
/// it. Otherwise the same rows would be written to the log and soon again to a segment.
const LOGGED_PART: usize = 4;

/// The flusher merges segments that a load has left unmerged after this time without a full memtable.
const CALM: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 2_000 });

/// The memtables that were written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    None,
    /// The frozen ones.
    Frozen,
    /// The active one too.
    All,
}

impl Writer {
    /// Does the work of the flusher. Says whether that went well; the next caller is told if not.
    fn work_in_background(self: &Arc<Self>, work: Work) -> bool {
        let Err(error) = self.flush_in_background(work) else { return true };
        tracing::error!(path = %self.path.display(), %error, "a flush failed; its data stays in memory");
        *locked(&self.failure) = Some(error);
        false
    }

    fn flush_in_background(self: &Arc<Self>, work: Work) -> Result<()> {
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
            Written::None
        });
        let merges = self.is_time_to_merge(work, written != Written::None);
        let is_long = locked(&self.durable).log.used() > LONG_LOG;
        if (is_long || merges)
            && let Err(error) = self.checkpoint(Merge::Eager)
        {
            self.log_failure("the log stays long, or segments unmerged", &error);
        }
        Ok(())
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
        Ok(if is_frozen { Written::Frozen } else { Written::None })
    }

    /// Notes that a checkpoint under load has left segments unmerged.
    pub(super) fn merge_later(&self) {
        *locked(&self.unmerged_since) = Some(Instant::now());
    }

    /// Whether it is time to merge the segments that a load has left unmerged. If not yet, requests a flush
    /// for that time.
    fn is_time_to_merge(&self, work: Work, is_loaded: bool) -> bool {
        if is_loaded {
            self.merge_later();
        }
        let unmerged_since = *locked(&self.unmerged_since);
        let Some(since) = unmerged_since else { return false };
        let left = CALM.saturating_sub(since.elapsed());
        if work == Work::Checkpoint || !left.is_zero() {
            self.flusher.add(Request::FlushWithin(left));
            return false;
        }
        *locked(&self.unmerged_since) = None;
        self.merge_pays()
    }

    /// Whether an eager checkpoint would merge segments.
    pub(super) fn merge_pays(&self) -> bool {
        to_merge(&self.current().version.segments, 0, Merge::Eager) > 1
    }

    pub(super) fn schedule(self: &Arc<Self>, request: Request) {
        let writer = Arc::clone(self);
        let work = Arc::new(move |work| writer.work_in_background(work));
        self.flusher.schedule(request, self.options.flush_interval, self.options.thread, work);
    }
}
