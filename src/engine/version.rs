//! The version: the base and the segments of one generation, below the memtables.

use std::sync::Arc;

use super::error::EngineResult;
use super::manifest::Manifest;
use super::redb_base::Base;
use super::rows::{TABLES, Table, TableReader};
use super::segments::{EntityTable, IndexTable, Segments};
use crate::file::{Disk, FileSeal, ReaderPins};
use crate::segment::{IndexKind, Segment, SegmentInfo, UnitCache};
use crate::types::Progress;

/// Base and segments of a generation. Their pages stay as long as the generation is pinned.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) base: Option<Arc<Base>>,
    pub(crate) segments: Arc<Segments>,
    tables: [Option<Box<dyn TableReader>>; TABLES],
}

/// Opens bases and segments of one file.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) seal: FileSeal,
    pub(crate) readers: Arc<ReaderPins>,
    /// The size of redb's page cache, in bytes.
    pub(crate) cache: usize,
    /// The decrypted units of segments.
    pub(crate) units: Arc<UnitCache>,
    /// Where a compaction says how far it is.
    pub(crate) progress: Progress,
}

impl Opener {
    /// `cache` bytes of each may be in memory: pages of redb, and decrypted units.
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        seal: FileSeal,
        cache: usize,
        progress: Progress,
    ) -> Self {
        let (readers, units) = (ReaderPins::new(Arc::clone(&disk)), UnitCache::new(cache));
        Self { disk, seal, readers, cache, units, progress }
    }

    /// A segment of the file.
    pub(crate) fn segment(&self, info: SegmentInfo) -> EngineResult<Segment> {
        Ok(Segment::open(self.disk.as_ref(), &self.seal, &self.units, info)?)
    }

    /// The version that a manifest names. Parts that `before` has open are not opened again.
    pub(crate) fn open(
        &self,
        manifest: &Manifest,
        before: Option<&Version>,
    ) -> EngineResult<Arc<Version>> {
        // The number alone is not enough: a generation that failed may have used it.
        let old = |info: &SegmentInfo| before?.segments.iter().find(|old| old.info() == info);
        let mut segments = Vec::with_capacity(manifest.segments.len());
        for info in &manifest.segments {
            segments.push(match old(info) {
                Some(old) => Arc::clone(old),
                None => Arc::new(self.segment(*info)?),
            });
        }
        let base = manifest.base.map(|info| {
            let old = before.and_then(|before| before.base.as_ref());
            match old.filter(|old| *old.info() == info) {
                Some(old) => Arc::clone(old),
                None => {
                    Arc::new(Base::new(Arc::clone(&self.disk), self.seal.clone(), info, self.cache))
                }
            }
        });
        let segments = Segments::of(segments.into_iter(), manifest.removed.clone());
        Ok(Arc::new(Version::new(base, segments)))
    }
}

impl Version {
    fn new(base: Option<Arc<Base>>, segments: Segments) -> Self {
        let segments = Arc::new(segments);
        let mut tables = [const { None }; TABLES];
        for (place, table) in tables.iter_mut().zip(Table::ALL) {
            let segments = || Arc::clone(&segments);
            let stored: Box<dyn TableReader> = match table {
                Table::Entities => Box::new(EntityTable(segments())),
                Table::Usernames => Box::new(IndexTable(segments(), IndexKind::Usernames)),
                Table::Phones => Box::new(IndexTable(segments(), IndexKind::Phones)),
                _ => continue,
            };
            *place = Some(stored);
        }
        Self { base, segments, tables }
    }

    /// The pages of segments and base.
    #[cfg(test)]
    pub(crate) fn extents(&self) -> impl Iterator<Item = crate::file::Extent> {
        let segments = self.segments.iter().map(|segment| segment.info().extent);
        segments.chain(self.base.iter().map(|base| base.info().extent))
    }

    /// A table, or `None` if it has no rows here.
    pub(crate) fn table(&self, table: Table) -> EngineResult<Option<&dyn TableReader>> {
        match (self.tables.get(table as usize), &self.base) {
            (Some(Some(stored)), _) => Ok(Some(stored.as_ref())),
            (_, Some(base)) => base.table(table),
            (_, None) => Ok(None),
        }
    }
}
