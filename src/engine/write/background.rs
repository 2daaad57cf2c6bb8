//! The work of the flusher: flushes, checkpoints of full memtables, and merges after a load.

use std::cell::Cell;
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

/// If the flush interval is zero, the flusher repeats failed work after this time.
const RETRY: Duration = Duration::from_secs(1);

/// What a run of the flusher has written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// No memtable. A log record may have been written.
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

    /// The merging thread calls this to do work that is due. It cancels the merge if the store is being
    /// closed, which compacts or merges by itself, and if a flush fails: the merge may have filled the disk.
    fn work_beside_merge(self: &Arc<Self>, has_failed: &Cell<bool>) -> ControlFlow<()> {
        if self.flusher.is_stopping() {
            return ControlFlow::Break(());
        }
        let Some(work) = self.flusher.take_due() else { return ControlFlow::Continue(()) };
        match self.flush_in_background(work) {
            Some(was_long) => {
                if was_long {
                    self.merge_later();
                }
                ControlFlow::Continue(())
            }
            None => {
                has_failed.set(true);
                ControlFlow::Break(())
            }
        }
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
        locked(&self.merge_schedule).segments_left_unmerged(Instant::now());
    }

    /// Merges segments if it is time for it, and if that pays.
    fn merge_in_background(self: &Arc<Self>, was_long: bool) {
        let began = Instant::now();
        let merge = locked(&self.merge_schedule).next(began, was_long);
        if let Some(merge) = merge {
            let has_failed = Cell::new(false);
            let end = self.merge_segments(merge, &|| self.work_beside_merge(&has_failed));
            let end = end.inspect_err(|error| self.log_failure("segments stay unmerged", error));
            let end = end.ok().filter(|_| !has_failed.get());
            locked(&self.merge_schedule).ended(merge, began, end, Instant::now());
        }
        let due = locked(&self.merge_schedule).due_within(Instant::now());
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

    use super::super::{Durability, create, open};
    use super::*;
    use crate::engine::{EngineOptions, RowsMut, Table};
    use crate::file::{Disk, FileSeal, KeySlots, MemoryDisk};
    use crate::types::Progress;

    fn opened(disk: &Arc<MemoryDisk>) -> Arc<Writer> {
        let seal = FileSeal::plain([1; 16]);
        create(disk.as_ref(), &seal, &KeySlots::default()).unwrap();
        let options = EngineOptions {
            flush_interval: Duration::from_secs(3_600),
            buffer_size: 1 << 20,
            cache_size: 1 << 20,
            thread: false,
            progress: Progress::default(),
        };
        open(Path::new("store"), Arc::clone(disk) as Arc<dyn Disk>, seal, options).unwrap()
    }

    #[test]
    fn closing_a_store_cancels_a_merge() {
        let (writer, has_failed) = (opened(&Arc::default()), Cell::default());
        assert!(writer.work_beside_merge(&has_failed).is_continue());
        writer.close().unwrap();
        assert!(writer.work_beside_merge(&has_failed).is_break());
        assert!(!has_failed.get());
    }

    /// The merge may have filled the disk.
    #[test]
    fn a_flush_that_fails_cancels_a_merge() {
        let disk = Arc::<MemoryDisk>::default();
        let (writer, has_failed) = (opened(&disk), Cell::default());
        let put = |value: u8| {
            let done = writer.write(|batch| {
                Ok((batch.put(Table::Logins, &[0; 4], &[1, value])?, Durability::Buffered))
            });
            done.unwrap();
            writer.flusher.add(Request::FlushWithin(Duration::ZERO));
        };
        put(1);
        assert!(writer.work_beside_merge(&has_failed).is_continue());
        assert!(!has_failed.get());
        put(2);
        disk.fill();
        assert!(writer.work_beside_merge(&has_failed).is_break());
        assert!(has_failed.get());
    }
}
