//! Files that appear whole: they have no name until they are complete.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::TempPath;

/// A file that has no name yet, for its owner's eyes only. Unless it gets one it is gone with the
/// process, and where the system knows files without names, even if that is killed.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: File,
    /// Where files without names are not to be had: the temporary name, removed when dropped.
    temporary: Option<TempPath>,
}

impl AtomicFile {
    /// A new file on the file system of `path`, with nothing in it.
    pub(crate) fn empty(path: &Path) -> io::Result<Self> {
        match nameless::file_in(folder_of(path)) {
            Some(file) => Ok(Self { file, temporary: None }),
            None => Self::named(path),
        }
    }

    fn named(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (file, temporary) = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .tempfile_in(folder_of(path))?
            .into_parts();
        Ok(Self { file, temporary: Some(temporary) })
    }

    /// Another handle to the file.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Gives the file its name, which must be free, and makes both durable.
    pub(crate) fn put_in_place(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        match self.temporary {
            Some(temporary) => temporary.persist_noclobber(path).map_err(|error| error.error)?,
            None => nameless::name(&self.file, path)?,
        }
        sync_folder(folder_of(path))
    }

    /// Gives the file its name, which it takes from the file that may have it, and makes both
    /// durable. At every moment the name stands for one of them, whole.
    pub(crate) fn put_over(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        let temporary = match self.temporary {
            Some(temporary) => temporary,
            None => {
                let place = Self::named(path)?.temporary;
                let place = place.ok_or(io::ErrorKind::Unsupported)?;
                // Free again for a moment: only who guesses its random part could take it, and
                // then nothing is replaced.
                std::fs::remove_file(&place)?;
                nameless::name(&self.file, &place)?;
                place
            }
        };
        temporary.persist(path).map_err(|error| error.error)?;
        sync_folder(folder_of(path))
    }
}

/// Files that are in no directory until they are complete.
#[cfg(target_os = "linux")]
mod nameless {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::{Path, PathBuf};

    use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
    use nix::unistd::linkat;

    /// `None` where the file system has no such files, or they could not get a name later.
    pub(super) fn file_in(directory: &Path) -> Option<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600).custom_flags(OFlag::O_TMPFILE.bits());
        options.open(directory).ok().filter(|file| entry(file).exists())
    }

    pub(super) fn name(file: &File, path: &Path) -> io::Result<()> {
        let follow = AtFlags::AT_SYMLINK_FOLLOW;
        Ok(linkat(AT_FDCWD, &entry(file), AT_FDCWD, path, follow)?)
    }

    /// The name that the kernel keeps for every open file.
    fn entry(file: &File) -> PathBuf {
        format!("/proc/self/fd/{}", file.as_raw_fd()).into()
    }
}

#[cfg(not(target_os = "linux"))]
mod nameless {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub(super) fn file_in(_: &Path) -> Option<File> {
        None
    }

    pub(super) fn name(_: &File, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The directory that an entry of this path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// A name is durable only once its directory is. Only Unix lets a directory be synced.
pub(crate) fn sync_folder(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Sixteen bytes that no other file has: the standard library's per-process random keys, the
/// process and the time.
pub(crate) fn random_id() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let time = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let half = || RandomState::new().hash_one((time, std::process::id()));
    let mut id = [0; 16];
    let (low, high) = id.split_at_mut(8);
    low.copy_from_slice(&half().to_le_bytes());
    high.copy_from_slice(&half().to_le_bytes());
    id
}

/// Eight bytes that no other generation has.
pub(crate) fn random_salt() -> u64 {
    random_id().first_chunk().map_or(0, |half| u64::from_le_bytes(*half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_has_no_name_until_it_is_put_in_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let new = AtomicFile::empty(&path).unwrap();
        assert!(!path.exists());
        new.put_in_place(&path).unwrap();
        assert!(path.exists());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_temporary_name_serves_where_files_need_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        AtomicFile::named(&path).unwrap().put_in_place(&path).unwrap();
        drop(AtomicFile::named(&path).unwrap());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn neither_way_overwrites_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        std::fs::write(&path, "mine").unwrap();
        for new in [AtomicFile::empty(&path).unwrap(), AtomicFile::named(&path).unwrap()] {
            let error = new.put_in_place(&path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }
}
