//! Finding the bytes under a store: its file, or a copy of it that can be written freely.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError};

use super::fault::Fault;
use crate::error::{Error, Result};
use crate::file::{
    Access, Disk, OpenError, Overlay, SealedBlocks, StoreFile, Superblock, WRITER_LOCK,
};

/// What a store lies on.
#[derive(Clone, Debug)]
pub(super) struct Medium {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) superblock: Superblock,
    /// The file itself, where there is one, to read it in place.
    pub(super) file: Option<Arc<fs::File>>,
}

impl Medium {
    /// A file whose superblock says this.
    pub(super) fn new(file: fs::File, superblock: Superblock, path: &Path) -> Result<Self> {
        let again = file.try_clone().map_err(|source| Error::io("open", path, source))?;
        let disk = Arc::new(backend(file, path)?);
        Ok(Self { disk, superblock, file: Some(Arc::new(again)) })
    }

    /// A disk that is no file.
    #[cfg(test)]
    pub(super) fn simulated(disk: Arc<dyn Disk>, superblock: Superblock) -> Self {
        Self { disk, superblock, file: None }
    }
}

/// The file of a store and what its superblock says.
pub(super) fn open(path: &Path, access: Access) -> Result<Medium> {
    let StoreFile { file, superblock } = open_file(path, access)?;
    Medium::new(file, superblock, path)
}

fn open_file(path: &Path, access: Access) -> Result<StoreFile> {
    StoreFile::open(path, access).map_err(|error| match error {
        OpenError::Io { doing, source } => Error::io(doing, path, source),
        OpenError::NotAStore(found) => Error::WrongKind {
            path: path.to_owned(),
            found: found.to_owned(),
            hint: "a tgsession store is expected here",
        },
        OpenError::Newer { found } => Error::Newer {
            path: path.to_owned(),
            what: "store format",
            found: found.into(),
            newest: crate::file::FORMAT_VERSION.into(),
        },
        OpenError::Damaged(damage) => Error::damaged(path, damage),
    })
}

/// Takes the lock of who writes; it is given up with the file.
pub(super) fn lock(disk: &dyn Disk, path: &Path) -> Result<()> {
    let (first, behind) = (Bound::Included(WRITER_LOCK), Bound::Excluded(WRITER_LOCK + 1));
    match disk.try_lock_range(first, behind) {
        // Where no part of a file can be locked, the engine locks the whole of it when it opens.
        Ok(true) | Err(BackendError::Unsupported) => Ok(()),
        Ok(false) => Err(Error::Busy { path: path.to_owned() }),
        Err(error) => Err(Error::io("lock", path, io::Error::other(error))),
    }
}

fn backend(file: fs::File, path: &Path) -> Result<FileBackend> {
    FileBackend::new(file).map_err(|error: DatabaseError| Fault::from(error).at(path, None))
}

/// The store's blocks on an overlay, holding the writer's lock if the file may be written at all.
pub(super) fn overlay(path: &Path) -> Result<SealedBlocks<Overlay<FileBackend>>> {
    let (opened, locks) = match open_file(path, Access::Write) {
        Err(Error::Io { source, .. }) if may_not_write(&source) => {
            (open_file(path, Access::Read)?, false)
        }
        opened => (opened?, true),
    };
    let disk = Overlay::new(backend(opened.file, path)?, locks);
    let disk = disk.map_err(|source| Error::io("read", path, source))?;
    if locks {
        lock(&disk, path)?;
    }
    Ok(SealedBlocks::new(disk, opened.superblock, Arc::default()))
}

fn may_not_write(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
