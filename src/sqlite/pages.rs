//! Pages by number, out of the main file and whatever lies over it.

use std::collections::BTreeSet;

use super::image::Image;
use super::{SqliteError, header};

/// Where each page of the database is.
#[derive(Debug)]
pub(super) struct Pages {
    main: Image,
    /// Bytes of `main` that count; a journal may cut the file back.
    main_len: usize,
    /// Layers over the main file, the uppermost first.
    over: Vec<Overlay>,
    size: usize,
    /// Pages in the database; a larger number leads nowhere.
    count: u32,
    /// A last page that the file holds only part of, padded as SQLite pads it.
    tail: Vec<u8>,
}

impl Pages {
    pub(super) fn new(main: Image) -> Self {
        let main_len = main.len();
        Self { main, main_len, over: Vec::new(), size: 1, count: 0, tail: Vec::new() }
    }

    /// Puts a layer over what there is.
    pub(super) fn cover(&mut self, overlay: Overlay) {
        self.over.insert(0, overlay);
    }

    /// Cuts the main file back.
    pub(super) fn cut(&mut self, len: u64) {
        self.main_len = self.main_len.min(usize::try_from(len).unwrap_or(usize::MAX));
    }

    /// Fixes the page size and count, once the header is known.
    pub(super) fn lay_out(&mut self, size: u32, count: u32) {
        self.size = size as usize;
        self.count = count;
        let whole = self.main_len - self.main_len % self.size;
        self.tail = self.main.get(whole..self.main_len).unwrap_or_default().to_vec();
        if !self.tail.is_empty() {
            self.tail.resize(self.size, 0);
        }
    }

    /// The first bytes of page 1, padded with zeros, before the page size is known.
    pub(super) fn head(&self) -> [u8; header::SIZE] {
        let first = self.over.iter().find_map(|over| over.get(1));
        let bytes = first.unwrap_or_else(|| self.main_bytes());
        let mut head = [0; header::SIZE];
        head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        head
    }

    /// The page size that the layers were written for, if there are layers.
    pub(super) fn overlay_sizes(&self) -> impl Iterator<Item = u32> {
        self.over.iter().map(|over| over.page_size)
    }

    pub(super) fn main_bytes(&self) -> &[u8] {
        self.main.get(..self.main_len).unwrap_or_default()
    }

    /// Numbers of the pages that hold something: those of the file and those over it.
    ///
    /// [`Pages::count`] is the number in a header or a commit, and may be far greater.
    pub(super) fn held(&self) -> usize {
        let over = self.over.iter().map(|over| over.places.len());
        self.main_len.div_ceil(self.size) + over.sum::<usize>()
    }

    /// The pages of [`Pages::held`], each once, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        let file = u32::try_from(self.main_len.div_ceil(self.size)).unwrap_or(u32::MAX);
        let over = self.over.iter().flat_map(|over| over.places.iter());
        let beyond: BTreeSet<u32> =
            over.map(|(page, _)| *page).filter(|page| *page > file).collect();
        (1..=file).chain(beyond).take_while(|page| *page <= self.count)
    }

    /// Drops the layers that were written for another page size.
    pub(super) fn uncover(&mut self, page_size: u32) {
        self.over.retain(|over| over.page_size == page_size);
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// A page, or an error if there is none of that number.
    #[inline]
    pub(super) fn page(&self, page: u32) -> Result<&[u8], SqliteError> {
        let outside = SqliteError::PageOutside { page, pages: self.count };
        if page == 0 || page > self.count || page == self.lock_byte_page() {
            return Err(outside);
        }
        if let Some(bytes) = self.over.iter().find_map(|over| over.get(page)) {
            return Ok(bytes);
        }
        let start = (page as usize - 1).checked_mul(self.size).ok_or(outside)?;
        Ok(self.in_main(start))
    }

    /// A page of the main file. Bytes beyond the end of the file are zeros.
    fn in_main(&self, start: usize) -> &[u8] {
        let main = self.main_bytes();
        match main.get(start..).and_then(|rest| rest.get(..self.size)) {
            Some(page) => page,
            None if start < main.len() => &self.tail,
            None => ZEROS.get(..self.size).unwrap_or_default(),
        }
    }

    /// The page that holds the lock bytes is never used (section 1.4).
    fn lock_byte_page(&self) -> u32 {
        u32::try_from(PENDING_BYTE / self.size + 1).unwrap_or(u32::MAX)
    }
}

/// Pages that replace those of the main file: from a `-wal` or a `-journal`.
#[derive(Debug)]
pub(super) struct Overlay {
    bytes: Vec<u8>,
    page_size: u32,
    /// Page number and where its bytes begin, sorted, one of a number.
    places: Vec<(u32, usize)>,
}

impl Overlay {
    /// If a page has several places, the last counts.
    pub(super) fn new(bytes: Vec<u8>, page_size: u32, mut places: Vec<(u32, usize)>) -> Self {
        places.reverse();
        places.sort_by_key(|(page, _)| *page);
        places.dedup_by_key(|(page, _)| *page);
        Self { bytes, page_size, places }
    }

    fn get(&self, page: u32) -> Option<&[u8]> {
        let found = self.places.binary_search_by_key(&page, |(page, _)| *page).ok()?;
        let (_, start) = self.places.get(found)?;
        self.bytes.get(*start..)?.get(..self.page_size as usize)
    }
}

/// Where SQLite's locks are; the page around it holds nothing.
pub(super) const PENDING_BYTE: usize = 0x4000_0000;

static ZEROS: [u8; 65_536] = [0; 65_536];

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(main: Vec<u8>, count: u32) -> Pages {
        let mut pages = Pages::new(Image::Owned(main));
        pages.lay_out(512, count);
        pages
    }

    #[test]
    fn a_page_number_outside_is_an_error() {
        let pages = pages(vec![1; 1024], 2);
        let err = |page| pages.page(page).unwrap_err();
        assert_eq!(pages.page(2).unwrap(), [1; 512]);
        assert_eq!(err(0), SqliteError::PageOutside { page: 0, pages: 2 });
        assert_eq!(err(3), SqliteError::PageOutside { page: 3, pages: 2 });
    }

    #[test]
    fn what_the_file_lacks_of_a_page_is_zeros() {
        let pages = pages(vec![1; 700], 3);
        assert_eq!(pages.page(2).unwrap()[187..190], [1, 0, 0]);
        assert_eq!(pages.page(3).unwrap(), [0; 512]);
    }

    #[test]
    fn the_lock_byte_page_is_never_read() {
        let pages = pages(vec![], u32::MAX);
        assert!(pages.page(0x0020_0001).is_err());
        assert!(pages.page(0x0020_0000).is_ok());
    }

    #[test]
    fn the_last_place_of_the_uppermost_layer_counts() {
        let mut pages = pages(vec![1; 1024], 2);
        pages.cover(Overlay::new([[2; 512], [3; 512]].concat(), 512, vec![(1, 0), (1, 512)]));
        assert_eq!(pages.page(1).unwrap(), [3; 512]);
        pages.cover(Overlay::new(vec![4; 512], 512, vec![(2, 0)]));
        assert_eq!(pages.page(1).unwrap(), [3; 512]);
        assert_eq!(pages.page(2).unwrap(), [4; 512]);
    }
}
