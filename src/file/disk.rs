//! The disk under a store: positioned reads and writes, syncs, locks on ranges of bytes.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::map::Map;

/// A range of bytes to lock, first byte and number of bytes. Locks lie far behind the end of every
/// file, so that they hinder no read or write.
pub(crate) type LockRange = (u64, u64);

/// What a store lies on. Everything that a store does to its file goes through this trait, so that
/// tests can put a simulated disk in its place.
pub(crate) trait Disk: Debug + Send + Sync {
    /// The length of the file in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Fills `out` from `at` on; [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes at `at`; the file grows if it has to.
    fn write(&self, at: u64, data: &[u8]) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes all writes so far durable, the length of the file too.
    fn sync(&self) -> io::Result<()>;

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
        let mut bytes = vec![0; len];
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
    Owned(Vec<u8>),
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
    /// Device and inode, once the path names the file.
    identity: OnceLock<Option<(u64, u64)>>,
}

impl FileDisk {
    /// `file`, which has this path or is to get it.
    pub(crate) fn new(file: File, path: &Path) -> io::Result<Self> {
        let backend = FileBackend::new(file.try_clone()?).map_err(io::Error::other)?;
        Ok(Self { backend, file, path: path.to_owned(), identity: OnceLock::new() })
    }
}

fn bounds((first, len): LockRange) -> (Bound<u64>, Bound<u64>) {
    (Bound::Included(first), Bound::Excluded(first.saturating_add(len)))
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
        Ok(self.file.metadata()?.len())
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
        self.file.sync_data()
    }

    fn try_lock_exclusive(&self, range: LockRange) -> io::Result<bool> {
        let (from, to) = bounds(range);
        or_unsupported(self.backend.try_lock_range(from, to), true)
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
        or_unsupported(self.backend.query_lock_range(from, to), false)
    }

    fn bytes(&self, at: u64, len: usize) -> io::Result<Bytes> {
        match Map::part(&self.file, at, len) {
            Ok(map) => Ok(Bytes::Mapped(map)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(error),
            // Not every file system can map files.
            Err(_) => {
                let mut bytes = vec![0; len];
                self.read(at, &mut bytes)?;
                Ok(Bytes::Owned(bytes))
            }
        }
    }

    fn is_in_place(&self) -> bool {
        match self.identity.get() {
            Some(Some(identity)) => identity_at(&self.path) == Some(*identity),
            _ => true,
        }
    }

    fn placed(&self) {
        let _ = self.identity.set(identity_at(&self.path));
    }
}

#[cfg(unix)]
fn identity_at(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity_at(_: &Path) -> Option<(u64, u64)> {
    None
}
