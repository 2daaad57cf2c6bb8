//! Opens a store for writing, and makes a new one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, RwLock};

use super::super::error::EngineResult;
use super::super::log_rows::rows_of;
use super::super::manifest::Manifest;
use super::super::memtable::{Memtable, Unlogged};
use super::super::options::EngineOptions;
use super::super::version::Opener;
use super::super::view::SuperVersion;
use super::Writer;
use super::publish::Durable;
use crate::error::{Error, Result};
use crate::file::{
    Disk, Extent, FileDamage, FileSeal, Identity, KeySlots, LockHolder, PAGE, PageAllocator, Root,
    RootWriter, Roots, lock_writer, random_salt, write_durably,
};
use crate::wal::{Found, Kind, Log, LogWriter};

/// Pages of the first log of a new store.
const FIRST_LOG: Extent = Extent { page: 1, pages: 1 };

/// A log may have this many pages.
const LOG_PAGES: u32 = super::publish::LOG_PAGES;

/// Makes a store on an empty disk: its header, and a log with an empty manifest. The key slots are
/// those of an encrypted store.
pub(crate) fn create(disk: &dyn Disk, seal: &FileSeal, slots: &KeySlots) -> EngineResult<()> {
    let identity = Identity { file_id: seal.file_id(), is_encrypted: seal.is_encrypted() };
    let manifest = Manifest::default().to_bytes(seal.is_encrypted()).ok_or(FileDamage::Manifest)?;
    let limit = Extent { pages: LOG_PAGES, ..FIRST_LOG };
    let salt = random_salt();
    let log = Log::new(seal, (1, salt), limit, 1);
    let (bytes, mut writer) = LogWriter::begin(log, FIRST_LOG.pages, 0, &manifest, None)?;
    let root = Root { revision: 0, generation: 1, log: limit, salt, first: 1, last: 1, pages: 2 };
    let mut header = identity.to_bytes().to_vec();
    header.resize(PAGE, 0);
    slots.put_into(&mut header);
    write_durably(disk, || {
        disk.write(0, &header)?;
        disk.write(FIRST_LOG.at(), &bytes)
    })?;
    RootWriter::new(seal.clone(), root, 1).publish(disk, root)?;
    writer.mark(disk);
    Ok(())
}

/// Opens the store on this disk for writing.
pub(crate) fn open(
    path: &Path,
    disk: Arc<dyn Disk>,
    seal: FileSeal,
    options: EngineOptions,
) -> Result<Arc<Writer>> {
    match lock_writer(disk.as_ref()) {
        Ok(true) => {}
        Ok(false) => {
            let holder = LockHolder::read(disk.as_ref()).filter(LockHolder::may_be_alive);
            return Err(Error::Busy { path: path.to_owned(), holder });
        }
        Err(source) => return Err(Error::io("lock", path, source)),
    }
    let opened = super::super::error::caught(|| recover(path, disk, seal, options));
    opened.map_err(|error| error.at(path))
}

fn recover(
    path: &Path,
    disk: Arc<dyn Disk>,
    seal: FileSeal,
    options: EngineOptions,
) -> EngineResult<Arc<Writer>> {
    let roots = Roots::read(disk.as_ref(), &seal)?;
    let (root, newest) = roots.current()?;
    let log = Log::of(&seal, &root);
    check_length(disk.as_ref(), &root)?;
    let Found { records, tail } = log.read(disk.as_ref(), &root)?;
    let (mut manifest, memtable) = replay(&seal, &records)?;
    // The writer before may have given numbers in a generation that the disk has lost, and that a
    // reader has open.
    manifest.skip_numbers(random_salt() as u32);
    let space = Arc::new(PageAllocator::default());
    let safe = roots.durable_slot(newest, tail.marked);
    let mut root = RootWriter::new(seal.clone(), root, safe);
    let mut log = LogWriter::new(log, tail);
    // The log has grown into retired pages that were given back before.
    let in_use = Extent { pages: log.pages(), ..log.log().extent };
    manifest.retired.retain(|retired| !retired.extent.overlaps(in_use));
    space.adopt(manifest.extents().chain([in_use]))?;
    // The page cache may show what never reached the disk: a record without a mark, and a damaged
    // slot of the root that is whole on the disk and names another generation.
    if !tail.marked || !roots.agree() {
        log.confirm(disk.as_ref(), &mut root)?;
    }
    let opener = Opener::new(disk, seal, options.cache_size, options.progress.clone());
    let generation = root.root().generation;
    let pin = Arc::new(opener.readers.pin(generation)?);
    let version = opener.open(&manifest, None)?;
    let sequence = memtable.rows().last();
    let log_only = Arc::new(Memtable::after(0));
    let current = SuperVersion { memtables: vec![Arc::new(memtable)], log_only, version, pin };
    let durable =
        Durable { sequence, log, root, manifest, generation, doubtful: Vec::new(), dense: false };
    Ok(Arc::new(Writer {
        path: path.to_owned(),
        options,
        opener,
        space,
        flusher: Default::default(),
        merge_lock: Mutex::default(),
        merging: AtomicU64::new(0),
        waiting_compactions: AtomicUsize::new(0),
        checkpoint: Mutex::default(),
        durable: Mutex::new(durable),
        batch: Mutex::default(),
        unlogged: Mutex::new(Unlogged { keys: Vec::new(), logged: sequence }),
        current: RwLock::new(Arc::new(current)),
        failure: Mutex::default(),
        durable_target: AtomicU64::new(0),
        active_bytes: AtomicUsize::new(0),
        frozen_bytes: AtomicUsize::new(0),
        flush_requested: AtomicBool::new(false),
        merge_schedule: Mutex::default(),
        written: AtomicBool::new(false),
        stamped: AtomicBool::new(false),
        process: std::process::id(),
    }))
}

/// A file that is shorter than its root says was cut.
pub(crate) fn check_length(disk: &dyn Disk, root: &Root) -> EngineResult<()> {
    let (len, needed) = (disk.len()?, u64::from(root.pages) * PAGE as u64);
    if len < needed { Err(FileDamage::Cut { len, needed }.into()) } else { Ok(()) }
}

/// Manifest and rows of these records.
pub(crate) fn replay(
    seal: &FileSeal,
    records: &[crate::wal::LogRecord],
) -> EngineResult<(Manifest, Memtable)> {
    let (first, changes) = records.split_first().ok_or(FileDamage::Manifest)?;
    let manifest = Manifest::parse(&first.content, seal.is_encrypted())?;
    let memtable = Memtable::after(first.sequence);
    for record in changes {
        if record.kind != Kind::Changes {
            return Err(FileDamage::Log { number: record.number }.into());
        }
        memtable.replay(rows_of(&record.content)?, record.sequence);
    }
    Ok((manifest, memtable))
}
