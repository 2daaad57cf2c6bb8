//! The disk under a store: positioned reads and writes, syncs, locks on ranges of bytes.

use std::fmt::Debug;
use std::fs::{File, TryLockError};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use zeroize::Zeroizing;

use super::file_status::{FileStatus, Inode};
use crate::map::Map;

/// A range of bytes to lock, first byte and number of bytes. Locks lie far beyond the end of every
/// file, so that they hinder no read or write.
pub(crate) type LockRange = (u64, u64);

/// The file under a store. Everything that a store does to its file goes through this trait, so
/// that tests can put a simulated disk in its place.
pub(crate) trait Disk: Debug + Send + Sync {
    /// The length of the file in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Fills `out` from `at` on; [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes at `at`; the file grows if it has to.
    fn write(&self, at: u64, data: &[u8]) -> io::Result<()>;

    /// Truncates the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes all writes so far durable, the length of the file too.
    fn sync(&self) -> io::Result<()>;

    /// How many syncs of this file have failed. The system reports a failed sync to one caller only,
    /// so every caller compares this number with its value before the write.
    fn failed_syncs(&self) -> u64;

    /// Locks a range for this handle alone; false if another handle has a part of it locked.
    fn try_lock_exclusive(&self, range: LockRange) -> io::Result<bool>;

    /// Locks a range together with others that share it; false if another handle has a part of it
    /// locked for itself.
    fn try_lock_shared(&self, range: LockRange) -> io::Result<bool>;

    /// Unlocks exactly what was locked.
    fn unlock(&self, range: LockRange) -> io::Result<()>;

    /// Whether another handle has a part of this range locked, shared or not.
    fn is_locked(&self, range: LockRange) -> io::Result<bool>;

    /// A stretch of the file in memory, mapped if that can be.
    fn bytes(&self, at: u64, len: usize) -> io::Result<Bytes> {
        // A damaged file may claim more than there is memory for.
        if at.checked_add(len as u64).is_none_or(|end| end > self.len().unwrap_or_default()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.read(at, &mut bytes)?;
        Ok(Bytes::Owned(bytes))
    }

    /// Whether the path still names this file. True where that cannot be told.
    fn is_in_place(&self) -> bool {
        true
    }

    /// The file is known by its path from now on.
    fn placed(&self) {}
}

/// A stretch of a file.
#[derive(Debug)]
pub(crate) enum Bytes {
    Mapped(Map),
    /// It may hold keys.
    Owned(Zeroizing<Vec<u8>>),
}

impl Bytes {
    #[inline]
    pub(crate) fn all(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map.bytes(),
            Self::Owned(bytes) => bytes,
        }
    }
}

/// An ordinary file. redb's backend reads, writes and locks it on every platform that redb knows.
#[derive(Debug)]
pub(crate) struct FileDisk {
    backend: FileBackend,
    file: File,
    path: PathBuf,
    /// Set once the path names the file, where the system has inodes.
    inode: OnceLock<Inode>,
    /// Held during a sync, so that its failure is counted before another one begins.
    syncing: Mutex<()>,
    failed_syncs: AtomicU64,
}

impl FileDisk {
    /// `file`, which has this path or is to get it.
    pub(crate) fn new(file: File, path: &Path) -> io::Result<Self> {
        let backend = FileBackend::new(file.try_clone()?).map_err(io::Error::other)?;
        // A process may change its directory while the store is open.
        let path = std::path::absolute(path)?;
        let (inode, syncing, failed_syncs) = Default::default();
        Ok(Self { backend, file, path, inode, syncing, failed_syncs })
    }
}

fn bounds((first, len): LockRange) -> (Bound<u64>, Bound<u64>) {
    (Bound::Included(first), Bound::Excluded(first.saturating_add(len)))
}

/// Runs `write` and syncs the file.
///
/// # Errors
///
/// Those of `write` and of the sync. Also if another thread's sync of the file has failed meanwhile:
/// it may have lost these pages, and the next sync does not report them.
pub(crate) fn write_durably(
    disk: &dyn Disk,
    write: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let before = disk.failed_syncs();
    write()?;
    disk.sync()?;
    none_failed_since(disk, before)
}

/// An error if a sync of this file has failed since it had failed `before` times.
pub(crate) fn none_failed_since(disk: &dyn Disk, before: u64) -> io::Result<()> {
    if disk.failed_syncs() == before {
        Ok(())
    } else {
        Err(io::Error::other("another sync of the file failed at the same time"))
    }
}

/// Where a file system has no locks on ranges, nothing is known of other handles.
fn or_unsupported<T>(done: Result<T, BackendError>, otherwise: T) -> io::Result<T> {
    match done {
        Err(BackendError::Unsupported) => Ok(otherwise),
        done => done.map_err(io::Error::other),
    }
}

impl Disk for FileDisk {
    fn len(&self) -> io::Result<u64> {
        // The backend may know the length from before another process changed it.
        Ok(FileStatus::of(&self.file)?.len)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.backend.read(at, out)
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        self.backend.write(at, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        let _syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.sync_data().inspect_err(|_| {
            self.failed_syncs.fetch_add(1, Ordering::AcqRel);
        })
    }

    fn failed_syncs(&self) -> u64 {
        self.failed_syncs.load(Ordering::Acquire)
    }

    fn try_lock_exclusive(&self, range: LockRange) -> io::Result<bool> {
        let (from, to) = bounds(range);
        match self.backend.try_lock_range(from, to) {
            // The whole file is locked instead.
            Err(BackendError::Unsupported) => match self.file.try_lock() {
                Ok(()) => Ok(true),
                Err(TryLockError::WouldBlock) => Ok(false),
                Err(TryLockError::Error(error)) => Err(error),
            },
            locked => locked.map_err(io::Error::other),
        }
    }

    fn try_lock_shared(&self, range: LockRange) -> io::Result<bool> {
        let (from, to) = bounds(range);
        or_unsupported(self.backend.try_lock_shared_range(from, to), true)
    }

    fn unlock(&self, range: LockRange) -> io::Result<()> {
        let (from, to) = bounds(range);
        or_unsupported(self.backend.unlock_range(from, to), ())
    }

    fn is_locked(&self, range: LockRange) -> io::Result<bool> {
        let (from, to) = bounds(range);
        // Readers that cannot be seen may be there.
        or_unsupported(self.backend.query_lock_range(from, to), true)
    }

    fn bytes(&self, at: u64, len: usize) -> io::Result<Bytes> {
        match Map::part(&self.file, self.len()?, at, len) {
            Ok(map) => Ok(Bytes::Mapped(map)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(error),
            // Not every file system can map files.
            Err(_) => {
                let mut bytes = Zeroizing::new(vec![0; len]);
                self.read(at, &mut bytes)?;
                Ok(Bytes::Owned(bytes))
            }
        }
    }

    fn is_in_place(&self) -> bool {
        match self.inode.get() {
            Some(inode) => {
                FileStatus::at(&self.path).is_ok_and(|there| there.inode == Some(*inode))
            }
            None => true,
        }
    }

    fn placed(&self) {
        if let Some(inode) = FileStatus::of(&self.file).ok().and_then(|status| status.inode) {
            let _ = self.inode.set(inode);
        }
    }
}
