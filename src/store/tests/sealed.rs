//! An encrypted store that is changed without its key.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::random_ops::{Op, State, act, new_store_with, open, seal_of, state_of};
use super::sim_disk::SimDisk;
use crate::file::{Access, Disk, FileSeal, Roots, SECTOR};
use crate::store::Store;
use crate::store::repair::salvaged_on;
use crate::types::Progress;
use crate::wal::Log;

/// A store that is small, with a segment and a log, and every state that it had.
struct Subject {
    image: Vec<u8>,
    states: Vec<State>,
}

impl Subject {
    fn new() -> Self {
        let disk = SimDisk::new(new_store_with(true));
        let store = open(disk.handle(), Access::Write, 20_000).unwrap();
        let mut states = vec![state_of(&store).unwrap()];
        let mut ops = vec![Op::Session(0), Op::LogIn(0, 1), Op::Import(1, 5, 30)];
        for number in 0..6 {
            ops.extend([Op::See(0, number * 9 + 1, 4), Op::LogIn(0, number as u8 + 2), Op::Flush]);
        }
        for op in &ops {
            act(&store, op).unwrap();
            states.push(state_of(&store).unwrap());
        }
        let image = disk.killed();
        Self { image, states }
    }
}

/// Changes the store as these bytes say: a byte whose lowest bit says whether the checksums of the
/// log are made right afterwards, then places in the file (two bytes) and what is xored to the byte
/// there. What is read is a state that the store had, or nothing.
pub(crate) fn sealed_of(bytes: &[u8]) {
    static SUBJECT: OnceLock<Subject> = OnceLock::new();
    let Subject { image, states } = SUBJECT.get_or_init(Subject::new);
    let Some((choice, edits)) = bytes.split_first() else { return };
    let mut changed = image.clone();
    for edit in edits.chunks_exact(3) {
        let place = (usize::from(edit[0]) | usize::from(edit[1]) << 8) % changed.len();
        changed[place] ^= edit[2];
    }
    if choice & 1 > 0 {
        mend_log(image, &mut changed);
    }
    let disk = SimDisk::new(changed);
    if let Ok(store) = open(disk.handle(), Access::Read, 20_000) {
        check(&store, states);
    }
    let salvaged: Arc<dyn Disk> = Arc::new(disk.handle());
    let _ = salvaged_on(Path::new("fuzz"), &salvaged, &seal_of(&disk), &Progress::default());
}

fn check(store: &Store, states: &[State]) {
    if let Ok(state) = state_of(store) {
        assert!(states.contains(&state), "a state that never was: {state:?}");
    }
}

/// Makes the checksum of each record right, as it can be done without the key.
fn mend_log(image: &[u8], changed: &mut [u8]) {
    let disk = SimDisk::new(image.to_vec());
    let seal: FileSeal = seal_of(&disk);
    let root = Roots::read(&disk, &seal).ok().and_then(|roots| roots.current().ok());
    let Some((root, _)) = root else { return };
    let (log, from) = (Log::of(&seal, &root), root.log.at() as usize);
    for at in (from..changed.len()).step_by(SECTOR) {
        log.mend(at - from, &mut changed[from..]);
    }
}
