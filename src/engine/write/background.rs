//! The work of the flusher: flushes, checkpoints of full memtables, and merges after a load.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::flusher::{Request, Work};
use super::merge::Merge;
use super::{LONG_LOG, Writer, locked};
use crate::error::Result;

/// A flush checkpoints an active memtable of more than `buffer_size / LOGGED_PART` bytes, and does not log
/// it. Otherwise the same rows would be written to the log and soon again to a segment.
const LOGGED_PART: usize = 4;

/// After so long what failed is tried again, if there is no flush interval.
const RETRY: Duration = Duration::from_secs(1);

/// What a run of the flusher has written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// No memtable. Maybe a record of the log.
    NoMemtable,
    /// The frozen memtables.
    Frozen,
    /// All memtables.
    All,
}

impl Writer {
    /// Does the work of the flusher, and then a merge if one pays and nothing has failed.
    fn work_in_background(self: &Arc<Self>, work: Work) {
        if let Some(was_long) = self.flush_in_background(work) {
            self.merge_in_background(was_long);
        }
    }

    /// Does work that is due while this thread merges. Breaks the merge off if the store is being closed,
    /// which compacts or merges by itself.
    fn work_beside_merge(self: &Arc<Self>) -> ControlFlow<()> {
        if self.flusher.is_stopping() {
            return ControlFlow::Break(());
        }
        if let Some(work) = self.flusher.take_due()
            && self.flush_in_background(work) == Some(true)
        {
            self.merge_later();
        }
        ControlFlow::Continue(())
    }

    /// Flushes or makes a checkpoint. Says whether the log was long. If it fails, the next caller is told,
    /// and it is tried again.
    fn flush_in_background(self: &Arc<Self>, work: Work) -> Option<bool> {
        let done = self.flush_or_checkpoint(work).inspect_err(|error| {
            tracing::error!(path = %self.path.display(), %error, "a flush failed; its data stays in memory");
        });
        done.map_err(|error| {
            *locked(&self.failure) = Some(error);
            let interval = self.options.flush_interval;
            self.flusher.add(Request::FlushWithin(if interval.is_zero() {
                RETRY
            } else {
                interval
            }));
        })
        .ok()
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
            Written::NoMemtable
        });
        if written != Written::NoMemtable {
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
        Ok(if is_frozen { Written::Frozen } else { Written::NoMemtable })
    }

    /// Notes that segments were left unmerged.
    pub(super) fn merge_later(&self) {
        locked(&self.merges).segments_left_unmerged(Instant::now());
    }

    /// Merges segments if it is time for it, and if that pays.
    fn merge_in_background(self: &Arc<Self>, was_long: bool) {
        let began = Instant::now();
        let merge = locked(&self.merges).next(began, was_long);
        if let Some(merge) = merge {
            let end = self.merge_segments(merge, &|| self.work_beside_merge());
            if let Err(error) = &end {
                self.log_failure("segments stay unmerged", error);
            }
            locked(&self.merges).ended(merge, began, &end, Instant::now());
        }
        let due = locked(&self.merges).due_within(Instant::now());
        if let Some(within) = due {
            self.flusher.add(Request::FlushWithin(within));
        }
    }

    pub(super) fn schedule(self: &Arc<Self>, request: Request) {
        let writer = Arc::clone(self);
        let work = Arc::new(move |work| writer.work_in_background(work));
        self.flusher.schedule(request, self.options.thread, work);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{create, open};
    use super::*;
    use crate::engine::EngineOptions;
    use crate::file::{FileSeal, KeySlots, MemoryDisk};
    use crate::types::Progress;

    #[test]
    fn a_merge_is_broken_off_when_the_store_is_closed() {
        let (disk, seal) = (Arc::new(MemoryDisk::default()), FileSeal::plain([1; 16]));
        create(disk.as_ref(), &seal, &KeySlots::default()).unwrap();
        let options = EngineOptions {
            flush_interval: RETRY,
            buffer_size: 1 << 20,
            cache_size: 1 << 20,
            thread: true,
            progress: Progress::default(),
        };
        let writer = open(Path::new("store"), disk, seal, options).unwrap();
        assert!(writer.work_beside_merge().is_continue());
        writer.close().unwrap();
        assert!(writer.work_beside_merge().is_break());
    }
}
