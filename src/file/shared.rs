//! One disk for several users: the log and, one after the other, every opening of the engine.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use redb::BackendError;

use super::blocks::Disk;

type Range = (Bound<u64>, Bound<u64>);

/// A disk that outlives the engine on it. Closing gives up only the locks that were taken through
/// this handle.
#[derive(Debug)]
pub(crate) struct Shared {
    disk: Arc<dyn Disk>,
    locks: Mutex<Vec<Range>>,
}

impl Shared {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, locks: Mutex::default() }
    }

    fn note(&self, range: Range) {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner).push(range);
    }
}

impl Disk for Shared {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        let locks = std::mem::take(&mut *self.locks.lock().unwrap_or_else(PoisonError::into_inner));
        for (start, end) in locks {
            self.disk.unlock_range(start, end).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        let locked = self.disk.try_lock_range(start, end)?;
        if locked {
            self.note((start, end));
        }
        Ok(locked)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        let locked = self.disk.try_lock_shared_range(start, end)?;
        if locked {
            self.note((start, end));
        }
        Ok(locked)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.disk.lock_range(start, end)?;
        self.note((start, end));
        Ok(())
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.disk.lock_shared_range(start, end)?;
        self.note((start, end));
        Ok(())
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.disk.unlock_range(start, end)?;
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|range| *range != (start, end));
        Ok(())
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.disk.query_lock_range(start, end)
    }
}
