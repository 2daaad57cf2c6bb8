//! redb behind a door: opened on sealed blocks when it is first needed, its errors and panics
//! turned into ours.

mod runs;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use redb::{ConcurrencyMode, Database, ReadOnlyDatabase, ReadableDatabase, WriteTransaction};

use super::core::locked;
use super::fault::{Fault, Step, caught, said_by};
use super::files::{Medium, overlay};
use super::runs::Edit;
use super::snapshot::Snapshot;
use super::tables::{named, named_in};
use crate::error::{Error, Result};
use crate::file::{Access, Damage, Disk, PAGE, Readers, SealedBlocks, Shared, Space, Watch};
use crate::run::Run;

pub(super) use crate::file::Reading;

/// The tables of a store: those that redb keeps, and the runs that it names.
pub(super) struct Image {
    path: PathBuf,
    medium: Medium,
    access: Access,
    cache: usize,
    space: Arc<Space>,
    readers: Arc<Readers>,
    opened: RwLock<Option<Arc<Opened>>>,
    /// The runs of the state that was looked at last.
    runs: Mutex<Vec<Arc<Run>>>,
    /// Runs that are not named any more, and their first pages: they are free when nobody looks at
    /// them any more.
    retired: Mutex<Vec<(u32, Weak<Run>)>>,
    /// The log holds everything: there may be no image.
    optional: AtomicBool,
    /// Something was committed through this handle.
    written: AtomicBool,
    dead: AtomicBool,
}

/// redb at work.
struct Opened {
    /// Taken only when this is dropped.
    db: Option<Db>,
    watch: Arc<Watch>,
    /// Closing tidies up: so much was written that room may be left at the end.
    touched: AtomicBool,
    whole_heads: usize,
}

enum Db {
    Writer(Database),
    Reader(ReadOnlyDatabase),
}

impl Image {
    /// The image on this medium; `cache` is what redb may keep of it in memory, in bytes.
    pub(super) fn new(path: &Path, medium: Medium, access: Access, cache: usize) -> Self {
        Self {
            path: path.to_owned(),
            readers: Readers::new(Arc::clone(&medium.disk)),
            medium,
            access,
            cache,
            space: Arc::default(),
            opened: RwLock::default(),
            runs: Mutex::default(),
            retired: Mutex::default(),
            optional: AtomicBool::new(false),
            written: AtomicBool::new(false),
            dead: AtomicBool::new(false),
        }
    }

    /// Says whether the log holds everything, so that there may be no image yet, or one whose
    /// making was broken off.
    pub(super) fn set_optional(&self, optional: bool) {
        self.optional.store(optional, Ordering::Release);
    }

    /// Whether there is an image.
    pub(super) fn exists(&self) -> Step<bool> {
        let opened = || self.opened.read().unwrap_or_else(PoisonError::into_inner).is_some();
        Ok(!self.optional.load(Ordering::Acquire) || opened() || self.blocks().is_begun()?)
    }

    /// Whether anything was committed through this handle.
    pub(super) fn has_written(&self) -> bool {
        self.written.load(Ordering::Acquire)
    }

    /// Whether the last writer left within a commit.
    pub(super) fn is_unfinished(&self) -> Step<bool> {
        Ok(self.exists()? && self.blocks().is_unfinished()?)
    }

    fn blocks(&self) -> SealedBlocks<Shared> {
        let disk = Shared::new(Arc::clone(&self.medium.disk));
        SealedBlocks::new(disk, self.medium.superblock, Arc::clone(&self.space))
    }

    /// The last committed state, if there is any.
    pub(super) fn begin_read(&self) -> Step<Option<Snapshot>> {
        if !self.exists()? {
            return Ok(None);
        }
        // Before the state is chosen: what it names stays then.
        let reading = match self.access {
            Access::Read => Some(self.readers.enter()?),
            Access::Write => None,
        };
        let opened = self.opened()?;
        // Until its runs are found, no other state is looked at: each run is open once.
        let mut open = locked(&self.runs);
        let transaction = match opened.db()? {
            Db::Writer(db) => db.begin_read()?,
            Db::Reader(db) => db.begin_read()?,
        };
        let runs = self.runs_of(named(&transaction)?, &mut open)?;
        Ok(Some(Snapshot::new(transaction, Arc::new(runs), reading)))
    }

    /// Runs `work` in a transaction and commits it; on any error nothing of it remains.
    ///
    /// redb commits in two phases where readers share the file: all blocks are synced before the
    /// header that makes them count, so that no mixture of old and new ones passes for a commit.
    /// The runs that the transaction names lie in the same file and are synced with them.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction, &mut Edit<'_>) -> Step<T>,
    ) -> Step<T> {
        if !self.exists()? {
            self.blocks().erase()?;
        }
        let opened = self.opened()?;
        let Db::Writer(db) = opened.db()? else { return Err(Fault::Dead) };
        self.free_retired();
        let mut transaction = db.begin_write()?;
        // Records the allocator's state, so that opening after a kill does not walk the file.
        transaction.set_quick_repair(true);
        // A panic must not unwind through the transaction: aborted, it leaves no trace.
        let worked = caught(|| {
            let (named, last) = named_in(&transaction)?;
            let places = named.runs.iter().map(|(_, run)| (run.page, run.pages));
            self.space.know(places).map_err(Fault::Block)?;
            let runs = self.runs_of(named, &mut locked(&self.runs))?;
            let mut edit = Edit::new(self, runs, last);
            let done = work(&transaction, &mut edit)?;
            edit.name(&transaction)?;
            Ok((done, edit))
        });
        match worked {
            Ok((done, mut edit)) => {
                // What came of a commit that fails nobody knows: its runs keep their places.
                edit.keep();
                transaction.commit()?;
                self.committed(edit);
                self.written.store(true, Ordering::Release);
                self.set_optional(false);
                self.settle();
                Ok(done)
            }
            Err(fault) => {
                drop(opened);
                // What failed first says more; an engine that cannot even give up is opened anew.
                if transaction.abort().is_err() {
                    self.forget();
                }
                Err(fault)
            }
        }
    }

    /// Takes the mark of an unfinished commit off the file, as far as there is one. It is no harm
    /// if that does not reach the disk.
    pub(super) fn settle(&self) {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened
            && let Err(error) =
                opened.watch.declare_settled(self.medium.disk.as_ref(), self.medium.superblock)
        {
            tracing::debug!(path = %self.path.display(), %error, "the engine's header keeps its mark");
        }
    }

    /// Sees to it that closing gives back what is free at the end of the file.
    pub(super) fn tidy_at_close(&self) {
        if let Some(opened) = &*self.opened.read().unwrap_or_else(PoisonError::into_inner) {
            opened.touched.store(true, Ordering::Release);
        }
    }

    /// Moves what lies at the end of the file into free places before it. Nobody may be reading;
    /// whoever wants to, waits.
    pub(super) fn compact(&self) -> Step<()> {
        let mut place = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let Some(shared) = place.take() else { return Ok(()) };
        let mut opened = match Arc::try_unwrap(shared) {
            Ok(opened) => opened,
            Err(shared) => {
                *place = Some(shared);
                return Err(Fault::Redb(redb::Error::TransactionInProgress));
            }
        };
        let compacted = match &mut opened.db {
            Some(Db::Writer(db)) => caught(|| {
                // Each turn moves a part.
                while db.compact()? {}
                Ok(())
            }),
            _ => Ok(()),
        };
        // Closing records the allocator's state, and at the lowest places, which a commit would not:
        // in a full file that makes it twice as long. Who needs it next opens it again.
        opened.touched.store(true, Ordering::Release);
        drop(opened);
        compacted?;
        self.free_retired();
        let packed = self.readers.kept_out(|| {
            self.blocks().pack()?;
            self.blocks().trim()
        });
        Ok(packed.unwrap_or(Ok(()))?)
    }

    /// Cuts off what nobody needs at the end of the file, where nobody may be looking at it.
    pub(super) fn trim(&self) -> Step<()> {
        self.free_retired();
        if self.readers.are_elsewhere() {
            return Ok(());
        }
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        match &*opened {
            Some(opened) => {
                let Medium { disk, superblock, .. } = &self.medium;
                Ok(opened.watch.trim(disk.as_ref(), *superblock, &self.space)?)
            }
            None => Ok(()),
        }
    }

    /// How many bytes redb's image has; 0 where there is none.
    pub(super) fn len(&self) -> Step<u64> {
        Ok(if self.exists()? { self.blocks().image_len()? } else { 0 })
    }

    /// How many bytes the file has behind the log, and how many of them belong to nobody.
    pub(super) fn len_and_unused(&self) -> Step<(u64, u64)> {
        self.free_retired();
        let len = self.medium.disk.len()?.saturating_sub(self.medium.superblock.image_at());
        Ok((len, u64::from(self.space.unused()) * PAGE))
    }

    /// How many bytes of the image its rows need.
    pub(super) fn needed(&self) -> Step<u64> {
        let opened = self.opened()?;
        let Db::Writer(db) = opened.db()? else { return Err(Fault::Dead) };
        let transaction = db.begin_write()?;
        let needed = needed(&transaction);
        transaction.abort()?;
        needed
    }

    /// How many of the header's two copies were whole when the file was opened; two where there
    /// is none.
    pub(super) fn whole_heads(&self) -> Step<usize> {
        Ok(if self.exists()? { self.opened()?.whole_heads } else { 2 })
    }

    /// Runs one operation of the engine. A panic over a damaged block is that damage; after any
    /// other the engine is not to be trusted, and nothing is written through this handle again.
    /// After an I/O error redb refuses everything: it is opened anew by who needs it next.
    pub(super) fn guarded<T>(&self, operation: impl FnOnce() -> Step<T>) -> Result<T> {
        caught(operation).map_err(|fault| {
            let damage = self.damage();
            match &fault {
                Fault::Panic(_) if damage.is_none() => {
                    self.dead.store(true, Ordering::Release);
                    self.forget();
                }
                Fault::Redb(redb::Error::Io(_) | redb::Error::PreviousIo) => self.forget(),
                _ => {}
            }
            fault.at(&self.path, damage)
        })
    }

    /// Lets go of redb without a further write.
    fn forget(&self) {
        let opened = self.opened.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(opened) = &opened {
            opened.watch.close();
        }
    }

    fn damage(&self) -> Option<Damage> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().and_then(|opened| opened.watch.damage())
    }

    fn opened(&self) -> Step<Arc<Opened>> {
        if self.dead.load(Ordering::Acquire) {
            return Err(Fault::Dead);
        }
        if let Some(opened) = &*self.opened.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(opened));
        }
        let mut place = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*place {
            return Ok(Arc::clone(opened));
        }
        let opened = Arc::new(match self.access {
            Access::Write => self.open_for_writing()?,
            Access::Read => self.open_for_reading()?,
        });
        *place = Some(Arc::clone(&opened));
        Ok(opened)
    }

    fn open_for_writing(&self) -> Step<Opened> {
        let blocks = self.blocks();
        if self.optional.load(Ordering::Acquire) && blocks.len()? == 0 {
            let watch = blocks.watch();
            let db = caught(|| Ok(builder(self.cache).create_with_backend(blocks)?))
                .map_err(|fault| fault.at(&self.path, watch.damage()))?;
            return Ok(Opened::new(Db::Writer(db), watch, false, 2));
        }
        self.start(blocks)
    }

    fn open_for_reading(&self) -> Step<Opened> {
        match self.start_reader(self.blocks()) {
            Err(Fault::Redb(redb::Error::RepairAborted)) => self.recover_in_memory(),
            opened => opened,
        }
    }

    fn start<D: Disk>(&self, blocks: SealedBlocks<D>) -> Step<Opened> {
        let watch = blocks.watch();
        let ready = blocks.prepare()?;
        if ready.unfinished {
            tracing::info!(path = %self.path.display(), "the last writer did not finish; recovering");
        }
        let db = caught(|| Ok(builder(self.cache).create_with_backend(blocks)?))
            .map_err(|fault| fault.at(&self.path, watch.damage()))?;
        watch.recovered();
        Ok(Opened::new(Db::Writer(db), watch, false, ready.whole_heads))
    }

    fn start_reader<D: Disk>(&self, blocks: SealedBlocks<D>) -> Step<Opened> {
        let watch = blocks.watch();
        let ready = blocks.prepare()?;
        watch.recovered();
        let db = caught(|| Ok(builder(self.cache).open_read_only_with_backend(blocks)?));
        let db = db.map_err(|fault| match fault {
            Fault::Redb(redb::Error::RepairAborted) => fault,
            other => other.at(&self.path, watch.damage()).into(),
        })?;
        Ok(Opened::new(Db::Reader(db), watch, false, ready.whole_heads))
    }

    /// Recovers a store whose writer was killed, with every write kept in memory. Where the store
    /// is damaged too, what the last commit left readable is read as it is.
    fn recover_in_memory(&self) -> Step<Opened> {
        match self.start(overlay(&self.path)?) {
            Err(Fault::Ours(error @ Error::Damaged { .. })) => {
                let blocks = overlay(&self.path)?;
                let opened = blocks.declare_finished().map_err(Fault::from);
                opened.and_then(|()| self.start_reader(blocks)).map_err(|_| error.into())
            }
            recovered => recovered,
        }
    }
}

impl Opened {
    fn new(db: Db, watch: Arc<Watch>, touched: bool, whole_heads: usize) -> Self {
        Self { db: Some(db), watch, touched: AtomicBool::new(touched), whole_heads }
    }

    fn db(&self) -> Step<&Db> {
        self.db.as_ref().ok_or(Fault::Dead)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.touched.load(Ordering::Acquire) {
            // redb would write its allocator's state anew; the last commit has recorded it.
            self.watch.close();
        }
        // redb's own drop may panic where an operation did, and drops must not.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(self.db.take())));
    }
}

/// Has redb check its own structure, if there is one, all checksums and the allocator's state, on a copy of what
/// would be written in memory. `None`: it is whole, or in use by a writer and cannot be checked.
pub(super) fn check_structure(path: &Path, cache: usize) -> Result<Option<String>> {
    let blocks = match overlay(path) {
        Err(Error::Busy { .. }) => return Ok(None),
        blocks => blocks?,
    };
    let watch = blocks.watch();
    let whole = blocks.prepare().map_err(Fault::from).and_then(|_| {
        caught(|| {
            let mut db = builder(cache).create_with_backend(blocks)?;
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

/// How many bytes the rows need when they lie close together, as this transaction has them. This
/// looks at every page.
pub(super) fn needed(transaction: &WriteTransaction) -> Step<u64> {
    let stats = transaction.stats()?;
    Ok(stats.stored_bytes() + stats.metadata_bytes())
}

fn builder(cache: usize) -> redb::Builder {
    let mut builder = redb::Builder::new();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter).set_cache_size(cache);
    builder
}
