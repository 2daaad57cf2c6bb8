//! A b-tree page that is being filled (file format, section 1.6).

use zeroize::Zeroizing;

/// The first byte of a page: its kind of tree, and whether it is a leaf.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PageType {
    IndexInterior = 0x02,
    TableInterior = 0x05,
    IndexLeaf = 0x0a,
    TableLeaf = 0x0d,
}

impl PageType {
    fn is_leaf(self) -> bool {
        matches!(self, Self::IndexLeaf | Self::TableLeaf)
    }

    fn header_len(self) -> usize {
        if self.is_leaf() { 8 } else { 12 }
    }
}

/// A cell that left its page or has not found room on one: what it holds, and the child left of
/// it, which means nothing on a leaf.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) child: u32,
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// The cells of a page, in key order.
#[derive(Debug)]
pub(super) struct Page {
    kind: PageType,
    size: usize,
    /// As they will lie at the page's end, the first in front.
    cells: Zeroizing<Vec<u8>>,
    /// Where in `cells` each begins.
    starts: Vec<usize>,
}

impl Page {
    pub(super) fn new(kind: PageType, size: usize) -> Self {
        let cells = Zeroizing::new(Vec::with_capacity(size));
        Self { kind, size, cells, starts: Vec::new() }
    }

    /// Appends a cell if there is room for it; `child` is left out on a leaf.
    pub(super) fn push(&mut self, child: u32, content: &[u8]) -> bool {
        let child = child.to_be_bytes();
        let child: &[u8] = if self.kind.is_leaf() { &[] } else { &child };
        let len = (child.len() + content.len()).max(SMALLEST_CELL);
        if self.room() < POINTER + len {
            return false;
        }
        self.starts.push(self.cells.len());
        let end = self.cells.len() + len;
        self.cells.extend_from_slice(child);
        self.cells.extend_from_slice(content);
        self.cells.resize(end, 0);
        true
    }

    /// Takes the last cell back.
    pub(super) fn pop(&mut self) -> Option<Cell> {
        let start = self.starts.pop()?;
        let mut content = Zeroizing::new(self.cells.get(start..)?.to_vec());
        self.cells.truncate(start);
        let mut child = 0;
        if !self.kind.is_leaf() {
            child = u32::from_be_bytes(*content.first_chunk()?);
            content.drain(..4);
        }
        Some(Cell { child, content })
    }

    /// Bytes between the pointers and the cells.
    pub(super) fn room(&self) -> usize {
        self.size - self.kind.header_len() - POINTER * self.starts.len() - self.cells.len()
    }

    pub(super) fn kind(&self) -> PageType {
        self.kind
    }

    /// Appends the page to `to`, less what `to` already holds of it, which must leave it room, and
    /// begins an empty one.
    pub(super) fn put(&mut self, right: u32, to: &mut Vec<u8>, already: usize) {
        let page_start = to.len() - already;
        let content = self.size - self.cells.len();
        to.push(self.kind as u8);
        to.extend([0, 0]); // no free block
        to.extend(u16_of(self.starts.len()));
        to.extend(u16_of(content));
        to.push(0); // no fragments
        if !self.kind.is_leaf() {
            to.extend(right.to_be_bytes());
        }
        for start in self.starts.drain(..) {
            to.extend(u16_of(content + start));
        }
        to.resize(page_start + content, 0);
        to.extend_from_slice(&self.cells);
        self.cells.clear();
    }
}

/// The two lowest bytes: SQLite reads a content start of 0 as 65536.
fn u16_of(number: usize) -> [u8; 2] {
    (number as u16).to_be_bytes()
}

const POINTER: usize = 2;

/// SQLite gives a cell this many bytes even where it needs fewer, so that it can become a free block.
const SMALLEST_CELL: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_65536_bytes_without_cells_begins_its_content_at_0() {
        let mut to = Vec::new();
        Page::new(PageType::TableLeaf, 65_536).put(0, &mut to, 0);
        assert_eq!(to.len(), 65_536);
        assert_eq!(to[..8], [0x0d, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_page_takes_cells_to_its_last_byte() {
        let mut page = Page::new(PageType::IndexInterior, 512);
        while page.push(7, &[1; 44]) {} // 10 cells of 50 bytes with their pointers, 12 of header
        assert_eq!((page.starts.len(), page.room()), (10, 0));
        assert!(!page.push(7, &[]));
        let last = page.pop().unwrap();
        assert_eq!((last.child, last.content.len(), page.room()), (7, 44, 50));
        let mut to = Vec::new();
        page.put(9, &mut to, 0);
        assert_eq!(to[..14], [2, 0, 0, 0, 9, 0, 80, 0, 0, 0, 0, 9, 0, 80]);
        assert_eq!((to.len(), page.room()), (512, 500));
    }

    #[test]
    fn a_cell_has_at_least_four_bytes() {
        let mut page = Page::new(PageType::TableLeaf, 512);
        assert!(page.push(0, &[1, 1, 1]));
        assert_eq!(page.room(), 512 - 8 - 2 - 4);
    }
}
