//! Reads a segment.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::group::{GroupRows, GroupSpan};
use super::interpolation_search::{
    Entries, Number, guess, key, keys_in, number, partition_point_near,
};
use super::key_filter::KeyFilter;
use super::layout::{ACCOUNT_ENTRY, GROUP, GROUP_ENTRY, KEY, Layout, PartSizes, SegmentInfo, TOP};
use super::secondary_index::{BUCKET, IndexKind, candidates, hash_of, lacks, probe};
use super::unit_cache::UnitCache;
use super::verified_sectors::{ChecksumSeed, UNIT_KIND, VerifiedSectors};
use super::{Key, Result, SegmentError};
use crate::file::{BlockCipher, Bytes, Disk, FileDamage, FileSeal, SECTOR};
use crate::record::{EntityFields, fields_of};
use crate::types::{Entity, fold_phone, fold_username};

/// A segment that is open.
#[derive(Debug)]
pub(crate) struct Segment {
    info: SegmentInfo,
    layout: Layout,
    file_id: [u8; 16],
    pub(super) sectors: VerifiedSectors,
    /// The top index, once it was looked at.
    tops: OnceLock<Box<[Number]>>,
    /// Of all its keys and texts, where the writer that is open has made it.
    filter: OnceLock<Arc<KeyFilter>>,
    /// A merge has found rows that cannot be read.
    damaged: AtomicBool,
}

/// The row of an entity in a segment.
#[derive(Clone, Debug)]
pub(crate) struct SegmentRow<P> {
    pub(crate) key: Key,
    /// Its record without the tag; `None` where it was removed.
    pub(crate) payload: Option<P>,
}

impl Segment {
    /// The segment with these bytes, which are all but its header. It reads none of them yet.
    pub(crate) fn new(
        seal: &FileSeal,
        cache: &Arc<UnitCache>,
        info: SegmentInfo,
        bytes: Bytes,
    ) -> std::result::Result<Self, FileDamage> {
        let (number, file_id) = (info.number, seal.file_id());
        let damage = FileDamage::Segment { number, sector: 0 };
        let layout = Layout::of(&info.sizes, seal.is_encrypted()).ok_or(damage)?;
        let sums = ChecksumSeed::new(file_id, number);
        let cipher = BlockCipher::of(seal, UNIT_KIND, number, info.salt);
        let sectors =
            VerifiedSectors::new(bytes, sums, layout, cipher.map(|cipher| (cipher, cache)));
        let (tops, filter, damaged) = Default::default();
        Ok(Self { info, layout, file_id, sectors, tops, filter, damaged })
    }

    /// The segment of a file that a manifest names.
    pub(crate) fn open(
        disk: &dyn Disk,
        seal: &FileSeal,
        cache: &Arc<UnitCache>,
        info: SegmentInfo,
    ) -> Result<Self> {
        let damage = FileDamage::Segment { number: info.number, sector: 0 };
        let len = usize::try_from(info.extent.len()).unwrap_or(usize::MAX);
        let len = len.checked_sub(SECTOR).ok_or(damage)?;
        let bytes = match disk.bytes(info.extent.at() + SECTOR as u64, len) {
            // No sector of it is whole.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Bytes::Owned(Vec::new().into())
            }
            bytes => bytes?,
        };
        Ok(Self::new(seal, cache, info, bytes)?)
    }

    /// A segment of this content, cut or filled up with zeros, with the checksums that belong to
    /// it.
    #[cfg(all(any(test, fuzzing), feature = "convert"))]
    pub(crate) fn sealed(sizes: PartSizes, content: &[u8]) -> Option<Self> {
        let layout = Layout::of(&sizes, false)?;
        let mut bytes = content.to_vec();
        bytes.resize(layout.sums, 0);
        let sums = ChecksumSeed::new([0; 16], 1);
        let sectors = (0..).zip(bytes.chunks_exact(SECTOR));
        let sums: Vec<u8> = sectors.flat_map(|(at, sector)| sums.of(at, sector)).collect();
        bytes.extend_from_slice(&sums);
        let (extent, salt) = Default::default();
        let info = SegmentInfo { number: 1, born: 0, extent, sizes, salt };
        let (seal, cache) = (FileSeal::plain([0; 16]), UnitCache::new(0));
        Self::new(&seal, &cache, info, Bytes::Owned(bytes.into())).ok()
    }

    pub(crate) fn info(&self) -> &SegmentInfo {
        &self.info
    }

    pub(crate) fn number(&self) -> u64 {
        self.info.number
    }

    fn sizes(&self) -> &PartSizes {
        &self.info.sizes
    }

    /// Takes the filter of its keys and texts.
    pub(crate) fn set_filter(&self, filter: Arc<KeyFilter>) {
        // One that it has already is the same.
        let _ = self.filter.set(filter);
    }

    /// Whether it may have a row with this [`entity_hash`](super::entity_hash), or a text with this
    /// [`hash`](Self::hash). False is certain.
    #[inline]
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        self.filter.get().is_none_or(|filter| filter.may_have(hash))
    }

    /// Whether a merge has found rows that cannot be read, since the segment was opened.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// A merge has found rows that cannot be read.
    pub(crate) fn mark_damaged(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    /// How long it is in bytes, from its first row to its last checksum.
    pub(crate) fn len(&self) -> usize {
        self.layout.len
    }

    /// Whether it may have rows of this account.
    #[inline]
    pub(crate) fn spans(&self, account: u32) -> bool {
        self.sizes().first <= account && account <= self.sizes().last
    }

    /// Calls `read` with the payload of this entity, if there is a row of it. A row without a
    /// payload says that the entity was removed.
    pub(crate) fn get<T>(
        &self,
        wanted: &Key,
        read: impl FnOnce(Option<&[u8]>) -> T,
    ) -> Result<Option<T>> {
        let number = number(wanted);
        let Some(span) = self.group_of(number)? else { return Ok(None) };
        self.with_group(span, |mut rows| {
            while let Some((at, payload)) = rows.next()? {
                if at == number {
                    return Ok(Some(read(rows.payload(payload)?)));
                }
                if at > number {
                    break;
                }
            }
            Ok(None)
        })
    }

    /// Whether it has a row of this entity.
    pub(crate) fn has(&self, key: &Key) -> Result<bool> {
        Ok(self.get(key, |_| ())?.is_some())
    }

    /// Calls `visit` for each entity with this username or phone, until it returns true. `text` must
    /// be folded. `hash` is its [`hash`](Self::hash), the same in every segment of a file.
    pub(crate) fn find_by_text(
        &self,
        index: IndexKind,
        account: u32,
        text: &str,
        hash: u64,
        visit: &mut dyn FnMut(SegmentRow<&[u8]>) -> Result<bool>,
    ) -> Result<()> {
        let (at, buckets) = match index {
            IndexKind::Usernames => (self.layout.usernames, self.sizes().usernames),
            IndexKind::Phones => (self.layout.phones, self.sizes().phones),
        };
        for number in probe(hash, buckets as usize) {
            let at = at + number * BUCKET;
            let goes_on = self.sectors.with(at, at + BUCKET, |bucket| {
                if lacks(bucket, hash) {
                    return Ok(false);
                }
                let Some((slots, goes_on)) = candidates(bucket, hash) else {
                    return Err(self.sectors.damage(at / SECTOR).into());
                };
                for slot in slots {
                    let is_last = self.row_at(slot, |row| {
                        Ok(self.shows(&row, index, account, text)? && visit(row)?)
                    });
                    if is_last? {
                        return Ok(false);
                    }
                }
                Ok(goes_on)
            });
            if !goes_on? {
                break;
            }
        }
        Ok(())
    }

    fn shows(
        &self,
        row: &SegmentRow<&[u8]>,
        index: IndexKind,
        account: u32,
        text: &str,
    ) -> Result<bool> {
        let (of, _) = row.key.split_at(4);
        let (true, Some(payload)) = (of == account.to_be_bytes(), row.payload) else {
            return Ok(false);
        };
        let fields = fields(row.key, payload)?;
        Ok(match index {
            IndexKind::Usernames => fields.usernames.iter().any(|name| {
                name.eq_ignore_ascii_case(text) && name.is_ascii() || fold_username(name) == text
            }),
            IndexKind::Phones => {
                fields.phone == text || fold_phone(fields.phone).as_deref() == Some(text)
            }
        })
    }

    /// Calls `read` with the row in a slot: rows are counted as if every group were full.
    pub(crate) fn row_at<T>(
        &self,
        slot: u32,
        read: impl FnOnce(SegmentRow<&[u8]>) -> Result<T>,
    ) -> Result<T> {
        let (group, within) = (slot as usize / GROUP, slot as usize % GROUP);
        self.with_group(self.span(group)?, |mut rows| {
            for _ in 0..within {
                rows.next()?;
            }
            match rows.next()? {
                Some((number, payload)) => {
                    read(SegmentRow { key: key(number), payload: rows.payload(payload)? })
                }
                None => Err(rows.damage()),
            }
        })
    }

    /// How many entities of this account it has, and how many it says are gone.
    pub(crate) fn count(&self, account: u32) -> Result<(u64, u64)> {
        let mut count = (0, 0);
        self.accounts(&mut |of, rows, gone| {
            if of == account {
                count = (u64::from(rows), u64::from(gone));
            }
        })?;
        Ok(count)
    }

    /// The hash that this text, which is folded, has here.
    pub(crate) fn hash(&self, account: u32, text: &str) -> u64 {
        hash_of(self.file_id, account, text)
    }

    /// Shows every account with how many entities it has here, and how many are gone.
    pub(crate) fn accounts(&self, visit: &mut dyn FnMut(u32, u32, u32)) -> Result<()> {
        let at = self.layout.accounts;
        let end = at + self.sizes().accounts as usize * ACCOUNT_ENTRY;
        self.sectors.with(at, end, |entries| {
            for entry in entries.chunks_exact(ACCOUNT_ENTRY) {
                let field = |at: usize| {
                    let bytes = entry.get(at..).and_then(|rest| rest.first_chunk());
                    u32::from_le_bytes(bytes.copied().unwrap_or_default())
                };
                visit(field(0), field(4), field(8));
            }
            Ok(())
        })
    }

    /// How many rows it has, of entities that are gone too.
    pub(crate) fn row_count(&self) -> Result<u64> {
        let mut all = 0;
        self.accounts(&mut |_, rows, gone| all += u64::from(rows) + u64::from(gone))?;
        Ok(all)
    }

    /// Visits every row that can be read, in the order of the keys. Gives how many groups cannot.
    pub(crate) fn salvage(&self, visit: &mut dyn FnMut(SegmentRow<&[u8]>)) -> usize {
        let (groups, mut lost) = (self.groups(), 0);
        if self.sectors.is_cut() {
            return groups;
        }
        for group in 0..groups {
            let read = self.span(group).and_then(|span| {
                self.with_group(span, |mut rows| {
                    while let Some((number, payload)) = rows.next()? {
                        visit(SegmentRow { key: key(number), payload: rows.payload(payload)? });
                    }
                    Ok(())
                })
            });
            lost += usize::from(read.is_err());
        }
        lost
    }

    /// Everything that is wrong with its sectors.
    pub(crate) fn bad_sectors(&self) -> Vec<FileDamage> {
        self.sectors.bad()
    }

    /// The number of groups.
    pub(super) fn groups(&self) -> usize {
        self.sizes().groups as usize
    }

    /// The group in which a key stands if it stands anywhere: the last that begins with no greater
    /// one.
    #[inline]
    pub(super) fn group_of(&self, wanted: Number) -> Result<Option<GroupSpan>> {
        let tops = self.tops()?;
        let behind = tops.partition_point(|top| *top <= wanted);
        let Some(top) = behind.checked_sub(1) else { return Ok(None) };
        let (first, end) = (top * TOP, (top * TOP + TOP).min(self.groups()));
        let at = self.layout.groups;
        let (from, to) = (at + first * GROUP_ENTRY, at + end * GROUP_ENTRY);
        let found = self.sectors.with_parts(from, to, |parts| {
            let entries = Entries(parts);
            let begins = |at: usize| entries.get(at).is_some_and(|(key, _)| key <= wanted);
            let guess = guess(tops.get(top..), wanted).min(end - first - 1);
            let Some(group) =
                (first + partition_point_near(guess, end - first, begins)).checked_sub(1)
            else {
                return Ok(None);
            };
            // The entry after it says where its rows end.
            let at = group.checked_sub(first);
            let span = at.and_then(|at| Some((entries.get(at)?, entries.get(at + 1)?)));
            Ok(Some((group, span.map(|(entry, next)| self.span_of(group, entry, next.1)))))
        });
        match found? {
            None => Ok(None),
            Some((_, Some(span))) => span.map(Some),
            Some((group, None)) => self.span(group).map(Some),
        }
    }

    fn tops(&self) -> Result<&[Number]> {
        if let Some(tops) = self.tops.get() {
            return Ok(tops);
        }
        let count = self.groups().div_ceil(TOP);
        let tops =
            self.sectors.with(self.layout.tops, self.layout.tops + count * KEY, |bytes| {
                Ok(keys_in(bytes).collect())
            })?;
        Ok(self.tops.get_or_init(|| tops))
    }

    /// Where a group lies.
    pub(super) fn span(&self, group: usize) -> Result<GroupSpan> {
        let at = self.layout.groups + group * GROUP_ENTRY;
        if group >= self.groups() {
            return Err(self.sectors.damage(at / SECTOR).into());
        }
        let is_last = group + 1 == self.groups();
        let to = at + if is_last { GROUP_ENTRY } else { 2 * GROUP_ENTRY };
        let damage = || SegmentError::from(self.sectors.damage(at / SECTOR));
        self.sectors.with_parts(at, to, |parts| {
            let entries = Entries(parts);
            // The rows of the last group end where all rows end.
            let end =
                if is_last { Some(self.layout.rows) } else { entries.get(1).map(|(_, at)| at) };
            let (entry, end) = entries.get(0).zip(end).ok_or_else(damage)?;
            self.span_of(group, entry, end)
        })
    }

    /// The same from the entry of the group and from where its rows end.
    #[inline]
    fn span_of(&self, group: usize, entry: (Number, usize), to: usize) -> Result<GroupSpan> {
        let (first, from) = entry;
        if from >= to || to > self.layout.rows {
            let at = self.layout.groups + group * GROUP_ENTRY;
            return Err(self.sectors.damage(at / SECTOR).into());
        }
        Ok(GroupSpan { group, first, from, to })
    }

    /// Calls `read` with the rows of a group.
    #[inline]
    fn with_group<T>(
        &self,
        span: GroupSpan,
        read: impl FnOnce(GroupRows<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.sectors.is_encrypted() {
            self.sectors.with(span.from, span.to, |whole| {
                read(GroupRows::new(&self.sectors, span, Some(whole))?)
            })
        } else {
            read(GroupRows::new(&self.sectors, span, None)?)
        }
    }
}

/// The fields of a record in a segment.
pub(super) fn fields(key: Key, payload: &[u8]) -> Result<EntityFields<'_>> {
    fields_of::<Entity>(payload).map_err(|error| SegmentError::Record(key, error))
}
