//! A disk that fails for a while: nothing is lost meanwhile, and it is said.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::crash_disk::CrashDisk;
use super::power_cut::{SUPERBLOCK, new_disk};
use crate::error::{Error, Result};
use crate::file::{Access, Superblock};
use crate::session::Session;
use crate::store::engine::Engine;
use crate::store::files::Medium;
use crate::store::{Store, StoreOptions};
use crate::types::UpdateState;

fn open(disk: CrashDisk, log: u32) -> Result<Store> {
    let options = StoreOptions::default().flush_interval(Duration::from_millis(5));
    let (disk, superblock) = (Arc::new(disk), Superblock { log, ..SUPERBLOCK });
    let medium = Medium::simulated(disk, superblock);
    Engine::new(Path::new("disk"), medium, Access::Write, &options).map(Store::on)
}

fn state(pts: i32) -> Option<UpdateState> {
    Some(UpdateState { pts, qts: 0, date: 0, seq: 0 })
}

/// The disk fails after so many more operations, each time; with a large log it is the log that
/// is written, with a small one the tables as well.
fn fails_and_recovers(log: u32, rounds: usize) {
    let disk = new_disk(log);
    let store = open(disk.clone(), log).unwrap();
    let session = store.session("a").unwrap();
    session.set_update_state(state(1)).unwrap();
    session.flush().unwrap();
    for round in 0..rounds {
        disk.set_left(round);
        let told = until_an_error(|pts| session.set_update_state(state(pts)));
        let last = session.update_state().unwrap();
        assert!(matches!(told, Error::Io { .. }), "{told:?}");
        let flushed = session.flush();
        assert!(matches!(flushed, Ok(()) | Err(Error::Io { .. })), "{flushed:?}");
        assert!(flushed.is_err() || log < LARGE, "what must be on disk cannot be");
        let other = format!("made in round {round}");
        assert!(store.session(&other).is_err() || log < LARGE);
        assert_eq!(session.update_state().unwrap(), last, "reading goes on");

        disk.set_left(usize::MAX);
        session.flush().unwrap();
        let found = open(CrashDisk::new(disk.survivors(1), usize::MAX), log).unwrap();
        assert_eq!(found.open_session("a").unwrap().update_state().unwrap(), last);
    }
    drop((session, store));
    open(CrashDisk::new(disk.survivors(1), usize::MAX), log).unwrap();
}

const LARGE: u32 = 512 << 10;

#[test]
fn a_flush_that_fails_is_said_by_the_next_call_and_nothing_is_lost() {
    fails_and_recovers(LARGE, 4);
}

#[test]
fn tables_that_cannot_be_written_cost_nothing_and_are_written_when_they_can_be() {
    fails_and_recovers(4 << 10, 30);
}

/// Calls until a call fails, which the flush behind it brings about.
fn until_an_error(call: impl Fn(i32) -> Result<()>) -> Error {
    for pts in 2..20_000 {
        if let Err(error) = call(pts) {
            return error;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("no call was told of the failure");
}

#[test]
fn who_fills_the_buffer_waits_for_the_disk_and_is_told_when_it_fails() {
    let disk = new_disk(SUPERBLOCK.log);
    let options = StoreOptions::default().flush_interval(Duration::MAX).buffer_size(10_000);
    let shared = Arc::new(disk.clone());
    let medium = Medium::simulated(shared, SUPERBLOCK);
    let engine = Engine::new(Path::new("disk"), medium, Access::Write, &options);
    let store = Store::on(engine.unwrap());
    let session = store.session("a").unwrap();
    let meet = |n| session.process_entities(&[super::power_cut::person(n)]);
    for n in 1..200 {
        meet(n).unwrap();
    }
    disk.set_left(0);
    let met = (200..400).take_while(|n| meet(*n).is_ok()).count();
    assert!((1..100).contains(&met), "{met} more were taken in");
    assert_eq!(session.entity_count().unwrap(), 199 + met as u64);
    disk.set_left(usize::MAX);
    meet(400).unwrap();
    drop((session, store));
    let found = open(CrashDisk::new(disk.survivors(1), usize::MAX), 4 << 10).unwrap();
    assert_eq!(found.open_session("a").unwrap().entity_count().unwrap(), 200 + met as u64);
}
