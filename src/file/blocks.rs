//! redb's view of the file: an image of blocks, each sealed on its way out and checked on its
//! way in.

use std::io;
use std::ops::Bound;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::BackendError;
/// What the blocks lie on: a file in use, a simulated disk in tests. It passes redb's locks on.
pub(crate) use redb::StorageBackend as Disk;

use super::head::{HEAD, Head};
use super::seal::Seals;
use super::space::{PAGE, Places, Space};
use super::watch::Watch;
use super::{BLOCK, Damage, Superblock};

/// Distance from one block to the next in the file.
const STRIDE: usize = super::space::STRIDE as usize;

/// A disk seen as redb's image of sealed blocks.
#[derive(Debug)]
pub(crate) struct SealedBlocks<D> {
    disk: D,
    /// Where the image begins on the disk.
    start: u64,
    space: Arc<Space>,
    seals: Seals,
    watch: Arc<Watch>,
    held: Mutex<HeldHead>,
}

/// The header as redb wrote it when it opened the file, which it marks as in use, or as being
/// recovered, before anything else is written. Until something is, the mark stays here: opening
/// and closing costs no sync, a file that is only looked at does not change, and neither does one
/// that turns out to be beyond recovery.
#[derive(Debug, Default)]
struct HeldHead {
    holding: bool,
    head: Option<[u8; HEAD]>,
    /// Where everything lies as the file says it: a run that was written meanwhile is not on disk.
    places: Places,
}

impl<D: Disk> SealedBlocks<D> {
    /// The blocks of this disk, behind its superblock; `space` knows where they lie.
    pub(crate) fn new(disk: D, superblock: Superblock, space: Arc<Space>) -> Self {
        let seals = Seals::new(superblock.file_id);
        let start = superblock.image_at();
        Self { disk, start, space, seals, watch: Arc::default(), held: Mutex::default() }
    }

    /// The handle to them that stays when redb takes them.
    pub(crate) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    /// Whether there is an image. Its header gets its first bytes last when it is made, and until
    /// then there is none.
    pub(crate) fn is_begun(&self) -> io::Result<bool> {
        if self.disk.len()? < self.start + PAGE {
            return Ok(false);
        }
        Ok(Head::parse(&self.head_block()?).is_ok_and(|head| head.is_begun()))
    }

    /// Whether the last writer left within a commit, or is at one. What can be told from the header
    /// alone, and must be as it is, is checked.
    pub(crate) fn is_unfinished(&self) -> io::Result<bool> {
        let head = self.parsed_head()?;
        if !head.is_begun() {
            return Err(io::Error::other(Damage::NoImage));
        }
        let needed = self.start + u64::from(head.places.end) * PAGE;
        let len = self.disk.len()?;
        if !head.recovery_required() && (len < needed || head.places.blocks() < head.blocks()) {
            return Err(io::Error::other(Damage::Cut { len, needed }));
        }
        Ok(head.recovery_required())
    }

    /// How many bytes the image has, as its header says.
    pub(crate) fn image_len(&self) -> io::Result<u64> {
        Ok(self.parsed_head()?.places.blocks() * PAGE)
    }

    /// Removes what is left of an image that was not made to its end.
    pub(crate) fn erase(&self) -> io::Result<()> {
        self.space.clear();
        if self.disk.len()? > self.start { self.disk.set_len(self.start) } else { Ok(()) }
    }

    /// Looks at the engine's header before redb does: whether there is one, and whether the last
    /// writer finished. If it did not, blocks pass unchecked until [`Watch::recovered`], since
    /// redb must see a torn block to fall back to the commit before.
    pub(crate) fn prepare(&self) -> io::Result<Readiness> {
        let head = self.parsed_head()?;
        let unfinished = head.recovery_required();
        let whole_heads = Head::whole_copies(&self.head_block()?);
        self.watch.recovering.store(unfinished, Ordering::Release);
        self.space.adopt(&head.places);
        *self.held() = HeldHead { holding: true, head: None, places: head.places };
        Ok(Readiness { unfinished, whole_heads })
    }

    /// Declares the last commit finished, for reading what is left of a store that cannot be
    /// recovered. Only for blocks on an overlay.
    pub(crate) fn declare_finished(&self) -> io::Result<()> {
        let head = self.parsed_head()?;
        self.watch.recovered();
        self.disk.write(self.start, &head.finished().to_block())
    }

    /// Moves the whole image to where it lies in one piece in front of where it was, if there is
    /// room. Nobody may have it open, here or elsewhere.
    pub(crate) fn pack(&self) -> io::Result<()> {
        let head = self.parsed_head()?;
        self.space.follow(&head.places);
        let Some(before) = self.space.pack_image() else { return Ok(()) };
        let packed = self.move_from(&before, &head);
        if packed.is_err() {
            self.space.unpack_image(before);
        }
        packed
    }

    /// Cuts off what belongs to nobody at the end of the file, while no engine has the image open.
    pub(crate) fn trim(&self) -> io::Result<()> {
        self.watch.keep(self.parsed_head()?);
        self.watch.trim_to(&self.disk, self.start, &self.space)
    }

    fn move_from(&self, before: &[super::space::Extent], head: &Head) -> io::Result<()> {
        let mut number = 1;
        for extent in before {
            let mut blocks = vec![0; extent.blocks as usize * STRIDE];
            self.disk.read(self.start + u64::from(extent.start) * PAGE, &mut blocks)?;
            // In one piece, all of them follow each other.
            self.disk.write(self.place(number)?.0, &blocks)?;
            number += u64::from(extent.blocks);
        }
        self.disk.sync_data()?;
        let head = Head { places: self.space.places(), ..head.clone() };
        self.disk.write(self.start, &head.to_block())?;
        self.disk.sync_data()
    }

    /// Where block `number` begins on the disk, and how many follow it there.
    fn place(&self, number: u64) -> io::Result<(u64, u64)> {
        let (at, together) = self.space.place(number)?;
        Ok((self.start + at, together))
    }

    fn held(&self) -> MutexGuard<'_, HeldHead> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the held header go ahead of the first other write, as durable as redb had asked for.
    fn let_go(&self) -> io::Result<()> {
        let mut held = self.held();
        if let Some(engine) = held.head {
            let head = Head { engine, places: held.places.clone() };
            self.disk.write(self.start, &head.to_block())?;
            self.disk.sync_data()?;
            self.watch.keep(head);
        }
        *held = HeldHead::default();
        Ok(())
    }

    fn head_block(&self) -> io::Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.disk.read(self.start, &mut block)?;
        Ok(block)
    }

    fn parsed_head(&self) -> io::Result<Head> {
        if self.disk.len()? < self.start + PAGE {
            return Err(io::Error::other(Damage::NoImage));
        }
        Head::parse(&self.head_block()?).map_err(io::Error::other)
    }

    /// A part of the header block; behind the header it is all zeros.
    fn read_head(&self, offset: usize, out: &mut [u8]) -> io::Result<()> {
        let held = self.held();
        let engine = match held.head {
            Some(engine) => engine,
            None => {
                let head = Head::parse(&self.head_block()?).map_err(io::Error::other)?;
                if held.holding {
                    // Who writes it is another process.
                    self.space.follow(&head.places);
                }
                head.engine
            }
        };
        let from = engine.get(offset..).unwrap_or_default();
        let len = from.len().min(out.len());
        let (filled, rest) = out.split_at_mut(len);
        filled.copy_from_slice(from.split_at(len).0);
        rest.fill(0);
        Ok(())
    }

    fn write_head(&self, data: &[u8]) -> io::Result<()> {
        let engine = data.try_into().map_err(|_| not_whole("the header", 0, data.len()))?;
        let mut held = self.held();
        if held.holding {
            held.head = Some(engine);
            return Ok(());
        }
        drop(held);
        let head = Head { engine, places: self.space.places() };
        self.disk.write(self.start, &head.to_block())?;
        self.watch.keep(head);
        Ok(())
    }

    /// Runs `each` over the pieces in which so many blocks from `first` on lie: the first block of
    /// a piece, where it begins on the disk, and which of the blocks are in it.
    fn pieces(
        &self,
        first: u64,
        count: usize,
        mut each: impl FnMut(u64, u64, std::ops::Range<usize>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut done = 0;
        while done < count {
            let number = first + done as u64;
            let (at, together) = self.place(number)?;
            let here = usize::try_from(together).unwrap_or(usize::MAX).min(count - done);
            each(number, at, done..done + here)?;
            done += here;
        }
        Ok(())
    }

    /// Reads `first` and the blocks behind it into `stored`. Blocks behind the file's end, and
    /// behind the image's, are damage like any other: zeros have no seal that holds.
    fn read_sealed(&self, first: u64, stored: &mut [u8], out: &mut [u8]) -> io::Result<()> {
        let read = self.pieces(first, out.len() / BLOCK, |_, at, these| {
            let place = stored.get_mut(these.start * STRIDE..these.end * STRIDE);
            self.disk.read(at, place.unwrap_or_default())
        });
        match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => stored.fill(0),
            read => read?,
        }
        self.unseal(first, stored, out);
        Ok(())
    }

    /// Takes the content of `first` and the blocks behind it out of `stored`. One bad seal among
    /// them gives zeros for all: no page of redb begins with zero, so it refuses them each time,
    /// also from its cache, and an error here would end the handle for every other table too.
    fn unseal(&self, first: u64, stored: &[u8], out: &mut [u8]) {
        let unchecked = self.watch.recovering.load(Ordering::Acquire);
        let mut whole = true;
        for ((number, sealed), place) in
            (first..).zip(stored.chunks_exact(STRIDE)).zip(out.chunks_exact_mut(BLOCK))
        {
            let (content, seal) = sealed.split_at(BLOCK);
            if !unchecked && !self.seals.holds(number, content, seal) {
                self.watch.report(number);
                whole = false;
            }
            place.copy_from_slice(content);
        }
        if !whole {
            out.fill(0);
        }
    }
}

/// What [`SealedBlocks::prepare`] found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    /// The last writer did not finish, or is at work.
    pub(crate) unfinished: bool,
    /// How many of the two copies of the header are whole.
    pub(crate) whole_heads: usize,
}

/// Which block begins at `offset` and how many make up `len` bytes.
fn blocks(offset: u64, len: usize) -> io::Result<(u64, usize)> {
    let block = BLOCK as u64;
    if offset.is_multiple_of(block) && len.is_multiple_of(BLOCK) && offset > 0 {
        Ok((offset / block, len / BLOCK))
    } else {
        Err(not_whole("blocks", offset, len))
    }
}

fn not_whole(what: &str, offset: u64, len: usize) -> io::Error {
    let text = format!("{len} bytes at {offset} are not whole {what}");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

impl<D: Disk> Disk for SealedBlocks<D> {
    fn len(&self) -> io::Result<u64> {
        // Before its first block is there, an image has none.
        Ok(if self.disk.len()? > self.start { self.space.blocks() * PAGE } else { 0 })
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if let Ok(offset) = usize::try_from(offset)
            && offset < BLOCK
        {
            return if offset + out.len() <= BLOCK {
                self.read_head(offset, out)
            } else {
                Err(not_whole("blocks", offset as u64, out.len()))
            };
        }
        let (first, count) = blocks(offset, out.len())?;
        if count == 1 {
            self.read_sealed(first, &mut [0; STRIDE], out)
        } else {
            self.read_sealed(first, &mut vec![0; count * STRIDE], out)
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.refuse_if_closed()?;
        if !len.is_multiple_of(BLOCK as u64) {
            return Err(not_whole("blocks", len, 0));
        }
        self.let_go()?;
        let before = self.space.blocks();
        self.space.set_blocks(len / PAGE)?;
        let end = self.start + u64::from(self.space.places().end) * PAGE;
        let there = self.disk.len()?;
        if there > end && self.watch.head().is_some() {
            return self.watch.trim_to(&self.disk, self.start, &self.space);
        }
        if there < end {
            let grown = self.disk.set_len(end);
            if grown.is_err() {
                self.space.set_blocks(before)?;
            }
            return grown;
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.refuse_if_closed()?;
        if self.held().holding {
            return Ok(());
        }
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.refuse_if_closed()?;
        if offset == 0 && data.len() == HEAD {
            return self.write_head(data);
        }
        let (first, count) = blocks(offset, data.len())?;
        self.let_go()?;
        self.pieces(first, count, |number, at, these| {
            let data = data.get(these.start * BLOCK..these.end * BLOCK).unwrap_or_default();
            let mut stored = Vec::with_capacity(these.len() * STRIDE);
            for (number, content) in (number..).zip(data.chunks_exact(BLOCK)) {
                stored.extend_from_slice(content);
                stored.extend_from_slice(&self.seals.of(number, content));
            }
            self.disk.write(at, &stored)
        })
    }

    fn close(&self) -> io::Result<()> {
        self.disk.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.disk.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.disk.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.disk.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.disk.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.disk.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.disk.query_lock_range(start, end)
    }
}

impl<D> SealedBlocks<D> {
    fn refuse_if_closed(&self) -> io::Result<()> {
        if self.watch.closed.load(Ordering::Acquire) {
            Err(io::Error::other("the engine failed earlier; nothing is written any more"))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
