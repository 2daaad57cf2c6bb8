//! The manifest: a full list of the parts of a generation except its log, in the log's first record.

use std::collections::BTreeSet;

use super::redb_base::BaseInfo;
use crate::file::{Extent, FileDamage, PageAllocator, SALT, Salt};
use crate::record::{AccountNo, Record, RecordError, decode, encode};
use crate::segment::{PartSizes, SegmentInfo};

/// No number is greater, so that there is always a next one.
const MOST_NUMBERS: u64 = 1 << 62;

/// The first record of every log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The last number that a segment or base got.
    pub(crate) last_number: u64,
    pub(crate) base: Option<BaseInfo>,
    /// The segments, the oldest first: newer ones shadow older ones.
    pub(crate) segments: Vec<SegmentInfo>,
    /// Accounts that were removed after the segments were written: their rows do not count.
    pub(crate) removed: BTreeSet<AccountNo>,
    /// Pages that readers of older generations may still read.
    pub(crate) retired: Vec<Retired>,
}

/// Pages that nothing uses any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retired {
    pub(crate) extent: Extent,
    /// The first generation that used them.
    pub(crate) born: u64,
    /// The first generation that did not.
    pub(crate) retired: u64,
}

impl Manifest {
    /// In an encrypted file the salts come first: their number, then that of the base and those of
    /// the segments.
    pub(crate) fn to_bytes(&self, is_encrypted: bool) -> Option<Vec<u8>> {
        let mut record = encode(self)?;
        if !is_encrypted {
            return Some(record);
        }
        let base = self.base.iter().map(|base| base.salt);
        let salts: Vec<Salt> =
            base.chain(self.segments.iter().map(|segment| segment.salt)).collect();
        let mut bytes = u32::try_from(salts.len()).ok()?.to_le_bytes().to_vec();
        bytes.extend_from_slice(salts.as_flattened());
        bytes.append(&mut record);
        Some(bytes)
    }

    /// How many pages the file has at least: everything that is named, and the log. All of it was
    /// written and synced, which the length of the file is no proof of.
    pub(crate) fn pages_with(&self, log: Extent) -> u32 {
        self.live().chain([log]).filter_map(Extent::end).max().unwrap_or_default()
    }

    pub(crate) fn parse(bytes: &[u8], is_encrypted: bool) -> Result<Self, FileDamage> {
        let (salts, record) = if is_encrypted {
            let (count, rest) = bytes.split_first_chunk().ok_or(FileDamage::Manifest)?;
            let count = u32::from_le_bytes(*count) as usize;
            let len = count.checked_mul(SALT).ok_or(FileDamage::Manifest)?;
            rest.split_at_checked(len).ok_or(FileDamage::Manifest)?
        } else {
            (&[][..], bytes)
        };
        let mut manifest: Self = decode((), record).map_err(|_| FileDamage::Manifest)?;
        if is_encrypted {
            manifest.set_salts(salts.as_chunks().0)?;
        }
        let base = manifest.base.iter().all(|base| base.is_sound(is_encrypted));
        let segments = manifest.segments.iter().all(|segment| segment.is_sound(is_encrypted));
        let numbers = manifest.segments.iter().map(|one| one.number);
        let mut numbers = numbers.chain(manifest.base.iter().map(|base| base.number));
        let last = manifest.last_number;
        let sound = base && segments && last < MOST_NUMBERS && numbers.all(|one| one <= last);
        if !sound {
            return Err(FileDamage::Manifest);
        }
        let retired = manifest.retired.iter().map(|retired| retired.extent);
        PageAllocator::default().adopt(manifest.live().chain(retired))?;
        Ok(manifest)
    }

    /// Leaves out some numbers, which no segment or base gets.
    pub(crate) fn skip_numbers(&mut self, count: u32) {
        // A forged manifest may be near the end.
        if self.last_number < MOST_NUMBERS / 2 {
            self.last_number += u64::from(count);
        }
    }

    fn set_salts(&mut self, salts: &[Salt]) -> Result<(), FileDamage> {
        let base = self.base.iter_mut().map(|base| &mut base.salt);
        let places = base.chain(self.segments.iter_mut().map(|segment| &mut segment.salt));
        let places: Vec<&mut Salt> = places.collect();
        if places.len() != salts.len() {
            return Err(FileDamage::Manifest);
        }
        places.into_iter().zip(salts).for_each(|(place, salt)| *place = *salt);
        Ok(())
    }

    /// The pages of what it names.
    fn live(&self) -> impl Iterator<Item = Extent> {
        let segments = self.segments.iter().map(|segment| segment.extent);
        segments.chain(self.base.map(|base| base.extent))
    }

    /// The pages that are in use beside the log.
    pub(crate) fn extents(&self) -> impl Iterator<Item = Extent> {
        self.live().chain(self.retired.iter().map(|retired| retired.extent))
    }
}

type BaseFields = (u64, u64, [u32; 3]);
type SegmentFields = (u64, u64, u64, [u32; 8]);

impl Record for Manifest {
    const TAG: u8 = 0x71;

    type Key = ();

    type Fields<'a> =
        (u64, Option<BaseFields>, Vec<SegmentFields>, Vec<u32>, Vec<(u64, u64, [u32; 2])>);

    fn fields(&self) -> Self::Fields<'_> {
        let base = self.base.map(|BaseInfo { number, born, extent, blocks, .. }| {
            (number, born, [extent.page, extent.pages, blocks])
        });
        let segments = self.segments.iter().map(|segment| {
            let SegmentInfo { number, born, extent, sizes, .. } = *segment;
            let PartSizes { rows, groups, accounts, usernames, phones, first, last } = sizes;
            let counts =
                [extent.page, extent.pages, groups, accounts, usernames, phones, first, last];
            (number, born, rows, counts)
        });
        let retired = self.retired.iter().map(|retired| {
            let Extent { page, pages } = retired.extent;
            (retired.born, retired.retired, [page, pages])
        });
        let removed = self.removed.iter().map(|account| account.0).collect();
        (self.last_number, base, segments.collect(), removed, retired.collect())
    }

    fn from_fields((): (), fields: Self::Fields<'_>) -> Result<Self, RecordError> {
        let (last_number, base, segments, removed, retired) = fields;
        let base = base.map(|(number, born, [page, pages, blocks])| BaseInfo {
            number,
            born,
            extent: Extent { page, pages },
            blocks,
            salt: Salt::default(),
        });
        let segments = segments.into_iter().map(|(number, born, rows, counts)| {
            let [page, pages, groups, accounts, usernames, phones, first, last] = counts;
            let sizes = PartSizes { rows, groups, accounts, usernames, phones, first, last };
            let (extent, salt) = (Extent { page, pages }, Salt::default());
            SegmentInfo { number, born, extent, sizes, salt }
        });
        let retired = retired.into_iter().map(|(born, retired, [page, pages])| Retired {
            extent: Extent { page, pages },
            born,
            retired,
        });
        Ok(Self {
            last_number,
            base,
            segments: segments.collect(),
            removed: removed.into_iter().map(AccountNo).collect(),
            retired: retired.collect(),
        })
    }
}
