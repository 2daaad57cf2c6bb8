//! The work of the flusher: flushes, checkpoints of full memtables, and merges after a load.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::flusher::{Order, Work};
use super::generation_builder::Merge;
use super::{LONG_LOG, Writer, locked};
use crate::error::Result;

/// An active memtable that has filled this part of its buffer is checkpointed where it would be logged:
/// its rows would be written again soon.
const MOST_LOGGED: usize = 4;

/// After this many flushes without a full memtable, the segments that were left unmerged under load are
/// merged.
const FLUSHES_TO_MERGE: u8 = 2;

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
        let started = Instant::now();
        let mut is_loaded = self.current().memtables.len() > 1;
        if is_loaded {
            let _checkpoint = locked(&self.checkpoint);
            self.publish_frozen(Merge::UnderLoad)?;
        }
        if work == Work::Flush {
            let active = self.active_bytes.load(Ordering::Acquire);
            if active > self.options.buffer_size / MOST_LOGGED {
                is_loaded = true;
                self.checkpoint(Merge::UnderLoad)?;
            } else {
                self.sync_to(self.sequence())?;
            }
        }
        let merges = self.is_time_to_merge(work, is_loaded);
        // A checkpoint logs nothing of what is written meanwhile, and only the first of the rows that
        // wait to be logged orders a flush.
        let waits = work == Work::Flush && !locked(&self.unlogged).keys.is_empty();
        if waits || self.flushes_to_merge.load(Ordering::Acquire) > 0 {
            let rest = self.options.flush_interval.saturating_sub(started.elapsed());
            self.schedule(Order::FlushWithin(rest));
        }
        let long = locked(&self.durable).log.used() > LONG_LOG;
        if long || merges { self.checkpoint(Merge::Eager) } else { Ok(()) }
    }

    /// Notes that a checkpoint under load has left segments unmerged.
    pub(super) fn merge_later(&self) {
        self.flushes_to_merge.store(FLUSHES_TO_MERGE, Ordering::Release);
    }

    /// Whether a load has ended that left segments unmerged.
    fn is_time_to_merge(&self, work: Work, is_loaded: bool) -> bool {
        if is_loaded {
            self.merge_later();
        }
        if is_loaded || work == Work::Checkpoint {
            return false;
        }
        let less_by_one = |left: u8| left.checked_sub(1);
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        self.flushes_to_merge.fetch_update(set, fetch, less_by_one) == Ok(1)
    }

    pub(super) fn schedule(self: &Arc<Self>, order: Order) {
        let writer = Arc::clone(self);
        let work = Arc::new(move |work| writer.work_in_background(work));
        self.flusher.schedule(order, self.options.flush_interval, self.options.thread, work);
    }
}
