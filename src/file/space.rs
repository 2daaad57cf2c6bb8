//! Which pages of the file belong to whom: the engine's image and runs lie between each other.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::seal::SEAL;
use super::{BLOCK, Damage};

/// Length of a page of the file in bytes. Page 0 begins where the image does and is its header.
pub(crate) const PAGE: u64 = BLOCK as u64;

/// Distance from one block of the image to the next, in bytes.
pub(super) const STRIDE: u64 = (BLOCK + SEAL) as u64;

/// The image lies in at most so many pieces.
pub(super) const MOST_EXTENTS: usize = 200;

/// A piece of the image: so many blocks, behind each other from a page on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: u32,
    pub(super) blocks: u32,
}

impl Extent {
    fn pages(self) -> u32 {
        pages_of(u64::from(self.blocks) * STRIDE)
    }

    fn end(self) -> u32 {
        self.start.saturating_add(self.pages())
    }
}

/// How many pages hold so many bytes.
pub(crate) fn pages_of(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PAGE)).unwrap_or(u32::MAX)
}

/// Where the image lies, as its header says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Behind the last page that belongs to anybody.
    pub(super) end: u32,
    /// The blocks behind the header, in their order.
    pub(super) extents: Vec<Extent>,
}

impl Places {
    /// How many blocks the image has, its header among them.
    pub(super) fn blocks(&self) -> u64 {
        blocks_of(&self.extents)
    }
}

/// The pages of one file that is open.
#[derive(Debug, Default)]
pub(crate) struct Space(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    image: Vec<Extent>,
    /// First page and number of pages of every run: those that count, those that somebody still
    /// reads, those that are being written.
    runs: BTreeMap<u32, u32>,
    /// Where a run is being written whose length nobody knows yet.
    open: Option<u32>,
    /// Whether the runs are known.
    known: bool,
    /// Until they are, nothing in front of this is free.
    floor: u32,
}

impl Taken {
    fn end(&self) -> u32 {
        let image = self.image.iter().map(|extent| extent.end());
        let runs = self.runs.iter().map(|(start, pages)| start.saturating_add(*pages));
        image.chain(runs).max().unwrap_or(1).max(self.floor).max(1)
    }

    /// Everything that is taken, in the order of the file.
    fn taken(&self) -> Vec<(u32, u32)> {
        let image = self.image.iter().map(|extent| (extent.start, extent.pages()));
        let runs = self.runs.iter().map(|(start, pages)| (*start, *pages));
        let mut taken: Vec<_> = std::iter::once((0, 1)).chain(image).chain(runs).collect();
        taken.sort_unstable();
        taken
    }

    /// The first place where so many pages are free.
    fn gap(&self, pages: u32) -> u32 {
        let mut behind = 0;
        if self.known && self.open.is_none() {
            for (start, taken) in self.taken() {
                if start.saturating_sub(behind) >= pages {
                    return behind;
                }
                behind = behind.max(start.saturating_add(taken));
            }
        }
        self.end()
    }
}

impl Space {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with what a header says.
    pub(super) fn adopt(&self, places: &Places) {
        let mut taken = self.taken();
        taken.image.clone_from(&places.extents);
        if !taken.known {
            taken.floor = places.end;
        }
    }

    /// Takes over where the image lies now, which another process says.
    pub(super) fn follow(&self, places: &Places) {
        self.taken().image.clone_from(&places.extents);
    }

    /// There is no image, and so there are no runs.
    pub(super) fn clear(&self) {
        *self.taken() = Taken { known: true, ..Taken::default() };
    }

    /// Where everything lies at this moment.
    pub(super) fn places(&self) -> Places {
        let taken = self.taken();
        Places { end: taken.end(), extents: taken.image.clone() }
    }

    /// Where a block lies, in bytes behind page 0, and how many follow it there.
    pub(super) fn place(&self, number: u64) -> io::Result<(u64, u64)> {
        place_in(&self.taken().image, number).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// How many blocks the image has.
    pub(super) fn blocks(&self) -> u64 {
        blocks_of(&self.taken().image)
    }

    /// Gives the image so many blocks. Where it gets more, they lie behind everything.
    pub(super) fn set_blocks(&self, blocks: u64) -> io::Result<()> {
        let mut taken = self.taken();
        let there = blocks_of(&taken.image);
        let mut gone = there.saturating_sub(blocks);
        while gone > 0
            && let Some(last) = taken.image.last_mut()
        {
            let part = u32::try_from(gone).unwrap_or(u32::MAX).min(last.blocks);
            last.blocks -= part;
            gone -= u64::from(part);
            if last.blocks == 0 {
                taken.image.pop();
            }
        }
        let more = blocks.saturating_sub(there);
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if taken.open.is_some() {
            return Err(io::Error::other("the image cannot grow while a run is being written"));
        }
        let end = taken.end();
        let pieces = taken.image.len();
        match taken.image.last_mut().filter(|last| last.end() == end) {
            Some(last) => {
                last.blocks = last.blocks.checked_add(more).ok_or(io::ErrorKind::FileTooLarge)?;
            }
            None if pieces == MOST_EXTENTS => {
                return Err(io::Error::other(
                    "the image lies in too many pieces; compact the store",
                ));
            }
            None => taken.image.push(Extent { start: end, blocks: more }),
        }
        Ok(())
    }

    /// Has the image lie in one piece where there is room for it in front of where it is. Says
    /// where its blocks were, or `None` where nothing can be won.
    pub(super) fn pack_image(&self) -> Option<Vec<Extent>> {
        let mut taken = self.taken();
        let blocks = taken.image.iter().map(|extent| extent.blocks).sum();
        let packed = Extent { start: 0, blocks };
        let packed = Extent { start: taken.gap(packed.pages()), ..packed };
        let lower = taken.image.iter().any(|extent| extent.start > packed.start);
        (blocks > 0 && lower && packed.end() < taken.end())
            .then(|| std::mem::replace(&mut taken.image, vec![packed]))
    }

    /// Goes back to where the image was.
    pub(super) fn unpack_image(&self, extents: Vec<Extent>) {
        self.taken().image = extents;
    }

    /// Says which runs there are: first page and number of pages of each.
    pub(crate) fn know(&self, runs: impl Iterator<Item = (u32, u32)>) -> Result<(), Damage> {
        let mut taken = self.taken();
        if taken.known {
            return Ok(());
        }
        taken.runs = runs.collect();
        let mut behind = 0;
        for (start, pages) in taken.taken() {
            if start < behind || start.checked_add(pages).is_none() {
                taken.runs.clear();
                return Err(Damage::Overlap { page: start });
            }
            behind = start + pages;
        }
        (taken.known, taken.floor) = (true, 0);
        Ok(())
    }

    /// Takes so many pages for a run; says which is the first.
    pub(crate) fn take(&self, pages: u32) -> u32 {
        let mut taken = self.taken();
        let start = taken.gap(pages);
        taken.runs.insert(start, pages);
        start
    }

    /// Takes so many pages in front of this one, if they are free there.
    pub(crate) fn take_before(&self, page: u32, pages: u32) -> Option<u32> {
        let mut taken = self.taken();
        let start = taken.gap(pages);
        if !taken.known || start.saturating_add(pages) > page {
            return None;
        }
        taken.runs.insert(start, pages);
        Some(start)
    }

    /// Takes the end of the file for a run of any length; says which page is the first.
    pub(crate) fn take_end(&self) -> io::Result<u32> {
        let mut taken = self.taken();
        if taken.open.is_some() {
            return Err(io::Error::other("two runs cannot be written at a time"));
        }
        let start = taken.end();
        taken.open = Some(start);
        Ok(start)
    }

    /// The run at the end has so many pages: none, if it was given up.
    pub(crate) fn close_end(&self, pages: u32) {
        let mut taken = self.taken();
        if let Some(start) = taken.open.take()
            && pages > 0
        {
            taken.runs.insert(start, pages);
        }
    }

    /// Nobody needs the run that begins here any more.
    pub(crate) fn free(&self, start: u32) {
        self.taken().runs.remove(&start);
    }

    /// How many pages belong to nobody.
    pub(crate) fn unused(&self) -> u32 {
        let taken = self.taken();
        let used: u32 = taken.taken().iter().map(|(_, pages)| *pages).sum();
        taken.end().saturating_sub(used)
    }
}

/// How many blocks lie there, and the header.
fn blocks_of(extents: &[Extent]) -> u64 {
    1 + extents.iter().map(|extent| u64::from(extent.blocks)).sum::<u64>()
}

fn place_in(extents: &[Extent], number: u64) -> Option<(u64, u64)> {
    let mut within = number.checked_sub(1)?;
    for extent in extents {
        let blocks = u64::from(extent.blocks);
        if within < blocks {
            return Some((u64::from(extent.start) * PAGE + within * STRIDE, blocks - within));
        }
        within -= blocks;
    }
    None
}
