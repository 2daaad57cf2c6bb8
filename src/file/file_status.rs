//! Reads the length and the inode of a file without its timestamps.
//!
//! Linux 6.13 and later have multigrain timestamps (Documentation/filesystems/multigrain-ts.rst): after a process
//! has read the timestamps of a file, the next write updates its inode. A write and its sync take about 1.3
//! times as long then.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// What the system says of a file, without its timestamps.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileStatus {
    /// In bytes.
    pub(super) len: u64,
    /// `None` where the system has no inodes.
    pub(super) inode: Option<Inode>,
}

/// Identifies a file, whatever its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inode {
    device: u64,
    number: u64,
}

impl FileStatus {
    /// The status of an open file.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        match without_times(Some(file), Path::new("")) {
            Some(status) => Ok(status),
            None => file.metadata().map(Self::from),
        }
    }

    /// The status of the file at this path.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        match without_times(None, path) {
            Some(status) => Ok(status),
            None => path.metadata().map(Self::from),
        }
    }
}

impl From<Metadata> for FileStatus {
    #[cfg(unix)]
    fn from(metadata: Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let inode = Inode { device: metadata.dev(), number: metadata.ino() };
        Self { len: metadata.len(), inode: Some(inode) }
    }

    #[cfg(not(unix))]
    fn from(metadata: Metadata) -> Self {
        Self { len: metadata.len(), inode: None }
    }
}

/// The status of the open file, or of the file at the path. `None` if the call fails, or if the system always
/// reads the timestamps too.
#[cfg(target_os = "linux")]
fn without_times(file: Option<&File>, path: &Path) -> Option<FileStatus> {
    use std::os::fd::AsFd;

    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};

    let asked = StatxFlags::SIZE | StatxFlags::INO;
    let status = statx(file.map_or(CWD, AsFd::as_fd), path, AtFlags::EMPTY_PATH, asked).ok()?;
    let device = makedev(status.stx_dev_major, status.stx_dev_minor);
    let inode = Some(Inode { device, number: status.stx_ino });
    let is_full = StatxFlags::from_bits_retain(status.stx_mask).contains(asked);
    is_full.then_some(FileStatus { len: status.stx_size, inode })
}

#[cfg(not(target_os = "linux"))]
fn without_times(_: Option<&File>, _: &Path) -> Option<FileStatus> {
    None
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
        let inode = FileStatus::of(&file).unwrap().inode;
        assert_eq!(
            inode,
            FileStatus::from(file.metadata().unwrap()).inode,
            "the same as with times"
        );
        assert_eq!(FileStatus::at(&path).unwrap().inode, inode);
        file.write_all(&[0; 5_000]).unwrap();
        assert_eq!(FileStatus::of(&file).unwrap().len, 5_000);
        fs::rename(&other, &path).unwrap();
        assert_ne!(FileStatus::at(&path).unwrap().inode, inode);
        fs::remove_file(&path).unwrap();
        assert!(FileStatus::at(&path).is_err());
    }

    /// If the timestamps of a file were read, the next write has an exact time, at or after the start of the
    /// write. Any other write has an earlier time: of another write, or of the last tick of the kernel. A file
    /// system may also have exact times always, which the first call shows.
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
                let inode = FileStatus::of(&other).unwrap().inode;
                assert_eq!(FileStatus::at(&path).unwrap().inode, inode);
            });
            assert!(exact < 10, "{exact} of 20 writes have an exact time");
        }
    }
}
