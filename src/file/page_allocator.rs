//! The pages of a file that are in use.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::PAGE;
use super::damage::FileDamage;

/// Pages that follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extent {
    /// The first page.
    pub(crate) page: u32,
    /// How many pages.
    pub(crate) pages: u32,
}

impl Extent {
    /// The page after the last, or `None` if there can be no such page.
    pub(crate) fn end(self) -> Option<u32> {
        self.page.checked_add(self.pages)
    }

    /// Whether both have a page.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        let end = |extent: Self| extent.end().unwrap_or(u32::MAX);
        self.page < end(other) && other.page < end(self)
    }

    /// Where it begins in the file, in bytes.
    pub(crate) fn at(self) -> u64 {
        u64::from(self.page) * PAGE as u64
    }

    /// Its length in bytes.
    pub(crate) fn len(self) -> u64 {
        u64::from(self.pages) * PAGE as u64
    }
}

/// How many pages hold this many bytes.
pub(crate) fn pages_of(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PAGE as u64)).unwrap_or(u32::MAX)
}

/// The pages in use of one file. Page 0 is the header. Everything is in use that the current
/// manifest names, that is being written, or that an older reader may still read.
#[derive(Debug, Default)]
pub(crate) struct PageAllocator(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    /// First page and number of pages of each extent.
    extents: BTreeMap<u32, u32>,
    /// Where something of unknown length is being written, at the end of the file.
    open: Option<u32>,
}

impl Used {
    fn end(&self) -> u32 {
        let last = self.extents.last_key_value();
        last.map_or(1, |(page, pages)| page.saturating_add(*pages)).max(1)
    }

    /// The first gap of this many pages before `limit`.
    fn gap(&self, pages: u32, limit: u32) -> Option<u32> {
        let mut free = 1;
        for (page, len) in self.extents.iter().chain([(&limit, &0)]) {
            let page = (*page).min(limit);
            if page.saturating_sub(free) >= pages {
                return Some(free);
            }
            free = free.max(page.saturating_add(*len));
        }
        None
    }
}

impl PageAllocator {
    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with these extents.
    ///
    /// # Errors
    ///
    /// If two of them share a page.
    pub(crate) fn adopt(
        &self,
        extents: impl IntoIterator<Item = Extent>,
    ) -> Result<(), FileDamage> {
        let mut sorted: Vec<_> = extents.into_iter().filter(|extent| extent.pages > 0).collect();
        sorted.sort_unstable();
        let mut behind = 1;
        for extent in &sorted {
            let overlap = FileDamage::Overlap { page: extent.page };
            if extent.page < behind {
                return Err(overlap);
            }
            behind = extent.end().ok_or(overlap)?;
        }
        let extents = sorted.into_iter().map(|extent| (extent.page, extent.pages)).collect();
        *self.used() = Used { extents, open: None };
        Ok(())
    }

    /// Takes this many pages: the first gap that has them, else at the end.
    pub(crate) fn take(&self, pages: u32) -> Option<Extent> {
        self.take_growing(pages, pages)
    }

    /// Takes this many pages for something that will grow: the first gap of `room` pages, else the
    /// end.
    pub(crate) fn take_growing(&self, pages: u32, room: u32) -> Option<Extent> {
        let mut used = self.used();
        let end = used.end();
        let page = match used.gap(pages.max(room), end) {
            Some(page) => page,
            // An extent of unknown length is open at the end of the file: nothing can follow it yet.
            None if used.open.is_some() => return None,
            None => end,
        };
        let extent = Extent { page, pages };
        extent.end()?;
        used.extents.insert(page, pages);
        Some(extent)
    }

    /// Gives an extent this many pages, if those after it are free.
    pub(crate) fn extend(&self, page: u32, pages: u32) -> bool {
        let mut used = self.used();
        let Some(end) = (Extent { page, pages }).end() else { return false };
        let next = used.extents.range(page + 1..).next().map(|(next, _)| *next);
        if next.into_iter().chain(used.open).any(|next| next < end) {
            return false;
        }
        match used.extents.get_mut(&page) {
            Some(len) => {
                *len = pages.max(*len);
                true
            }
            None => false,
        }
    }

    /// Gives back the pages of an extent after the first `pages`.
    pub(crate) fn shorten(&self, page: u32, pages: u32) {
        if let Some(len) = self.used().extents.get_mut(&page) {
            *len = pages.min(*len);
        }
    }

    /// Takes this many pages before `page`, if there is such a gap.
    pub(crate) fn take_before(&self, page: u32, pages: u32) -> Option<Extent> {
        let mut used = self.used();
        let first = used.gap(pages, page)?;
        used.extents.insert(first, pages);
        Some(Extent { page: first, pages })
    }

    /// Takes the end of the file for something whose length is not known yet. `None` if somebody
    /// else has it.
    pub(crate) fn take_end(&self) -> Option<u32> {
        let mut used = self.used();
        if used.open.is_some() {
            return None;
        }
        let end = used.end();
        Some(*used.open.insert(end))
    }

    /// Ends the extent that is open at the end of the file. It has this many pages; 0 gives it up.
    pub(crate) fn close_end(&self, pages: u32) {
        let mut used = self.used();
        if let Some(page) = used.open.take().filter(|_| pages > 0) {
            used.extents.insert(page, pages);
        }
    }

    /// Gives an extent back, or what is in use of it.
    pub(crate) fn free(&self, extent: Extent) {
        self.used().extents.remove(&extent.page);
    }

    /// The page after everything in use.
    pub(crate) fn end(&self) -> u32 {
        self.used().end()
    }

    /// The pages before `limit` that are not in use.
    pub(crate) fn gaps(&self, limit: u32) -> Vec<Extent> {
        let (used, mut free) = (self.used(), 1);
        let mut gaps = Vec::new();
        for (page, len) in used.extents.iter().chain([(&limit, &0)]) {
            let page = (*page).min(limit);
            if page > free {
                gaps.push(Extent { page: free, pages: page - free });
            }
            free = free.max(page.saturating_add(*len));
        }
        gaps
    }

    /// How many pages before the end are free.
    pub(crate) fn unused(&self) -> u32 {
        let used = self.used();
        let taken = used.extents.values().fold(1_u32, |sum, pages| sum.saturating_add(*pages));
        used.end().saturating_sub(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(page: u32, pages: u32) -> Extent {
        Extent { page, pages }
    }

    #[test]
    fn the_first_gap_that_is_large_enough_is_taken() {
        let space = PageAllocator::default();
        space.adopt([extent(3, 2), extent(9, 1)]).unwrap();
        assert_eq!(space.take(3), Some(extent(5, 3)));
        assert_eq!(space.take(2), Some(extent(1, 2)));
        assert_eq!(space.take(2), Some(extent(10, 2)));
        assert_eq!(space.take(1), Some(extent(8, 1)));
        assert_eq!((space.end(), space.unused()), (12, 0));
    }

    #[test]
    fn gaps_are_the_pages_that_nothing_uses() {
        let space = PageAllocator::default();
        space.adopt([extent(3, 2), extent(5, 1), extent(9, 3)]).unwrap();
        assert_eq!(space.gaps(20), [extent(1, 2), extent(6, 3), extent(12, 8)]);
        assert_eq!(space.gaps(7), [extent(1, 2), extent(6, 1)]);
        assert_eq!(space.gaps(1), []);
    }

    #[test]
    fn extents_that_overlap_are_refused() {
        let space = PageAllocator::default();
        assert_eq!(space.adopt([extent(3, 2), extent(4, 1)]), Err(FileDamage::Overlap { page: 4 }));
        assert_eq!(space.adopt([extent(0, 1)]), Err(FileDamage::Overlap { page: 0 }));
        assert!(space.adopt([extent(7, u32::MAX)]).is_err());
    }

    #[test]
    fn nothing_is_placed_behind_what_is_being_written() {
        let space = PageAllocator::default();
        space.adopt([extent(1, 1), extent(4, 1)]).unwrap();
        assert_eq!(space.take_end(), Some(5));
        assert_eq!(space.take_end(), None);
        assert_eq!(space.take(3), None);
        assert_eq!(space.take(2), Some(extent(2, 2)));
        space.close_end(7);
        assert_eq!(space.take(3), Some(extent(12, 3)));
    }
}
