//! Makes a new generation current.

use std::io;
use std::sync::Arc;

use super::super::error::EngineResult;
use super::super::log_rows::content_of;
use super::super::manifest::{Manifest, Retired};
use super::super::memtable::{Memtable, RowChanged};
use super::super::overlay::newest_of;
use super::super::rows::{RowKey, Table};
use super::super::version::Version;
use super::super::view::SuperVersion;
use super::generation_builder::GenerationBuilder;
use super::{RowsToLog, Writer, locked};
use crate::file::{
    Disk, Extent, PageAllocator, Pin, Root, RootWriter, none_failed_since, pages_of, random_salt,
};
use crate::wal::{Log, LogWriter};

/// A log may have this many pages, unless its first records alone have more.
pub(super) const LOG_PAGES: u32 = 128;

/// A gap of this many pages is large enough for a new log.
const LOG_ROOM: u32 = 16;

/// The durable state: the current log, root and manifest.
#[derive(Debug)]
pub(super) struct Durable {
    /// The last batch that is durable.
    pub(super) sequence: u64,
    pub(super) log: LogWriter,
    pub(super) root: RootWriter,
    /// The manifest of the current generation.
    pub(super) manifest: Manifest,
    /// The last generation that was tried. One that failed may be current after a power cut.
    pub(super) generation: u64,
    /// Pages of generations that failed, which may be current.
    pub(super) doubtful: Vec<Retired>,
    /// New logs go where they fit, without room to grow.
    pub(super) dense: bool,
}

impl Durable {
    /// Extends the log into the free pages behind it, at most `LOG_ROOM`, and gives them room on the disk.
    /// Otherwise a segment could take these pages and end the log early.
    pub(super) fn leave_room(&mut self, disk: &dyn Disk, space: &PageAllocator) -> io::Result<()> {
        if self.log.is_in_doubt() {
            return Ok(());
        }
        let (extent, pages) = (self.log.log().extent, self.log.pages());
        let most = extent.pages.min(pages.saturating_add(LOG_ROOM));
        if let Some(pages) = (pages..=most).rev().find(|pages| space.extend(extent.page, *pages)) {
            self.log.reserved(pages);
            self.log.grow_into_reserved(disk, &mut self.root)?;
        }
        Ok(())
    }
}

impl Writer {
    /// Makes what `next_generation` has written the current generation, in place of these memtables. On an
    /// error either generation may be current on the disk; both have every durable batch.
    pub(super) fn publish(
        &self,
        durable: &mut Durable,
        mut next_generation: GenerationBuilder<'_>,
        frozen: &[Arc<Memtable>],
    ) -> EngineResult<()> {
        self.check_in_place()?;
        let generation = durable.generation + 1;
        durable.generation = generation;
        let current = self.current();
        let newer = without(&current.memtables, frozen);
        let log_only = next_generation.log_only();
        let rows = self.collect_for(durable, &newer, frozen, &log_only);
        let manifest = self.next_manifest(durable, &next_generation, generation);
        let written = self.write_generation(durable, &mut next_generation, &manifest, &rows);
        let (log, version, pin) = match written {
            Ok(written) => written,
            Err(error) => {
                self.restore_unlogged(rows.relogged);
                return Err(error);
            }
        };
        durable.log = log;
        durable.log.mark(self.disk());
        durable.sequence = durable.sequence.max(rows.sequence);
        durable.manifest = manifest;
        durable.doubtful.clear();
        self.forget_logged(&newer, frozen, rows.relogged.is_some());
        let log_only = Arc::new(Memtable::of(log_only, current.sequence_of(frozen)));
        // Another memtable may have begun meanwhile.
        self.update_super_version(|current| SuperVersion {
            memtables: without(&current.memtables, frozen),
            log_only,
            version,
            pin,
        });
        Ok(())
    }

    /// The rows of the next log after its manifest: those that only the log has, and those of newer
    /// memtables if any of them are durable in the log that ends.
    fn collect_for(
        &self,
        durable: &Durable,
        newer: &[Arc<Memtable>],
        frozen: &[Arc<Memtable>],
        log_only: &[RowChanged],
    ) -> NewLogRows {
        // Without frozen memtables the old log may have rows of the newer ones.
        let last_frozen = frozen.first().map_or(0, |frozen| frozen.rows().last());
        if durable.sequence <= last_frozen {
            // An import is a batch of its own, after the frozen memtables.
            let active = newer.first().map(|active| active.rows());
            let last = active.filter(|active| active.is_empty()).map(|active| active.last());
            let sequence = if newer.len() == 1 { last.unwrap_or(last_frozen) } else { last_frozen };
            return NewLogRows { rows: log_only.to_vec(), sequence, relogged: None };
        }
        let mut unlogged = locked(&self.unlogged);
        let newer: Vec<_> = newer.iter().map(|memtable| memtable.rows()).collect();
        let sequence = newer.first().map_or(last_frozen, |active| active.last());
        unlogged.logged = sequence;
        let keys = std::mem::take(&mut unlogged.keys);
        let mut rows = newest_of(&newer);
        let is_newer =
            |table, key: &RowKey| newer.iter().any(|rows| rows.newest(table, key).is_some());
        rows.extend(log_only.iter().filter(|(table, key, _)| !is_newer(*table, key)).cloned());
        NewLogRows { rows, sequence, relogged: Some(keys) }
    }

    fn restore_unlogged(&self, keys: Option<Vec<(Table, RowKey)>>) {
        if let Some(keys) = keys {
            let rows = keys.into_iter().map(|(table, key)| (table, key, None)).collect();
            self.give_back(RowsToLog { rows, sequence: 0 });
        }
    }

    /// Forgets the keys of rows that are durable now.
    fn forget_logged(&self, newer: &[Arc<Memtable>], frozen: &[Arc<Memtable>], relogged: bool) {
        if relogged {
            return;
        }
        let mut unlogged = locked(&self.unlogged);
        let rows: Vec<_> = newer.iter().map(|memtable| memtable.rows()).collect();
        unlogged
            .keys
            .retain(|(table, key)| rows.iter().any(|rows| rows.newest(*table, key).is_some()));
        let last_frozen = frozen.first().map_or(0, |frozen| frozen.rows().last());
        unlogged.logged = unlogged.logged.max(last_frozen);
    }

    /// The manifest of the next generation, with everything that it retires.
    fn next_manifest(
        &self,
        durable: &Durable,
        next_generation: &GenerationBuilder<'_>,
        generation: u64,
    ) -> Manifest {
        let mut manifest = next_generation.manifest(generation);
        let before = &durable.manifest;
        let stays = |extent: Extent| {
            manifest.segments.iter().any(|segment| segment.extent == extent)
                || manifest.base.is_some_and(|base| base.extent == extent)
        };
        let segments = before.segments.iter().map(|segment| (segment.extent, segment.born));
        let base = before.base.iter().map(|base| (base.extent, base.born));
        let retired = segments.chain(base).filter(|(extent, _)| !stays(*extent));
        let retired = retired.map(|(extent, born)| Retired { extent, born, retired: generation });
        let log = durable.log.log();
        let extent = Extent { pages: durable.log.pages(), ..log.extent };
        let log = Retired { extent, born: log.generation, retired: generation };
        let doubtful = durable.doubtful.iter().map(|one| Retired { retired: generation, ..*one });
        let all = before.retired.iter().copied().chain(retired).chain([log]).chain(doubtful);
        manifest.retired = all.collect();
        manifest
    }

    /// Writes the log of the next generation and then the root that names it.
    fn write_generation(
        &self,
        durable: &mut Durable,
        next_generation: &mut GenerationBuilder<'_>,
        manifest: &Manifest,
        rows: &NewLogRows,
    ) -> EngineResult<(LogWriter, Arc<Version>, Arc<Pin>)> {
        let disk = self.disk();
        let generation = durable.generation;
        let too_long = || io::Error::from(io::ErrorKind::FileTooLarge);
        let seal = &self.opener.seal;
        let bytes = manifest.to_bytes(seal.is_encrypted()).ok_or_else(too_long)?;
        let content = (!rows.rows.is_empty()).then(|| content_of(&rows.rows));
        let changes = content.as_ref().map(|content| content.as_slice());
        let needed = LogWriter::needed(seal, bytes.len(), changes.map(<[u8]>::len));
        let pages = pages_of(needed as u64);
        let room = if durable.dense { pages } else { LOG_ROOM };
        let place = self.space.take_growing(pages, room).ok_or_else(too_long)?;
        let version = self.opener.open(manifest, Some(&self.current().version));
        let first = durable.log.last() + 1;
        let limit = Extent { pages: pages.max(LOG_PAGES), ..place };
        let salt = random_salt();
        let log = Log::new(seal, (generation, salt), limit, first);
        let log = LogWriter::begin(log, pages, rows.sequence, &bytes, changes);
        let written = version.and_then(|version| {
            let (bytes, writer) = log?;
            next_generation.give_filters(&version);
            let pin = self.opener.readers.pin(generation)?;
            disk.write(place.at(), &bytes)?;
            disk.sync()?;
            // A sync that failed may have lost pages of segments.
            none_failed_since(disk, next_generation.failed_syncs())?;
            Ok((writer, version, Arc::new(pin)))
        });
        let (writer, version, pin) = match written {
            Ok(written) => written,
            Err(error) => {
                self.space.free(place);
                return Err(error);
            }
        };
        next_generation.keep();
        let old = *durable.root.root();
        let root = Root {
            revision: old.revision,
            generation,
            log: limit,
            salt,
            first,
            last: writer.last(),
            pages: manifest.pages_with(place),
        };
        if let Err(error) = durable.root.publish(disk, root) {
            // Either generation may be current after a power cut: nothing goes after the log of
            // the old one any more, and the pages of both stay.
            durable.log.doubt();
            let born = generation;
            let new = next_generation.new_extents().into_iter().chain([place]);
            let new = new.map(|extent| Retired { extent, born, retired: generation });
            durable.doubtful.extend(new);
            // A reader may have opened its segments and base: their numbers are not given again.
            durable.manifest.last_number = manifest.last_number;
            return Err(error.into());
        }
        Ok((writer, version, pin))
    }

    /// Gives pages back that no reader can read any more.
    pub(super) fn reclaim(&self) {
        let mut durable = locked(&self.durable);
        self.reclaim_in(&mut durable);
    }

    pub(super) fn reclaim_in(&self, durable: &mut Durable) {
        let readers = &self.opener.readers;
        durable.manifest.retired.retain(|one| {
            let is_read = readers.are_in(one.born, one.retired);
            if !is_read {
                self.space.free(one.extent);
            }
            is_read
        });
    }
}

/// The memtables that are not among the frozen ones.
fn without(memtables: &[Arc<Memtable>], frozen: &[Arc<Memtable>]) -> Vec<Arc<Memtable>> {
    let is_newer = |one: &&Arc<Memtable>| !frozen.iter().any(|frozen| Arc::ptr_eq(frozen, one));
    memtables.iter().filter(is_newer).cloned().collect()
}

/// The rows that a new log begins with.
struct NewLogRows {
    rows: Vec<RowChanged>,
    /// The last batch whose changes are among them.
    sequence: u64,
    /// The keys that count as logged with them, if the newer memtables are among them.
    relogged: Option<Vec<(Table, RowKey)>>,
}
