//! The rows of one group of a segment.

use super::Result;
use super::SegmentError;
use super::interpolation_search::Number;
use super::layout::GROUP;
use super::varint::varint;
use super::verified_sectors::{VerifiedSectors, touch};
use crate::file::SECTOR;

/// Where a group of rows lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupSpan {
    pub(super) group: usize,
    /// The key of its first row.
    pub(super) first: Number,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Where a payload lies in a segment. It is empty where the entity is gone.
pub(super) type Payload = (usize, usize);

/// The rows of one group, from its first on.
#[derive(Debug)]
pub(super) struct GroupRows<'a> {
    sectors: &'a VerifiedSectors,
    /// All of the group, if the segment is encrypted. Else it is read one part after the other, so
    /// that a damaged sector costs only the rows in it.
    whole: Option<&'a [u8]>,
    /// Where the group begins.
    at: usize,
    /// The steps from key to key and the lengths of the payloads that are still to come.
    heads: &'a [u8],
    /// Where the next payload begins, and where the last one ends.
    next: usize,
    end: usize,
    /// How many rows there are still; less than zero before the first.
    left: i32,
    number: Number,
}

impl<'a> GroupRows<'a> {
    #[inline]
    pub(super) fn new(
        sectors: &'a VerifiedSectors,
        span: GroupSpan,
        whole: Option<&'a [u8]>,
    ) -> Result<Self> {
        let GroupSpan { first, from, to, .. } = span;
        let mut rows = Self {
            sectors,
            whole,
            at: from,
            heads: &[],
            next: from,
            end: to,
            left: 0,
            number: first,
        };
        // All of the group is on its way from memory while its heads are read.
        touch(whole.unwrap_or_else(|| sectors.unchecked(from, to)));
        let &[count, len] = rows.get(from, (from + 2).min(to))? else { return Err(rows.damage()) };
        rows.next = from + 2 + usize::from(len);
        rows.left = -i32::from(count);
        if rows.next > to || !(1..=GROUP).contains(&usize::from(count)) {
            return Err(rows.damage());
        }
        rows.heads = rows.get(from + 2, rows.next)?;
        Ok(rows)
    }

    /// The next row and the place of its payload, which is not read. Inlined, since each look-up
    /// steps through a group.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<(Number, Payload)>> {
        let (step, rest) = match self.left {
            0 if self.heads.is_empty() && self.next == self.end => return Ok(None),
            0 => return Err(self.damage()),
            ..0 => (0, self.heads),
            1.. => varint(self.heads).ok_or_else(|| self.damage())?,
        };
        let (len, rest) = varint(rest).ok_or_else(|| self.damage())?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > self.end - self.next {
            return Err(self.damage());
        }
        self.heads = rest;
        self.left = self.left.abs() - 1;
        self.number += Number::from(step);
        let span = (self.next, self.next + len);
        self.next += len;
        Ok(Some((self.number, span)))
    }

    /// A payload; `None` where the entity is gone.
    #[inline]
    pub(super) fn payload(&self, (from, to): Payload) -> Result<Option<&'a [u8]>> {
        if from == to { Ok(None) } else { self.get(from, to).map(Some) }
    }

    /// These bytes of the segment, which are in the group.
    #[inline]
    fn get(&self, from: usize, to: usize) -> Result<&'a [u8]> {
        let Some(whole) = self.whole else { return self.sectors.mapped(from, to) };
        let part = from.checked_sub(self.at).zip(to.checked_sub(self.at));
        let part = part.and_then(|(from, to)| whole.get(from..to));
        part.ok_or_else(|| self.damage())
    }

    #[cold]
    pub(super) fn damage(&self) -> SegmentError {
        self.sectors.damage(self.at / SECTOR).into()
    }
}
