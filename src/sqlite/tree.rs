//! A walk over the cells of a b-tree, in key order (file format, section 1.6).

use super::SqliteError;
use super::page::{Cell, Kind, Page};
use super::pages::Pages;

/// A place in a b-tree.
///
/// It ends on any input: at most 20 pages deep, and at most as many pages as there are.
#[derive(Clone, Debug)]
pub(super) struct TreeCursor<'a> {
    pages: &'a Pages,
    kind: Kind,
    /// Interior pages above the current one, each with its next step.
    above: Vec<(Page<'a>, usize)>,
    /// The page cells are taken from, and the next cell.
    page: Option<(Page<'a>, usize)>,
    /// Pages that may still be visited.
    left: usize,
}

impl<'a> TreeCursor<'a> {
    /// At the first cell of the tree.
    pub(super) fn new(pages: &'a Pages, root: u32, kind: Kind) -> Result<Self, SqliteError> {
        let page = Page::parse(root, pages.page(root)?, kind)?;
        if !page.leaf && page.count() == 0 && root != 1 {
            return Err(SqliteError::NoCells { page: root });
        }
        let mut walk = Self { pages, kind, above: Vec::new(), page: None, left: pages.held() };
        walk.enter(page);
        Ok(walk)
    }

    /// The next cell that is a row.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Cell<'a>>, SqliteError> {
        if let Some((page, index)) = &mut self.page {
            if *index < page.count() {
                *index += 1;
                return page.cell(*index - 1).map(Some);
            }
            self.page = None;
        }
        self.next_page()
    }

    /// The number of rows that are left, up to the first damaged page. Adds the cell counts of the pages.
    pub(super) fn count(mut self) -> u64 {
        let mut rows = 0;
        loop {
            if let Some((page, index)) = self.page.take() {
                rows += (page.count() - index) as u64;
            }
            match self.next_page() {
                Ok(Some(_)) => rows += 1,
                Ok(None) | Err(_) => return rows,
            }
        }
    }

    /// Steps through interior pages: even steps are children, odd ones the cells between.
    fn next_page(&mut self) -> Result<Option<Cell<'a>>, SqliteError> {
        while let Some((page, step)) = self.above.last_mut() {
            let (page, now) = (*page, *step);
            *step += 1;
            if now > 2 * page.count() {
                self.above.pop();
            } else if now % 2 == 0 {
                if let Some(cell) = self.descend(page.child(now / 2)?)? {
                    return Ok(Some(cell));
                }
            } else if self.kind == Kind::Index {
                return page.cell(now / 2).map(Some);
            }
        }
        Ok(None)
    }

    /// Goes to a child; if it is a leaf, its first cell.
    fn descend(&mut self, no: u32) -> Result<Option<Cell<'a>>, SqliteError> {
        let page = child(self.pages, no, self.kind, self.above.len())?;
        self.left = self.left.checked_sub(1).ok_or(SqliteError::TooManyPages { page: no })?;
        if !page.leaf {
            self.enter(page);
            return Ok(None);
        }
        self.page = Some((page, 1));
        page.cell(0).map(Some)
    }

    fn enter(&mut self, page: Page<'a>) {
        if page.leaf {
            self.page = Some((page, 0));
        } else {
            self.above.push((page, 0));
        }
    }
}

/// A child page, which unlike a root has to have cells.
pub(super) fn child(
    pages: &Pages,
    no: u32,
    kind: Kind,
    depth: usize,
) -> Result<Page<'_>, SqliteError> {
    if depth >= MAX_DEPTH {
        return Err(SqliteError::TooDeep { page: no });
    }
    let page = Page::parse(no, pages.page(no)?, kind)?;
    if page.count() == 0 { Err(SqliteError::NoCells { page: no }) } else { Ok(page) }
}

/// Pages from root to leaf, as SQLite has it.
const MAX_DEPTH: usize = 20;

#[cfg(test)]
mod tests {
    use super::super::image::Image;
    use super::*;

    /// Pages of 512 bytes after an unused first one; cells are put one after another at 256.
    fn pages(heads: &[&[u8]]) -> Pages {
        let mut main = vec![0; 512];
        for head in heads {
            let mut page = head.to_vec();
            page.resize(512, 0);
            main.extend(page);
        }
        let mut pages = Pages::new(Image::Owned(main));
        pages.lay_out(512, u32::try_from(heads.len()).unwrap() + 1);
        pages
    }

    fn end(pages: &Pages) -> SqliteError {
        let mut walk = match TreeCursor::new(pages, 2, Kind::Table) {
            Ok(walk) => walk,
            Err(error) => return error,
        };
        loop {
            match walk.next() {
                Ok(cell) => assert!(cell.is_some(), "the walk ended well"),
                Err(error) => return error,
            }
        }
    }

    /// An interior page: one cell at 256, which is all zeros, and a right-most child.
    const fn interior(right: u8) -> [u8; 14] {
        [0x05, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, right, 1, 0]
    }

    fn with_child(right: u8, left: u8) -> Vec<u8> {
        let mut page = interior(right).to_vec();
        page.resize(512, 0);
        page[259] = left;
        page
    }

    const LEAF: [u8; 10] = [0x0d, 0, 0, 0, 1, 0, 0, 0, 1, 0];

    #[test]
    fn a_page_that_is_its_own_child_is_too_deep() {
        assert_eq!(
            end(&pages(&[with_child(2, 2).as_slice(); 30])),
            SqliteError::TooDeep { page: 2 }
        );
    }

    #[test]
    fn a_small_circle_runs_out_of_pages() {
        assert_eq!(end(&pages(&[&with_child(2, 2)])), SqliteError::TooManyPages { page: 2 });
    }

    #[test]
    fn pages_shared_many_times_run_out_of_pages() {
        let doubled: Vec<_> = (3..=6).map(|child| with_child(child, child)).collect();
        let mut heads: Vec<&[u8]> = doubled.iter().map(Vec::as_slice).collect();
        heads.push(&LEAF);
        assert!(matches!(end(&pages(&heads)), SqliteError::TooManyPages { .. }));
    }

    #[test]
    fn a_child_without_cells_is_an_error() {
        let empty = [0x0d, 0, 0, 0, 0, 0, 0, 0];
        let err = end(&pages(&[&with_child(3, 3), &empty]));
        assert_eq!(err, SqliteError::NoCells { page: 3 });
        assert_eq!(end(&pages(&[&[0x05]])), SqliteError::NoCells { page: 2 });
    }

    #[test]
    fn a_child_outside_the_file_is_an_error() {
        let err = end(&pages(&[&with_child(9, 0), &LEAF]));
        assert_eq!(err, SqliteError::PageOutside { page: 0, pages: 3 });
    }
}
