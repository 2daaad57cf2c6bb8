//! What the threads of one store share: changes in memory, and their way to the disk.

mod compact;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::WriteTransaction;

use super::buffer::Layer;
use super::fault::Step;
use super::flusher::Flusher;
use super::follower::Moment;
use super::image::Image;
use super::options::StoreOptions;
use super::rows::{Row, Rows};
use super::runs::{Edit, Merge};
use super::snapshot::Snapshot;
use super::state::{Applied, Fresh, RowChanged, State, content_len, content_of};
use super::tables::{Span, Table, set_applied};
use super::view::{Changes, View};
use crate::error::{Error, Result};
use crate::file::{Disk, Found, Kind, Log, LogWriter};

/// The credentials of all sessions are repeated at the beginning of the log, so that reading a
/// key needs no more, if they take at most so many bytes.
const MOST_CREDENTIALS: usize = 3_000;

/// Locks are taken in this order: `committed`, `writer`, `tables`, `state`. Nobody waits for the
/// disk while holding `state` but who compacts, nobody but an import while holding `writer`.
pub(super) struct Core {
    path: PathBuf,
    pub(super) options: StoreOptions,
    disk: Arc<dyn Disk>,
    log: Log,
    pub(super) image: Image,
    pub(super) flusher: Flusher,
    state: RwLock<State>,
    /// Held while a batch is made: it is made over what the one before has left.
    pub(super) writer: Mutex<()>,
    pub(super) committed: Mutex<Committed>,
    /// Held while the tables are written.
    tables: Mutex<()>,
    /// Why the last flush in the background failed, until somebody has been told.
    failure: Mutex<Option<Error>>,
    /// Counts what changes rows.
    moves: AtomicU64,
    /// The last batch that is to be on disk when its call returns.
    wanted: AtomicU64,
    /// A session was removed or replaced.
    emptied: AtomicBool,
    /// How many rows were brought into the tables from memory.
    brought: AtomicU64,
}

/// What is on disk.
pub(super) struct Committed {
    /// The last batch.
    batch: u64,
    pub(super) log: LogWriter,
    /// The last record of the log that the tables contain.
    applied: u64,
}

impl Core {
    /// The core of a store whose log was found to hold this, over an image that contains its
    /// records up to `applied`.
    pub(super) fn new(
        path: &Path,
        disk: Arc<dyn Disk>,
        image: Image,
        options: &StoreOptions,
        (log, found, applied): (Log, &Found, u64),
    ) -> Step<Self> {
        let state = State::of(found.live(applied).map_err(std::io::Error::other)?)?;
        let writer = LogWriter::behind(log, found, applied);
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            disk,
            log,
            image,
            flusher: Flusher::default(),
            state: RwLock::new(state),
            writer: Mutex::default(),
            committed: Mutex::new(Committed { batch: 0, log: writer, applied }),
            tables: Mutex::default(),
            failure: Mutex::default(),
            moves: AtomicU64::new(0),
            wanted: AtomicU64::new(0),
            emptied: AtomicBool::new(false),
            brought: AtomicU64::new(0),
        })
    }

    /// If the last writer left within a commit, finishes it, so that others can read beside us. A
    /// damaged store is left alone.
    pub(super) fn settle(&self) -> Result<()> {
        if !self.guarded(|| self.image.is_unfinished())? {
            return Ok(());
        }
        tracing::info!(path = %self.path.display(), "the last writer left within a commit");
        let _tables = locked(&self.tables);
        // The commit before is whole: an empty one behind it is enough, and what the log holds
        // can wait.
        let opened = self.guarded(|| self.below().map(drop));
        match opened.and_then(|()| self.guarded(|| self.image.write(|_, _| Ok(())))) {
            Err(Error::Damaged { .. }) => Ok(()),
            settled => settled,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what has changed rows so far.
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Acquire)
    }

    pub(super) fn guarded<T>(&self, work: impl FnOnce() -> Step<T>) -> Result<T> {
        let done = self.image.guarded(work);
        if matches!(done, Err(Error::Io { .. } | Error::Dead { .. })) {
            // It may belong to an engine that is closed now.
            self.state_mut().below = None;
        }
        done
    }

    /// Says once why a flush in the background failed.
    pub(super) fn report_failure(&self) -> Result<()> {
        locked(&self.failure).take().map_or(Ok(()), Err)
    }

    /// Puts a batch over the rows, all of it at one moment.
    pub(super) fn apply(&self, changes: Changes) -> Option<Applied> {
        if changes.iter().all(std::collections::BTreeMap::is_empty) {
            return None;
        }
        let mut state = self.state_mut();
        self.moves.fetch_add(1, Ordering::AcqRel);
        Some(state.apply(changes))
    }

    /// The committed state below the changes, held for all readers.
    pub(super) fn below(&self) -> Step<Option<Arc<Snapshot>>> {
        if let Some(below) = &self.state().below {
            return Ok(below.clone());
        }
        let mut state = self.state_mut();
        if let Some(below) = &state.below {
            return Ok(below.clone());
        }
        let below = self.image.begin_read()?.map(Arc::new);
        state.below = Some(below.clone());
        Ok(below)
    }

    /// The rows as of this moment, whatever is written from now on.
    pub(super) fn freeze(&self) -> Step<Moment> {
        loop {
            if let Some((rows, below)) = self.state().freeze() {
                return Ok(Moment::new(rows, below));
            }
            self.below()?;
        }
    }

    /// Waits until this batch is on disk, and if it changed nothing, whatever somebody else
    /// is waiting for.
    pub(super) fn keep(self: &Arc<Self>, applied: Option<Applied>) -> Result<()> {
        let batch = match applied {
            Some(applied) => {
                self.wanted.fetch_max(applied.batch, Ordering::AcqRel);
                applied.batch
            }
            None => self.wanted.load(Ordering::Acquire),
        };
        self.commit(batch)
    }

    /// Brings everything written so far to the disk.
    pub(super) fn flush(self: &Arc<Self>) -> Result<()> {
        let batch = self.state().batch;
        self.commit(batch)?;
        // What is said now is that everything is on disk.
        *locked(&self.failure) = None;
        Ok(())
    }

    /// Flushes in the background, and brings what was set aside into the tables. Says whether that
    /// went well; who calls next is told if not.
    pub(super) fn work_behind(self: &Arc<Self>) -> bool {
        let Err(error) = self.flush().and_then(|()| self.checkpoint_behind()) else { return true };
        tracing::error!(path = %self.path.display(), %error, "a flush failed; its data stays in memory");
        *locked(&self.failure) = Some(error);
        false
    }

    /// Brings all batches up to this one to the disk. Who comes while another does so finds its
    /// own batch done.
    fn commit(self: &Arc<Self>, batch: u64) -> Result<()> {
        let mut committed = locked(&self.committed);
        if committed.batch >= batch {
            return Ok(());
        }
        let set_aside = self.append_fresh(&mut committed)?;
        drop(committed);
        if set_aside {
            self.flusher.expect_at_once(self);
        }
        Ok(())
    }

    /// Brings what is fresh to the disk by a record of the log. Says whether there is something to
    /// be brought into the tables now, since a half of the log is full.
    fn append_fresh(&self, committed: &mut Committed) -> Result<bool> {
        let mut state = self.state_mut();
        let fresh = state.collect();
        if fresh.changes.is_empty() {
            committed.batch = fresh.batch;
            return Ok(false);
        }
        let len = content_len(&fresh.changes);
        let turns = !committed.log.fits(len);
        let other_is_free = committed.log.last_of_other_half() <= committed.applied;
        if turns && !(committed.log.takes(len) && other_is_free && state.older.is_none()) {
            state.take_back(fresh);
            drop(state);
            self.bring_all(committed, |_, _| Ok(()))?;
            self.begin_log(committed);
            return Ok(false);
        }
        if turns {
            // The tables get what the log holds with this record, and nothing that is newer: if
            // they are asked for no number, the log counts again, and must change nothing.
            state.set_aside(committed.log.last() + 1);
            committed.log.turn();
        }
        drop(state);
        let appended = self.append(committed, fresh, &[]);
        match (turns, &appended) {
            (true, Ok(())) => self.state_mut().logged(),
            (true, Err(_)) => self.state_mut().take_all_back(),
            (false, _) => {}
        }
        appended.map(|()| turns)
    }

    /// Appends a record with these changes; what is fresh stays so if that fails.
    fn append(&self, committed: &mut Committed, fresh: Fresh, more: &[RowChanged]) -> Result<()> {
        let content = content_of(&fresh.changes, more);
        let (disk, applied) = (self.disk.as_ref(), committed.applied);
        match committed.log.append(disk, applied, Kind::Changes, &content) {
            Ok(()) => {
                committed.batch = fresh.batch;
                Ok(())
            }
            Err(source) => {
                self.state_mut().take_back(fresh);
                Err(Error::io("write the log of", &self.path, source))
            }
        }
    }

    /// Brings the changes in memory into the tables, so that there is room for others.
    pub(super) fn make_room(&self) -> Result<()> {
        if self.state().bytes() <= self.options.buffer_size {
            return Ok(());
        }
        let mut committed = locked(&self.committed);
        if self.state().bytes() <= self.options.buffer_size {
            return Ok(());
        }
        self.bring_all(&mut committed, |_, _| Ok(()))?;
        self.begin_log(&mut committed);
        Ok(())
    }

    /// Runs `work` in one transaction of the tables themselves.
    pub(super) fn direct<T>(
        &self,
        work: impl FnOnce(&WriteTransaction, &mut Edit<'_>) -> Step<T>,
    ) -> Result<T> {
        let mut committed = locked(&self.committed);
        let writer = locked(&self.writer);
        let done = self.bring_all(&mut committed, work)?;
        drop(writer);
        self.image.tidy_at_close();
        self.begin_log(&mut committed);
        Ok(done)
    }

    /// Brings all changes into the tables in one transaction, with those that `work` makes, of
    /// which the log knows nothing: a barrier in it says so. Who calls sees to it that nobody
    /// makes a batch meanwhile if `work` does anything.
    fn bring_all<T>(
        &self,
        committed: &mut Committed,
        work: impl FnOnce(&WriteTransaction, &mut Edit<'_>) -> Step<T>,
    ) -> Result<T> {
        let _tables = locked(&self.tables);
        // That there is an image is the first thing that a barrier says.
        if !self.guarded(|| self.image.exists())? {
            self.guarded(|| self.image.write(|transaction, _| set_applied(transaction, 0)))?;
            self.state_mut().below = None;
        }
        // Readers keep to it while the transaction commits.
        self.guarded(|| self.below().map(drop))?;
        if !committed.log.is_barred() {
            let (disk, applied) = (self.disk.as_ref(), committed.applied);
            let barred = committed.log.append(disk, applied, Kind::Barrier, &[]);
            barred.map_err(|source| Error::io("write the log of", &self.path, source))?;
        }
        let taken = self.state_mut().take_all();
        let number = committed.log.last();
        let done = self.guarded(|| {
            self.image.write(|transaction, runs| {
                taken.layer.put_into(transaction, runs, Merge::Seldom)?;
                set_applied(transaction, number)?;
                work(transaction, runs)
            })
        });
        match done {
            Ok(done) => {
                self.arrived(&taken.layer);
                committed.batch = taken.batch;
                committed.applied = number;
                committed.log.turn();
                Ok(done)
            }
            Err(error) => {
                self.state_mut().put_back(taken);
                Err(error)
            }
        }
    }

    /// Brings what was set aside into the tables, while others read, write and commit.
    pub(super) fn checkpoint_behind(&self) -> Result<()> {
        let tables = locked(&self.tables);
        let older = self.state().older.clone().filter(|older| older.logged);
        let Some(older) = older else { return Ok(()) };
        self.guarded(|| self.below().map(drop))?;
        self.guarded(|| {
            self.image.write(|transaction, runs| {
                older.layer.put_into(transaction, runs, Merge::Now)?;
                set_applied(transaction, older.number)
            })
        })?;
        self.arrived(&older.layer);
        drop(tables);
        let mut committed = locked(&self.committed);
        committed.applied = committed.applied.max(older.number);
        self.begin_log(&mut committed);
        Ok(())
    }

    /// What was set aside is in the tables: readers go over to them.
    fn arrived(&self, layer: &Layer) {
        self.brought.fetch_add(layer.count_of_redb(), Ordering::AcqRel);
        let below = self.guarded(|| self.image.begin_read()).ok().flatten().map(Arc::new);
        let mut state = self.state_mut();
        self.moves.fetch_add(1, Ordering::AcqRel);
        state.arrived(below);
    }

    /// Says in the log how far the tables contain it, and repeats the credentials if they are
    /// few. If that fails, opening takes longer.
    fn begin_log(&self, committed: &mut Committed) {
        // Between two batches: what is fresh then and the credentials agree.
        let writer = locked(&self.writer);
        let fresh = self.state_mut().collect();
        let credentials = self.guarded(|| self.credentials());
        drop(writer);
        let mut credentials = credentials.ok().flatten().unwrap_or_default();
        let len = content_len(&fresh.changes);
        if !committed.log.fits(len + content_len(&credentials)) {
            credentials.clear();
        }
        if !committed.log.fits(len) {
            self.state_mut().take_back(fresh);
        } else if let Err(error) = self.append(committed, fresh, &credentials) {
            tracing::warn!(path = %self.path.display(), %error, "the log could not be begun anew");
        }
    }

    /// Marks the end of the log, if anything was written to it.
    pub(super) fn close_log(&self) {
        let committed = locked(&self.committed);
        if committed.log.is_used()
            && let Err(error) = committed.log.close(self.disk.as_ref())
        {
            tracing::debug!(path = %self.path.display(), %error, "the end of the log is not marked");
        }
    }

    /// What is wrong with the log, looked through from end to end.
    pub(super) fn check_log(&self) -> Result<Option<String>> {
        let committed = locked(&self.committed);
        let found = self.log.read(self.disk.as_ref(), true);
        let found = found.map_err(|source| Error::io("read", &self.path, source))?;
        Ok(found.live(committed.applied).err().map(|damage| damage.to_string()))
    }

    /// The rows that opening a session and reading its key needs, of all sessions; `None` where
    /// they are many.
    fn credentials(&self) -> Step<Option<Vec<RowChanged>>> {
        let view = View::Live(self);
        let (mut rows, mut len) = (Vec::new(), 0);
        for table in Table::CREDENTIALS {
            view.each(table, &Span::ALL, MOST_CREDENTIALS, &mut |key, value| {
                len += key.len() + value.len();
                rows.push((table, key.into(), Some(Row::new(value.to_vec()))));
                Ok(len <= MOST_CREDENTIALS)
            })?;
        }
        Ok((len <= MOST_CREDENTIALS).then_some(rows))
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
