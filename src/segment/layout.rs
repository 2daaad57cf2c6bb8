//! Where the parts of a segment lie, and the sector before them that says so.

use std::io;

use crate::cipher::TAG;
use crate::file::{Extent, FileSeal, PAGE, SALT, SECTOR, Salt, pages_of, put, u32_at, u64_at};

/// An encrypted segment is sealed in units of this many bytes, from its first row on. The last one
/// may be shorter.
pub(super) const UNIT: usize = PAGE;

/// Length of a checksum in bytes.
pub(super) const SUM: usize = 4;

/// At most this many rows stand after one entry of the index of ids.
pub(crate) const GROUP: usize = 16;

/// Length of an entry of the index of ids: key, and where its rows begin.
pub(super) const GROUP_ENTRY: usize = KEY + 5;

/// Length of a key in bytes.
pub(super) const KEY: usize = 12;

/// Each entry of the index of ids whose number is a multiple of this has its key in the top index.
pub(super) const TOP: usize = 64;

/// Length of an entry of the directory of accounts in bytes.
pub(super) const ACCOUNT_ENTRY: usize = 12;

/// The first bytes of a segment.
const MAGIC: [u8; 4] = *b"\x89seg";

/// How much of each part a segment has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartSizes {
    /// Length of the rows in bytes.
    pub(crate) rows: u64,
    /// Entries of the index of ids.
    pub(crate) groups: u32,
    /// The accounts that it has rows of.
    pub(crate) accounts: u32,
    /// Buckets of the usernames and of the phones.
    pub(crate) usernames: u32,
    pub(crate) phones: u32,
    /// The smallest and the greatest number of an account.
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl PartSizes {
    /// How many pages such a segment takes, if it can be one.
    pub(crate) fn pages(&self, is_encrypted: bool) -> Option<u32> {
        Layout::of(self, is_encrypted).map(|layout| layout.pages())
    }
}

/// A segment as a manifest names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentInfo {
    /// No other segment of the file ever had this number.
    pub(crate) number: u64,
    /// The first generation that names it where it lies now.
    pub(crate) born: u64,
    pub(crate) extent: Extent,
    pub(crate) sizes: PartSizes,
    pub(crate) salt: Salt,
}

impl SegmentInfo {
    /// Whether the parts take all of the pages, and no more.
    pub(crate) fn is_sound(&self, is_encrypted: bool) -> bool {
        let PartSizes { accounts, first, last, .. } = self.sizes;
        self.sizes.pages(is_encrypted) == Some(self.extent.pages) && accounts > 0 && first <= last
    }
}

const NUMBER_AT: usize = 8;
const SALT_AT: usize = 48;

/// The place of nonce and tag in the header of an encrypted segment.
const NONCE_AT: usize = SALT_AT + SALT;

/// The first sector of a segment. It describes the segment, for a salvage without a manifest.
pub(super) fn header_of(
    seal: &FileSeal,
    number: u64,
    salt: &Salt,
    sizes: &PartSizes,
) -> io::Result<[u8; SECTOR]> {
    let mut bytes = [0; SECTOR];
    put(&mut bytes, 0, &MAGIC);
    put(&mut bytes, NUMBER_AT, &number.to_le_bytes());
    put(&mut bytes, 16, &sizes.rows.to_le_bytes());
    let PartSizes { groups, accounts, usernames, phones, first, last, .. } = *sizes;
    for (at, field) in (24..).step_by(4).zip([groups, accounts, usernames, phones, first, last]) {
        put(&mut bytes, at, &field.to_le_bytes());
    }
    put(&mut bytes, SALT_AT, salt);
    let text = bytes.get_mut(NUMBER_AT..NONCE_AT).unwrap_or_default();
    if let Some(nonce_and_tag) = seal.seal(&associated_data(seal), text)? {
        put(&mut bytes, NONCE_AT, &nonce_and_tag.to_bytes());
    }
    let sum = header_sum(seal.file_id(), &bytes);
    put(&mut bytes, 4, &sum.to_le_bytes());
    Ok(bytes)
}

/// Number, salt and sizes of the segment that begins with this sector.
pub(crate) fn parse_header(
    seal: &FileSeal,
    sector: &[u8; SECTOR],
) -> Option<(u64, Salt, PartSizes)> {
    if !sector.starts_with(&MAGIC) || u32_at(sector, 4) != header_sum(seal.file_id(), sector) {
        return None;
    }
    let mut bytes = *sector;
    let text = bytes.get_mut(NUMBER_AT..NONCE_AT)?;
    if !seal.open(&associated_data(seal), text, sector, NONCE_AT) {
        return None;
    }
    let sizes = PartSizes {
        rows: u64_at(&bytes, 16),
        groups: u32_at(&bytes, 24),
        accounts: u32_at(&bytes, 28),
        usernames: u32_at(&bytes, 32),
        phones: u32_at(&bytes, 36),
        first: u32_at(&bytes, 40),
        last: u32_at(&bytes, 44),
    };
    let salt = bytes.get(SALT_AT..)?.first_chunk()?;
    Some((u64_at(&bytes, NUMBER_AT), *salt, sizes))
}

fn associated_data(seal: &FileSeal) -> [u8; 20] {
    let mut data = [0; 20];
    put(&mut data, 0, &MAGIC);
    put(&mut data, 4, &seal.file_id());
    data
}

fn header_sum(file_id: [u8; 16], bytes: &[u8; SECTOR]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&file_id);
    crc.update(bytes.get(8..).unwrap_or_default());
    crc.finalize()
}

/// Where the parts of a segment begin, in bytes after its header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) groups: usize,
    pub(super) tops: usize,
    pub(super) accounts: usize,
    pub(super) usernames: usize,
    pub(super) phones: usize,
    /// Of an encrypted segment: the tags of its units.
    pub(super) tags: usize,
    pub(super) sums: usize,
    pub(super) len: usize,
}

impl Layout {
    /// `None` where it could not be so long in memory.
    pub(super) fn of(sizes: &PartSizes, is_encrypted: bool) -> Option<Self> {
        let count = |number: u32| usize::try_from(number).ok();
        let behind = |at: usize, count: usize, each: usize| {
            at.checked_add(count.checked_mul(each)?)?.checked_next_multiple_of(SECTOR)
        };
        let rows = usize::try_from(sizes.rows).ok()?;
        let groups = behind(0, rows, 1)?;
        let tops = behind(groups, count(sizes.groups)?, GROUP_ENTRY)?;
        let accounts = behind(tops, count(sizes.groups)?.div_ceil(TOP), KEY)?;
        let usernames = behind(accounts, count(sizes.accounts)?, ACCOUNT_ENTRY)?;
        let phones = behind(usernames, count(sizes.usernames)?, super::secondary_index::BUCKET)?;
        let tags = behind(phones, count(sizes.phones)?, super::secondary_index::BUCKET)?;
        let units = if is_encrypted { tags.div_ceil(UNIT) } else { 0 };
        let sums = behind(tags, units, TAG)?;
        let len = sums.checked_add((sums / SECTOR).checked_mul(SUM)?)?;
        len.checked_add(SECTOR)?;
        Some(Self { rows, groups, tops, accounts, usernames, phones, tags, sums, len })
    }

    /// How many pages header and parts take.
    pub(super) fn pages(&self) -> u32 {
        pages_of((SECTOR + self.len) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let sizes = PartSizes {
            rows: 40,
            groups: 1,
            accounts: 1,
            usernames: 2,
            phones: 3,
            first: 7,
            last: 9,
        };
        let seal = FileSeal::plain([3; 16]);
        let bytes = header_of(&seal, 5, &[0; SALT], &sizes).unwrap();
        assert_eq!(parse_header(&seal, &bytes), Some((5, [0; SALT], sizes)));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse_header(&seal, &damaged), None, "bit {bit}");
        }
    }
}
