//! Reads the length and the inode of a file without its timestamps.
//!
//! Linux 6.13 and later have multigrain timestamps (Documentation/filesystems/multigrain-ts.rst): after a process
//! has read the timestamps of a file, the next write updates its inode. A write and its sync take about 1.3
//! times as long then.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// Which file it is, whatever its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inode {
    device: u64,
    number: u64,
}

/// The length of a file, in bytes.
pub(super) fn len_of(file: &File) -> io::Result<u64> {
    match system::len_of(file) {
        Some(len) => Ok(len),
        None => Ok(file.metadata()?.len()),
    }
}

/// The inode of an open file. `None` where the system has no inodes.
pub(super) fn inode_of(file: &File) -> Option<Inode> {
    system::inode_of(file).or_else(|| inode_in(&file.metadata().ok()?))
}

/// The inode of the file at this path. `None` if there is no file, or the system refuses to answer.
pub(super) fn inode_at(path: &Path) -> Option<Inode> {
    system::inode_at(path).or_else(|| inode_in(&path.metadata().ok()?))
}

#[cfg(unix)]
fn inode_in(metadata: &Metadata) -> Option<Inode> {
    use std::os::unix::fs::MetadataExt;
    Some(Inode { device: metadata.dev(), number: metadata.ino() })
}

#[cfg(not(unix))]
fn inode_in(_: &Metadata) -> Option<Inode> {
    None
}

/// Linux: `statx` without timestamps.
#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, makedev, statx};

    use super::Inode;

    pub(super) fn len_of(file: &File) -> Option<u64> {
        Some(status(file.as_fd(), Path::new(""), StatxFlags::SIZE)?.stx_size)
    }

    pub(super) fn inode_of(file: &File) -> Option<Inode> {
        status(file.as_fd(), Path::new(""), StatxFlags::INO).map(|status| inode(&status))
    }

    pub(super) fn inode_at(path: &Path) -> Option<Inode> {
        status(CWD, path, StatxFlags::INO).map(|status| inode(&status))
    }

    /// An empty path means the open file. `None` if the call fails, or the kernel does not have it.
    fn status(folder: BorrowedFd<'_>, path: &Path, asked: StatxFlags) -> Option<Statx> {
        let status = statx(folder, path, AtFlags::EMPTY_PATH, asked).ok()?;
        StatxFlags::from_bits_retain(status.stx_mask).contains(asked).then_some(status)
    }

    fn inode(status: &Statx) -> Inode {
        let device = makedev(status.stx_dev_major, status.stx_dev_minor);
        Inode { device, number: status.stx_ino }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::path::Path;

    use super::Inode;

    pub(super) fn len_of(_: &File) -> Option<u64> {
        None
    }

    pub(super) fn inode_of(_: &File) -> Option<Inode> {
        None
    }

    pub(super) fn inode_at(_: &Path) -> Option<Inode> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::io::Write;
    #[cfg(target_os = "linux")]
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_file_is_told_from_another_and_its_length_is_that_of_now() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let mut file = File::create(&path).unwrap();
        fs::write(&other, b"b").unwrap();
        assert_eq!(inode_of(&file), inode_in(&file.metadata().unwrap()), "the same as with times");
        assert_eq!(inode_at(&path), inode_of(&file));
        file.write_all(&[0; 5_000]).unwrap();
        assert_eq!(len_of(&file).unwrap(), 5_000);
        fs::rename(&other, &path).unwrap();
        assert_ne!(inode_at(&path), inode_of(&file));
        fs::remove_file(&path).unwrap();
        assert_eq!(inode_at(&path), None);
    }

    /// A write after its timestamps were read has an exact time, which is not before it begins. Any other has
    /// the time of a write before it or of the last tick of the kernel, unless the file system has exact times.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_write_after_a_call_updates_no_inode() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let mut file = File::options().append(true).open(&path).unwrap();
        let mut exact_after = |call: &dyn Fn()| {
            let exact = (0..20).filter(|_| {
                file.write_all(b"a").unwrap();
                call();
                let before = SystemTime::now();
                file.write_all(b"a").unwrap();
                file.metadata().unwrap().modified().unwrap() >= before
            });
            exact.count()
        };
        let other = File::open(&path).unwrap();
        if exact_after(&|| ()) < 10 {
            let exact = exact_after(&|| {
                len_of(&other).unwrap();
                assert_eq!(inode_of(&other).unwrap(), inode_at(&path).unwrap());
            });
            assert!(exact < 10, "{exact} of 20 writes have an exact time");
        }
    }
}
