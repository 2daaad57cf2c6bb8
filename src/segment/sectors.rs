//! The bytes of a segment. The checksum of a sector is verified before its first use.

use std::sync::atomic::{AtomicU64, Ordering};

use crc32fast::Hasher;

use super::Result;
use super::layout::SUM;
use crate::file::{Bytes, Damage, SECTOR};

/// The size of a processor's cache line, in bytes.
const LINE: usize = 64;

/// Makes and checks the checksums of one segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checksums {
    /// CRC-32 of the file id and of the segment's number, carried on into each sector's.
    seed: u32,
    number: u64,
}

impl Checksums {
    pub(super) fn new(file_id: [u8; 16], number: u64) -> Self {
        let mut crc = Hasher::new();
        crc.update(&file_id);
        crc.update(&number.to_le_bytes());
        Self { seed: crc.finalize(), number }
    }

    /// The checksum of this content as sector `sector`: begun with another value for each, which is
    /// quicker than to add its number to the content.
    pub(super) fn of(self, sector: u64, content: &[u8]) -> [u8; SUM] {
        let mut crc = Hasher::new_with_initial(self.seed ^ sector as u32);
        crc.update(content);
        crc.finalize().to_le_bytes()
    }
}

/// The bytes of a segment and what is known of them.
#[derive(Debug)]
pub(super) struct Sectors {
    bytes: Bytes,
    sums: Checksums,
    /// Where the checksums begin.
    sums_at: usize,
    /// A bit for each sector that was checked.
    checked: Box<[AtomicU64]>,
}

impl Sectors {
    pub(super) fn new(bytes: Bytes, sums: Checksums, sums_at: usize) -> Self {
        let words = (sums_at / SECTOR).div_ceil(64);
        let checked = std::iter::repeat_with(AtomicU64::default).take(words).collect();
        Self { bytes, sums, sums_at, checked }
    }

    /// The bytes from `from` up to `to`, checked.
    #[inline]
    pub(super) fn get(&self, from: usize, to: usize) -> Result<&[u8]> {
        let first = from / SECTOR;
        for sector in first..to.div_ceil(SECTOR) {
            if !self.is_checked(sector) {
                self.check(sector)?;
            }
        }
        let bytes = self.bytes.all().get(from..to);
        bytes.ok_or_else(|| self.damage(first).into())
    }

    /// Reads these bytes once, so that they are in the processor's cache.
    #[inline]
    pub(super) fn touch(&self, from: usize, to: usize) {
        let bytes = self.bytes.all().get(from..to).unwrap_or_default();
        std::hint::black_box(bytes.iter().step_by(LINE).fold(0, |all, byte| all ^ byte));
    }

    #[inline]
    fn is_checked(&self, sector: usize) -> bool {
        let word = self.checked.get(sector / 64).map_or(0, |word| word.load(Ordering::Relaxed));
        word >> (sector % 64) & 1 == 1
    }

    #[cold]
    fn check(&self, sector: usize) -> Result<()> {
        let all = self.bytes.all();
        let content = all.get(sector * SECTOR..(sector + 1) * SECTOR);
        let at = self.sums_at + sector * SUM;
        let sum = all.get(at..at + SUM);
        let holds = sector * SECTOR < self.sums_at
            && content.is_some_and(|content| Some(self.sum(sector, content).as_slice()) == sum);
        match self.checked.get(sector / 64).filter(|_| holds) {
            Some(word) => {
                word.fetch_or(1 << (sector % 64), Ordering::Relaxed);
                Ok(())
            }
            None => Err(self.damage(sector).into()),
        }
    }

    fn sum(&self, sector: usize, content: &[u8]) -> [u8; SUM] {
        self.sums.of(sector as u64, content)
    }

    /// The error for this sector.
    pub(super) fn damage(&self, sector: usize) -> Damage {
        Damage::Segment { number: self.sums.number, sector: sector as u64 }
    }

    /// Checks every sector anew; says which do not hold.
    pub(super) fn bad(&self) -> Vec<Damage> {
        let sectors = 0..self.sums_at / SECTOR;
        let bad = sectors.filter(|sector| self.check(*sector).is_err());
        bad.map(|sector| self.damage(sector)).collect()
    }
}
