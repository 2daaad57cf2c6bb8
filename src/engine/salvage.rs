//! Reads what can be proven of a damaged store: log, base and segments apart from each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{EngineResult, said_by};
use super::log_rows::rows_of;
use super::manifest::Manifest;
use super::memtable::Change;
use super::redb_base::Base;
use super::rows::{RowKey, RowValue, Span, Table};
use super::version::Opener;
use crate::file::{Disk, Extent, FileSeal, PAGE, Roots, SECTOR};
use crate::record::{AccountNo, PeerKey, Record};
use crate::segment::{GROUP, Key as EntityKey, Segment, SegmentInfo, parse_header};
use crate::types::{Entity, Progress};
use crate::wal::{Kind, Log, LogRecord, scan};

/// Rows whose checksums match, and what is missing.
#[derive(Debug, Default)]
pub(crate) struct Salvaged {
    /// The rows of all tables but the entities'.
    pub(crate) rows: BTreeMap<(Table, RowKey), RowValue>,
    /// The records of the entities.
    pub(crate) entities: BTreeMap<EntityKey, RowValue>,
    /// One sentence for each damaged or missing part.
    pub(crate) lost: Vec<String>,
}

/// Reads everything that can be proven of the store with this seal.
pub(crate) fn salvage(
    disk: &Arc<dyn Disk>,
    seal: &FileSeal,
    cache: usize,
    progress: &Progress,
) -> EngineResult<Salvaged> {
    let mut salvaged = Salvaged::default();
    let SalvagedLog { records, manifest, current } = salvaged.log(disk.as_ref(), seal)?;
    let infos = match &manifest {
        Some(manifest) if current => manifest.segments.clone(),
        _ => {
            salvaged.lost.push("the manifest; all segments in the file were used, so deleted entities may come back".into());
            segments_of(disk.as_ref(), seal)?
        }
    };
    let opener = Opener::new(Arc::clone(disk), seal.clone(), cache, progress.clone());
    // One segment is open at a time: a damaged file may claim many that overlap.
    let rows = infos.iter().map(|info| u64::from(info.sizes.groups) * GROUP as u64);
    progress.begin(Some(rows.sum()));
    for info in infos {
        match opener.segment(info) {
            Ok(segment) => salvaged.segment(&segment, info, progress),
            Err(error) => salvaged.lose(format!("segment {}", info.number), error),
        }
    }
    if let Some(manifest) = &manifest {
        salvaged.entities.retain(|key, _| !manifest.removed.contains(&PeerKey::account(key)));
        if let Some(info) = manifest.base {
            salvaged.base(Base::new(Arc::clone(disk), seal.clone(), info, cache));
        }
    }
    for record in records {
        match rows_of(&record.content) {
            Ok(rows) => rows.into_iter().for_each(|row| salvaged.put(row)),
            Err(error) => salvaged.lose(format!("log record {}", record.number), error),
        }
    }
    Ok(salvaged)
}

/// The content of a log.
struct SalvagedLog {
    /// Records of changes, in the order of their numbers.
    records: Vec<LogRecord>,
    /// The newest manifest that is whole.
    manifest: Option<Manifest>,
    /// The manifest belongs to the current generation.
    current: bool,
}

impl Salvaged {
    fn lose(&mut self, what: String, error: super::error::EngineError) {
        self.lost.push(format!("{what}: {}", said_by(&error.at("".as_ref()))));
    }

    fn put(&mut self, (table, key, change): (Table, RowKey, Change)) {
        if table == Table::Entities {
            let Ok(key) = EntityKey::try_from(key.as_ref()) else { return };
            match change {
                Some(row) => drop(self.entities.insert(key, row)),
                None => drop(self.entities.remove(&key)),
            }
        } else if !table.is_in_segments() {
            match change {
                Some(row) => drop(self.rows.insert((table, key), row)),
                None => drop(self.rows.remove(&(table, key))),
            }
        }
    }

    /// The records of changes that count, in their order, and the newest manifest.
    fn log(&mut self, disk: &dyn Disk, seal: &FileSeal) -> EngineResult<SalvagedLog> {
        let root = Roots::read(disk, seal).ok().and_then(|roots| roots.current().ok());
        if let Some((root, _)) = root {
            match Log::of(seal, &root).read(disk, &root) {
                Ok(found) => {
                    let first = found.records.first();
                    let manifest =
                        first.map(|first| Manifest::parse(&first.content, seal.is_encrypted()));
                    if let Some(Ok(manifest)) = manifest {
                        let records = changes_of(found.records);
                        return Ok(SalvagedLog {
                            records,
                            manifest: Some(manifest),
                            current: true,
                        });
                    }
                }
                Err(error) => self.lost.push(error.to_string()),
            }
        } else {
            self.lost.push("both copies of the root are damaged".into());
        }
        // The log of the current generation is not whole. Older ones may have what it lacks.
        self.lost.push("the order of the log; every whole record in the file was used, so older values may come back".into());
        let mut records = scan(disk, seal)?;
        records.sort_by_key(|record| (record.number, record.generation));
        let manifests = records.iter().rev().filter(|record| record.kind == Kind::Manifest);
        let mut newest = manifests.filter_map(|record| {
            let manifest = Manifest::parse(&record.content, seal.is_encrypted()).ok()?;
            Some((record.generation, manifest))
        });
        let (generation, manifest) = newest.next().unzip();
        let current = generation.is_some() && generation == root.map(|(root, _)| root.generation);
        Ok(SalvagedLog { records: changes_of(records), manifest, current })
    }

    fn segment(&mut self, segment: &Segment, info: SegmentInfo, progress: &Progress) {
        let lost = segment.salvage(&mut |row| {
            progress.step();
            match row.payload {
                Some(payload) => {
                    let record = [&[Entity::TAG], payload].concat();
                    self.entities.insert(row.key, RowValue::of(Table::Entities, &record));
                }
                None => drop(self.entities.remove(&row.key)),
            }
        });
        if lost > 0 {
            self.lost.push(format!(
                "segment {}: {lost} of {} groups of up to 16 entities cannot be read",
                info.number, info.sizes.groups
            ));
        }
    }

    fn base(&mut self, base: Base) {
        for table in Table::ALL.into_iter().filter(|table| !table.is_in_segments()) {
            let rows = base.table(table).and_then(|rows| match rows {
                Some(rows) => rows.each(Span::ALL.from(), Span::ALL.to(), &mut |key, value| {
                    self.rows.insert((table, key.into()), RowValue::of(table, value));
                    Ok(true)
                }),
                None => Ok(()),
            });
            if let Err(error) = rows {
                self.lose(format!("table {} of the base", table.name()), error);
            }
        }
    }
}

fn changes_of(records: Vec<LogRecord>) -> Vec<LogRecord> {
    records.into_iter().filter(|record| record.kind == Kind::Changes).collect()
}

/// Every segment whose header is whole, the oldest first.
fn segments_of(disk: &dyn Disk, seal: &FileSeal) -> EngineResult<Vec<SegmentInfo>> {
    let pages = disk.len()? / PAGE as u64;
    let mut infos = Vec::new();
    for page in 1..u32::try_from(pages).unwrap_or(u32::MAX) {
        let mut header = [0; SECTOR];
        disk.read(u64::from(page) * PAGE as u64, &mut header)?;
        let Some((number, salt, sizes)) = parse_header(seal, &header) else { continue };
        if let Some(pages) = sizes.pages(seal.is_encrypted()) {
            let extent = Extent { page, pages };
            infos.push(SegmentInfo { number, born: 0, extent, sizes, salt });
        }
    }
    infos.sort_by_key(|info| info.number);
    Ok(infos)
}

/// The account that a row of a table belongs to.
pub(crate) fn account_of(key: &[u8]) -> Option<AccountNo> {
    key.first_chunk().map(|account| AccountNo::from_key(*account))
}
