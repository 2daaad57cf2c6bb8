//! The process that has a store open for writing.

use std::path::Path;

use super::{Store, open_error, store_path};
use crate::error::{Error, Result};
use crate::file::{Access, FileDisk, LockHolder, StoreFile};

impl Store {
    /// The process that has changed the store at this path and still has it open for writing, as the
    /// file says. It can be seen without the key of an encrypted store. Of a process on another
    /// machine it is not known whether it still runs.
    ///
    /// # Errors
    ///
    /// Those of [`Store::open_read_only`] but [`Error::Key`].
    pub fn lock_holder(path: impl AsRef<Path>) -> Result<Option<LockHolder>> {
        let path = &store_path(path.as_ref());
        let store = StoreFile::open(path, Access::Read).map_err(|error| open_error(path, error))?;
        let disk = FileDisk::new(store.file, path);
        let disk = disk.map_err(|source| Error::io("read", path, source))?;
        Ok(LockHolder::read(&disk).filter(LockHolder::may_be_alive))
    }
}
