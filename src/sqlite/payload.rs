//! A cell's payload: the part in the cell, and the rest on overflow pages (sections 1.6, 1.7).

use super::page::{Cell, Kind};
use super::pages::Pages;
use super::record::Record;
use super::{SqliteError, bytes};

/// How much of a payload stays in its cell; fixed by the usable page size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    usable: u32,
    max_table: u32,
    max_index: u32,
    min: u32,
    /// The longest payload that will be assembled.
    longest: u64,
}

impl Local {
    /// `usable` is at least 480, so nothing here goes below zero.
    pub(super) fn new(usable: u32, longest: u64) -> Self {
        Self {
            usable,
            max_table: usable - 35,
            max_index: (usable - 12) * 64 / 255 - 23,
            min: (usable - 12) * 32 / 255 - 23,
            longest,
        }
    }

    /// Bytes of a payload that are in the cell.
    #[inline]
    pub(super) fn of(&self, kind: Kind, total: u32) -> u32 {
        let max = match kind {
            Kind::Table => self.max_table,
            Kind::Index => self.max_index,
        };
        if total <= max { total } else { self.with_overflow(max, total) }
    }

    fn with_overflow(&self, max: u32, total: u32) -> u32 {
        let surplus = self.min + (total - self.min) % (self.usable - 4);
        if surplus <= max { surplus } else { self.min }
    }
}

/// A payload found in its cell, not yet assembled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload<'a> {
    /// The part that is in the page.
    ///
    /// For an empty payload it is the byte after it, which SQLite takes for the header's length.
    local: &'a [u8],
    page: u32,
    /// The whole length.
    total: u32,
    /// Bytes that should be in the cell.
    local_len: u32,
    /// Bytes from the payload's first to the page's last.
    room: u32,
}

impl<'a> Payload<'a> {
    /// The payload of a cell of a table tree's leaf, and its rowid.
    #[inline]
    pub(super) fn of_table(cell: &Cell<'a>, local: &Local) -> Option<(Self, i64)> {
        let (total, len) = bytes::payload_len(cell.bytes)?;
        let rest = cell.bytes.get(len..)?;
        let (rowid, len) = bytes::varint(rest)?;
        let local_len = local.of(Kind::Table, total);
        let payload = Self::new(cell.page, total, local_len, rest.get(len..)?)?;
        Some((payload, rowid.cast_signed()))
    }

    /// The payload of a cell of an index tree.
    #[inline]
    pub(super) fn of_index(cell: &Cell<'a>, local: &Local) -> Option<Self> {
        let (total, len) = bytes::payload_len(cell.bytes)?;
        let local_len = local.of(Kind::Index, total);
        Self::new(cell.page, total, local_len, cell.bytes.get(len..)?)
    }

    /// `None` if the page ends where the payload begins.
    #[inline]
    fn new(page: u32, total: u32, local_len: u32, bytes: &'a [u8]) -> Option<Self> {
        let local = bytes.get(..local_len.max(1) as usize).unwrap_or(bytes);
        let room = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let payload = Self { local, page, total, local_len, room };
        (room > 0).then_some(payload)
    }

    /// Whether all of it is in the page.
    #[inline]
    pub(super) fn is_local(&self) -> bool {
        self.local.len() == self.total as usize
    }

    /// As much of the record as is in the page.
    #[inline]
    pub(super) fn record(&self) -> Record<'a> {
        self.record_of(self.local)
    }

    /// The record, which begins with `bytes`.
    #[inline]
    pub(super) fn record_of<'b>(&self, bytes: &'b [u8]) -> Record<'b> {
        Record { bytes, total: self.total as usize }
    }

    /// The page of the cell, for errors.
    pub(super) fn page(&self) -> u32 {
        self.page
    }

    /// All of it, gathered from its overflow pages.
    pub(super) fn assemble(&self, pages: &Pages, local: &Local) -> Result<Vec<u8>, SqliteError> {
        let outside = SqliteError::PayloadOutside { page: self.page };
        let start = pages.size() - self.room as usize;
        let page = pages.page(self.page)?;
        let usable = page.get(start..local.usable as usize).ok_or(outside)?;
        let head = usable.get(..self.local_len as usize).ok_or(outside)?;
        if u64::from(self.total) > local.longest.min(database_len(pages)) {
            return Err(SqliteError::PayloadTooLong { page: self.page, found: self.total });
        }
        let mut whole = Vec::with_capacity(self.total as usize);
        whole.extend_from_slice(head);
        if self.local_len < self.total {
            // SQLite reads the number even where it is among the reserved bytes.
            let first = bytes::u32_at(page, start + self.local_len as usize).ok_or(outside)?;
            self.follow(pages, local, first, &mut whole)?;
        }
        Ok(whole)
    }

    /// Appends the overflow pages; each adds a byte or more, so a circle of them ends too.
    fn follow(
        &self,
        pages: &Pages,
        local: &Local,
        first: u32,
        to: &mut Vec<u8>,
    ) -> Result<(), SqliteError> {
        let total = self.total as usize;
        let ended = |next| SqliteError::Overflow { page: self.page, next };
        let mut next = first;
        while to.len() < total {
            let page = pages.page(next).map_err(|_| ended(next))?;
            let content = page.get(4..local.usable as usize).unwrap_or_default();
            to.extend(content.iter().take(total - to.len()));
            next = bytes::u32_at(page, 0).unwrap_or_default();
        }
        Ok(())
    }
}

/// The bytes that the file holds, and one page of zeros that may be missing at its end.
fn database_len(pages: &Pages) -> u64 {
    (pages.held() as u64 + 1) * pages.size() as u64
}

#[cfg(test)]
mod tests {
    use super::super::image::Image;
    use super::*;

    const LOCAL: fn() -> Local = || Local::new(512, 1 << 20);

    fn assemble(total: u8, at: usize, next: u8) -> Result<Vec<u8>, SqliteError> {
        let mut cell = vec![0x84, total, 1]; // payload of 512 + total bytes, rowid 1
        cell.resize(512, 5);
        cell[at..at + 4].copy_from_slice(&[0, 0, 0, next]);
        let mut main = cell.clone();
        main.resize(1024, 7);
        main[512..516].copy_from_slice(&[0, 0, 0, 0]); // page 2 ends the chain
        let mut pages = Pages::new(Image::Owned(main));
        pages.lay_out(512, 2);
        let cell = Cell { page: 1, bytes: &cell, index: 0 };
        let (payload, rowid) = Payload::of_table(&cell, &LOCAL()).unwrap();
        assert_eq!(rowid, 1);
        payload.assemble(&pages, &LOCAL())
    }

    #[test]
    fn a_payload_is_gathered_from_its_chain() {
        // 39 + (548 - 39) % 508 = 40: 508 bytes are on page 2
        let whole = assemble(36, 3 + 40, 2).unwrap();
        assert_eq!((whole.len(), whole[39], whole[40]), (548, 5, 7));
    }

    fn overflow(next: u32) -> SqliteError {
        SqliteError::Overflow { page: 1, next }
    }

    #[test]
    fn a_chain_that_leaves_the_file_is_an_error() {
        assert_eq!(assemble(36, 3 + 40, 9).unwrap_err(), overflow(9));
        assert_eq!(assemble(36, 3 + 40, 0).unwrap_err(), overflow(0));
    }

    #[test]
    fn a_payload_longer_than_the_database_is_an_error() {
        let cell = Cell { page: 1, bytes: &[[0xff; 9].as_slice(), &[1; 500]].concat(), index: 0 };
        let mut pages = Pages::new(Image::Owned(vec![0; 512]));
        pages.lay_out(512, 1);
        let (payload, _) = Payload::of_table(&cell, &LOCAL()).unwrap();
        let err = payload.assemble(&pages, &LOCAL()).unwrap_err();
        assert_eq!(err, SqliteError::PayloadTooLong { page: 1, found: u32::MAX });
    }

    #[test]
    fn a_local_part_across_the_page_end_is_an_error() {
        let cell = Cell { page: 1, bytes: &[100, 1, 0, 0], index: 0 }; // payload of 100, rowid 1
        let mut pages = Pages::new(Image::Owned(vec![0; 512]));
        pages.lay_out(512, 1);
        let (payload, _) = Payload::of_table(&cell, &LOCAL()).unwrap();
        assert_eq!(payload.record().bytes, [0, 0]);
        let err = payload.assemble(&pages, &LOCAL()).unwrap_err();
        assert_eq!(err, SqliteError::PayloadOutside { page: 1 });
    }
}
