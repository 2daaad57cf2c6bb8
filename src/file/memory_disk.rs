//! A disk in memory, for tests and fuzzing.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::disk::{Disk, LockRange};

/// A disk that never fails unless it is full, and that no other process uses.
#[derive(Debug, Default)]
pub(crate) struct MemoryDisk {
    content: Mutex<Vec<u8>>,
    is_full: AtomicBool,
    /// How many bytes were written since the last sync.
    unsynced: AtomicUsize,
    /// The most that there ever were.
    most_unsynced: AtomicUsize,
}

impl MemoryDisk {
    fn content(&self) -> MutexGuard<'_, Vec<u8>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes fail from now on.
    #[cfg(test)]
    pub(crate) fn fill(&self) {
        self.is_full.store(true, Ordering::Release);
    }

    /// The most bytes that were written between two syncs.
    #[cfg(test)]
    pub(crate) fn most_unsynced(&self) -> usize {
        self.most_unsynced.load(Ordering::Acquire)
    }
}

impl Disk for MemoryDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content().len() as u64)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let content = self.content();
        let there = at.checked_add(out.len()).and_then(|end| content.get(at..end));
        out.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(at).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let end = at.checked_add(data.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        if self.is_full.load(Ordering::Acquire) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut content = self.content();
        if content.len() < end {
            content.resize(end, 0);
        }
        if let Some(place) = content.get_mut(at..end) {
            place.copy_from_slice(data);
        }
        let unsynced = self.unsynced.fetch_add(data.len(), Ordering::AcqRel) + data.len();
        self.most_unsynced.fetch_max(unsynced, Ordering::AcqRel);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.content().resize(len, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.unsynced.store(0, Ordering::Release);
        Ok(())
    }

    fn failed_syncs(&self) -> u64 {
        0
    }

    fn try_lock_exclusive(&self, _: LockRange) -> io::Result<bool> {
        Ok(true)
    }

    fn try_lock_shared(&self, _: LockRange) -> io::Result<bool> {
        Ok(true)
    }

    fn unlock(&self, _: LockRange) -> io::Result<()> {
        Ok(())
    }

    fn is_locked(&self, _: LockRange) -> io::Result<bool> {
        Ok(false)
    }
}
