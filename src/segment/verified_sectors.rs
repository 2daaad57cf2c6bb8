//! The bytes of a segment. The checksum of a sector is verified before its first use, and a unit of
//! an encrypted segment is decrypted.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crc32fast::Hasher;

use super::Result;
use super::layout::{Layout, SUM, UNIT};
use super::unit_cache::{Unit, UnitBytes, UnitCache, Units, Wiped};
use crate::cipher::TAG;
use crate::file::{BlockCipher, Bytes, FileDamage, SECTOR};

/// The size of a processor's cache line, in bytes.
const LINE: usize = 64;

/// Where the checksums of the sectors of one segment start.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChecksumSeed {
    /// CRC-32 of the file id and of the segment's number, carried on into each sector's.
    seed: u32,
    number: u64,
}

impl ChecksumSeed {
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

/// The kind of a segment in the associated data of its units.
pub(super) const UNIT_KIND: &[u8; 4] = b"unit";

/// Reads these bytes once, so that they are in the processor's cache.
#[inline]
pub(super) fn touch(bytes: &[u8]) {
    std::hint::black_box(bytes.iter().step_by(LINE).fold(0, |all, byte| all ^ byte));
}

/// The bytes of a segment and what is known of them.
#[derive(Debug)]
pub(super) struct VerifiedSectors {
    bytes: Bytes,
    sums: ChecksumSeed,
    layout: Layout,
    /// A bit for each sector that was checked.
    checked: Box<[AtomicU64]>,
    /// Of an encrypted segment.
    sealed: Option<(BlockCipher, Arc<Units>)>,
}

impl VerifiedSectors {
    pub(super) fn new(
        bytes: Bytes,
        sums: ChecksumSeed,
        layout: Layout,
        sealed: Option<(BlockCipher, &Arc<UnitCache>)>,
    ) -> Self {
        // A damaged file may claim more sectors than it has.
        let there = bytes.all().len();
        let words = (layout.sums.min(there) / SECTOR).div_ceil(64);
        let checked = std::iter::repeat_with(AtomicU64::default).take(words).collect();
        let units = layout.tags.min(there).div_ceil(UNIT);
        let sealed = sealed.map(|(cipher, cache)| (cipher, Units::new(cache, units)));
        Self { bytes, sums, layout, checked, sealed }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.sealed.is_some()
    }

    /// Calls `read` with the bytes from `from` up to `to`, checked or decrypted.
    #[inline]
    pub(super) fn with<T>(
        &self,
        from: usize,
        to: usize,
        read: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        match &self.sealed {
            None => read(self.mapped(from, to)?),
            Some((cipher, units)) => match self.unit_with(cipher, units, from, to)? {
                Some((unit, range)) => read(unit.get(range).unwrap_or_default()),
                None => read(&self.joined(cipher, units, from, to)?),
            },
        }
    }

    /// The same in two parts, so that bytes which lie in two units are not copied. The second part
    /// may be empty.
    #[inline]
    pub(super) fn with_parts<T>(
        &self,
        from: usize,
        to: usize,
        read: impl FnOnce([&[u8]; 2]) -> Result<T>,
    ) -> Result<T> {
        let Some((cipher, units)) = &self.sealed else {
            return read([self.mapped(from, to)?, &[]]);
        };
        let border = (from / UNIT + 1) * UNIT;
        if to > border
            && let Some((front, before)) = self.unit_with(cipher, units, from, border)?
            && let Some((back, behind)) = self.unit_with(cipher, units, border, to)?
        {
            let (front, back) = (front.get(before), back.get(behind));
            return read([front.unwrap_or_default(), back.unwrap_or_default()]);
        }
        self.with(from, to, |bytes| read([bytes, &[]]))
    }

    /// A decrypted copy of these bytes. `None`: the segment is not encrypted.
    pub(super) fn copied(&self, from: usize, to: usize) -> Result<Option<Arc<Wiped>>> {
        let Some((cipher, units)) = &self.sealed else { return Ok(None) };
        self.joined(cipher, units, from, to).map(Arc::new).map(Some)
    }

    /// The bytes from `from` up to `to` of a segment that is not encrypted, checked.
    #[inline]
    pub(super) fn mapped(&self, from: usize, to: usize) -> Result<&[u8]> {
        let first = from / SECTOR;
        for sector in first..to.div_ceil(SECTOR) {
            if !self.is_checked(sector) {
                self.check(sector)?;
            }
        }
        let bytes = self.bytes.all().get(from..to);
        bytes.ok_or_else(|| self.damage(first).into())
    }

    /// The bytes from `from` up to `to` of the file, unchecked. None of an encrypted segment.
    #[inline]
    pub(super) fn unchecked(&self, from: usize, to: usize) -> &[u8] {
        let bytes = if self.is_encrypted() { None } else { self.bytes.all().get(from..to) };
        bytes.unwrap_or_default()
    }

    /// The unit that has all of these bytes, and their range in it. `None`: no single unit has them.
    #[inline]
    fn unit_with<'a>(
        &'a self,
        cipher: &BlockCipher,
        units: &'a Arc<Units>,
        from: usize,
        to: usize,
    ) -> Result<Option<(Unit<'a>, Range<usize>)>> {
        let number = from / UNIT;
        if from >= to || to > self.layout.tags || (to - 1) / UNIT != number {
            return Ok(None);
        }
        let range = from - number * UNIT..to - number * UNIT;
        Ok(Some((self.unit(cipher, units, number)?, range)))
    }

    #[inline]
    fn unit<'a>(
        &'a self,
        cipher: &BlockCipher,
        units: &'a Arc<Units>,
        number: usize,
    ) -> Result<Unit<'a>> {
        let unit = units.get(number, || self.decrypt(cipher, number))?;
        unit.ok_or_else(|| self.damage(number * UNIT / SECTOR).into())
    }

    /// A copy of bytes of any number of units.
    fn joined(
        &self,
        cipher: &BlockCipher,
        units: &Arc<Units>,
        from: usize,
        to: usize,
    ) -> Result<Wiped> {
        let damage = || self.damage(from / SECTOR);
        // A damaged file may claim more than it has.
        if from > to || to > self.layout.tags || to > self.bytes.all().len() {
            return Err(damage().into());
        }
        // The final size at once: a reallocation would leave a copy of rows in memory.
        let mut joined = Vec::with_capacity(to - from);
        for number in from / UNIT..to.div_ceil(UNIT) {
            let unit = self.unit(cipher, units, number)?;
            let at = number * UNIT;
            let range = from.saturating_sub(at)..(to - at).min(UNIT);
            joined.extend_from_slice(unit.get(range).ok_or_else(damage)?);
        }
        Ok(joined.into())
    }

    /// The content of a unit.
    #[cold]
    fn decrypt(
        &self,
        cipher: &BlockCipher,
        number: usize,
    ) -> std::result::Result<Arc<UnitBytes>, FileDamage> {
        let all = self.bytes.all();
        let (from, tag) = (number * UNIT, self.layout.tags + number * TAG);
        let sealed = all.get(from..(from + UNIT).min(self.layout.tags));
        let tag = all.get(tag..).and_then(|rest| rest.first_chunk());
        let unit = sealed.zip(tag).and_then(|(sealed, tag)| {
            UnitBytes::decrypted(sealed, |text| cipher.open(number as u64, text, tag))
        });
        unit.ok_or_else(|| self.damage(from / SECTOR))
    }

    #[inline]
    fn is_checked(&self, sector: usize) -> bool {
        let word = self.checked.get(sector / 64).map_or(0, |word| word.load(Ordering::Relaxed));
        word >> (sector % 64) & 1 == 1
    }

    #[cold]
    fn check(&self, sector: usize) -> std::result::Result<(), FileDamage> {
        let all = self.bytes.all();
        let content = all.get(sector * SECTOR..(sector + 1) * SECTOR);
        let at = self.layout.sums + sector * SUM;
        let sum = all.get(at..at + SUM);
        let holds = sector * SECTOR < self.layout.sums
            && content.is_some_and(|content| Some(self.sum(sector, content).as_slice()) == sum);
        match self.checked.get(sector / 64).filter(|_| holds) {
            Some(word) => {
                word.fetch_or(1 << (sector % 64), Ordering::Relaxed);
                Ok(())
            }
            None => Err(self.damage(sector)),
        }
    }

    fn sum(&self, sector: usize, content: &[u8]) -> [u8; SUM] {
        self.sums.of(sector as u64, content)
    }

    /// The error for this sector.
    pub(super) fn damage(&self, sector: usize) -> FileDamage {
        FileDamage::Segment { number: self.sums.number, sector: sector as u64 }
    }

    /// Whether the file is shorter than the segment. Then none of the segment was read.
    pub(super) fn is_cut(&self) -> bool {
        self.bytes.all().len() < self.layout.len
    }

    /// Checks every sector anew, and every unit; says which do not hold.
    pub(super) fn bad(&self) -> Vec<FileDamage> {
        if self.is_cut() {
            return vec![self.damage(self.bytes.all().len() / SECTOR)];
        }
        let sectors = 0..self.layout.sums / SECTOR;
        let mut bad: Vec<_> = sectors.filter_map(|sector| self.check(sector).err()).collect();
        if let Some((cipher, _)) = &self.sealed
            && bad.is_empty()
        {
            let units = 0..self.layout.tags.div_ceil(UNIT);
            bad.extend(units.filter_map(|unit| self.decrypt(cipher, unit).err()));
        }
        bad
    }
}
