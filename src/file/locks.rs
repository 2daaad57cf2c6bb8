//! Locks that the processes which use a store hold on bytes far beyond its end.
//!
//! The writer holds one byte. Each reader shares the byte of the generation that it reads. So the
//! writer learns from the system alone whether anybody may still read pages of old generations,
//! and a reader that is killed leaves no trace.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Disk, LockRange};

/// The byte of the writer.
const WRITER: LockRange = (1 << 61, 1);

/// The byte of generation 0; that of generation g lies g bytes after it.
const FIRST_GENERATION: u64 = 1 << 62;

/// Generations have as many bytes as there are before the greatest offset.
const MOST_GENERATIONS: u64 = (1 << 62) - 2;

/// Takes the lock of the writer; false if another handle has it. It is given up with the file.
pub(crate) fn lock_writer(disk: &dyn Disk) -> io::Result<bool> {
    disk.try_lock_exclusive(WRITER)
}

/// Gives the lock of the writer up. A forked child that still has the file open would keep it.
pub(crate) fn unlock_writer(disk: &dyn Disk) -> io::Result<()> {
    disk.unlock(WRITER)
}

/// Whether another handle has the lock of the writer. True if the locks cannot be queried.
pub(crate) fn has_writer(disk: &dyn Disk) -> bool {
    disk.is_locked(WRITER).unwrap_or(true)
}

/// The generations that this handle reads.
#[derive(Debug)]
pub(crate) struct ReaderPins {
    disk: Arc<dyn Disk>,
    /// How many of this handle read each generation.
    pinned: Mutex<BTreeMap<u64, usize>>,
}

impl ReaderPins {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Arc<Self> {
        Arc::new(Self { disk, pinned: Mutex::default() })
    }

    fn pinned(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the pages of this generation from being reused until the result is dropped. The caller
    /// must check afterwards that the generation is still current: pages that it read earlier may
    /// have been reused.
    pub(crate) fn pin(self: &Arc<Self>, generation: u64) -> io::Result<Pin> {
        let mut pinned = self.pinned();
        if !pinned.contains_key(&generation) && !self.disk.try_lock_shared(byte_of(generation))? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        *pinned.entry(generation).or_default() += 1;
        Ok(Pin { readers: Arc::clone(self), generation })
    }

    /// Whether a handle, this one or another, reads one of the generations from `born` up to, but
    /// without, `retired`. True if the locks cannot be queried.
    pub(crate) fn are_in(&self, born: u64, retired: u64) -> bool {
        if self.pinned().range(born..retired.max(born)).next().is_some() {
            return true;
        }
        let len = retired.saturating_sub(born);
        len > 0 && self.disk.is_locked((byte_of(born).0, len)).unwrap_or(true)
    }
}

fn byte_of(generation: u64) -> LockRange {
    (FIRST_GENERATION + generation.min(MOST_GENERATIONS), 1)
}

/// A generation whose pages stay.
#[derive(Debug)]
pub(crate) struct Pin {
    readers: Arc<ReaderPins>,
    generation: u64,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pinned = self.readers.pinned();
        if let Some(count) = pinned.get_mut(&self.generation) {
            *count -= 1;
            if *count == 0 {
                pinned.remove(&self.generation);
                // A lock that stays costs space, and the file closes some day.
                let _ = self.readers.disk.unlock(byte_of(self.generation));
            }
        }
    }
}
