//! Walks through the rows of a segment in the order of their keys.

use std::sync::Arc;

use super::group::{GroupRows, Payload};
use super::interpolation_search::{Number, key, number};
use super::reader::{Segment, SegmentRow};
use super::unit_cache::{SegmentSlice, Wiped};
use super::{Key, Result};
use crate::file::SECTOR;

/// Iterates over the rows in the order of their keys.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    segment: &'a Segment,
    /// The group after that of `rows`.
    group: usize,
    /// The rows of a group, and the next of them.
    rows: Vec<(Number, Payload)>,
    next: usize,
    /// Where the group begins, and a decrypted copy of it if the segment is encrypted.
    from: usize,
    copy: Option<Arc<Wiped>>,
}

impl<'a> Cursor<'a> {
    /// The rows from the first that is not before this key.
    pub(crate) fn from(segment: &'a Segment, from: &Key) -> Result<Self> {
        let wanted = number(from);
        let group = segment.group_of(wanted)?.map_or(0, |span| span.group);
        let mut walk = Self { segment, group, rows: Vec::new(), next: 0, from: 0, copy: None };
        walk.turn()?;
        while walk.front().is_some_and(|front| front < wanted) {
            walk.advance()?;
        }
        Ok(walk)
    }

    /// The key of the next row, as a number in the order of the keys.
    #[inline]
    pub(crate) fn front(&self) -> Option<u128> {
        self.rows.get(self.next).map(|(number, _)| *number)
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<SegmentRow<SegmentSlice<'a>>>> {
        let Some(&(number, payload)) = self.rows.get(self.next) else { return Ok(None) };
        let row = SegmentRow { key: key(number), payload: self.payload(payload)? };
        self.advance()?;
        Ok(Some(row))
    }

    /// Moves past the next row.
    fn advance(&mut self) -> Result<()> {
        self.next += 1;
        if self.next < self.rows.len() { Ok(()) } else { self.turn() }
    }

    /// Goes to the first row of the next group.
    fn turn(&mut self) -> Result<()> {
        self.rows.clear();
        self.next = 0;
        if self.group < self.segment.groups() {
            let span = self.segment.span(self.group)?;
            self.copy = self.segment.sectors.copied(span.from, span.to)?;
            self.from = span.from;
            let mut rows = GroupRows::new(
                &self.segment.sectors,
                span,
                self.copy.as_deref().map(|copy| &**copy),
            )?;
            while let Some(row) = rows.next()? {
                self.rows.push(row);
            }
            self.group += 1;
        }
        Ok(())
    }

    /// A payload; `None` where the entity is gone.
    fn payload(&self, (from, to): Payload) -> Result<Option<SegmentSlice<'a>>> {
        if from == to {
            return Ok(None);
        }
        let sectors = &self.segment.sectors;
        let Some(copy) = &self.copy else {
            return Ok(Some(SegmentSlice::Mapped(sectors.mapped(from, to)?)));
        };
        let range = from.checked_sub(self.from).zip(to.checked_sub(self.from));
        let range = range.map(|(from, to)| from..to).ok_or(sectors.damage(from / SECTOR))?;
        Ok(Some(SegmentSlice::Copied(Arc::clone(copy), range)))
    }
}
