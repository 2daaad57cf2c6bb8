//! redb's view of the file: an image of blocks, each sealed on its way out and checked on its
//! way in.

use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::BackendError;
/// What the blocks lie on: a file in use, a simulated disk in tests. It passes redb's locks on.
pub(crate) use redb::StorageBackend as Disk;

use super::head::{HEAD, HEAD_SPAN, Head};
use super::seal::{SEAL, Seals};
use super::{BLOCK, Damage, Superblock};

/// Distance from one block to the next in the file.
const STRIDE: usize = BLOCK + SEAL;

/// A disk seen as redb's image of sealed blocks.
#[derive(Debug)]
pub(crate) struct SealedBlocks<D> {
    disk: D,
    /// Where the image begins on the disk.
    start: u64,
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
    head: Option<Head>,
}

/// What the store knows of its blocks while redb owns them.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Blocks are passed on unchecked: redb is recovering and must see torn ones.
    recovering: AtomicBool,
    /// Nothing is written any more.
    closed: AtomicBool,
    damage: Mutex<Option<Damage>>,
    /// The header as it was written last.
    head: Mutex<Option<Head>>,
}

impl Watch {
    /// From now on every block is checked.
    pub(crate) fn recovered(&self) {
        self.recovering.store(false, Ordering::Release);
    }

    /// From now on nothing reaches the disk: the engine is not to be trusted any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// The first block of this handle whose seal did not hold.
    pub(crate) fn damage(&self) -> Option<Damage> {
        *self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, head: Head) {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
    }

    /// Says in the file that nothing is unfinished. True after a commit that recorded the
    /// allocator's state and before the next: who opens the file then finds all that redb needs.
    pub(crate) fn declare_settled(
        &self,
        disk: &dyn Disk,
        superblock: Superblock,
    ) -> io::Result<()> {
        let head = *self.head.lock().unwrap_or_else(PoisonError::into_inner);
        match head {
            Some(head) => disk.write(superblock.image_at(), &head.finished().to_span()),
            None => Ok(()),
        }
    }

    fn report(&self, number: u64) {
        let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        damage.get_or_insert(Damage::Block { number });
        tracing::error!(block = number, "the checksum of a block does not hold");
    }
}

impl<D: Disk> SealedBlocks<D> {
    /// The blocks of this disk, behind its superblock.
    pub(crate) fn new(disk: D, superblock: Superblock) -> Self {
        let seals = Seals::new(superblock.file_id);
        let start = superblock.image_at();
        Self { disk, start, seals, watch: Arc::default(), held: Mutex::default() }
    }

    /// The handle to them that stays when redb takes them.
    pub(crate) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    /// Whether there is an image. Its header gets its first bytes last when it is made, and until
    /// then there is none.
    pub(crate) fn is_begun(&self) -> io::Result<bool> {
        if self.len()? < 2 * BLOCK as u64 {
            return Ok(false);
        }
        Ok(Head::parse(&self.head_span()?).is_ok_and(|head| head.is_begun()))
    }

    /// Whether the last writer left within a commit, or is at one. What can be told from the header
    /// alone, and must be as it is, is checked.
    pub(crate) fn is_unfinished(&self) -> io::Result<bool> {
        let len = self.len()?;
        if len < 2 * BLOCK as u64 {
            return Err(io::Error::other(Damage::NoImage));
        }
        let head = Head::parse(&self.head_span()?).map_err(io::Error::other)?;
        if !head.is_begun() {
            return Err(io::Error::other(Damage::NoImage));
        }
        let (blocks, there) = (head.blocks(), len / BLOCK as u64);
        if !head.recovery_required() && there < blocks {
            return Err(io::Error::other(Damage::ImageCut { blocks, there }));
        }
        Ok(head.recovery_required())
    }

    /// Removes what is left of an image that was not made to its end.
    pub(crate) fn erase(&self) -> io::Result<()> {
        if self.disk.len()? > self.start { self.disk.set_len(self.start) } else { Ok(()) }
    }

    /// Looks at the engine's header before redb does: whether there is one, and whether the last
    /// writer finished. If it did not, blocks pass unchecked until [`Watch::recovered`], since
    /// redb must see a torn block to fall back to the commit before.
    pub(crate) fn prepare(&self) -> io::Result<Readiness> {
        if self.len()? < 2 * BLOCK as u64 {
            return Err(io::Error::other(Damage::NoImage));
        }
        let span = self.head_span()?;
        let head = Head::parse(&span).map_err(io::Error::other)?;
        let unfinished = head.recovery_required();
        self.watch.recovering.store(unfinished, Ordering::Release);
        self.held().holding = true;
        Ok(Readiness { unfinished, whole_heads: Head::whole_copies(&span) })
    }

    /// Declares the last commit finished, for reading what is left of a store that cannot be
    /// recovered. Only for blocks on an overlay.
    pub(crate) fn declare_finished(&self) -> io::Result<()> {
        let head = Head::parse(&self.head_span()?).map_err(io::Error::other)?;
        self.watch.recovered();
        self.write_head(&head.finished().0)
    }

    /// Where block `number` begins on the disk.
    fn place(&self, number: u64) -> u64 {
        self.start + number * STRIDE as u64
    }

    fn held(&self) -> MutexGuard<'_, HeldHead> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the held header go ahead of the first other write, as durable as redb had asked for.
    fn let_go(&self) -> io::Result<()> {
        let mut held = self.held();
        if let Some(head) = held.head {
            self.watch.keep(head);
            self.disk.write(self.start, &head.to_span())?;
            self.disk.sync_data()?;
        }
        *held = HeldHead::default();
        Ok(())
    }

    fn head_span(&self) -> io::Result<[u8; HEAD_SPAN]> {
        let mut span = [0; HEAD_SPAN];
        self.disk.read(self.start, &mut span)?;
        Ok(span)
    }

    /// A part of the header block; behind the header it is all zeros.
    fn read_head(&self, offset: usize, out: &mut [u8]) -> io::Result<()> {
        let head = match self.held().head {
            Some(head) => head,
            None => Head::parse(&self.head_span()?).map_err(io::Error::other)?,
        };
        let from = head.0.get(offset..).unwrap_or_default();
        let len = from.len().min(out.len());
        let (filled, rest) = out.split_at_mut(len);
        filled.copy_from_slice(from.split_at(len).0);
        rest.fill(0);
        Ok(())
    }

    fn write_head(&self, data: &[u8]) -> io::Result<()> {
        let head = data.try_into().map_err(|_| not_whole("the header", 0, data.len()))?;
        let mut held = self.held();
        if held.holding {
            held.head = Some(Head(head));
            return Ok(());
        }
        drop(held);
        self.watch.keep(Head(head));
        self.disk.write(self.start, &Head(head).to_span())
    }

    /// Reads `first` and the blocks behind it. Blocks behind the file's end are damage like any
    /// other: zeros have no seal that holds.
    fn read_sealed(&self, first: u64, stored: &mut [u8], out: &mut [u8]) -> io::Result<()> {
        match self.disk.read(self.place(first), stored) {
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
        let behind = self.disk.len()?.saturating_sub(self.start);
        Ok(behind / STRIDE as u64 * BLOCK as u64)
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
        self.disk.set_len(self.place(len / BLOCK as u64))
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
        let mut stored = Vec::with_capacity(count * STRIDE);
        for (number, content) in (first..).zip(data.chunks_exact(BLOCK)) {
            stored.extend_from_slice(content);
            stored.extend_from_slice(&self.seals.of(number, content));
        }
        self.disk.write(self.place(first), &stored)
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
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    const OURS: Superblock = Superblock { file_id: [5; 16], log: 8192 };

    fn sealed() -> SealedBlocks<InMemoryBackend> {
        let blocks = SealedBlocks::new(InMemoryBackend::new(), OURS);
        blocks.set_len(4 * BLOCK as u64).unwrap();
        blocks.write(0, &[1; HEAD]).unwrap();
        blocks
    }

    #[test]
    fn what_is_written_is_read_back_one_block_or_many() {
        let blocks = sealed();
        let data: Vec<u8> = (0..2 * BLOCK).map(|at| (at % 251) as u8).collect();
        blocks.write(BLOCK as u64, &data).unwrap();
        let mut both = vec![0; 2 * BLOCK];
        blocks.read(BLOCK as u64, &mut both).unwrap();
        assert!(both == data);
        let mut second = vec![0; BLOCK];
        blocks.read(2 * BLOCK as u64, &mut second).unwrap();
        assert!(second == data[BLOCK..]);
        assert_eq!(blocks.len().unwrap(), 4 * BLOCK as u64);
        assert_eq!(blocks.watch().damage(), None);
    }

    #[test]
    fn a_damaged_block_reads_as_zeros_and_is_reported() {
        let blocks = sealed();
        blocks.write(2 * BLOCK as u64, &[7; BLOCK]).unwrap();
        blocks.disk.write(blocks.place(2) + 100, &[8]).unwrap();
        let mut out = vec![1; BLOCK];
        blocks.read(2 * BLOCK as u64, &mut out).unwrap();
        assert!(out.iter().all(|byte| *byte == 0));
        assert_eq!(blocks.watch().damage(), Some(Damage::Block { number: 2 }));
    }

    #[test]
    fn blocks_pass_unchecked_while_the_engine_recovers() {
        let blocks = sealed();
        blocks.write(BLOCK as u64, &[7; BLOCK]).unwrap();
        blocks.disk.write(blocks.place(1), &[9]).unwrap();
        let mut head = [1; HEAD];
        head[9] |= 2;
        blocks.write(0, &head).unwrap();
        assert!(blocks.prepare().unwrap().unfinished);
        let mut out = vec![0; BLOCK];
        blocks.read(BLOCK as u64, &mut out).unwrap();
        assert_eq!((out[0], out[1]), (9, 7));
        blocks.watch().recovered();
        blocks.read(BLOCK as u64, &mut out).unwrap();
        assert_eq!(out[1], 0);
    }

    #[test]
    fn the_header_reads_back_in_parts_with_zeros_behind_it() {
        let blocks = sealed();
        let mut out = [9; 8];
        blocks.read(HEAD as u64 - 4, &mut out).unwrap();
        assert_eq!(out, [1, 1, 1, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn a_header_that_only_says_in_use_waits_for_the_first_other_write() {
        let blocks = sealed();
        blocks.prepare().unwrap();
        let before = on_disk(&blocks);
        blocks.write(0, &[3; HEAD]).unwrap();
        blocks.sync_data().unwrap();
        assert!(on_disk(&blocks) == before, "the file has not changed");
        let mut out = [0; HEAD];
        blocks.read(0, &mut out).unwrap();
        assert_eq!(out, [3; HEAD], "redb sees what it wrote");
        blocks.write(BLOCK as u64, &[7; BLOCK]).unwrap();
        assert_eq!(on_disk(&blocks)[AT..AT + HEAD], [3; HEAD]);
        blocks.write(0, &[4; HEAD]).unwrap();
        assert_eq!(on_disk(&blocks)[AT..AT + HEAD], [4; HEAD], "held no longer");
    }

    const AT: usize = BLOCK + 8192;

    fn on_disk(blocks: &SealedBlocks<InMemoryBackend>) -> Vec<u8> {
        let mut all = vec![0; blocks.disk.len().unwrap() as usize];
        blocks.disk.read(0, &mut all).unwrap();
        all
    }

    #[test]
    fn nothing_is_written_once_closed() {
        let blocks = sealed();
        blocks.watch().close();
        assert!(blocks.write(BLOCK as u64, &[0; BLOCK]).is_err());
        assert!(blocks.set_len(0).is_err() && blocks.sync_data().is_err());
    }

    #[test]
    fn a_part_of_a_block_is_refused_rather_than_written_unsealed() {
        let blocks = sealed();
        assert!(blocks.write(BLOCK as u64 + 1, &[0; BLOCK]).is_err());
        assert!(blocks.write(BLOCK as u64, &[0; 10]).is_err());
    }
}
