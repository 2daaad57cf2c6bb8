//! Writes the root so that a write that is cut, or whose sync fails, costs nothing.

use std::io;

use super::disk::{Disk, write_durably};
use super::header::{Root, SLOTS};
use super::seal::FileSeal;

/// The root of a store that is open for writing.
#[derive(Debug)]
pub(crate) struct RootWriter {
    seal: FileSeal,
    root: Root,
    /// The slot that is known to be durable. It is not written over until the other one is durable
    /// with the current generation.
    safe: usize,
}

impl RootWriter {
    /// Goes on from this root. The slot `safe` is durable.
    pub(crate) fn new(seal: FileSeal, root: Root, safe: usize) -> Self {
        Self { seal, root, safe }
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// Makes this generation current, durably. If that fails, either may be current after a power
    /// cut: what the old one names must stay.
    pub(crate) fn publish(&mut self, disk: &dyn Disk, new: Root) -> io::Result<()> {
        let slot = 1 - self.safe;
        write_durably(disk, || self.write(disk, slot, new))?;
        self.safe = slot;
        // Both slots name the generation, so that a damaged slot never brings an old one back.
        write_durably(disk, || self.write(disk, 1 - slot, new))?;
        self.root = Root { revision: self.root.revision, ..new };
        Ok(())
    }

    /// Writes the root of the current generation again, with new bounds. It need not be durable.
    pub(crate) fn amend(
        &mut self,
        disk: &dyn Disk,
        amend: impl FnOnce(&mut Root),
    ) -> io::Result<()> {
        let mut root = self.root;
        amend(&mut root);
        self.write(disk, 1 - self.safe, root)?;
        self.root = Root { revision: self.root.revision, ..root };
        Ok(())
    }

    /// Writes both slots again and makes them durable, whatever the page cache says of them.
    pub(crate) fn confirm(&mut self, disk: &dyn Disk) -> io::Result<()> {
        let root = self.root;
        self.publish(disk, root)
    }

    /// A revision is used up even if its write fails: it may have reached the disk.
    fn write(&mut self, disk: &dyn Disk, slot: usize, root: Root) -> io::Result<()> {
        self.root.revision += 1;
        let root = Root { revision: self.root.revision, ..root };
        let at = SLOTS.get(slot).copied().unwrap_or_default();
        disk.write(at, &root.to_bytes(&self.seal)?)
    }
}
