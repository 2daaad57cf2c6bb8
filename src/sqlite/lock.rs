//! SQLite's locks, taken the way its own readers take them.

use std::fs::File;
use std::io;

/// A shared lock; it is released when this is dropped, which closes the file.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// The file locked. Where locks belong to the process, no other handle on it may be closed.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

/// The outcome of asking for a lock.
#[derive(Debug)]
pub(super) enum Locked {
    /// It is held, or the file system knows no locks.
    Yes(Lock),
    /// Another process holds it.
    No(File),
}

/// Takes the lock of a reader of the database file (`SHARED`).
///
/// A reader first touches the pending byte, so that it does not starve a waiting writer.
pub(super) fn shared(file: File) -> io::Result<Locked> {
    if !system::lock(&file, PENDING, 1, system::Mode::Shared)? {
        return Ok(Locked::No(file));
    }
    let held = system::lock(&file, SHARED, SHARED_LEN, system::Mode::Shared);
    system::lock(&file, PENDING, 1, system::Mode::None)?;
    Ok(if held? { Locked::Yes(Lock { file }) } else { Locked::No(file) })
}

/// Takes the checkpoint lock of a `-shm` file in shared mode, so that no process can checkpoint.
pub(super) fn checkpoint(file: File) -> io::Result<Locked> {
    let held = system::lock(&file, CHECKPOINT, 1, system::Mode::Shared)?;
    Ok(if held { Locked::Yes(Lock { file }) } else { Locked::No(file) })
}

/// Whether a writer has announced itself (`RESERVED`): then the journal is its own affair.
pub(super) fn reserved(file: &File) -> io::Result<bool> {
    system::is_locked(file, RESERVED, 1)
}

/// The bytes are the same on Unix and on Windows (SQLite's `os.h`, `os_unix.c` and `os_win.c`).
const PENDING: u32 = 0x4000_0000;
const RESERVED: u32 = PENDING + 1;
const SHARED: u32 = PENDING + 2;
const SHARED_LEN: u32 = 510;
/// The place in the `-shm` file, after two copies of the header and the checkpoint information.
const CHECKPOINT: u32 = 121;

#[cfg(unix)]
mod system {
    use std::fs::File;
    use std::io;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc::{self, flock};

    #[derive(Clone, Copy)]
    pub(super) enum Mode {
        Shared,
        None,
    }

    /// `false`: another process holds it.
    pub(super) fn lock(file: &File, start: u32, len: u32, mode: Mode) -> io::Result<bool> {
        let kind = match mode {
            Mode::Shared => libc::F_RDLCK,
            Mode::None => libc::F_UNLCK,
        };
        let lock = range(start, len, kind);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let arg = FcntlArg::F_OFD_SETLK(&lock);
        // No locks of the open file here, so locks of the process, as SQLite uses itself.
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let arg = FcntlArg::F_SETLK(&lock);
        match fcntl(file, arg) {
            Ok(_) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(error) if unknown(error) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a write lock would be refused, without taking it.
    pub(super) fn is_locked(file: &File, start: u32, len: u32) -> io::Result<bool> {
        let mut lock = range(start, len, libc::F_WRLCK);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let arg = FcntlArg::F_OFD_GETLK(&mut lock);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let arg = FcntlArg::F_GETLK(&mut lock);
        match fcntl(file, arg) {
            Ok(_) => Ok(i32::from(lock.l_type) != i32::from(libc::F_UNLCK as Kind)),
            Err(error) if unknown(error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A file system without locks cannot have a writer that relies on them.
    fn unknown(error: Errno) -> bool {
        matches!(error, Errno::EINVAL | Errno::ENOLCK | Errno::EOPNOTSUPP | Errno::ENOSYS)
    }

    type Kind = libc::c_short;

    #[expect(clippy::allow_attributes, reason = "which casts are needless differs by system")]
    #[allow(clippy::unnecessary_cast, reason = "the constants' type differs by system")]
    fn range(start: u32, len: u32, kind: impl TryInto<Kind>) -> flock {
        flock {
            l_type: kind.try_into().unwrap_or_default(),
            l_whence: libc::SEEK_SET as Kind,
            l_start: start as libc::off_t,
            l_len: len as libc::off_t,
            l_pid: 0, // has to be 0 for locks of the open file
            #[cfg(target_os = "freebsd")]
            l_sysid: 0,
        }
    }
}

/// `LockFileEx`, as SQLite itself uses it there, by the range locks of redb's backend. They belong to
/// the open file, which a cloned handle shares, and end when the last handle is closed.
#[cfg(any(windows, all(test, target_os = "linux")))]
mod by_redb {
    use std::fs::File;
    use std::io;
    use std::ops::Bound;

    use redb::backends::FileBackend;
    use redb::{BackendError, StorageBackend};

    #[derive(Clone, Copy)]
    pub(super) enum Mode {
        Shared,
        None,
    }

    /// `false`: another process holds it.
    pub(super) fn lock(file: &File, start: u32, len: u32, mode: Mode) -> io::Result<bool> {
        let (backend, (from, to)) = (backend(file)?, range(start, len));
        match mode {
            Mode::Shared => or_unknown(backend.try_lock_shared_range(from, to), true),
            Mode::None => or_unknown(backend.unlock_range(from, to).map(|()| true), true),
        }
    }

    /// Whether a write lock would be refused. It is taken for a moment, as SQLite does.
    pub(super) fn is_locked(file: &File, start: u32, len: u32) -> io::Result<bool> {
        let (from, to) = range(start, len);
        or_unknown(backend(file)?.query_lock_range(from, to), false)
    }

    fn backend(file: &File) -> io::Result<FileBackend> {
        FileBackend::new(file.try_clone()?).map_err(io::Error::other)
    }

    fn range(start: u32, len: u32) -> (Bound<u64>, Bound<u64>) {
        let (start, len) = (u64::from(start), u64::from(len));
        (Bound::Included(start), Bound::Excluded(start + len))
    }

    /// A file system without locks cannot have a writer that relies on them.
    fn or_unknown(done: Result<bool, BackendError>, otherwise: bool) -> io::Result<bool> {
        match done {
            Err(BackendError::Unsupported) => Ok(otherwise),
            done => done.map_err(io::Error::other),
        }
    }
}

#[cfg(windows)]
use by_redb as system;

#[cfg(not(any(unix, windows)))]
mod system {
    use std::fs::File;
    use std::io;

    #[derive(Clone, Copy)]
    pub(super) enum Mode {
        Shared,
        None,
    }

    pub(super) fn lock(_: &File, _: u32, _: u32, _: Mode) -> io::Result<bool> {
        Ok(true)
    }

    pub(super) fn is_locked(_: &File, _: u32, _: u32) -> io::Result<bool> {
        Ok(false)
    }
}

/// The code for Windows, on the locks of Linux.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn locks_by_redb_are_those_of_the_system() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::options().read(true).write(true).open(file.path()).unwrap();
        for (start, len) in [(PENDING, 1), (SHARED, SHARED_LEN), (CHECKPOINT, 1)] {
            let (mine, other) = (open(), open());
            assert!(!system::is_locked(&other, start, len).unwrap());
            assert!(by_redb::lock(&mine, start, len, by_redb::Mode::Shared).unwrap());
            assert!(system::is_locked(&other, start, len).unwrap(), "from {start}");
            assert!(by_redb::is_locked(&other, start, len).unwrap(), "from {start}");
            assert!(!by_redb::is_locked(&other, start + len, 1).unwrap(), "behind {start}");
            assert!(
                system::lock(&other, start, len, system::Mode::Shared).unwrap(),
                "it is shared"
            );
            assert!(system::lock(&other, start, len, system::Mode::None).unwrap());
            assert!(by_redb::lock(&mine, start, len, by_redb::Mode::None).unwrap());
            assert!(!system::is_locked(&other, start, len).unwrap(), "given back");
            assert!(by_redb::lock(&mine, start, len, by_redb::Mode::Shared).unwrap());
            drop(mine);
            assert!(!system::is_locked(&other, start, len).unwrap(), "it ends with the handle");
        }
    }

    #[test]
    fn a_lock_that_another_handle_has_for_itself_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::options().read(true).write(true).open(file.path()).unwrap();
        let (writer, reader) = (open(), open());
        let backend = redb::backends::FileBackend::new(writer).unwrap();
        for byte in [RESERVED, PENDING].map(u64::from).map(std::ops::Bound::Included) {
            assert!(redb::StorageBackend::try_lock_range(&backend, byte, byte).unwrap());
        }
        assert!(by_redb::is_locked(&reader, RESERVED, 1).unwrap());
        assert!(!by_redb::lock(&reader, PENDING, 1, by_redb::Mode::Shared).unwrap());
        assert!(matches!(shared(reader).unwrap(), Locked::No(_)));
    }
}
