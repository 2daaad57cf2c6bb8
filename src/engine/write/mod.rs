//! The writer: changes in memory, and their way to the disk.
//!
//! A batch goes into the active memtable. The log makes it durable: at once where a caller waits
//! for it, else within the flush interval. From time to time a checkpoint writes the rows of the
//! memtables into a segment, and a new generation with a log of its own begins.

mod background;
mod bulk_write;
mod close;
mod compact;
mod flusher;
mod generation_builder;
mod key_slots;
mod merge;
mod merge_output;
mod merge_schedule;
mod open;
mod publish;
mod removed_accounts;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use self::flusher::{Flusher, Request};
use self::generation_builder::GenerationBuilder;
use self::merge::MergedSegments;
use self::merge_schedule::MergeSchedule;
use self::publish::Durable;
use super::batch::Batch;
use super::error::EngineResult;
use super::log_rows::content_of;
use super::manifest::Manifest;
use super::memtable::{Applied, Changes, Memtable, RowChanged, Unlogged};
use super::options::EngineOptions;
use super::overlay::joined;
use super::rows::{RowKey, Table};
use super::version::{Opener, Version};
use super::view::{SuperVersion, View};
use crate::error::{Error, Result};
use crate::file::{Disk, LockHolder, PageAllocator};
use crate::wal::Append;

pub(crate) use self::bulk_write::BulkWrite;
pub(crate) use self::merge::Merge;
#[cfg(any(test, fuzzing))]
pub(crate) use self::merge::MergeEnd;
pub(crate) use self::open::{check_length, create, open, replay};

/// A log of this many bytes is followed by a checkpoint.
const LONG_LOG: usize = 256 << 10;

/// More memtables than this are joined. Only a disk that fails again and again leaves so many.
const MOST_MEMTABLES: usize = 4;

/// Frozen memtables of more than this many times the buffer size make each writing call wait for a
/// checkpoint.
const MOST_FROZEN: usize = 4;

/// When the data of a call is to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Within the flush interval.
    Buffered,
    /// When the call returns.
    Synced,
}

/// A store that is open for writing.
///
/// Locks are taken in this order: `merge_lock`, `checkpoint`, `durable`, `batch`, `unlogged`, `current`, the
/// rows of a memtable, the views of a memtable. Nothing is written under `batch`, except during an import or
/// a compaction, nor under any lock after it. docs/architecture.md has all locks.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    options: EngineOptions,
    opener: Opener,
    space: Arc<PageAllocator>,
    flusher: Flusher,
    /// Held while segments are merged beside checkpoints, and during a compaction.
    merge_lock: Mutex<()>,
    /// The number of the newest segment that such a merge will replace, or 0. Changes from 0 under
    /// `checkpoint`.
    merging: AtomicU64,
    /// How many compactions wait for `merge_lock`. They cancel the current merge.
    waiting_compactions: AtomicUsize,
    /// Held while a new generation is made.
    checkpoint: Mutex<()>,
    /// Held while the log is written.
    durable: Mutex<Durable>,
    /// Held while a batch is made: it is made over what the one before has left.
    batch: Mutex<()>,
    unlogged: Mutex<Unlogged>,
    current: RwLock<Arc<SuperVersion>>,
    /// Why the last flush in the background failed, until a caller was told.
    failure: Mutex<Option<Error>>,
    /// The last batch that is to be durable when its call returns.
    durable_target: AtomicU64,
    /// Roughly how much memory the active memtable takes.
    active_bytes: AtomicUsize,
    /// Roughly how much memory the frozen memtables take.
    frozen_bytes: AtomicUsize,
    /// A buffered write has requested a flush that has not begun.
    flush_requested: AtomicBool,
    /// Decides when the flusher merges segments.
    merge_schedule: Mutex<MergeSchedule>,
    /// Something was written since the file was compacted.
    written: AtomicBool,
    /// The stamp of this writer is in the file.
    stamped: AtomicBool,
    /// The process that opened it. A fork of it must not write.
    process: u32,
}

impl Writer {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        self.opener.disk.as_ref()
    }

    fn current(&self) -> Arc<SuperVersion> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the current super version by what `update` makes of it. Other updates wait.
    fn update_super_version(&self, update: impl FnOnce(&SuperVersion) -> SuperVersion) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let updated = Arc::new(update(&current));
        let frozen = updated.memtables.iter().skip(1).map(|frozen| frozen.rows().bytes());
        self.frozen_bytes.store(frozen.sum(), Ordering::Release);
        let old = std::mem::replace(&mut *current, updated);
        drop(current);
        // Its last use may unmap segments and unlock a generation.
        drop(old);
    }

    fn guarded<T>(&self, work: impl FnOnce() -> EngineResult<T>) -> Result<T> {
        super::error::caught(work).map_err(|error| error.at(&self.path))
    }

    /// The rows as they are now, whatever is written from now on.
    pub(crate) fn view(&self) -> View {
        // A memtable that is frozen meanwhile keeps its rows all the same.
        View::of(self.current())
    }

    /// The newest version of each row.
    pub(crate) fn latest(&self) -> View {
        View::latest(self.current())
    }

    /// The last batch.
    pub(crate) fn sequence(&self) -> u64 {
        self.current().memtables.first().map_or(0, |active| active.rows().last())
    }

    /// Tells once why a flush in the background failed.
    fn report_failure(&self) -> Result<()> {
        locked(&self.failure).take().map_or(Ok(()), Err)
    }

    /// A fork shares the locks of its parent, so nothing else keeps both from writing.
    fn check_process(&self) -> Result<()> {
        if std::process::id() == self.process {
            Ok(())
        } else {
            Err(Error::Forked { path: self.path.clone() })
        }
    }

    /// Checks that the path of the store still names the file.
    fn check_in_place(&self) -> Result<()> {
        if self.disk().is_in_place() {
            Ok(())
        } else {
            Err(Error::Replaced { path: self.path.clone() })
        }
    }

    /// Logs an error that costs nothing but what `what` says.
    fn log_failure(&self, what: &str, error: &dyn std::fmt::Display) {
        tracing::info!(path = %self.path.display(), %error, "{what}");
    }

    /// Checks that this process may write, and writes the writer stamp before the first write.
    fn check_writable(&self) -> Result<()> {
        self.check_process()?;
        if !self.stamped.swap(true, Ordering::AcqRel)
            && let Err(error) = LockHolder::current().write(self.disk())
        {
            self.log_failure("the writer stamp is not written", &error);
        }
        self.report_failure()
    }

    /// Makes the changes of `work` all at once; on any error of it none of them.
    pub(crate) fn write<T>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Batch<'_>) -> EngineResult<(T, Durability)>,
    ) -> Result<T> {
        self.check_writable()?;
        self.make_room()?;
        let making = locked(&self.batch);
        let (done, durability, changes) = self.guarded(|| {
            let view = self.latest();
            let mut batch = Batch::new(&view);
            let (done, durability) = work(&mut batch)?;
            Ok((done, durability, batch.into_changes()))
        })?;
        let applied = self.apply(changes);
        drop(making);
        if durability == Durability::Synced || self.options.flush_interval.is_zero() {
            self.sync_batch(applied)?;
        } else if applied.is_some()
            && (!self.flush_requested.swap(true, Ordering::AcqRel) || self.flusher.has_no_thread())
        {
            self.schedule(Request::FlushWithin(self.options.flush_interval));
        }
        Ok(done)
    }

    /// Applies a batch to the active memtable. The caller holds `batch`.
    fn apply(&self, changes: Changes) -> Option<Applied> {
        if changes.is_empty() {
            return None;
        }
        let mut unlogged = locked(&self.unlogged);
        self.written.store(true, Ordering::Release);
        let current = self.current();
        let applied = current.memtables.first().map(|active| active.apply(changes, &mut unlogged));
        applied.inspect(|applied| self.active_bytes.store(applied.bytes, Ordering::Release))
    }

    /// Waits until this batch is durable, and if it changed nothing, what others wait for.
    fn sync_batch(self: &Arc<Self>, applied: Option<Applied>) -> Result<()> {
        let target = match applied {
            Some(applied) => {
                self.durable_target.fetch_max(applied.sequence, Ordering::AcqRel);
                applied.sequence
            }
            None => self.durable_target.load(Ordering::Acquire),
        };
        // After a failure the rows stay in memory, and the flusher tries again.
        self.sync_to(target).inspect_err(|_| {
            if !self.options.flush_interval.is_zero() {
                self.schedule(Request::FlushWithin(self.options.flush_interval));
            }
        })
    }

    /// Syncs every batch that a call had to make durable, also where that call failed.
    pub(crate) fn sync_pending(self: &Arc<Self>) -> Result<()> {
        if self.check_process().is_err() {
            // A fork only reads. It must not wait for a lock: a thread of the parent may hold it, and never
            // frees it in the fork.
            return Ok(());
        }
        self.sync_to(self.durable_target.load(Ordering::Acquire))
    }

    /// Makes everything written so far durable.
    pub(crate) fn flush(self: &Arc<Self>) -> Result<()> {
        self.check_process()?;
        self.sync_to(self.sequence())?;
        // Everything is durable now, whatever failed before.
        *locked(&self.failure) = None;
        Ok(())
    }

    /// Makes all batches up to this one durable. Concurrent callers are group-committed: one writes a
    /// record for all.
    fn sync_to(self: &Arc<Self>, target: u64) -> Result<()> {
        let mut durable = locked(&self.durable);
        if durable.sequence >= target && !durable.log.is_in_doubt() {
            return Ok(());
        }
        self.check_in_place()?;
        if !durable.log.is_in_doubt() {
            match self.append_unlogged(&mut durable)? {
                Appended::Done => {
                    debug_assert!(durable.sequence >= target, "a batch is in no memtable");
                    let long = durable.log.used() > LONG_LOG;
                    drop(durable);
                    if long {
                        self.schedule(Request::Checkpoint);
                    }
                    return Ok(());
                }
                Appended::Full => {}
            }
        }
        drop(durable);
        self.checkpoint(Merge::Seldom)
    }

    /// Appends a record of everything that is not logged yet, if there is room for it.
    fn append_unlogged(&self, durable: &mut Durable) -> Result<Appended> {
        let to_log = self.collect();
        if to_log.rows.is_empty() {
            durable.sequence = durable.sequence.max(to_log.sequence);
            return Ok(Appended::Done);
        }
        let content = content_of(&to_log.rows);
        if !self.reserve(durable, content.len()) {
            self.give_back(to_log);
            return Ok(Appended::Full);
        }
        let append = Append { sequence: to_log.sequence, content: &content };
        let Durable { log, root, .. } = &mut *durable;
        if let Err(source) = log.append(self.disk(), root, append) {
            self.give_back(to_log);
            return Err(Error::io("write the log of", &self.path, source));
        }
        durable.sequence = to_log.sequence;
        Ok(Appended::Done)
    }

    /// Reserves log pages for a record of `content` bytes.
    fn reserve(&self, durable: &mut Durable, content: usize) -> bool {
        if !durable.log.fits(content) {
            return false;
        }
        let page = durable.log.log().extent.page;
        let (needed, wanted) = durable.log.pages_with(content);
        let pages = [wanted, needed].into_iter().find(|pages| self.space.extend(page, *pages));
        pages.inspect(|pages| durable.log.reserved(*pages)).is_some()
    }

    /// The rows that are not logged yet, as of now.
    fn collect(&self) -> RowsToLog {
        let mut unlogged = locked(&self.unlogged);
        let current = self.current();
        let memtables: Vec<_> = current.memtables.iter().map(|memtable| memtable.rows()).collect();
        let sequence = memtables.first().map_or(0, |active| active.last());
        unlogged.logged = sequence;
        let mut keys = std::mem::take(&mut unlogged.keys);
        keys.sort_unstable();
        keys.dedup();
        let row = |(table, key): (Table, RowKey)| {
            let change = memtables.iter().find_map(|rows| rows.newest(table, &key)).cloned()?;
            Some((table, key, change))
        };
        RowsToLog { rows: keys.into_iter().filter_map(row).collect(), sequence }
    }

    /// Takes back what could not be logged.
    fn give_back(&self, to_log: RowsToLog) {
        let keys = to_log.rows.into_iter().map(|(table, key, _)| (table, key));
        locked(&self.unlogged).keys.extend(keys);
    }

    /// Freezes the active memtable, unless it is empty. The caller holds `batch`.
    fn freeze(&self) {
        if self.current().memtables.first().is_some_and(|active| !active.rows().is_empty()) {
            self.begin_memtable(0);
        }
    }

    /// Freezes the active memtable and begins another one, this many batches after it. The caller
    /// holds `batch`, and `checkpoint` if a memtable is frozen already.
    fn begin_memtable(&self, batches: u64) {
        self.active_bytes.store(0, Ordering::Release);
        let before = self.current();
        let are_many = before.memtables.len() > MOST_MEMTABLES;
        let joined = are_many.then(|| Arc::new(joined(&before.memtables)));
        self.update_super_version(|current| {
            let last = current.memtables.first().map_or(0, |active| active.rows().last());
            let next = Arc::new(Memtable::after(last + batches));
            let older = joined.map_or_else(|| current.memtables.clone(), |joined| vec![joined]);
            SuperVersion {
                memtables: std::iter::once(next).chain(older).collect(),
                log_only: Arc::clone(&current.log_only),
                version: Arc::clone(&current.version),
                pin: Arc::clone(&current.pin),
            }
        });
    }

    /// Freezes the active memtable where it is large, so that a checkpoint makes room.
    fn make_room(self: &Arc<Self>) -> Result<()> {
        let most = self.options.buffer_size;
        if self.frozen_bytes.load(Ordering::Acquire) > most.saturating_mul(MOST_FROZEN) {
            // As long as the disk fails, nothing more goes into memory.
            return self.checkpoint(Merge::Seldom);
        }
        if self.active_bytes.load(Ordering::Acquire) <= most {
            return Ok(());
        }
        if self.has_too_many_segments() {
            // Merges do not keep up: the caller waits for the one that is going on.
            drop(locked(&self.merge_lock));
        }
        if self.flusher.has_no_thread() {
            let done = self.checkpoint(Merge::Seldom);
            self.merge_later();
            return done;
        }
        if self.current().memtables.len() > 1 {
            // The disk does not keep up: the caller waits for the flusher, or works in its place.
            let _checkpoint = locked(&self.checkpoint);
            if self.current().memtables.len() > 1 {
                self.merge_later();
                self.publish_frozen(Merge::Seldom)?;
            }
        }
        let making = locked(&self.batch);
        let is_large = self.active_bytes.load(Ordering::Acquire) > most;
        if is_large && self.current().memtables.len() == 1 {
            self.freeze();
        }
        drop(making);
        self.schedule(Request::Checkpoint);
        Ok(())
    }

    /// Writes everything in memory into a new generation.
    pub(crate) fn checkpoint(&self, merge: Merge) -> Result<()> {
        let _checkpoint = locked(&self.checkpoint);
        drop({
            let making = locked(&self.batch);
            self.freeze();
            making
        });
        self.publish_frozen(merge)
    }

    /// Writes the frozen memtables into a new generation, if there are any or if all is to be merged. The
    /// caller holds `checkpoint`.
    fn publish_frozen(&self, merge: Merge) -> Result<()> {
        let has_frozen = self.current().memtables.len() > 1;
        if has_frozen || merge == Merge::All || locked(&self.durable).log.is_in_doubt() {
            self.publish_next(merge, None)?;
        }
        Ok(())
    }

    /// Makes a new generation, with the frozen memtables and with a merged segment if there is one. `merge`
    /// decides which segments are merged with the frozen memtables. The caller holds `checkpoint`.
    fn publish_next(&self, merge: Merge, merged: Option<MergedSegments>) -> Result<()> {
        self.check_in_place()?;
        if self.current().memtables.len() == 1 {
            // Also if it is empty, so that writes during the checkpoint go into a newer one.
            let _making = locked(&self.batch);
            self.begin_memtable(0);
        }
        let manifest = locked(&self.durable).manifest.clone();
        let current = self.current();
        let frozen = current.memtables.get(1..).unwrap_or_default();
        self.reclaim();
        self.guarded(|| {
            let mut next_generation = self.next_generation(manifest, &current.version);
            next_generation.take_in(frozen, &current.log_only, merge)?;
            if let Some(merged) = merged {
                next_generation.replace_merged(merged)?;
            }
            next_generation.write_base_if_large(merge == Merge::All)?;
            // Most of it is durable before others have to wait for the log.
            self.disk().sync()?;
            let mut durable = locked(&self.durable);
            self.publish(&mut durable, next_generation, frozen)
        })
    }

    /// Begins the generation after the one of this manifest and version. The caller holds `checkpoint`.
    fn next_generation(&self, before: Manifest, version: &Arc<Version>) -> GenerationBuilder<'_> {
        let version = Arc::clone(version);
        GenerationBuilder::new(&self.opener, &self.space, before, version, self.merging())
    }
}

/// The result of appending a record.
enum Appended {
    Done,
    /// The log has no room for it.
    Full,
}

/// Changes that are to be logged.
struct RowsToLog {
    rows: Vec<RowChanged>,
    /// The last batch of them.
    sequence: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
