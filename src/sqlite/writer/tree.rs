//! B-trees built from their leaves up: a page is written once it is full (section 1.6).
//!
//! Cells come in key order. Only the last page of each level is in memory.

use std::io::{Seek, Write};

use zeroize::Zeroizing;

use super::WriteError;
use super::cell::Cells;
use super::page::{Cell, Page, PageType};
use super::record::put_varint;
use super::sink::Sink;

/// The tree of a table: rows in leaves, rowids above them.
#[derive(Debug)]
pub(super) struct TableTree {
    cells: Cells,
    leaf: Page,
    /// The rowid of the last row.
    last: i64,
    above: Option<Box<Level>>,
}

impl TableTree {
    pub(super) fn new(page_size: usize) -> Self {
        let leaf = Page::new(PageType::TableLeaf, page_size);
        Self { cells: Cells::new(page_size), leaf, last: 0, above: None }
    }

    /// Appends a row; `rowid` is above those before.
    pub(super) fn push<W: Write + Seek>(
        &mut self,
        sink: &mut Sink<W>,
        rowid: i64,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        let cell = self.cells.of_row(sink, rowid, payload)?;
        if !self.leaf.push(0, cell) {
            let full = sink.page(&mut self.leaf, 0)?;
            let mut key = Vec::with_capacity(9);
            put_varint(&mut key, self.last.cast_unsigned());
            Level::above(&mut self.above, PageType::TableInterior, sink.page_size())
                .push(sink, full, &key)?;
            self.leaf.push(0, cell);
        }
        self.last = rowid;
        Ok(())
    }

    /// Writes what is left; the root page.
    pub(super) fn finish<W: Write + Seek>(self, sink: &mut Sink<W>) -> Result<u32, WriteError> {
        self.root(sink)?.write(sink)
    }

    /// Writes what is left but for the root.
    pub(super) fn root<W: Write + Seek>(mut self, sink: &mut Sink<W>) -> Result<Root, WriteError> {
        match self.above {
            None => Ok(Root { page: self.leaf, right: 0 }),
            Some(above) => {
                let last = sink.page(&mut self.leaf, 0)?;
                above.root(sink, last)
            }
        }
    }
}

/// The tree of an index: each key once, in a leaf or between two pages.
#[derive(Debug)]
pub(super) struct IndexTree {
    cells: Cells,
    leaves: Level,
}

impl IndexTree {
    pub(super) fn new(page_size: usize) -> Self {
        let leaves = Level::new(PageType::IndexLeaf, page_size);
        Self { cells: Cells::new(page_size), leaves }
    }

    /// Appends a key, which is above those before.
    pub(super) fn push<W: Write + Seek>(
        &mut self,
        sink: &mut Sink<W>,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        let cell = self.cells.of_key(sink, payload)?;
        self.leaves.push(sink, 0, cell)
    }

    /// Writes what is left; the root page.
    pub(super) fn finish<W: Write + Seek>(self, sink: &mut Sink<W>) -> Result<u32, WriteError> {
        self.leaves.root(sink, 0)?.write(sink)
    }
}

/// A root page before it has its place.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) page: Page,
    /// Its right-most child; nothing on a leaf.
    pub(super) right: u32,
}

impl Root {
    pub(super) fn write<W: Write + Seek>(mut self, sink: &mut Sink<W>) -> Result<u32, WriteError> {
        sink.page(&mut self.page, self.right)
    }
}

/// A level whose cells divide the pages below it, or the leaves of an index, whose cells divide
/// nothing yet.
#[derive(Debug)]
struct Level {
    page: Page,
    page_size: usize,
    /// A cell for which the page had no room. It will divide the page from the next one, if there
    /// is more to come for that: a page without cells is damage to SQLite.
    divider: Option<Cell>,
    above: Option<Box<Self>>,
}

impl Level {
    fn new(kind: PageType, page_size: usize) -> Self {
        Self { page: Page::new(kind, page_size), page_size, divider: None, above: None }
    }

    fn above(place: &mut Option<Box<Self>>, kind: PageType, page_size: usize) -> &mut Self {
        place.get_or_insert_with(|| Box::new(Self::new(kind, page_size)))
    }

    /// Appends the cell that follows the child `child`.
    fn push<W: Write + Seek>(
        &mut self,
        sink: &mut Sink<W>,
        child: u32,
        content: &[u8],
    ) -> Result<(), WriteError> {
        if let Some(divider) = self.divider.take() {
            self.turn(sink, &divider)?;
        }
        if !self.page.push(child, content) {
            let content = Zeroizing::new(content.to_vec());
            self.divider = Some(Cell { child, content });
        }
        Ok(())
    }

    /// Writes the page and hands the cell that divides it from the next one up.
    fn turn<W: Write + Seek>(
        &mut self,
        sink: &mut Sink<W>,
        divider: &Cell,
    ) -> Result<(), WriteError> {
        let written = sink.page(&mut self.page, divider.child)?;
        let kind = match self.page.kind() {
            PageType::TableLeaf | PageType::TableInterior => PageType::TableInterior,
            PageType::IndexLeaf | PageType::IndexInterior => PageType::IndexInterior,
        };
        Self::above(&mut self.above, kind, self.page_size).push(sink, written, &divider.content)
    }

    /// Writes what is left below the root; `child` is the last of all.
    fn root<W: Write + Seek>(mut self, sink: &mut Sink<W>, child: u32) -> Result<Root, WriteError> {
        if let Some(after) = self.divider.take() {
            // Nothing follows it: the cell before it divides, and it goes to the next page itself.
            if let Some(divider) = self.page.pop() {
                self.turn(sink, &divider)?;
            }
            self.page.push(after.child, &after.content);
        }
        match self.above {
            None => Ok(Root { page: self.page, right: child }),
            Some(above) => {
                let last = sink.page(&mut self.page, child)?;
                above.root(sink, last)
            }
        }
    }
}
