//! A disk in memory that loses its power at a chosen moment.

use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use std::{fmt, io};

use redb::{BackendError, StorageBackend};

/// Power is lost in units of this many bytes: within one, a write happens or does not.
const SECTOR: usize = 512;

/// Handles of one disk share it.
#[derive(Clone, Debug)]
pub(super) struct CrashDisk(Arc<Mutex<State>>);

/// What happens while a sync is under way; an error is the sync's.
struct Meanwhile(Box<dyn FnOnce() -> io::Result<()> + Send>);

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

#[derive(Debug)]
struct State {
    /// What is read back: every write, synced or not.
    now: Vec<u8>,
    /// What was there at the last sync.
    synced: Vec<u8>,
    /// What was done since.
    unsynced: Vec<Change>,
    /// So many more changes and syncs until the power goes.
    left: usize,
    at_sync: Option<Meanwhile>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

impl CrashDisk {
    /// A disk with this on it that works for so many writes, resizes and syncs.
    pub(super) fn new(content: Vec<u8>, left: usize) -> Self {
        let (now, unsynced, at_sync) = (content.clone(), Vec::new(), None);
        let state = State { now, synced: content, unsynced, left, at_sync };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// How many writes, resizes and syncs are left of those it was made for.
    pub(super) fn left(&self) -> usize {
        self.state().left
    }

    /// From now on it works for so many writes, resizes and syncs.
    pub(super) fn set_left(&self, left: usize) {
        self.state().left = left;
    }

    /// Has this happen while the next sync is under way, before anything of it is durable.
    pub(super) fn at_sync(&self, meanwhile: impl FnOnce() -> io::Result<()> + Send + 'static) {
        self.state().at_sync = Some(Meanwhile(Box::new(meanwhile)));
    }

    /// What is on the disk after the power came back: of what was not synced, any sectors or none,
    /// as the seed has it.
    pub(super) fn survivors(&self, seed: u64) -> Vec<u8> {
        let state = self.state();
        let mut image = state.synced.clone();
        let mut random = seed;
        for change in &state.unsynced {
            match change {
                Change::SetLen(len) => {
                    if chance(&mut random, seed) {
                        image.resize(*len as usize, 0);
                    }
                }
                Change::Write(at, data) => {
                    for (number, sector) in sectors(*at, data) {
                        if chance(&mut random, seed) {
                            apply(&mut image, number, sector);
                        }
                    }
                }
            }
        }
        image
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.state();
        state.spend()?;
        match &change {
            Change::Write(at, data) => apply(&mut state.now, *at, data),
            Change::SetLen(len) => state.now.resize(*len as usize, 0),
        }
        state.unsynced.push(change);
        Ok(())
    }
}

impl State {
    fn spend(&mut self) -> io::Result<()> {
        self.left =
            self.left.checked_sub(1).ok_or_else(|| io::Error::other("the power is gone"))?;
        Ok(())
    }
}

fn apply(image: &mut Vec<u8>, at: u64, data: &[u8]) {
    let (start, end) = (at as usize, at as usize + data.len());
    if image.len() < end {
        image.resize(end, 0);
    }
    image[start..end].copy_from_slice(data);
}

/// The parts of a write that each lie within one sector.
fn sectors(at: u64, data: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let first = (SECTOR - at as usize % SECTOR).min(data.len());
    let (head, rest) = data.split_at(first);
    let behind = (at + first as u64..).step_by(SECTOR).zip(rest.chunks(SECTOR));
    std::iter::once((at, head)).chain(behind)
}

/// Seed 0 keeps everything, seed 1 nothing, others a half.
fn chance(random: &mut u64, seed: u64) -> bool {
    *random =
        random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    match seed {
        0 => true,
        1 => false,
        _ => *random >> 40 & 1 == 1,
    }
}

impl StorageBackend for CrashDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let from = state.now.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let meanwhile = self.state().at_sync.take();
        if let Some(Meanwhile(happens)) = meanwhile {
            happens()?;
        }
        let mut state = self.state();
        state.spend()?;
        state.synced = state.now.clone();
        state.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Write(offset, data.to_vec()))
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}
