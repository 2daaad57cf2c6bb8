//! The store: one file with many sessions.

mod bulk;
mod catalog;
mod check;
mod engine;
mod entities;
mod fault;
mod session;
mod snapshot;
mod tables;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::engine::Engine;
use crate::error::{Error, Result};
use crate::file::NewFile;
use crate::types::{Account, Entity};

pub use self::bulk::ImportReport;
pub use self::check::CheckReport;
pub use self::session::StoreSession;

/// What a store's file name ends in.
const EXTENSION: &str = "tgsession";

/// One transactional file with any number of named sessions in it.
///
/// A handle is cheap to clone, and any number of threads may use it and its clones at once. While
/// one is open for writing, another process that wants to write gets [`Error::Busy`] at once;
/// reading beside it is possible with [`Store::open_read_only`].
///
/// **Durability**: when a call that writes returns, its data is on disk. A crash at any moment
/// leaves the state after one of the commits, never a part of one.
///
/// **Paths**: a path that exists is taken as it is; else `.tgsession` is added when it is
/// missing, so that `Store::open("alice")` opens `alice.tgsession` in the working directory.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Store {
    /// Makes a store where there is no file yet, readable by its owner only.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] when there is a file, whatever it is; [`Error::NotFound`] when
    /// there is no folder to put it in.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::built(&store_path(path.as_ref()), |_| Ok(())).map(|(store, ())| store)
    }

    /// Makes a store that `fill` has filled, whole or not at all: the file gets its name only when
    /// `fill` has succeeded. Where the system has no files without names (anywhere but on Linux)
    /// it has a temporary one until then.
    ///
    /// # Errors
    ///
    /// Those of [`Store::create`] and of `fill`; then no file is left.
    pub fn create_with<T>(
        path: impl AsRef<Path>,
        fill: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        Self::built(&store_path(path.as_ref()), fill).map(|(_, filled)| filled)
    }

    fn built<T>(path: &Path, fill: impl FnOnce(&Self) -> Result<T>) -> Result<(Self, T)> {
        let failed = |source| Error::io("create", path, source);
        if path.symlink_metadata().is_ok() {
            return Err(Error::AlreadyExists { path: path.to_owned() });
        }
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
                return Err(Error::NotFound { path: folder.to_owned() });
            }
            _ => {}
        }
        let (new, superblock) = NewFile::for_path(path).map_err(failed)?;
        let file = new.handle().map_err(failed)?;
        let store = Self { engine: Arc::new(Engine::make(file, superblock, path)?) };
        let filled = fill(&store)?;
        new.put_in_place(path).map_err(failed)?;
        Ok((store, filled))
    }

    /// Opens a store for reading and writing. If its last writer was killed, it is recovered
    /// first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::WrongKind`] when the file is something else,
    /// [`Error::Newer`], [`Error::Busy`] when another handle has it open for writing,
    /// [`Error::Damaged`]. Nothing is written in any of these cases.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let engine = Engine::open(&store_path(path.as_ref()))?;
        Ok(Self { engine: Arc::new(engine) })
    }

    /// Opens a store, or makes it if there is no file.
    ///
    /// # Errors
    ///
    /// Those of [`Store::open`] but [`Error::NotFound`] of the file, and those of
    /// [`Store::create`].
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self> {
        match Self::open(path.as_ref()) {
            Err(Error::NotFound { .. }) => match Self::create(path.as_ref()) {
                // Made by somebody else in between.
                Err(Error::AlreadyExists { .. }) => Self::open(path.as_ref()),
                created => created,
            },
            opened => opened,
        }
    }

    /// Opens a store for reading. No byte of it is written, and it may be open elsewhere: each
    /// call sees what was committed last. A store whose writer was killed is recovered in memory.
    ///
    /// # Errors
    ///
    /// As [`Store::open`]. Calls that write give [`Error::ReadOnly`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self> {
        let engine = Engine::open_read_only(&store_path(path.as_ref()))?;
        Ok(Self { engine: Arc::new(engine) })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.engine.path()
    }

    /// The session of this name, made if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`] unless the name has 1 to 255 bytes and no control characters.
    pub fn session(&self, name: &str) -> Result<StoreSession> {
        match self.open_session(name) {
            Err(Error::NoSession { .. }) => {
                let account =
                    self.engine.write(|transaction| catalog::find_or_add(transaction, name))?;
                Ok(StoreSession::new(Arc::clone(&self.engine), account))
            }
            found => found,
        }
    }

    /// The session of this name.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`] if there is none.
    pub fn open_session(&self, name: &str) -> Result<StoreSession> {
        match self.engine.read(|snapshot| catalog::find(snapshot, name))? {
            Some(account) => Ok(StoreSession::new(Arc::clone(&self.engine), account)),
            None => Err(catalog::no_session(self.path(), name)),
        }
    }

    /// The names of all sessions, sorted.
    ///
    /// # Errors
    ///
    /// Only those of reading the file.
    pub fn list(&self) -> Result<Vec<String>> {
        self.engine.read(catalog::names)
    }

    /// Gives a session another name. Handles to it stay good.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::SessionExists`], [`Error::BadName`].
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        let path = self.path();
        self.engine.write(|txn| catalog::rename(txn, path, from, to))
    }

    /// Deletes a session and everything in it, in one transaction.
    ///
    /// The keys are gone for every reader; the bytes may stay in free blocks of the file until
    /// they are written over.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`].
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.path();
        self.engine.write(|txn| catalog::remove(txn, path, name))
    }

    /// Brings a whole session in, in one transaction: after an error the store is as before.
    ///
    /// `entities` should come in the order of their marked ids, which is by far the fastest; one
    /// out of order is taken in as [`Session::process_entities`](crate::Session) would. A
    /// username or phone that several show goes to the one with the newest date (none is oldest;
    /// on a tie the smallest marked id), and the report says so.
    ///
    /// # Errors
    ///
    /// [`Error::SessionExists`] unless `replace` is set, then everything the session held before
    /// is gone; [`Error::BadName`]; the first error that `entities` yields.
    pub fn import<I>(
        &self,
        name: &str,
        account: &Account,
        entities: I,
        replace: bool,
    ) -> Result<ImportReport>
    where
        I: IntoIterator<Item = Result<Entity>>,
    {
        let path = self.path();
        self.engine.write(|transaction| {
            if catalog::exists(transaction, name)? {
                if !replace {
                    let (path, name) = (path.to_owned(), name.to_owned());
                    return Err(Error::SessionExists { path, name }.into());
                }
                catalog::remove(transaction, path, name)?;
            }
            let no = catalog::find_or_add(transaction, name)?;
            bulk::load_account(transaction, no, account)?;
            bulk::load_entities(transaction, no, entities.into_iter())
        })
    }

    /// Walks everything: every record must decode, every index row name its entity, every block
    /// in use carry its seal. Nothing is repaired.
    ///
    /// # Errors
    ///
    /// Only when the check could not be made; what it found is in the report.
    pub fn check(&self) -> Result<CheckReport> {
        check::check(&self.engine)
    }
}

/// The file that a path means: itself if there is such a file or it ends in `.tgsession`, else
/// the path with that added.
#[must_use]
pub fn store_path(path: &Path) -> PathBuf {
    let named = path.extension().is_some_and(|extension| extension == EXTENSION);
    if named || path.symlink_metadata().is_ok() {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(EXTENSION);
    name.into()
}
