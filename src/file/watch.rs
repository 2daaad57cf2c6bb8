//! What the store knows of its blocks while redb owns them.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::blocks::Disk;
use super::head::Head;
use super::space::{PAGE, Space};
use super::{Damage, Superblock};

/// What the store knows of its blocks while redb owns them.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Blocks are passed on unchecked: redb is recovering and must see torn ones.
    pub(super) recovering: AtomicBool,
    /// Nothing is written any more.
    pub(super) closed: AtomicBool,
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

    pub(super) fn keep(&self, head: Head) {
        *self.head() = Some(head);
    }

    pub(super) fn head(&self) -> MutexGuard<'_, Option<Head>> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says in the file that nothing is unfinished. True after a commit that recorded the
    /// allocator's state and before the next: who opens the file then finds all that redb needs.
    pub(crate) fn declare_settled(
        &self,
        disk: &dyn Disk,
        superblock: Superblock,
    ) -> io::Result<()> {
        match self.head().clone() {
            Some(head) => disk.write(superblock.image_at(), &head.finished().to_block()),
            None => Ok(()),
        }
    }

    /// Cuts off what belongs to nobody at the end of the file. Nobody commits meanwhile.
    pub(crate) fn trim(
        &self,
        disk: &dyn Disk,
        superblock: Superblock,
        space: &Space,
    ) -> io::Result<()> {
        self.trim_to(disk, superblock.image_at(), space)
    }

    pub(super) fn trim_to(&self, disk: &dyn Disk, start: u64, space: &Space) -> io::Result<()> {
        let places = space.places();
        let end = start + u64::from(places.end) * PAGE;
        let Some(head) = self.head().clone() else { return Ok(()) };
        if disk.len()? <= end {
            return Ok(());
        }
        // The file is as long as its header says, at least: that is written first.
        let head = Head { places, ..head };
        disk.write(start, &head.to_block())?;
        disk.sync_data()?;
        self.keep(head);
        // Not every system can cut a file of which a part is mapped: then it is longer than it need be.
        if let Err(error) = disk.set_len(end) {
            tracing::debug!(%error, "the file keeps its length");
        }
        Ok(())
    }

    pub(super) fn report(&self, number: u64) {
        let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        damage.get_or_insert(Damage::Block { number });
        tracing::error!(block = number, "the checksum of a block does not hold");
    }
}
