//! One b-tree page: its header and cell pointers (file format, section 1.6).

use std::collections::HashSet;

use super::{SqliteError, bytes};

/// The kind of tree that a page belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Rows keyed by rowid, in leaves only.
    Table,
    /// Rows of a `WITHOUT ROWID` table, in leaves and interior pages.
    Index,
}

/// A b-tree page with a valid header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) no: u32,
    pub(super) bytes: &'a [u8],
    pub(super) leaf: bool,
    /// The cell pointers, two bytes each.
    pointers: &'a [u8],
    /// The right-most child of an interior page.
    right: u32,
    /// Bytes after the pointers.
    room: usize,
}

/// Where a cell begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    pub(super) page: u32,
    /// Its page, from the cell's first byte to the page's end, without a child pointer.
    pub(super) bytes: &'a [u8],
    /// Its index within the page.
    pub(super) index: u16,
}

impl<'a> Page<'a> {
    pub(super) fn parse(no: u32, bytes: &'a [u8], kind: Kind) -> Result<Self, SqliteError> {
        let start = if no == 1 { super::header::SIZE } else { 0 };
        let count = bytes::u16_at(bytes, start + 3).unwrap_or_default();
        Self::with_count(no, bytes, kind, count.into())
    }

    /// Parses a page as if it counted this many cells.
    fn with_count(no: u32, bytes: &'a [u8], kind: Kind, count: usize) -> Result<Self, SqliteError> {
        let start = if no == 1 { super::header::SIZE } else { 0 };
        let head: [u8; 12] = *bytes
            .get(start..)
            .and_then(<[u8]>::first_chunk)
            .ok_or(SqliteError::PageKind { page: no, found: 0 })?;
        let [flag, _, _, _, _, _, _, _, right @ ..] = head;
        let leaf = match (kind, flag) {
            (Kind::Table, 0x0d) | (Kind::Index, 0x0a) => true,
            (Kind::Table, 0x05) | (Kind::Index, 0x02) => false,
            _ => {
                return Err(SqliteError::PageKind { page: no, found: flag });
            }
        };
        let after = start + if leaf { 8 } else { 12 };
        let fits = count <= (bytes.len() - 8) / 6;
        let pointers = bytes.get(after..).and_then(|rest| rest.get(..count * 2));
        match pointers {
            Some(pointers) if fits => Ok(Self {
                no,
                bytes,
                leaf,
                pointers,
                right: u32::from_be_bytes(right),
                room: bytes.len() - after - pointers.len(),
            }),
            _ => {
                let found = u16::try_from(count).unwrap_or(u16::MAX);
                Err(SqliteError::CellCount { page: no, found })
            }
        }
    }

    /// The page of a damaged file: where the cell count is too large, the cells whose pointers
    /// still make sense, up to the first that does not: into the page, behind the pointers, and
    /// nowhere twice.
    pub(super) fn parse_what_is_left(no: u32, bytes: &'a [u8], kind: Kind) -> Option<Self> {
        match Self::parse(no, bytes, kind) {
            Err(SqliteError::CellCount { .. }) => {}
            parsed => return parsed.ok(),
        }
        let whole = Self::with_count(no, bytes, kind, 0).ok()?;
        let after = bytes.len() - whole.room;
        let (pointers, _) = bytes.get(after..)?.as_chunks();
        let (mut first, mut seen) = (bytes.len(), HashSet::new());
        let believable = move |(index, pointer): &(usize, usize)| {
            first = first.min(*pointer);
            first >= after + 2 * (index + 1) && *pointer < bytes.len() && seen.insert(*pointer)
        };
        let pointers = pointers.iter().map(|pointer| usize::from(u16::from_be_bytes(*pointer)));
        let count = pointers.enumerate().take_while(believable).count();
        Self::with_count(no, bytes, kind, count).ok()
    }

    /// Cells of the page.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.pointers.len() / 2
    }

    /// A cell's bytes; the child pointer of an interior page's cell is stepped over.
    #[inline]
    pub(super) fn cell(&self, index: usize) -> Result<Cell<'a>, SqliteError> {
        let skip = if self.leaf { 0 } else { 4 };
        let cell = u16::try_from(index).unwrap_or(u16::MAX);
        match self.start(index).and_then(|start| self.bytes.get(start + skip..)) {
            Some(bytes) => Ok(Cell { page: self.no, bytes, index: cell }),
            None => Err(SqliteError::CellOutside { page: self.no, cell }),
        }
    }

    /// The child left of a cell; for the index one past the last, the right-most child.
    pub(super) fn child(&self, index: usize) -> Result<u32, SqliteError> {
        if index >= self.count() {
            return Ok(self.right);
        }
        let cell = u16::try_from(index).unwrap_or(u16::MAX);
        self.start(index)
            .and_then(|start| bytes::u32_at(self.bytes, start))
            .ok_or(SqliteError::CellOutside { page: self.no, cell })
    }

    /// Whether there are cells, and each pointer leads behind the pointers and into the page.
    pub(super) fn is_plausible(&self) -> bool {
        let content = self.bytes.len() - self.room..self.bytes.len();
        let (pointers, _) = self.pointers.as_chunks();
        let inside =
            |pointer: &[u8; 2]| content.contains(&usize::from(u16::from_be_bytes(*pointer)));
        !pointers.is_empty() && pointers.iter().all(inside)
    }

    /// SQLite takes a pointer modulo the page size, and so do we.
    #[inline]
    fn start(&self, index: usize) -> Option<usize> {
        let pointer = bytes::u16_at(self.pointers, index * 2)?;
        Some(usize::from(pointer) & (self.bytes.len() - 1))
    }
}

impl Cell<'_> {
    pub(super) fn outside(&self) -> SqliteError {
        SqliteError::CellOutside { page: self.page, cell: self.index }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(head: &[u8]) -> Vec<u8> {
        let mut page = head.to_vec();
        page.resize(512, 0);
        page
    }

    #[test]
    fn an_interior_page_has_children_and_cells() {
        let mut bytes = page(&[
            0x05, 0, 0, // interior page of a table; no free block
            0, 1, // one cell
            1, 0xfb, 0, // content from 507; no fragments
            0, 0, 0, 9, // right-most child
            1, 0xfb, // the cell, at 507
        ]);
        bytes[507..].copy_from_slice(&[0, 0, 0, 7, 42]); // left child 7, key 42
        let page = Page::parse(2, &bytes, Kind::Table).unwrap();
        assert_eq!((page.child(0), page.child(1)), (Ok(7), Ok(9)));
        assert_eq!(page.cell(0).unwrap().bytes, [42]);
    }

    #[test]
    fn the_header_of_page_1_comes_after_the_database_header() {
        let mut bytes = page(&[]);
        bytes[100..108].copy_from_slice(&[0x0d, 0, 0, 0, 0, 2, 0, 0]); // leaf without cells
        assert_eq!(Page::parse(1, &bytes, Kind::Table).unwrap().count(), 0);
    }

    #[test]
    fn a_cell_pointer_counts_modulo_the_page_size() {
        let mut bytes = page(&[0x0d, 0, 0, 0, 1, 1, 0xff, 0, 0x03, 0xff]); // 1023 is 511
        bytes[511] = 7;
        let page = Page::parse(2, &bytes, Kind::Table).unwrap();
        assert_eq!(page.cell(0).unwrap().bytes, [7]);
    }

    #[test]
    fn a_page_of_another_kind_is_an_error() {
        let bytes = page(&[0x0a]);
        let err = Page::parse(2, &bytes, Kind::Table).unwrap_err();
        assert_eq!(err, SqliteError::PageKind { page: 2, found: 0x0a });
    }

    #[test]
    fn more_cells_than_fit_are_an_error() {
        let bytes = page(&[0x0d, 0, 0, 0, 85, 0, 0, 0]); // (512 - 8) / 6 = 84
        let err = Page::parse(2, &bytes, Kind::Table).unwrap_err();
        assert_eq!(err, SqliteError::CellCount { page: 2, found: 85 });
    }

    #[test]
    fn a_child_pointer_across_the_page_end_is_an_error() {
        let bytes = page(&[0x05, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9, 1, 0xff]);
        let page = Page::parse(2, &bytes, Kind::Table).unwrap();
        assert_eq!(page.child(0), Err(SqliteError::CellOutside { page: 2, cell: 0 }));
        assert_eq!(page.cell(0).unwrap_err(), SqliteError::CellOutside { page: 2, cell: 0 });
    }
}
