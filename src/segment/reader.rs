//! Reads a segment.

use std::io;
use std::sync::{Arc, OnceLock};

use super::hash_index::{BUCKET, HashIndex, candidates, hash_of, lacks, probe};
use super::layout::{ACCOUNT_ENTRY, GROUP, GROUP_ENTRY, KEY, Layout, SegmentInfo, Shape, TOP};
use super::search::{Number, guess, key, key_in, near, number, offset_in};
use super::sectors::{Checksums, ReadBytes, Sectors, UNIT_KIND};
use super::unit_cache::{Part, UnitCache};
use super::varint::varint;
use super::{Key, Result, SegmentError};
use crate::file::{BlockCipher, Bytes, Damage, Disk, FileSeal, SECTOR};
use crate::record::{EntityFields, fields_of};
use crate::types::{Entity, fold_phone, fold_username};

/// A segment that is open.
#[derive(Debug)]
pub(crate) struct Segment {
    info: SegmentInfo,
    layout: Layout,
    file_id: [u8; 16],
    sectors: Sectors,
    /// The top index, once it was looked at.
    tops: OnceLock<Box<[Number]>>,
}

/// The row of an entity in a segment.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) key: Key,
    /// Its record without the tag; `None` where it was removed.
    pub(crate) payload: Option<Part<'a>>,
}

impl Segment {
    /// The segment with these bytes, which are all but its header. It reads none of them yet.
    pub(crate) fn new(
        seal: &FileSeal,
        cache: &Arc<UnitCache>,
        info: SegmentInfo,
        bytes: Bytes,
    ) -> std::result::Result<Self, Damage> {
        let (number, file_id) = (info.number, seal.file_id());
        let damage = Damage::Segment { number, sector: 0 };
        let layout = Layout::of(&info.shape, seal.is_encrypted()).ok_or(damage)?;
        let sums = Checksums::new(file_id, number);
        let cipher = BlockCipher::of(seal, UNIT_KIND, number, info.salt);
        let sectors = Sectors::new(bytes, sums, layout, cipher.map(|cipher| (cipher, cache)));
        Ok(Self { info, layout, file_id, sectors, tops: OnceLock::new() })
    }

    /// The segment of a file that a manifest names.
    pub(crate) fn open(
        disk: &dyn Disk,
        seal: &FileSeal,
        cache: &Arc<UnitCache>,
        info: SegmentInfo,
    ) -> Result<Self> {
        let damage = Damage::Segment { number: info.number, sector: 0 };
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
    pub(crate) fn sealed(shape: Shape, content: &[u8]) -> Option<Self> {
        let layout = Layout::of(&shape, false)?;
        let mut bytes = content.to_vec();
        bytes.resize(layout.sums, 0);
        let sums = Checksums::new([0; 16], 1);
        let sectors = (0..).zip(bytes.chunks_exact(SECTOR));
        let sums: Vec<u8> = sectors.flat_map(|(at, sector)| sums.of(at, sector)).collect();
        bytes.extend_from_slice(&sums);
        let (extent, salt) = Default::default();
        let info = SegmentInfo { number: 1, born: 0, extent, shape, salt };
        let (seal, cache) = (FileSeal::plain([0; 16]), UnitCache::new(0));
        Self::new(&seal, &cache, info, Bytes::Owned(bytes.into())).ok()
    }

    pub(crate) fn info(&self) -> &SegmentInfo {
        &self.info
    }

    pub(crate) fn number(&self) -> u64 {
        self.info.number
    }

    fn shape(&self) -> &Shape {
        &self.info.shape
    }

    /// How long it is in bytes, from its first row to its last checksum.
    pub(crate) fn len(&self) -> usize {
        self.layout.len
    }

    /// Whether it may have rows of this account.
    #[inline]
    pub(crate) fn spans(&self, account: u32) -> bool {
        self.shape().first <= account && account <= self.shape().last
    }

    /// The row of this entity, if there is one.
    pub(crate) fn get(&self, wanted: &Key) -> Result<Option<Row<'_>>> {
        if self.sectors.is_encrypted() {
            self.get_as::<Part<'_>>(wanted)
        } else {
            self.get_as::<&[u8]>(wanted)
        }
    }

    fn get_as<'a, B: ReadBytes<'a>>(&'a self, wanted: &Key) -> Result<Option<Row<'a>>> {
        let number = number(wanted);
        let Some(group) = self.group_of::<B>(number)? else { return Ok(None) };
        let mut rows = self.group::<B>(group)?;
        while let Some((at, span)) = rows.next()? {
            if at == number {
                return Ok(Some(Row {
                    key: *wanted,
                    payload: rows.payload(span)?.map(Into::into),
                }));
            }
            if at > number {
                break;
            }
        }
        Ok(None)
    }

    /// Calls `visit` for each entity with this username or phone, until it returns true. `text` must
    /// be folded. `hash` is its [`hash`](Self::hash), the same in every segment of a file.
    pub(crate) fn find_by_text(
        &self,
        index: HashIndex,
        account: u32,
        text: &str,
        hash: u64,
        visit: &mut dyn FnMut(Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        if self.sectors.is_encrypted() {
            self.find_as::<Part<'_>>(index, account, text, hash, visit)
        } else {
            self.find_as::<&[u8]>(index, account, text, hash, visit)
        }
    }

    fn find_as<'a, B: ReadBytes<'a>>(
        &'a self,
        index: HashIndex,
        account: u32,
        text: &str,
        hash: u64,
        visit: &mut dyn FnMut(Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        let (at, buckets) = match index {
            HashIndex::Usernames => (self.layout.usernames, self.shape().usernames),
            HashIndex::Phones => (self.layout.phones, self.shape().phones),
        };
        for number in probe(hash, buckets as usize) {
            let at = at + number * BUCKET;
            let bucket = B::read(&self.sectors, at, at + BUCKET)?;
            if lacks(&bucket, hash) {
                break;
            }
            let Some((slots, goes_on)) = candidates(&bucket, hash) else {
                return Err(self.sectors.damage(at / SECTOR).into());
            };
            for slot in slots {
                let row = self.row_at_as::<B>(slot)?;
                if self.shows(&row, index, account, text)? && visit(row)? {
                    return Ok(());
                }
            }
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    fn shows(&self, row: &Row<'_>, index: HashIndex, account: u32, text: &str) -> Result<bool> {
        let (of, _) = row.key.split_at(4);
        let (true, Some(payload)) = (of == account.to_be_bytes(), &row.payload) else {
            return Ok(false);
        };
        let fields = fields(row.key, payload)?;
        Ok(match index {
            HashIndex::Usernames => fields.usernames.iter().any(|name| {
                name.eq_ignore_ascii_case(text) && name.is_ascii() || fold_username(name) == text
            }),
            HashIndex::Phones => {
                fields.phone == text || fold_phone(fields.phone).as_deref() == Some(text)
            }
        })
    }

    /// The row in a slot: rows are counted as if every group were full.
    pub(crate) fn row_at(&self, slot: u32) -> Result<Row<'_>> {
        self.row_at_as::<Part<'_>>(slot)
    }

    fn row_at_as<'a, B: ReadBytes<'a>>(&'a self, slot: u32) -> Result<Row<'a>> {
        let (group, within) = (slot as usize / GROUP, slot as usize % GROUP);
        let mut rows = self.group::<B>(group)?;
        for _ in 0..within {
            rows.next()?;
        }
        match rows.next()? {
            Some((number, span)) => {
                Ok(Row { key: key(number), payload: rows.payload(span)?.map(Into::into) })
            }
            None => Err(rows.damage()),
        }
    }

    /// The rows from the first that is not in front of this key.
    pub(crate) fn walk(&self, from: &Key) -> Result<Walk<'_>> {
        let wanted = number(from);
        let first = self.group_of::<Part<'_>>(wanted)?.unwrap_or(0);
        let mut walk = Walk { segment: self, group: first, rows: None, front: None };
        walk.turn()?;
        while walk.front.as_ref().is_some_and(|(at, _)| *at < wanted) {
            walk.advance()?;
        }
        Ok(walk)
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
        let entries = self.sectors.get(at, at + self.shape().accounts as usize * ACCOUNT_ENTRY)?;
        for entry in entries.chunks_exact(ACCOUNT_ENTRY) {
            let field = |at: usize| {
                let bytes = entry.get(at..).and_then(|rest| rest.first_chunk());
                u32::from_le_bytes(bytes.copied().unwrap_or_default())
            };
            visit(field(0), field(4), field(8));
        }
        Ok(())
    }

    /// Visits every row that can be read, in the order of the keys. Gives how many groups cannot.
    pub(crate) fn salvage(&self, visit: &mut dyn FnMut(Row<'_>)) -> usize {
        let (groups, mut lost) = (self.shape().groups as usize, 0);
        if self.sectors.is_cut() {
            return groups;
        }
        for group in 0..groups {
            let read = self.group::<Part<'_>>(group).and_then(|mut rows| {
                while let Some((number, payload)) = rows.next_row()? {
                    visit(Row { key: key(number), payload });
                }
                Ok(())
            });
            lost += usize::from(read.is_err());
        }
        lost
    }

    /// Everything that is wrong with its sectors.
    pub(crate) fn bad_sectors(&self) -> Vec<Damage> {
        self.sectors.bad()
    }

    /// The group in which a key stands if it stands anywhere: the last that begins with no greater
    /// one.
    fn group_of<'a, B: ReadBytes<'a>>(&'a self, wanted: Number) -> Result<Option<usize>> {
        let tops = self.tops()?;
        let behind = tops.partition_point(|top| *top <= wanted);
        let Some(top) = behind.checked_sub(1) else { return Ok(None) };
        let (first, end) = (top * TOP, (top * TOP + TOP).min(self.shape().groups as usize));
        let (from, to) = (first * GROUP_ENTRY, end * GROUP_ENTRY);
        let at = self.layout.groups;
        let bytes = B::read(&self.sectors, at + from, at + to)?;
        let begins = |group: usize| key_in(&bytes, group, GROUP_ENTRY) <= wanted;
        let guess = guess(tops.get(top..), wanted).min(end - first - 1);
        Ok((first + near(guess, end - first, begins)).checked_sub(1))
    }

    fn tops(&self) -> Result<&[Number]> {
        if let Some(tops) = self.tops.get() {
            return Ok(tops);
        }
        let count = (self.shape().groups as usize).div_ceil(TOP);
        let bytes = self.sectors.get(self.layout.tops, self.layout.tops + count * KEY)?;
        let tops = (0..count).map(|at| key_in(&bytes, at, KEY)).collect();
        Ok(self.tops.get_or_init(|| tops))
    }

    /// The rows of a group.
    fn group<'a, B: ReadBytes<'a>>(&'a self, group: usize) -> Result<Rows<'a, B>> {
        let groups = self.shape().groups as usize;
        let at = self.layout.groups + group * GROUP_ENTRY;
        let outside = || SegmentError::from(self.sectors.damage(at / SECTOR));
        if group >= groups {
            return Err(outside());
        }
        let last = group + 1 == groups;
        let entries = if last { GROUP_ENTRY } else { 2 * GROUP_ENTRY };
        let entries = B::read(&self.sectors, at, at + entries)?;
        let from = offset_in(&entries, 0);
        let to = if last { self.layout.rows } else { offset_in(&entries, 1) };
        if from >= to || to > self.layout.rows {
            return Err(outside());
        }
        let number = key_in(&entries, 0, GROUP_ENTRY);
        let whole = B::read_group(&self.sectors, from, to)?;
        let mut rows = Rows {
            segment: self,
            whole,
            at: from,
            heads: B::default(),
            head: 0,
            next: from,
            end: to,
            left: 0,
            number,
        };
        // All of the group is on its way from memory while its heads are read.
        self.sectors.touch(from, to);
        let lens = rows.get(from, (from + 2).min(to))?;
        let &[count, len] = &*lens else { return Err(rows.damage()) };
        rows.next = from + 2 + usize::from(len);
        rows.left = -i32::from(count);
        if rows.next > to || !(1..=GROUP).contains(&usize::from(count)) {
            return Err(rows.damage());
        }
        rows.heads = rows.get(from + 2, rows.next)?;
        Ok(rows)
    }
}

/// The fields of a record in a segment.
pub(super) fn fields(key: Key, payload: &[u8]) -> Result<EntityFields<'_>> {
    fields_of::<Entity>(payload).map_err(|error| SegmentError::Record(key, error))
}

/// The rows of one group, from its first on.
#[derive(Debug)]
struct Rows<'a, B> {
    segment: &'a Segment,
    /// All of the group, if the segment is encrypted.
    whole: Option<B>,
    /// Where the group begins.
    at: usize,
    heads: B,
    /// Where the next head begins in them.
    head: usize,
    /// Where the next payload begins, and where the last one ends.
    next: usize,
    end: usize,
    /// How many rows there are still; less than zero before the first.
    left: i32,
    number: Number,
}

impl<'a, B: ReadBytes<'a>> Rows<'a, B> {
    /// The next row and the place of its payload, which is not read. Inlined, since each look-up
    /// steps through a group.
    #[inline(always)]
    fn next(&mut self) -> Result<Option<(Number, (usize, usize))>> {
        let heads = self.heads.get(self.head..).unwrap_or_default();
        let (step, rest) = match self.left {
            0 if heads.is_empty() && self.next == self.end => return Ok(None),
            0 => return Err(self.damage()),
            ..0 => (0, heads),
            1.. => varint(heads).ok_or_else(|| self.damage())?,
        };
        let (len, rest) = varint(rest).ok_or_else(|| self.damage())?;
        let (len, rest) = (usize::try_from(len).unwrap_or(usize::MAX), rest.len());
        if len > self.end - self.next {
            return Err(self.damage());
        }
        self.head = self.heads.len() - rest;
        self.left = self.left.abs() - 1;
        self.number += Number::from(step);
        let span = (self.next, self.next + len);
        self.next += len;
        Ok(Some((self.number, span)))
    }

    /// A payload; `None` where the entity is gone.
    #[inline]
    fn payload(&self, (from, to): (usize, usize)) -> Result<Option<B>> {
        if from == to { Ok(None) } else { self.get(from, to).map(Some) }
    }

    /// These bytes of the segment, which are in the group.
    #[inline]
    fn get(&self, from: usize, to: usize) -> Result<B> {
        match &self.whole {
            None => B::read(&self.segment.sectors, from, to),
            Some(whole) => {
                let part = from.checked_sub(self.at).zip(to.checked_sub(self.at));
                let part = part.and_then(|(from, to)| whole.part(from..to));
                part.ok_or_else(|| self.damage())
            }
        }
    }

    fn next_row(&mut self) -> Result<Front<'a>> {
        match self.next()? {
            Some((number, span)) => Ok(Some((number, self.payload(span)?.map(Into::into)))),
            None => Ok(None),
        }
    }

    #[cold]
    fn damage(&self) -> SegmentError {
        self.segment.sectors.damage(self.at / SECTOR).into()
    }
}

/// Rows in the order of their keys.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    segment: &'a Segment,
    /// The group behind that of `rows`.
    group: usize,
    rows: Option<Rows<'a, Part<'a>>>,
    front: Front<'a>,
}

/// Key and payload of the next row, if there is one.
type Front<'a> = Option<(Number, Option<Part<'a>>)>;

impl<'a> Walk<'a> {
    /// The key of the next row, as a number in the order of the keys.
    #[inline]
    pub(crate) fn front(&self) -> Option<u128> {
        self.front.as_ref().map(|(number, _)| *number)
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'a>>> {
        let row = self.front.take().map(|(number, payload)| Row { key: key(number), payload });
        self.advance()?;
        Ok(row)
    }

    /// Goes behind the next row.
    fn advance(&mut self) -> Result<()> {
        self.front = match &mut self.rows {
            Some(rows) => rows.next_row()?,
            None => None,
        };
        if self.front.is_none() { self.turn() } else { Ok(()) }
    }

    /// Goes to the first row of the next group.
    fn turn(&mut self) -> Result<()> {
        (self.rows, self.front) = (None, None);
        if self.group < self.segment.shape().groups as usize {
            let mut rows = self.segment.group::<Part<'_>>(self.group)?;
            self.front = rows.next_row()?;
            self.rows = Some(rows);
            self.group += 1;
        }
        Ok(())
    }
}
