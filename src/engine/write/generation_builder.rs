//! Builds the next generation: writes its segments and its base, merged with older ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::super::error::EngineResult;
use super::super::manifest::Manifest;
use super::super::memtable::{Change, Memtable, RowChanged};
use super::super::overlay::{chunk_of, merged};
use super::super::redb_base::{BaseInfo, image_of, sealed};
use super::super::rows::{RowKey, Span, Table, Visit};
use super::super::segments::{Segments, key_of};
use super::super::version::{Opener, Version};
use super::merge::{Merge, MergedSegments, mark_damaged, to_merge_in_checkpoint};
use super::merge_output::{EntityChanges, MergeOutput, push, rows_in};
use crate::file::{Disk, Extent, PAGE, PageAllocator};
use crate::record::AccountNo;
use crate::segment::{Collision, NewSegment, Segment, SegmentBuilder, SegmentInfo};
use crate::types::Progress;

/// Up to this many bytes of rows of the other tables are copied into each new log. A larger amount
/// is written to the base.
const MOST_LOG_ONLY: usize = 64 << 10;

/// The next generation while it is made.
pub(crate) struct GenerationBuilder<'w> {
    opener: &'w Opener,
    space: &'w Arc<PageAllocator>,
    /// The manifest of the current generation.
    before: Manifest,
    version: Arc<Version>,
    /// The segments of the next generation.
    pub(super) segments: Segments,
    added: Vec<NewSegment>,
    /// The last number that a segment or base got.
    last_number: u64,
    /// Changes of the tables that are not in segments.
    pub(super) rows: BTreeMap<(Table, RowKey), Change>,
    base: Option<NewBase>,
    /// The base was moved or written anew; else the one before stays.
    base_changed: bool,
    /// How many syncs had failed before anything was written.
    failed_syncs: u64,
    /// The newest segment that a merge in the background will replace. This generation merges newer ones
    /// only.
    merging: Option<u64>,
}

/// A base on the disk that no manifest names yet. Its pages are given back unless it is kept.
struct NewBase {
    info: BaseInfo,
    space: Option<Arc<PageAllocator>>,
}

impl Drop for NewBase {
    fn drop(&mut self) {
        if let Some(space) = &self.space {
            space.free(self.info.extent);
        }
    }
}

impl<'w> GenerationBuilder<'w> {
    pub(super) fn new(
        opener: &'w Opener,
        space: &'w Arc<PageAllocator>,
        before: Manifest,
        version: Arc<Version>,
        merging: Option<u64>,
    ) -> Self {
        let segments = Segments::clone(&version.segments);
        let last_number = before.last_number;
        let (added, rows, base) = (Vec::new(), BTreeMap::new(), None);
        Self {
            opener,
            space,
            before,
            version,
            segments,
            added,
            last_number,
            rows,
            base,
            base_changed: false,
            failed_syncs: opener.disk.failed_syncs(),
            merging,
        }
    }

    pub(super) fn failed_syncs(&self) -> u64 {
        self.failed_syncs
    }

    fn disk(&self) -> &'w dyn Disk {
        self.opener.disk.as_ref()
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// The version that it changes.
    pub(super) fn version(&self) -> &Version {
        &self.version
    }

    /// Adds the rows of these memtables, the newest first, and the rows that only the log has, which
    /// are older. Entities go into a segment on the disk at once, merged with others as `merge` says.
    pub(super) fn take_in(
        &mut self,
        memtables: &[Arc<Memtable>],
        log_only: &Arc<Memtable>,
        merge: Merge,
    ) -> EngineResult<()> {
        let memtables = memtables.iter().chain([log_only]);
        let locked: Vec<_> = memtables.map(|memtable| memtable.rows()).collect();
        let rows = || locked.iter().map(std::ops::Deref::deref);
        for table in Table::ALL.into_iter().filter(|table| !table.is_in_segments()) {
            let chunk = chunk_of(rows(), u64::MAX, table, &Span::ALL, usize::MAX);
            self.rows.extend(chunk.changes.into_iter().map(|(key, change)| ((table, key), change)));
        }
        let entities = EntityChanges::of(rows());
        drop(locked);
        self.add_entities(&entities, merge)
    }

    /// Adds changes of entities, which are newer than all segments.
    pub(super) fn add_entities(
        &mut self,
        entities: &EntityChanges,
        merge: Merge,
    ) -> EngineResult<()> {
        if merge == Merge::All {
            let all = self.segments.newest_first.len();
            let progress = &self.opener.progress;
            return self.write_merged(entities, all, Some(progress));
        }
        if entities.0.is_empty() {
            return Ok(());
        }
        let merged = to_merge_in_checkpoint(self.mergeable(), entities.bytes(), merge);
        if merged > 0 {
            match self.write_merged(entities, merged, None) {
                // A damaged segment stays as it is, and costs nothing but its own rows.
                Err(error) if error.is_damage() => {}
                written => return written,
            }
        }
        self.write_merged(entities, 0, None)
    }

    /// The newest segments, without those that a merge in the background replaces.
    fn mergeable(&self) -> &[Arc<Segment>] {
        let all = &self.segments.newest_first;
        let merging = all.iter().position(|segment| Some(segment.number()) == self.merging);
        all.get(..merging.unwrap_or(all.len())).unwrap_or_default()
    }

    /// Merges the newest segments where short ones are too many.
    pub(super) fn limit_segments(&mut self) -> EngineResult<()> {
        let merged = to_merge_in_checkpoint(self.mergeable(), 0, Merge::Seldom);
        if merged < 2 {
            return Ok(());
        }
        match self.write_merged(&EntityChanges::default(), merged, None) {
            Err(error) if error.is_damage() => Ok(()),
            written => written,
        }
    }

    /// Writes one segment of these changes and of this many of the newest segments, in their place.
    /// `progress` counts the rows: a compaction has it, work in the background has not.
    fn write_merged(
        &mut self,
        entities: &EntityChanges,
        merged: usize,
        progress: Option<&Progress>,
    ) -> EngineResult<()> {
        let segments = self.segments.newest_first.clone();
        let (newer, older) = segments.split_at(merged.min(segments.len()));
        let removed = self.segments.removed.clone();
        if let Some(progress) = progress {
            progress.begin(Some(rows_in(newer)? + entities.0.len() as u64));
        }
        let count = &mut || {
            progress.into_iter().for_each(Progress::step);
            Ok(())
        };
        // A writer asks recent segments for each new entity.
        let builder = self.builder().with_filter();
        let output = MergeOutput { builder, older, removed: &removed, on_row: count };
        let output = output.write(entities, newer);
        let builder = output.inspect_err(|error| mark_damaged(error, newer))?;
        if older.is_empty() {
            // Nothing is left that rows of removed accounts could be in.
            self.segments.removed.clear();
        }
        self.replace(newer, builder)
    }

    /// Puts a segment in the place of those that it was merged from.
    pub(super) fn replace_merged(&mut self, merged: MergedSegments) -> EngineResult<()> {
        let gone = || std::io::Error::other("the segments of a merge are gone");
        let place = merged.place_in(&self.segments).ok_or_else(gone)?;
        let opened = match &merged.new {
            Some(new) => Some(Arc::new(self.opener.segment(new.info)?)),
            None => None,
        };
        self.segments.newest_first.splice(place, opened);
        self.segments.removed.retain(|account| !merged.forgotten.contains(account));
        self.failed_syncs = self.failed_syncs.min(merged.failed_syncs);
        self.added.extend(merged.new);
        Ok(())
    }

    /// Begins a segment that is newer than all others.
    pub(super) fn builder(&mut self) -> SegmentBuilder<'w> {
        let number = self.next_number();
        SegmentBuilder::new(self.disk(), &self.opener.seal, self.space, number)
    }

    /// Adds a finished segment as the newest. Returns the rows whose username or phone hashes collide.
    pub(super) fn add(
        &mut self,
        builder: SegmentBuilder<'_>,
    ) -> EngineResult<(Arc<Segment>, [Vec<Collision>; 2])> {
        let (new, collisions) = builder.finish()?;
        let segment = Arc::new(self.opener.segment(new.info)?);
        self.segments.newest_first.insert(0, Arc::clone(&segment));
        self.added.push(new);
        Ok((segment, collisions))
    }

    /// Writes a segment of the entities that `source` yields, as the newest.
    pub(super) fn fill_entities(
        &mut self,
        source: &mut dyn FnMut(Visit<'_>) -> EngineResult<()>,
    ) -> EngineResult<()> {
        let mut builder = self.builder();
        source(&mut |key, record| {
            let payload = record.split_first().map(|(_, payload)| payload);
            push(&mut builder, &key_of(key), payload)?;
            Ok(true)
        })?;
        if builder.is_empty() { Ok(()) } else { self.add(builder).map(drop) }
    }

    /// An account was removed.
    pub(super) fn remove(&mut self, account: AccountNo) {
        if self.segments.iter().any(|segment| segment.spans(account.0)) {
            self.segments.removed.insert(account);
        }
    }

    /// Gives the segments of a version the filters that were made with them.
    pub(super) fn give_filters(&self, version: &Version) {
        for new in &self.added {
            let mut segments = version.segments.iter();
            let segment = segments.find(|segment| segment.number() == new.info.number);
            if let (Some(segment), Some(filter)) = (segment, &new.filter) {
                segment.set_filter(Arc::clone(filter));
            }
        }
    }

    fn replace(&mut self, old: &[Arc<Segment>], builder: SegmentBuilder<'_>) -> EngineResult<()> {
        let built = if builder.is_empty() { None } else { Some(builder.finish()?.0) };
        let opened = match &built {
            Some(new) => Some(Arc::new(self.opener.segment(new.info)?)),
            None => None,
        };
        self.segments.newest_first.splice(..old.len(), opened);
        let gone = |new: &NewSegment| old.iter().any(|old| old.number() == new.info.number);
        self.added.retain(|new| !gone(new));
        self.added.extend(built);
        Ok(())
    }

    /// Copies a segment before where it is, if there is room.
    pub(super) fn lower_segments(&mut self) -> EngineResult<bool> {
        let mut lowered = false;
        for place in 0..self.segments.newest_first.len() {
            let Some(segment) = self.segments.newest_first.get(place).map(Arc::clone) else {
                break;
            };
            let info = *segment.info();
            let Some(extent) = self.space.take_before(info.extent.page, info.extent.pages) else {
                continue;
            };
            let new = NewSegment::moved(info, extent, self.space);
            copy(self.disk(), info.extent, extent)?;
            let moved = Arc::new(self.opener.segment(new.info)?);
            self.segments.newest_first.splice(place..=place, [moved]);
            self.added.push(new);
            lowered = true;
        }
        Ok(lowered)
    }

    /// Writes all segments anew as one, which goes to the end of the file. `progress` counts the
    /// rows.
    pub(super) fn rewrite_segments(&mut self, progress: Option<&Progress>) -> EngineResult<bool> {
        let all = self.segments.newest_first.len();
        if all == 0 {
            return Ok(false);
        }
        self.write_merged(&EntityChanges::default(), all, progress)?;
        Ok(true)
    }

    /// Copies the base before where it is, if there is room.
    pub(super) fn lower_base(&mut self) -> EngineResult<bool> {
        let Some(info) = self.before.base.filter(|_| !self.base_changed) else { return Ok(false) };
        let Some(extent) = self.space.take_before(info.extent.page, info.extent.pages) else {
            return Ok(false);
        };
        let info = BaseInfo { extent, ..info };
        let old = self.before.base.map(|base| base.extent).unwrap_or_default();
        self.base = Some(NewBase { info, space: Some(Arc::clone(self.space)) });
        self.base_changed = true;
        copy(self.disk(), old, extent)?;
        Ok(true)
    }

    /// Writes a new base if the changed rows are too many for each log, or if `always`.
    pub(super) fn write_base_if_large(&mut self, always: bool) -> EngineResult<()> {
        let bytes: usize = self
            .rows
            .iter()
            .map(|((_, key), change)| 9 + key.len() + change.as_deref().map_or(0, <[u8]>::len))
            .sum();
        if bytes <= MOST_LOG_ONLY && !(always && self.before.base.is_some()) {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let tables: Vec<_> =
            Table::ALL.into_iter().filter(|table| !table.is_in_segments()).collect();
        let version = Arc::clone(&self.version);
        let image =
            image_of(&tables, &mut |table, visit| merged_table(&version, &rows, table, visit));
        let number = self.next_number();
        let too_long = || std::io::Error::from(std::io::ErrorKind::FileTooLarge);
        let (blocks, salt, bytes) = sealed(&self.opener.seal, number, image?)?;
        let pages = u32::try_from(bytes.len() / PAGE).map_err(|_| too_long())?;
        let extent = self.space.take(pages).ok_or_else(too_long)?;
        let info = BaseInfo { number, born: 0, extent, blocks, salt };
        self.base = Some(NewBase { info, space: Some(Arc::clone(self.space)) });
        self.base_changed = true;
        self.disk().write(extent.at(), &bytes)?;
        Ok(())
    }

    /// The rows that the next log begins with. Without a base below, tombstones say nothing.
    pub(super) fn log_only(&self) -> Vec<RowChanged> {
        let has_base = self.base.is_some() || !self.base_changed && self.before.base.is_some();
        let rows = self.rows.iter().filter(|(_, change)| has_base || change.is_some());
        rows.map(|((table, key), change)| (*table, key.clone(), change.clone())).collect()
    }

    /// The manifest of this generation.
    pub(super) fn manifest(&self, generation: u64) -> Manifest {
        let is_new = |number, extent| {
            self.added.iter().any(|new| new.info.number == number && new.info.extent == extent)
        };
        let segments = self.segments.iter().map(|segment| {
            let info = *segment.info();
            let born = if is_new(info.number, info.extent) { generation } else { info.born };
            SegmentInfo { born, ..info }
        });
        let mut segments: Vec<_> = segments.collect();
        segments.reverse();
        let base = match &self.base {
            Some(new) => Some(BaseInfo { born: generation, ..new.info }),
            None if self.base_changed => None,
            None => self.before.base,
        };
        let removed = self.segments.removed.clone();
        Manifest { last_number: self.last_number, base, segments, removed, retired: Vec::new() }
    }

    /// The pages of what this generation alone has.
    pub(super) fn new_extents(&self) -> Vec<Extent> {
        let segments = self.added.iter().map(|new| new.info.extent);
        segments.chain(self.base.iter().map(|base| base.info.extent)).collect()
    }

    /// The new segments and the new base keep their pages, whatever happens.
    pub(super) fn keep(&mut self) {
        self.added.iter_mut().for_each(NewSegment::keep);
        self.base.iter_mut().for_each(|base| base.space = None);
    }
}

/// The rows of a table of the version, with these changes over them.
fn merged_table(
    version: &Version,
    rows: &BTreeMap<(Table, RowKey), Change>,
    table: Table,
    visit: Visit<'_>,
) -> EngineResult<()> {
    let changes = rows.iter().filter(|((of, _), _)| *of == table);
    let changes = changes.map(|((_, key), change)| (key.clone(), change.clone())).collect();
    let below = version.table(table)?;
    let all = |visit: Visit<'_>| match below {
        Some(rows) => rows.each(Span::ALL.from(), Span::ALL.to(), visit),
        None => Ok(()),
    };
    merged(changes, all, visit).map(drop)
}

/// Copies pages to others.
fn copy(disk: &dyn Disk, from: Extent, to: Extent) -> EngineResult<()> {
    const CHUNK: u64 = 1 << 20;
    let mut done = 0;
    while done < from.len() {
        let len = CHUNK.min(from.len() - done);
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(len).unwrap_or_default()]);
        disk.read(from.at() + done, &mut bytes)?;
        disk.write(to.at() + done, &bytes)?;
        done += len;
    }
    Ok(())
}
