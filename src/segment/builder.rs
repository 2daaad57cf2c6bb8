//! Writes a segment, from its first row to its last checksum.

use std::io;
use std::sync::Arc;

use super::key_filter::{KeyFilter, entity_hash};
use super::layout::{GROUP, Layout, PartSizes, SegmentInfo, TOP, UNIT, header_of};
use super::secondary_index::{BUCKET, Collision, Hashes, IndexKind, hash_of};
use super::varint::put_varint;
use super::verified_sectors::{ChecksumSeed, UNIT_KIND};
use super::{Key, Result};
use crate::file::{BlockCipher, Disk, Extent, FileSeal, PAGE, PageAllocator, SECTOR, pages_of};

/// So much is written at a time.
const CHUNK: usize = if cfg!(any(test, fuzzing)) { 4 << 10 } else { 1 << 20 };

/// A segment that fits into this is held in memory and may go into a gap between others.
const SMALL: usize = 4 << 20;

/// A segment that is written beside others is synced after so many bytes. This limits how long a sync of
/// another thread takes.
pub(super) const UNSYNCED: usize = if cfg!(any(test, fuzzing)) { 8 << 10 } else { 8 << 20 };

/// A filter has at most this many keys, which take 6.4 MiB.
const MOST_FILTERED: usize = 4 << 20;

/// Writes one segment.
pub(crate) struct SegmentBuilder<'a> {
    disk: &'a dyn Disk,
    space: Arc<PageAllocator>,
    seal: FileSeal,
    number: u64,
    sums: ChecksumSeed,
    /// Of an encrypted segment, once its first unit is sealed.
    cipher: Option<BlockCipher>,
    tags: Vec<u8>,
    /// Bytes of the current part that are not on the disk yet.
    pending: Vec<u8>,
    /// How much is.
    written: usize,
    place: Place,
    checksums: Vec<u8>,
    groups: Vec<u8>,
    tops: Vec<u8>,
    accounts: Vec<AccountEntry>,
    usernames: Hashes,
    phones: Hashes,
    sizes: PartSizes,
    /// The hashes of all keys and texts, if there is to be a filter of them.
    filtered: Option<Vec<u64>>,
    last: Option<u128>,
    /// The last group: how many rows it has, how they begin, and what they say.
    in_group: usize,
    heads: Vec<u8>,
    payloads: Vec<u8>,
}

/// Where the segment is written.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In memory. The segment gets pages when it is finished or grows beyond `SMALL`.
    Memory,
    /// From this page on, at the end of the file, which nothing else takes meanwhile.
    End(u32),
    /// In pages that were taken for it.
    Taken(Extent),
}

#[derive(Clone, Copy, Debug)]
struct AccountEntry {
    number: u32,
    rows: u32,
    tombstones: u32,
}

/// A segment on the disk that no manifest names yet. Its pages are given back unless it is kept.
#[derive(Debug)]
pub(crate) struct NewSegment {
    pub(crate) info: SegmentInfo,
    /// Of all its keys and texts, if it was asked for.
    pub(crate) filter: Option<Arc<KeyFilter>>,
    space: Option<Arc<PageAllocator>>,
}

impl NewSegment {
    /// A segment that was copied to this extent, which was taken for it.
    pub(crate) fn moved(info: SegmentInfo, extent: Extent, space: &Arc<PageAllocator>) -> Self {
        let info = SegmentInfo { extent, ..info };
        Self { info, filter: None, space: Some(Arc::clone(space)) }
    }

    /// A manifest names it, or may do so.
    pub(crate) fn keep(&mut self) {
        self.space = None;
    }
}

impl Drop for NewSegment {
    fn drop(&mut self) {
        if let Some(space) = &self.space {
            space.free(self.info.extent);
        }
    }
}

impl<'a> SegmentBuilder<'a> {
    /// The segment gets this number, which no other of the file ever had.
    pub(crate) fn new(
        disk: &'a dyn Disk,
        seal: &FileSeal,
        space: &Arc<PageAllocator>,
        number: u64,
    ) -> Self {
        Self {
            disk,
            space: Arc::clone(space),
            seal: seal.clone(),
            number,
            sums: ChecksumSeed::new(seal.file_id(), number),
            cipher: None,
            tags: Vec::new(),
            pending: Vec::new(),
            written: 0,
            place: Place::Memory,
            checksums: Vec::new(),
            groups: Vec::new(),
            tops: Vec::new(),
            accounts: Vec::new(),
            usernames: Hashes::default(),
            phones: Hashes::default(),
            sizes: PartSizes::default(),
            filtered: None,
            last: None,
            in_group: 0,
            heads: Vec::new(),
            payloads: Vec::new(),
        }
    }

    /// Makes a filter of everything that is added from now on.
    pub(crate) fn with_filter(mut self) -> Self {
        self.filtered = Some(Vec::new());
        self
    }

    /// Writes it into these pages, which the caller has taken, and gives back those that it does not need.
    /// Something else may be written at the end of the file meanwhile.
    pub(crate) fn within(mut self, pages: Extent) -> Self {
        self.place = Place::Taken(pages);
        self
    }

    fn filter(&mut self, hash: u64) {
        if let Some(hashes) = &mut self.filtered {
            hashes.push(hash);
            if hashes.len() > MOST_FILTERED {
                self.filtered = None;
            }
        }
    }

    /// Whether it has no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Adds a row after the last: a record without its tag, or a tombstone.
    pub(crate) fn push(&mut self, key: &Key, payload: Option<&[u8]>) -> Result<()> {
        let number = super::interpolation_search::number(key);
        let account = u32::try_from(number >> 64).unwrap_or(u32::MAX);
        let step = self.last.map(|last| number.checked_sub(last).filter(|step| *step > 0));
        if step == Some(None) || payload.is_some_and(<[u8]>::is_empty) {
            return Err(io::Error::other("rows of a segment out of order").into());
        }
        let same_account = self.accounts.last().is_some_and(|last| last.number == account);
        if !same_account || self.in_group == GROUP {
            self.begin_group(key, account, same_account)?;
        } else if let Some(Some(step)) = step {
            put_varint(&mut self.heads, u64::try_from(step).unwrap_or(u64::MAX));
        }
        self.in_group += 1;
        self.last = Some(number);
        self.filter(entity_hash(key));
        let payload = payload.unwrap_or_default();
        put_varint(&mut self.heads, payload.len() as u64);
        self.payloads.extend_from_slice(payload);
        if let Some(account) = self.accounts.last_mut() {
            let count =
                if payload.is_empty() { &mut account.tombstones } else { &mut account.rows };
            *count = count.saturating_add(1);
        }
        let held = if matches!(self.place, Place::Memory) { SMALL } else { CHUNK };
        if self.pending.len() >= held { self.spill() } else { Ok(()) }
    }

    fn begin_group(&mut self, key: &Key, account: u32, same_account: bool) -> Result<()> {
        if self.sizes.groups as usize >= u32::MAX as usize / GROUP - 1 {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
        }
        self.end_group();
        if !same_account {
            self.accounts.push(AccountEntry { number: account, rows: 0, tombstones: 0 });
        }
        if (self.sizes.groups as usize).is_multiple_of(TOP) {
            self.tops.extend_from_slice(key);
        }
        self.groups.extend_from_slice(key);
        let offset = ((self.written + self.pending.len()) as u64).to_le_bytes();
        self.groups.extend_from_slice(offset.split_at(5).0);
        self.sizes.groups += 1;
        self.in_group = 0;
        Ok(())
    }

    fn end_group(&mut self) {
        if self.in_group > 0 {
            // A head has thirteen bytes at most.
            self.pending.extend_from_slice(&[self.in_group as u8, self.heads.len() as u8]);
            self.pending.append(&mut self.heads);
            self.pending.append(&mut self.payloads);
            self.in_group = 0;
        }
    }

    /// The last row's record shows this text, which is folded.
    pub(crate) fn index(&mut self, index: IndexKind, text: &str) {
        let Some(account) = self.accounts.last() else { return };
        let hash = hash_of(self.seal.file_id(), account.number, text);
        let slot = (self.sizes.groups - 1) * GROUP as u32 + self.in_group as u32 - 1;
        match index {
            IndexKind::Usernames => self.usernames.push(hash, slot),
            IndexKind::Phones => self.phones.push(hash, slot),
        }
        self.filter(hash);
    }

    /// How many usernames and phones were indexed so far.
    pub(crate) fn indexed(&self) -> (u64, u64) {
        (self.usernames.len() as u64, self.phones.len() as u64)
    }

    /// Makes sure that the segment has this many pages.
    fn take_up_to(&mut self, taken: Extent, pages: u32) -> io::Result<Extent> {
        if pages <= taken.pages {
            return Ok(taken);
        }
        if !self.space.extend(taken.page, pages) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let taken = Extent { pages, ..taken };
        self.place = Place::Taken(taken);
        Ok(taken)
    }

    /// Writes as many whole units as are there.
    fn spill(&mut self) -> Result<()> {
        let whole = self.pending.len() / UNIT * UNIT;
        let page = match self.place {
            Place::End(page) => page,
            Place::Taken(taken) => {
                let pages = pages_of((SECTOR + self.written + whole) as u64);
                self.take_up_to(taken, pages)?.page
            }
            Place::Memory => {
                let busy = || io::Error::from(io::ErrorKind::ResourceBusy);
                let page = self.space.take_end().ok_or_else(busy)?;
                self.place = Place::End(page);
                page
            }
        };
        self.encrypt(whole)?;
        self.sum(self.written, whole);
        self.write(page, self.written, sectors_of(&self.pending, whole))?;
        self.pending.drain(..whole);
        let syncs = self.written / UNSYNCED;
        self.written += whole;
        if matches!(self.place, Place::Taken(_)) && self.written / UNSYNCED > syncs {
            self.disk.sync()?;
        }
        Ok(())
    }

    /// In an encrypted file, seals the first `len` pending bytes: whole units, or all up to the
    /// end of the last part.
    fn encrypt(&mut self, len: usize) -> Result<()> {
        if self.cipher.is_none() {
            self.cipher = BlockCipher::new(&self.seal, UNIT_KIND, self.number)?;
        }
        let Some(cipher) = &self.cipher else { return Ok(()) };
        let pending = self.pending.get_mut(..len).unwrap_or_default();
        for (unit, text) in (self.written / UNIT..).zip(pending.chunks_mut(UNIT)) {
            self.tags.extend_from_slice(&cipher.seal(unit as u64, text)?);
        }
        Ok(())
    }

    /// Adds the checksums of the first `len` pending bytes, which begin at `at`.
    fn sum(&mut self, at: usize, len: usize) {
        let sectors = sectors_of(&self.pending, len).chunks_exact(SECTOR);
        for (number, sector) in (at / SECTOR..).zip(sectors) {
            self.checksums.extend_from_slice(&self.sums.of(number as u64, sector));
        }
    }

    fn pad(&mut self) {
        let len = self.pending.len().next_multiple_of(SECTOR);
        self.pending.resize(len, 0);
    }

    /// Writes the rest. Gives back all rows that may show a username, or a phone, that another one
    /// shows as well.
    pub(crate) fn finish(mut self) -> Result<(NewSegment, [Vec<Collision>; 2])> {
        self.end_group();
        self.sizes.rows = (self.written + self.pending.len()) as u64;
        self.sizes.accounts = self.accounts.len() as u32;
        self.sizes.first = self.accounts.first().map_or(0, |account| account.number);
        self.sizes.last = self.accounts.last().map_or(0, |account| account.number);
        self.pad();
        let (usernames, same_usernames) = std::mem::take(&mut self.usernames).into_buckets();
        let (phones, same_phones) = std::mem::take(&mut self.phones).into_buckets();
        self.sizes.usernames = (usernames.len() / BUCKET) as u32;
        self.sizes.phones = (phones.len() / BUCKET) as u32;
        let accounts: Vec<u8> = self.accounts.iter().flat_map(|account| account.bytes()).collect();
        let (groups, tops) = (std::mem::take(&mut self.groups), std::mem::take(&mut self.tops));
        for part in [groups, tops, accounts, usernames, phones] {
            self.pending.extend_from_slice(&part);
            self.pad();
        }
        self.encrypt(self.pending.len())?;
        let tags = std::mem::take(&mut self.tags);
        self.pending.extend_from_slice(&tags);
        self.pad();
        self.sum(self.written, self.pending.len());
        let checksums = std::mem::take(&mut self.checksums);
        self.pending.extend_from_slice(&checksums);
        let segment = self.place()?;
        Ok((segment, [same_usernames, same_phones]))
    }

    /// Writes the pending bytes and the header: into pages that it has, or into a gap that is large enough.
    fn place(&mut self) -> Result<NewSegment> {
        let too_long = || io::Error::from(io::ErrorKind::FileTooLarge);
        let layout = Layout::of(&self.sizes, self.seal.is_encrypted()).ok_or_else(too_long)?;
        if layout.len != self.written + self.pending.len() {
            return Err(io::Error::other("a segment of another length than was computed").into());
        }
        let pages = layout.pages();
        // The rest of the last page belongs to it as well.
        let padded = pages as usize * PAGE - SECTOR - self.written;
        self.pending.resize(padded, 0);
        let extent = match self.place {
            Place::End(page) => {
                self.space.close_end(pages);
                Extent { page, pages }
            }
            Place::Taken(taken) => {
                let page = self.take_up_to(taken, pages)?.page;
                self.space.shorten(page, pages);
                Extent { page, pages }
            }
            Place::Memory => self.space.take(pages).ok_or_else(too_long)?,
        };
        let is_taken = matches!(self.place, Place::Taken(_));
        self.place = Place::Memory;
        let Self { number, sizes, .. } = *self;
        let salt = self.cipher.as_ref().map(BlockCipher::salt).unwrap_or_default();
        let info = SegmentInfo { number, born: 0, extent, sizes, salt };
        let filter = self.filtered.take().map(|hashes| Arc::new(KeyFilter::of(&hashes)));
        let segment = NewSegment { info, filter, space: Some(Arc::clone(&self.space)) };
        let header = header_of(&self.seal, number, &salt, &sizes)?;
        if self.written == 0 {
            let whole = [header.as_slice(), &self.pending].concat();
            self.disk.write(extent.at(), &whole)?;
        } else {
            self.write_rest(extent.page, is_taken)?;
            self.disk.write(extent.at(), &header)?;
        }
        Ok(segment)
    }

    /// Writes the pending bytes, with a sync after each `UNSYNCED` bytes of the segment if others are written
    /// beside it.
    fn write_rest(&self, page: u32, syncs: bool) -> io::Result<()> {
        let (mut written, mut rest) = (self.written, self.pending.as_slice());
        while !rest.is_empty() {
            let len = (UNSYNCED - written % UNSYNCED).min(rest.len());
            let (part, after) = rest.split_at(len);
            self.write(page, written, part)?;
            (written, rest) = (written + len, after);
            if syncs && !rest.is_empty() {
                self.disk.sync()?;
            }
        }
        Ok(())
    }

    /// Writes bytes of the segment, from its byte `at` on.
    fn write(&self, page: u32, at: usize, bytes: &[u8]) -> io::Result<()> {
        let start = Extent { page, pages: 1 }.at() + SECTOR as u64;
        self.disk.write(start + at as u64, bytes)
    }
}

fn sectors_of(bytes: &[u8], len: usize) -> &[u8] {
    bytes.get(..len).unwrap_or_default()
}

impl Drop for SegmentBuilder<'_> {
    fn drop(&mut self) {
        match self.place {
            Place::Memory => {}
            Place::End(_) => self.space.close_end(0),
            Place::Taken(taken) => self.space.free(taken),
        }
    }
}

impl AccountEntry {
    fn bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let fields = [self.number, self.rows, self.tombstones];
        for (place, field) in bytes.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }
}
