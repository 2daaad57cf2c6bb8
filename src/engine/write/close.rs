//! Closes a store: flushes it, and leaves a file that the next handle opens at once.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::merge::Merge;
use super::{Writer, locked};
use crate::error::Result;
use crate::file::{LockHolder, PAGE, unlock_writer};

/// So much may be free in a file before it is compacted on close, in bytes.
const MOST_FREE: u64 = 8 << 10;

/// A log of more records is replaced on close. The next handle that opens the file reads, and decrypts,
/// each of them: some 3 us a record, where all else takes 60.
const MOST_RECORDS: u64 = 16;

impl Writer {
    /// Flushes, compacts the file where that pays, and marks its end. The handle is not used any
    /// more.
    pub(crate) fn close(self: &Arc<Self>) -> Result<()> {
        // A fork has no flusher to stop, and nothing to write.
        if self.check_process().is_err() {
            return Ok(());
        }
        self.flusher.stop();
        let finished = self.finish_writes();
        if self.stamped.swap(false, Ordering::AcqRel)
            && let Err(error) = LockHolder::clear(self.disk())
        {
            self.log_failure("the writer stamp stays", &error);
        }
        // Unfinished work is tried again when the handle is dropped, under the lock.
        if finished.is_ok()
            && let Err(error) = unlock_writer(self.disk())
        {
            self.log_failure("the lock stays with the file", &error);
        }
        finished
    }

    /// Flushes, begins a new log if the log is long, compacts the file where that pays, and marks the
    /// end of the file.
    pub(crate) fn finish_writes(self: &Arc<Self>) -> Result<()> {
        self.flush()?;
        if !self.written.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        // Before the compaction, which removes the pages of the old log where that pays.
        let is_long = locked(&self.durable).log.records() > MOST_RECORDS;
        if is_long && let Err(error) = self.checkpoint(Merge::Seldom) {
            self.log_failure("the log stays long", &error);
        }
        if let Err(error) = self.merge_or_compact() {
            self.log_failure("the file keeps its length", &error);
        }
        let mut durable = locked(&self.durable);
        // The root of the next generation may be on the disk by now, and a reader may have pinned it.
        if durable.log.is_in_doubt() {
            return Ok(());
        }
        let last = durable.log.last();
        let amended = durable.root.amend(self.disk(), |root| root.last = last);
        if let Err(error) = amended {
            self.log_failure("the end of the log is not noted", &error);
        }
        Ok(())
    }

    /// Compacts the file where that pays, and else merges the segments that a load has left unmerged.
    fn merge_or_compact(self: &Arc<Self>) -> Result<()> {
        let after_load = locked(&self.merge_schedule).reset();
        let compacted = self.compact_if_it_pays(after_load);
        // Also where a reader has kept the file from being compacted.
        if !matches!(compacted, Ok(true)) && after_load {
            self.merge_segments(Merge::Eager, &|| ControlFlow::Continue(()))?;
            self.compact_if_it_pays(after_load)?;
        }
        compacted.map(drop)
    }

    /// Compacts the file if at least an eighth of it would be free. After a load, which has written much
    /// more than a compaction writes, a sixteenth is enough. Says whether it did.
    fn compact_if_it_pays(self: &Arc<Self>, after_load: bool) -> Result<bool> {
        let pays = {
            self.reclaim();
            let durable = locked(&self.durable);
            let current = self.current();
            let len = self.disk().len().map_err(|source| self.io(source))?;
            let behind = len.saturating_sub(u64::from(self.space.end()) * PAGE as u64);
            let dead = self.guarded(|| current.version.segments.dead_bytes())?;
            let logged = durable.log.used() as u64;
            let free = u64::from(self.space.unused()) * PAGE as u64 + behind + dead;
            // Rows of entities take less than half of their records in a segment.
            let entities = current.memtables.iter().any(|memtable| memtable.rows().has_entities());
            let free = free + if entities { logged / 2 } else { 0 };
            let most = if after_load { len / 16 } else { len / 8 };
            free > MOST_FREE && free > most && durable.manifest.retired.is_empty()
        };
        if pays {
            self.compact()?;
        }
        Ok(pays)
    }
}
