//! The store: one file with many sessions.

mod batch;
mod catalog;
mod check;
mod claims;
mod copy;
mod entities;
mod entity_segment;
mod file_name;
mod import;
mod import_report;
mod import_session;
mod key;
mod late_entities;
mod lock_holder;
mod options;
mod repair;
mod rows;
mod session;
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code, reason = "fuzzing needs a part of it"))]
mod tests;
mod view;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::{self, BulkWrite, Durability, Engine, EngineResult};
use crate::error::{Error, KeyError, Result};
use crate::file::{
    Access, AtomicFile, Disk, FileDisk, FileSeal, OpenError, StoreFile, is_open_to_others,
};
use crate::types::Progress;

pub use self::check::CheckReport;
pub use self::file_name::store_path;
pub use self::import_report::ImportReport;
pub use self::import_session::ImportSession;
pub use self::key::{KeyInfo, KeyKind, StoreKey};
pub use self::options::StoreOptions;

pub use self::repair::{RepairReport, repair};
pub(crate) use self::repair::{SalvagedSession, salvaged_sessions};
pub use self::session::StoreSession;
#[cfg(all(any(test, fuzzing), feature = "convert", feature = "encryption"))]
pub(crate) use self::tests::sealed_of;
#[cfg(all(any(test, fuzzing), feature = "convert"))]
pub(crate) use self::tests::{crash_run_of, forged_log};
pub use self::view::{ReadView, SessionView};

/// How long a caller that waits for another process sleeps between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// One transactional file with any number of named sessions in it.
///
/// A handle is cheap to clone, and any number of threads may use it and its clones at once. While
/// one is open for writing, another process that wants to write gets [`Error::Busy`] at once;
/// reading beside it is possible with [`Store::open_read_only`].
///
/// **Durability**: auth keys, DC addresses, logins, and making, renaming, deleting and importing
/// sessions are on disk when the call returns. Entities, update states and sent files are in
/// memory then, where every reader of this process sees them, and on disk within the
/// [flush interval](StoreOptions::flush_interval), after [`Session::flush`](crate::Session::flush),
/// and when the last handle is dropped. A crash at any moment leaves the state after one of the
/// calls, never a part of one, and no older than the last that had to be on disk. Where flushing
/// in the background fails, the data stays in memory, and the next call that writes gives the
/// error and changes nothing; flushing is tried again after each interval. Where a call fails
/// whose data had to be on disk, the data stays in memory as well and gets there with the next
/// flush that succeeds, unless the process ends before.
///
/// **Paths**: a path that exists is taken as it is; else `.tgsession` is added when it is
/// missing, so that `Store::open("alice")` opens `alice.tgsession` in the working directory.
///
/// ```
/// use tgsession::{DcId, ErrorKind, Session, Store};
///
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let store = Store::open_or_create(&path)?;
/// store.session("alice")?.set_home_dc(DcId(4))?;
/// store.session("bob")?.set_home_dc(DcId(2))?;
/// assert_eq!(store.list()?, ["alice", "bob"]);
///
/// // One process writes, others read.
/// let second = Store::open(&path).unwrap_err();
/// assert_eq!(second.kind(), ErrorKind::Busy);
/// assert_eq!(Store::open_read_only(&path)?.list()?.len(), 2);
/// store.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
    progress: Progress,
    /// Of an encrypted store.
    unlocked: Option<Arc<key::Unlocked>>,
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
        StoreOptions::default().create(path)
    }

    /// How to open or make a store otherwise than by default.
    #[must_use]
    pub fn options() -> StoreOptions {
        StoreOptions::default()
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
        StoreOptions::default().create_with(path, fill)
    }

    fn built<T>(
        path: &Path,
        options: &StoreOptions,
        protection: key::Protection<'_>,
        fill: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<(Self, T)> {
        let path = &store_path(path);
        let failed = |source| Error::io("create", path, source);
        if path.symlink_metadata().is_ok() {
            return Err(Error::AlreadyExists { path: path.to_owned() });
        }
        match path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() && !directory.exists() => {
                return Err(Error::NotFound { path: directory.to_owned() });
            }
            _ => {}
        }
        let new = AtomicFile::empty(path).map_err(failed)?;
        let disk = FileDisk::new(new.handle().map_err(failed)?, path).map_err(failed)?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let (seal, unlocked) = protection.new_file(path)?;
        let slots = unlocked.as_ref().map(|unlocked| *unlocked.slots()).unwrap_or_default();
        let created = engine::create(disk.as_ref(), &seal, &slots);
        created.map_err(|error| error.at(path))?;
        let engine = Engine::open(path, Arc::clone(&disk), seal, Access::Write, options.engine())?;
        let store = Self::on(engine, unlocked, options);
        let filled = fill(&store)?;
        // A new store has no gaps.
        store.engine.compact()?;
        store.engine.finish_writes()?;
        new.put_in_place(path).map_err(failed)?;
        disk.placed();
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
        StoreOptions::default().open(path)
    }

    /// Opens a store, or makes it if there is no file.
    ///
    /// # Errors
    ///
    /// Those of [`Store::open`] but [`Error::NotFound`] of the file, and those of
    /// [`Store::create`].
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self> {
        StoreOptions::default().open_or_create(path)
    }

    /// Opens a store for reading. No byte of it is written, and it may be open elsewhere: each
    /// call sees what was committed last. A store whose writer was killed is recovered in memory.
    ///
    /// # Errors
    ///
    /// As [`Store::open`]. Calls that write give [`Error::ReadOnly`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self> {
        StoreOptions::default().open_read_only(path)
    }

    fn on(engine: Engine, unlocked: Option<key::Unlocked>, options: &StoreOptions) -> Self {
        let unlocked = unlocked.map(Arc::new);
        Self { engine: Arc::new(engine), progress: options.progress.clone(), unlocked }
    }

    fn open_with(path: &Path, options: &StoreOptions) -> Result<Self> {
        let path = &store_path(path);
        let give_up = Instant::now().checked_add(options.wait);
        let mut unlocked_file = None;
        loop {
            match open_engine(path, Access::Write, options, &mut unlocked_file) {
                Err(Error::Busy { .. }) if give_up.is_none_or(|end| Instant::now() < end) => {
                    std::thread::sleep(BETWEEN_TRIES.min(options.wait));
                }
                opened => {
                    return Ok(Self::on(opened?, unlocked_file.and_then(|(_, of)| of), options));
                }
            }
        }
    }

    fn open_or_created(path: &Path, options: &StoreOptions) -> Result<Self> {
        match Self::open_with(path, options) {
            Err(Error::NotFound { .. }) => match options.create(path) {
                // Another process made it in between.
                Err(Error::AlreadyExists { .. }) => Self::open_with(path, options),
                created => created,
            },
            opened => opened,
        }
    }

    fn read_only(path: &Path, options: &StoreOptions) -> Result<Self> {
        let mut unlocked_file = None;
        let engine = open_engine(&store_path(path), Access::Read, options, &mut unlocked_file)?;
        Ok(Self::on(engine, unlocked_file.and_then(|(_, of)| of), options))
    }

    /// Flushes everything and gives the errors that dropping the store would only log. If this is
    /// the last handle, the file is compacted where that pays, and closed.
    ///
    /// # Errors
    ///
    /// Those of [`Session::flush`](crate::Session::flush). What could not be written is lost when
    /// the last handle goes.
    pub fn close(self) -> Result<()> {
        match Arc::try_unwrap(self.engine) {
            Ok(engine) => engine.close(),
            Err(engine) => engine.flush(),
        }
    }

    /// The store as it is now, whatever is written from now on.
    ///
    /// A view costs about a microsecond to make. As long as it lives, the file keeps the pages
    /// that it reads.
    ///
    /// # Errors
    ///
    /// Only those of reading the file, of a store that is open for reading only.
    pub fn read_view(&self) -> Result<ReadView> {
        Ok(ReadView { engine: Arc::clone(&self.engine), view: Arc::new(self.engine.view()?) })
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
                let account = self
                    .engine
                    .write(|batch| Ok((catalog::find_or_add(batch, name)?, Durability::Synced)))?;
                Ok(StoreSession::new(Arc::clone(&self.engine), account, name))
            }
            // The call that created it may have failed to sync: then it is in memory alone.
            found => self.engine.sync_pending().and(found),
        }
    }

    /// The session of this name.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`] if there is none.
    pub fn open_session(&self, name: &str) -> Result<StoreSession> {
        match self.engine.read(|view| catalog::find(view, name))? {
            Some(account) => Ok(StoreSession::new(Arc::clone(&self.engine), account, name)),
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
        self.engine.write(|batch| {
            catalog::rename(batch, path, from, to)?;
            Ok(((), Durability::Synced))
        })
    }

    /// Deletes a session and everything in it, in one transaction.
    ///
    /// The keys are gone for every reader; the bytes may stay in free pages of the file until
    /// they are written over. [`Store::scrub`] overwrites them.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`].
    pub fn remove(&self, name: &str) -> Result<()> {
        remove(&self.engine, name)
    }

    /// Brings a whole session in, in one transaction: after an error the store is as before.
    ///
    /// `session` is one of a [`Source`](crate::Source), one of another store, or an [`ImportSession`]
    /// of anything else.
    ///
    /// Entities that come in the order of their marked ids are written as they come; the others are held
    /// until all have come. Several of one id are merged in their order. A username or phone that several show goes to a
    /// full view before a reduced one, then to the newest date (none is oldest), then to the smallest id.
    ///
    /// ```
    /// use tgsession::{ErrorKind, Source, Store};
    ///
    /// # fn main() -> tgsession::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("accounts");
    /// let old = Source::open("tests/fixtures/telethon/plain_1.45.0.session")?;
    /// let store = Store::create(path)?;
    /// let mut session = old.session("plain_1.45.0")?;
    /// let report = store.import("anon", &mut session)?;
    /// assert_eq!(report.entities, 119);
    /// // What the store changed, and what could not be read:
    /// assert!(report.notes.iter().any(|note| note.contains("2 entities have")));
    /// assert!(session.notes().iter().any(|note| note.contains("phone is not a number")));
    ///
    /// let again = store.import("anon", &mut old.session("plain_1.45.0")?);
    /// assert_eq!(again.unwrap_err().kind(), ErrorKind::Refused);
    /// store.replace("anon", &mut old.session("plain_1.45.0")?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::SessionExists`]; [`Error::BadName`]; the first error of reading `session`.
    pub fn import<'a>(
        &self,
        name: &str,
        session: impl Into<ImportSession<'a>>,
    ) -> Result<ImportReport> {
        session.into().load(&self.engine, name, false)
    }

    /// Like [`Store::import`], but a session of this name is replaced: everything that it held is
    /// gone. After an error the store is as before.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`]; the first error of reading `session`.
    pub fn replace<'a>(
        &self,
        name: &str,
        session: impl Into<ImportSession<'a>>,
    ) -> Result<ImportReport> {
        session.into().load(&self.engine, name, true)
    }

    /// Makes the file as short as what is in it allows: rows are packed into full pages, and free
    /// pages given back. It takes less than 0.2 s at 100,000 entities and 1 s at 1,000,000. Others read
    /// meanwhile. Their writes wait while parts of the file are moved.
    ///
    /// It is done by itself when the last handle that wrote is dropped, if that makes the file
    /// shorter by an eighth, and by more than 8 KiB. Being killed in the middle harms nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when another process keeps reading the store, [`Error::ReadOnly`]; the
    /// store is whole then.
    pub fn compact(&self) -> Result<()> {
        self.engine.compact()
    }

    /// Compacts the store and writes zeros over everything in its file that it does not use. What
    /// was deleted or replaced before the call (keys, sessions, entities) is in no byte of the file
    /// when this returns. It takes about as long as [`Store::compact`] and a write of the file.
    ///
    /// It cannot reach what is not in the file: blocks that an earlier compaction gave back to the
    /// file system, other copies of the file, and old blocks that an SSD, a copy-on-write file
    /// system or a snapshot keeps. To make a key worthless, end its session in Telegram. Being
    /// killed in the middle harms nothing; then call it again.
    ///
    /// # Errors
    ///
    /// As [`Store::compact`]. [`Error::Busy`] also when a [`ReadView`] is alive: nothing is wiped
    /// that it reads.
    pub fn scrub(&self) -> Result<()> {
        self.engine.scrub()
    }

    /// Walks everything: every record must decode, every index row name its entity, every
    /// checksum match. Nothing is repaired.
    ///
    /// # Errors
    ///
    /// Only when the check could not be made; what it found is in the report.
    pub fn check(&self) -> Result<CheckReport> {
        check::check(&self.engine, &self.progress)
    }
}

/// Deletes a session, whatever it holds.
fn remove(engine: &Engine, name: &str) -> Result<()> {
    engine.bulk_write(|rows| remove_rows(rows, engine.path(), name))
}

fn remove_rows(rows: &mut BulkWrite<'_, '_>, path: &Path, name: &str) -> EngineResult<()> {
    let account = catalog::unname(rows, path, name)?;
    catalog::account_tables().try_for_each(|table| rows.clear(table, account))
}

/// The seal of a file, and the master key if it is encrypted.
type UnlockedFile = Option<(FileSeal, Option<key::Unlocked>)>;

/// `unlocked_file` keeps the master key for the next try: a passphrase takes 0.2 s.
fn open_engine(
    path: &Path,
    access: Access,
    options: &StoreOptions,
    unlocked_file: &mut UnlockedFile,
) -> Result<Engine> {
    let opened = StoreFile::open(path, access).map_err(|error| open_error(path, error));
    let StoreFile { file, identity, key_slots } = opened?;
    let disk = FileDisk::new(file, path).map_err(|source| Error::io("open", path, source))?;
    disk.placed();
    if is_open_to_others(path) {
        tracing::warn!(path = %path.display(), "other users may read this store and its keys; chmod 600 it");
    }
    // Another file may have the path by now.
    let same = unlocked_file.take().filter(|(seal, unlocked)| {
        seal.file_id() == identity.file_id && unlocked.is_some() == identity.is_encrypted
    });
    let (seal, unlocked) = match same {
        Some(same) => same,
        None => key::unlocked(path, identity, &key_slots, options.key.as_ref())?,
    };
    *unlocked_file = Some((seal.clone(), unlocked));
    Engine::open(path, Arc::new(disk), seal, access, options.engine())
}

fn open_error(path: &Path, error: OpenError) -> Error {
    match error {
        OpenError::Io { doing, source } => Error::io(doing, path, source),
        OpenError::NotAStore(found) => Error::WrongKind {
            path: path.to_owned(),
            found: found.to_owned(),
            hint: "a tgsession store is expected here",
        },
        OpenError::OtherVersion { found } if found < crate::file::FORMAT_VERSION => {
            Error::Older { path: path.to_owned(), what: "store format", found: found.into() }
        }
        OpenError::OtherVersion { found } => Error::Newer {
            path: path.to_owned(),
            what: "store format",
            found: found.into(),
            newest: crate::file::FORMAT_VERSION.into(),
        },
        OpenError::OtherCipher { found } => key::key_error(path, KeyError::OtherCipher { found }),
        OpenError::Damaged(damage) => Error::damaged(path, damage),
    }
}
