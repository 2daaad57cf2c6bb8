//! Makes the file as short as its content allows, and wipes its free pages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::error::EngineResult;
use super::merge::Merge;
use super::publish::Durable;
use super::{Writer, locked};
use crate::error::{Error, Result};
use crate::file::{Disk, Extent, PAGE, pages_of, write_durably};

/// How long compaction waits for readers of other processes. Tests hold their readers in the thread
/// that compacts, so a wait would change nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 5 });

/// Structures are moved to the front in at most this many rounds.
const MOST_ROUNDS: usize = 8;

/// A compaction rewrites the segments as long as more than one of this many pages is free, and the free
/// pages are more than those of the log.
const FREE_PART: u32 = 16;

/// How pages that are no longer in use are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FreePages {
    /// They keep their bytes.
    Keep,
    /// They get zeros.
    Zero,
}

/// Writes zeros over pages of a file of this length.
fn zero(disk: &dyn Disk, pages: Extent, len: u64) -> std::io::Result<()> {
    const CHUNK: u64 = 1 << 20;
    let (mut at, end) = (pages.at(), (pages.at() + pages.len()).min(len));
    let zeros = vec![0; usize::try_from(CHUNK.min(end.saturating_sub(at))).unwrap_or_default()];
    while at < end {
        let chunk = CHUNK.min(end - at);
        disk.write(at, zeros.get(..usize::try_from(chunk).unwrap_or_default()).unwrap_or(&zeros))?;
        at += chunk;
    }
    Ok(())
}

impl Writer {
    /// Makes the file as short as its content allows.
    pub(crate) fn compact(self: &Arc<Self>) -> Result<()> {
        self.check_writable()?;
        let _merge = self.lock_merge();
        let _checkpoint = locked(&self.checkpoint);
        if self.is_compact()? {
            return Ok(());
        }
        self.compact_in_rounds(FreePages::Keep)
    }

    /// Compacts, and writes zeros over every page that the store does not use. What was deleted
    /// before the call is in no byte of the file then.
    pub(crate) fn scrub(self: &Arc<Self>) -> Result<()> {
        self.check_writable()?;
        let _merge = self.lock_merge();
        let _checkpoint = locked(&self.checkpoint);
        self.compact_in_rounds(FreePages::Zero)
    }

    fn compact_in_rounds(&self, free_pages: FreePages) -> Result<()> {
        locked(&self.durable).dense = true;
        let compacted = self.rounds(free_pages);
        locked(&self.durable).dense = false;
        compacted
    }

    fn rounds(&self, free_pages: FreePages) -> Result<()> {
        self.wait_for_readers()?;
        // Deleted rows may be in the log, and in segments and the base until these are rewritten.
        if free_pages == FreePages::Zero || !self.is_merged() {
            {
                let _making = locked(&self.batch);
                self.freeze();
            }
            self.publish_frozen(Merge::All)?;
            locked(&self.merge_schedule).reset();
        }
        for _ in 0..MOST_ROUNDS {
            self.wait_for_readers()?;
            if !self.guarded(|| self.move_to_front())? {
                break;
            }
        }
        self.wait_for_readers()?;
        if free_pages == FreePages::Zero {
            self.wipe()?;
        }
        self.trim()
    }

    /// Whether there is nothing to gain.
    fn is_compact(&self) -> Result<bool> {
        self.reclaim();
        let durable = locked(&self.durable);
        let len = self.disk().len().map_err(|source| self.io(source))?;
        let tight = self.space.unused() == 0 && len <= u64::from(self.space.end()) * PAGE as u64;
        let short = durable.log.records() <= 2;
        Ok(self.is_merged() && tight && short && durable.manifest.retired.is_empty())
    }

    /// Whether all entities are in one segment, which has no others.
    fn is_merged(&self) -> bool {
        let current = self.current();
        let segments = &current.version.segments;
        let active = current.memtables.first();
        current.memtables.len() == 1
            && segments.newest_first.len() <= 1
            && segments.removed.is_empty()
            && active.is_none_or(|active| !active.rows().has_entities())
    }

    /// Waits until no reader pins an older generation.
    fn wait_for_readers(&self) -> Result<()> {
        let give_up = Instant::now() + LONGEST_WAIT;
        loop {
            self.reclaim();
            if locked(&self.durable).manifest.retired.is_empty() {
                return Ok(());
            }
            if Instant::now() >= give_up {
                return Err(Error::Busy { path: self.path.clone(), holder: None });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Moves the base, the segments and the log into free pages nearer to the start of the file. Returns
    /// whether anything was moved.
    fn move_to_front(&self) -> EngineResult<bool> {
        let mut durable = locked(&self.durable);
        let _making = locked(&self.batch);
        let current = self.current();
        let unused = self.space.unused();
        let long_log = durable.log.records() > 2;
        if unused == 0 && !long_log {
            return Ok(false);
        }
        let manifest = durable.manifest.clone();
        let mut next_generation = self.next_generation(manifest, &current.version);
        let mut moved = next_generation.lower_base()?;
        moved |= next_generation.lower_segments()?;
        let log = durable.log.pages();
        if !moved {
            // The gap is too small for the segment behind it: written anew at the end, it leaves a
            // gap that is large enough. A gap that only a log fits into is filled by the log.
            let file = self.space.end();
            if unused > file / FREE_PART && unused > log {
                moved = next_generation.rewrite_segments(Some(&self.opener.progress))?;
            }
            if !moved && !long_log && !self.log_would_move(&durable) {
                return Ok(false);
            }
        }
        self.freeze();
        let current = self.current();
        let frozen = current.memtables.get(1..).unwrap_or_default();
        next_generation.take_in(frozen, &current.log_only, Merge::Seldom)?;
        self.publish(&mut durable, next_generation, frozen)?;
        Ok(true)
    }

    /// Whether a new log would lie before the current one.
    fn log_would_move(&self, durable: &Durable) -> bool {
        let page = durable.log.log().extent.page;
        match self.space.take_before(page, durable.log.pages()) {
            Some(place) => {
                self.space.free(place);
                true
            }
            None => false,
        }
    }

    /// Writes zeros over everything that is not in use, also over what will be cut off: the file
    /// system gives the disk's blocks to others as they are. Both slots of the root name the current
    /// generation, so that a power cut in the middle harms nothing.
    fn wipe(&self) -> Result<()> {
        // No other thread takes pages: the caller holds `merge` and `checkpoint`, and the log needs this
        // lock.
        let _durable = locked(&self.durable);
        let disk = self.disk();
        let wiped = write_durably(disk, || {
            let len = disk.len()?;
            let free = self.space.gaps(pages_of(len));
            free.into_iter().try_for_each(|gap| zero(disk, gap, len))
        });
        wiped.map_err(|source| self.io(source))
    }

    /// Truncates the file after the last page in use, but never below the page count of the root.
    pub(super) fn trim(&self) -> Result<()> {
        let durable = locked(&self.durable);
        let end = self.space.end().max(durable.root.root().pages).max(2);
        let pages = pages_of(self.disk().len().map_err(|source| self.io(source))?);
        if pages <= end {
            return Ok(());
        }
        // Not every system cuts a file that is mapped: then it stays longer.
        if let Err(error) = self.disk().set_len(u64::from(end) * PAGE as u64) {
            self.log_failure("the file keeps its length", &error);
        }
        Ok(())
    }

    pub(super) fn io(&self, source: std::io::Error) -> Error {
        Error::io("write", &self.path, source)
    }

    /// Everything that is wrong with header, log, segments and base.
    pub(crate) fn damage(&self) -> Result<Vec<String>> {
        let durable = locked(&self.durable);
        let root = *durable.root.root();
        self.guarded(|| {
            super::super::check::file_damage(&self.opener, &root, &self.current().version)
        })
    }
}
