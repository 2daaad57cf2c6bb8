//! What other threads do while a record of the log is on its way: the tables get neither what is
//! not on disk, nor what is newer than the record with which they are to agree.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::crash_disk::CrashDisk;
use super::power_cut::new_disk;
use crate::error::Error;
use crate::file::{Access, Superblock};
use crate::session::Session;
use crate::store::core::Core;
use crate::store::engine::Engine;
use crate::store::files::Medium;
use crate::store::{Store, StoreOptions};
use crate::types::{AuthKey, ChannelState, DcId, DcOption, PeerId};

/// Its halves hold a few records each.
const LOG: u32 = 8 << 10;

fn open(disk: &CrashDisk) -> (Arc<Core>, Store) {
    let options = StoreOptions { thread: false, ..StoreOptions::default() };
    let options = options.flush_interval(Duration::MAX);
    let superblock = Superblock { log: LOG, ..super::power_cut::SUPERBLOCK };
    let shared = Arc::new(disk.clone());
    let medium = Medium::simulated(shared, superblock);
    let engine = Engine::new(Path::new("disk"), medium, Access::Write, &options);
    let engine = engine.unwrap();
    let Engine::Writer(core) = &engine else { panic!("it was opened for writing") };
    (Arc::clone(core), Store::on(engine))
}

fn after_a_power_cut(disk: &CrashDisk, seed: u64) -> Store {
    open(&CrashDisk::new(disk.survivors(seed), usize::MAX)).1
}

fn dc(id: i32) -> DcOption {
    DcOption::new(DcId(id)).with_key(AuthKey::new(&[7; 256]))
}

fn channels<const N: usize>(ids: [i64; N], pts: i32) -> [ChannelState; N] {
    ids.map(|id| ChannelState { id: PeerId::channel(id).unwrap(), pts })
}

/// A store with its tables made and a log of which the next record, of 256 bytes and more, goes to
/// the other half: what was written so far is set aside with it.
fn about_to_turn(disk: &CrashDisk) -> (Arc<Core>, Store) {
    let (core, store) = open(disk);
    let session = store.session("a").unwrap();
    for id in 10.. {
        session.set_dc(&dc(id)).unwrap();
        core.checkpoint_behind().unwrap();
        let room = core.committed.lock().unwrap().log.fits(400);
        if id > 30 && !room {
            break;
        }
    }
    session.set_channel_states(&channels([1], 1)).unwrap();
    (core, store)
}

#[test]
fn a_checkpoint_waits_for_the_record_that_it_is_to_contain() {
    // Who is first after the failure is the scheduler's affair, so there are several turns.
    for _ in 0..10 {
        let disk = new_disk(LOG);
        let (core, store) = about_to_turn(&disk);
        let session = store.open_session("a").unwrap();
        let (tell, told) = mpsc::channel();
        disk.at_sync(move || {
            let behind = thread::spawn(move || core.checkpoint_behind());
            // It is over at once, or has to wait for who is syncing.
            for _ in 0..100 {
                if behind.is_finished() {
                    break;
                }
                thread::sleep(Duration::from_millis(1));
            }
            tell.send(behind).unwrap();
            Err(std::io::Error::other("no more room"))
        });
        assert!(matches!(session.set_dc(&dc(2)), Err(Error::Io { .. })));
        // The record that failed has no number: the next one has it, and must count.
        session.set_dc(&dc(3)).unwrap();
        told.recv().unwrap().join().unwrap().unwrap();
        let found = after_a_power_cut(&disk, 1).open_session("a").unwrap();
        assert_eq!(found.dc(DcId(3)).unwrap(), Some(dc(3)));
    }
}

#[test]
fn a_checkpoint_has_nothing_that_is_newer_than_its_record() {
    for stop in 0.. {
        let disk = new_disk(LOG);
        let (_core, store) = about_to_turn(&disk);
        let session = store.open_session("a").unwrap();
        let (meanwhile, power) = (store.open_session("a").unwrap(), disk.clone());
        disk.at_sync(move || {
            // One row that the record has, and one that it has not.
            let changed = meanwhile.set_channel_states(&channels([1, 2], 2));
            // The sync itself, and so much of the checkpoint that comes with this call.
            power.set_left(1 + stop);
            changed.map_err(std::io::Error::other)
        });
        session.set_dc(&dc(2)).unwrap();
        let possible = [channels([1], 1).to_vec(), channels([2, 1], 2).to_vec()];
        for seed in 0..16 {
            let found = after_a_power_cut(&disk, seed);
            let found = found.open_session("a").unwrap().channel_states().unwrap();
            assert!(possible.contains(&found), "stop {stop}, seed {seed}: {found:?}");
        }
        if disk.left() > 0 {
            assert!(stop > 5, "{stop}: the tables were not written");
            break;
        }
    }
}
