//! Who reads the file in other processes: as long as they do, nothing that they may look at is
//! written over.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::BackendError;

use super::WRITER_LOCK;
use super::blocks::Disk;

/// Readers share the lock on this byte while they look at a committed state.
const READERS_LOCK: u64 = WRITER_LOCK + 1;

const RANGE: (Bound<u64>, Bound<u64>) =
    (Bound::Included(READERS_LOCK), Bound::Excluded(READERS_LOCK + 1));

/// The readers of one handle to the file, and how it sees those of others.
#[derive(Debug)]
pub(crate) struct Readers {
    disk: Arc<dyn Disk>,
    /// How many of this handle hold the lock, which is one.
    here: Mutex<usize>,
}

impl Readers {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Arc<Self> {
        Arc::new(Self { disk, here: Mutex::default() })
    }

    fn here(&self) -> MutexGuard<'_, usize> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says to who writes that somebody reads, until what this gives is dropped. Waits while the
    /// writer moves what is read.
    pub(crate) fn enter(self: &Arc<Self>) -> io::Result<Reading> {
        let mut here = self.here();
        if *here == 0 {
            match self.disk.lock_shared_range(RANGE.0, RANGE.1) {
                // Where no part of a file can be locked, the engine locks the whole of it.
                Ok(()) | Err(BackendError::Unsupported) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        *here += 1;
        Ok(Reading(Arc::clone(self)))
    }

    /// Whether anybody reads through another handle.
    pub(crate) fn are_elsewhere(&self) -> bool {
        match self.disk.query_lock_range(RANGE.0, RANGE.1) {
            Ok(locked) => locked,
            Err(BackendError::Unsupported) => false,
            Err(_) => true,
        }
    }

    /// Runs `work` while nobody reads through another handle; `None` if somebody does.
    pub(crate) fn kept_out<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        match self.disk.try_lock_range(RANGE.0, RANGE.1) {
            Ok(true) => {
                let done = work();
                // Who waits goes on when the file is closed at the latest.
                let _ = self.disk.unlock_range(RANGE.0, RANGE.1);
                Some(done)
            }
            Err(BackendError::Unsupported) => Some(work()),
            Ok(false) | Err(_) => None,
        }
    }
}

/// Somebody reads.
#[derive(Debug)]
pub(crate) struct Reading(Arc<Readers>);

impl Drop for Reading {
    fn drop(&mut self) {
        let Self(readers) = self;
        let mut here = readers.here();
        *here = here.saturating_sub(1);
        if *here == 0 {
            let _ = readers.disk.unlock_range(RANGE.0, RANGE.1);
        }
    }
}
