//! The state of a simulated disk: its page cache, its durable bytes, and the writes between them.

use super::sim_disk::Random;
use crate::file::{PAGE, SECTOR};

/// A write or a resize that no sync has followed.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

/// The state of a disk at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct DiskState {
    /// The page cache, which every read sees.
    pub(super) cache: Vec<u8>,
    /// The durable bytes.
    pub(super) durable: Vec<u8>,
    /// The changes since the last sync, as far as they may still reach the disk.
    pub(super) pending: Vec<Change>,
}

impl DiskState {
    /// All of it durable.
    pub(super) fn synced(content: Vec<u8>) -> Self {
        Self { cache: content.clone(), durable: content, pending: Vec::new() }
    }

    /// The bytes of the disk after a power cut. `seed` decides which units, of `unit` bytes each, of
    /// the changes since the last sync are among them.
    pub(super) fn after_power_cut(&self, seed: u64, unit: usize) -> Vec<u8> {
        let mut image = self.durable.clone();
        let mut random = Random::new(seed);
        some_of(&self.pending, &mut image, unit, &mut random);
        if random.below(4) == 0 {
            spoil(&self.pending, &mut image, &mut random);
        }
        image
    }

    pub(super) fn write(&mut self, at: u64, data: &[u8]) {
        write_units(&mut self.cache, at, data, usize::MAX / 2, || true);
        self.pending.push(Change::Write(at, data.to_vec()));
    }

    pub(super) fn set_len(&mut self, len: u64) {
        self.cache.resize(len as usize, 0);
        self.pending.push(Change::SetLen(len));
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            match change {
                Change::SetLen(len) => self.durable.resize(len as usize, 0),
                Change::Write(at, data) => {
                    write_units(&mut self.durable, at, &data, usize::MAX / 2, || true);
                }
            }
        }
    }

    /// Any part of the pending changes is lost: the page cache shows it, and it never reaches the
    /// disk.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        let pending = std::mem::take(&mut self.pending);
        some_of(&pending, &mut self.durable, SECTOR, random);
    }
}

/// Takes any of these changes over to an image: all, none, or about half of them.
fn some_of(pending: &[Change], image: &mut Vec<u8>, unit: usize, random: &mut Random) {
    let odds = [0, 8, 4, 4, 1, 7][random.below(6)];
    for change in pending {
        match change {
            Change::SetLen(len) => {
                if random.below(8) < odds {
                    image.resize(*len as usize, 0);
                }
            }
            Change::Write(at, data) => {
                write_units(image, *at, data, unit, || random.below(8) < odds);
            }
        }
    }
}

/// Makes garbage of one sector of the header that was being written. There are two slots of the root
/// for this.
fn spoil(pending: &[Change], image: &mut [u8], random: &mut Random) {
    let writes = pending.iter().filter_map(|change| match change {
        Change::Write(at, data) if *at < PAGE as u64 => Some((*at as usize, data.len().max(1))),
        _ => None,
    });
    let writes: Vec<_> = writes.collect();
    if writes.is_empty() {
        return;
    }
    let (at, len) = writes[random.below(writes.len())];
    let at = (at + random.below(len)) / SECTOR * SECTOR;
    if let Some(sector) = image.get_mut(at..at + SECTOR) {
        sector.fill_with(|| random.next() as u8);
    }
}

fn write_units(
    image: &mut Vec<u8>,
    at: u64,
    data: &[u8],
    unit: usize,
    mut survives: impl FnMut() -> bool,
) {
    let (start, end) = (at as usize, at as usize + data.len());
    let mut from = start;
    while from < end {
        let to = ((from / unit + 1) * unit).min(end);
        if survives() {
            if image.len() < to {
                image.resize(to, 0);
            }
            image[from..to].copy_from_slice(&data[from - start..to - start]);
        }
        from = to;
    }
}
