//! redb behind a door: opened on sealed blocks, its errors and panics turned into ours.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fs, io};

use redb::backends::FileBackend;
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase,
    WriteTransaction,
};

use super::fault::{Fault, Step};
use super::snapshot::Snapshot;
use crate::error::{Damaged, Error, Result};
use crate::file::{
    Access, Damage, Disk, OpenError, Overlay, Readiness, SealedBlocks, StoreFile, Superblock, Watch,
};

/// What redb may keep of the file in memory, in bytes.
const CACHE: usize = 8 << 20;

/// One opened store file.
pub(super) struct Engine {
    path: PathBuf,
    /// Taken only when the engine is dropped.
    db: Option<Db>,
    watch: Arc<Watch>,
    writable: bool,
    dead: AtomicBool,
    /// Something may have been written since the file was opened.
    touched: AtomicBool,
    whole_heads: usize,
    /// The last committed state, if anybody has read since that commit.
    snapshot: RwLock<Option<Arc<Snapshot>>>,
}

enum Db {
    Writer(Database),
    Reader(ReadOnlyDatabase),
}

impl Engine {
    /// Opens a store for reading and writing. A second writer is refused at once.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::start(blocks(path, Access::Write)?, path, true)
    }

    /// Opens a store without writing a byte of it, also while another process writes it.
    pub(super) fn open_read_only(path: &Path) -> Result<Self> {
        match Self::start_reader(blocks(path, Access::Read)?, path) {
            Err(Fault::Redb(redb::Error::RepairAborted)) => Self::recover_in_memory(path),
            opened => opened.map_err(|fault| fault.at(path, None)),
        }
    }

    /// Makes a store in a file that holds a superblock and nothing else.
    pub(super) fn make(file: fs::File, superblock: Superblock, path: &Path) -> Result<Self> {
        Self::begin(SealedBlocks::new(backend(file, path)?, superblock), path)
    }

    fn begin<D: Disk>(blocks: SealedBlocks<D>, path: &Path) -> Result<Self> {
        let watch = blocks.watch();
        let opened = caught(|| Ok(builder().create_with_backend(blocks)?));
        let db = opened.map_err(|fault| fault.at(path, watch.damage()))?;
        Ok(Self::new(Db::Writer(db), watch, path, true, 2))
    }

    /// Makes a store on this disk, or opens the one that is there.
    #[cfg(test)]
    pub(super) fn on_disk<D: Disk>(disk: D, superblock: Superblock, new: bool) -> Result<Self> {
        let (path, blocks) = (Path::new("disk"), SealedBlocks::new(disk, superblock));
        if new { Self::begin(blocks, path) } else { Self::start(blocks, path, true) }
    }

    fn start<D: Disk>(blocks: SealedBlocks<D>, path: &Path, writable: bool) -> Result<Self> {
        let watch = blocks.watch();
        let ready = ready(&blocks, path)?;
        if ready.unfinished {
            tracing::info!(path = %path.display(), "the last writer did not finish; recovering");
        }
        let opened = caught(|| Ok(builder().create_with_backend(blocks)?));
        let db = opened.map_err(|fault| fault.at(path, watch.damage()))?;
        watch.recovered();
        let engine = Self::new(Db::Writer(db), watch, path, writable, ready.whole_heads);
        engine.touched.store(ready.unfinished, Ordering::Release);
        Ok(engine)
    }

    fn start_reader<D: Disk>(blocks: SealedBlocks<D>, path: &Path) -> Step<Self> {
        let watch = blocks.watch();
        let ready = blocks.prepare()?;
        watch.recovered();
        let db = caught(|| Ok(builder().open_read_only_with_backend(blocks)?))?;
        Ok(Self::new(Db::Reader(db), watch, path, false, ready.whole_heads))
    }

    /// Recovers a store whose writer was killed, with every write kept in memory. Where the store
    /// is damaged too, what the last commit left readable is read as it is.
    fn recover_in_memory(path: &Path) -> Result<Self> {
        match Self::start(overlay(path)?, path, false) {
            Err(error @ Error::Damaged { .. }) => {
                let blocks = overlay(path)?;
                let opened = blocks.declare_finished().map_err(Fault::from);
                opened.and_then(|()| Self::start_reader(blocks, path)).map_err(|_| error)
            }
            recovered => recovered,
        }
    }

    fn new(db: Db, watch: Arc<Watch>, path: &Path, writable: bool, whole_heads: usize) -> Self {
        Self {
            path: path.to_owned(),
            db: Some(db),
            watch,
            writable,
            dead: AtomicBool::new(false),
            touched: AtomicBool::new(true),
            whole_heads,
            snapshot: RwLock::default(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many of the header's two copies were whole when the file was opened.
    pub(super) fn whole_heads(&self) -> usize {
        self.whole_heads
    }

    /// Runs `work` on the last committed state.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Snapshot) -> Step<T>) -> Result<T> {
        self.guarded(|| match self.db()? {
            Db::Writer(db) => work(&*self.shared(db)?),
            // Another process may have committed since the last call.
            Db::Reader(db) => work(&Snapshot::new(db.begin_read()?)),
        })
    }

    /// The snapshot of the last commit, made by the first reader after it.
    fn shared(&self, db: &Database) -> Step<Arc<Snapshot>> {
        if let Some(snapshot) = &*self.snapshot.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(snapshot));
        }
        // Begun under the lock that a commit empties the place under, so that an older state
        // never takes the place of a newer one.
        let mut place = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            *place = Some(Arc::new(Snapshot::new(db.begin_read()?)));
        }
        place.clone().ok_or(Fault::Dead)
    }

    fn forget_snapshot(&self) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Runs `work` in a transaction and commits it; on any error nothing of it remains.
    ///
    /// redb commits in two phases where readers share the file: all blocks are synced before the
    /// header that makes them count, so that no mixture of old and new ones passes for a commit.
    pub(super) fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Step<T>) -> Result<T> {
        if !self.writable {
            return Err(Error::ReadOnly { path: self.path.clone() });
        }
        self.touched.store(true, Ordering::Release);
        self.guarded(|| {
            let Db::Writer(db) = self.db()? else { return Err(Fault::Dead) };
            let transaction = db.begin_write()?;
            // A panic must not unwind through the transaction: aborted, it leaves no trace.
            match caught(|| work(&transaction)) {
                Ok(done) => {
                    let committed = transaction.commit();
                    self.forget_snapshot();
                    committed?;
                    Ok(done)
                }
                Err(fault) => {
                    transaction.abort()?;
                    Err(fault)
                }
            }
        })
    }

    fn db(&self) -> Step<&Db> {
        if self.dead.load(Ordering::Acquire) {
            return Err(Fault::Dead);
        }
        self.db.as_ref().ok_or(Fault::Dead)
    }

    /// Runs one operation of the engine. A panic over a damaged block is that damage; after any
    /// other the engine is not to be trusted, and nothing is written through this handle again.
    fn guarded<T>(&self, operation: impl FnOnce() -> Step<T>) -> Result<T> {
        caught(operation).map_err(|fault| {
            let damage = self.watch.damage();
            if matches!(fault, Fault::Panic(_)) && damage.is_none() {
                self.dead.store(true, Ordering::Release);
                self.watch.close();
            }
            fault.at(&self.path, damage)
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !self.touched.load(Ordering::Acquire) {
            // redb would write its allocator's state anew; the file has it as it was.
            self.watch.close();
        }
        self.forget_snapshot();
        // redb's own drop may panic where an operation did, and drops must not.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(self.db.take())));
    }
}

/// Has redb check its own structure, all checksums and the allocator's state, on a copy of what
/// would be written in memory. `None`: it is whole, or in use by a writer and cannot be checked.
pub(super) fn check_structure(path: &Path) -> Result<Option<String>> {
    let blocks = overlay(path)?;
    let watch = blocks.watch();
    let whole = blocks.prepare().map_err(Fault::from).and_then(|_| {
        caught(|| {
            let mut db = builder().create_with_backend(blocks)?;
            watch.recovered();
            let whole = db.check_integrity()?;
            watch.close();
            Ok(whole)
        })
    });
    match whole.map_err(|fault| fault.at(path, watch.damage())) {
        Ok(true) | Err(Error::Busy { .. }) => Ok(None),
        Ok(false) => Ok(Some("the engine's structure needs repair".to_owned())),
        Err(error) => Ok(Some(said_by(&error))),
    }
}

/// What an error's source says, which is what is wrong; the path is known here.
pub(super) fn said_by(error: &Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter).set_cache_size(CACHE);
    builder
}

fn caught<T>(work: impl FnOnce() -> Step<T>) -> Step<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Fault::Panic(said(&panic))))
}

fn said(panic: &Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
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

/// The blocks of a store's file.
fn blocks(path: &Path, access: Access) -> Result<SealedBlocks<FileBackend>> {
    let StoreFile { file, superblock } = open_file(path, access)?;
    Ok(SealedBlocks::new(backend(file, path)?, superblock))
}

fn ready<D: Disk>(blocks: &SealedBlocks<D>, path: &Path) -> Result<Readiness> {
    blocks.prepare().map_err(|error| Fault::from(error).at(path, None))
}

fn backend(file: fs::File, path: &Path) -> Result<FileBackend> {
    FileBackend::new(file).map_err(|error: DatabaseError| Fault::from(error).at(path, None))
}

/// The store's blocks on an overlay, holding the writer's lock if the file may be written at all.
fn overlay(path: &Path) -> Result<SealedBlocks<Overlay<FileBackend>>> {
    let (opened, locks) = match open_file(path, Access::Write) {
        Err(Error::Io { source, .. }) if may_not_write(&source) => {
            (open_file(path, Access::Read)?, false)
        }
        opened => (opened?, true),
    };
    let disk = Overlay::new(backend(opened.file, path)?, locks);
    let disk = disk.map_err(|source| Error::io("read", path, source))?;
    Ok(SealedBlocks::new(disk, opened.superblock))
}

fn may_not_write(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

impl Fault {
    /// The fault as an error about this store; `damage` is what its blocks have shown so far.
    fn at(self, path: &Path, damage: Option<Damage>) -> Error {
        let path_buf = || path.to_owned();
        match (self, damage) {
            (Self::Ours(error), _) => error,
            (Self::Damaged(damaged), _) => Error::damaged(path, damaged),
            (Self::Panic(_) | Self::Redb(redb::Error::Corrupted(_)), Some(damage)) => {
                Error::damaged(path, damage)
            }
            (Self::Redb(redb::Error::Corrupted(text)), None) => {
                Error::damaged(path, Damaged::Engine(text))
            }
            (Self::Panic(text), None) => Error::Engine { path: path_buf(), source: text.into() },
            (Self::Dead | Self::Redb(redb::Error::PreviousIo), _) => {
                Error::Dead { path: path_buf() }
            }
            (Self::Redb(redb::Error::DatabaseAlreadyOpen), _)
            | (Self::Redb(redb::Error::LockProtocolMismatch), _) => {
                Error::Busy { path: path_buf() }
            }
            (Self::Redb(redb::Error::Io(source)), _) => match damage_in(&source) {
                Some(damage) => Error::damaged(path, damage),
                None => Error::io("read or write", path, source),
            },
            (Self::Redb(other), _) => Error::Engine { path: path_buf(), source: Box::new(other) },
        }
    }
}

/// The damage that our own blocks reported through redb as an I/O error.
fn damage_in(error: &io::Error) -> Option<Damage> {
    error.get_ref()?.downcast_ref::<Damage>().copied()
}
