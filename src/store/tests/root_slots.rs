//! The two slots of the root, where the page cache and the disk differ: a writer was stopped, or its
//! call failed, and the next one goes on. Which units a failed sync or a power cut loses depends on
//! the number of calls before it, so each test has several of these.

use super::faults::writer;
use super::random_ops::{Op, act, new_store_with, open, state_of};
use super::sim_disk::{Failure, Fault, SimDisk};
use crate::file::{Access, SECTOR};
use crate::store::Store;

/// A store with a session that has logged in this many times. Every second one is encrypted: a torn
/// write of an encrypted root has never the same bytes as a whole one.
fn logged_in(logins: u8) -> SimDisk {
    let is_encrypted = logins % 2 == 1 && cfg!(feature = "encryption");
    let disk = SimDisk::new(new_store_with(is_encrypted));
    let store = writer(&disk).unwrap();
    act(&store, &Op::Session(0)).unwrap();
    for number in 1..=logins {
        act(&store, &Op::LogIn(0, number)).unwrap();
    }
    store.close().unwrap();
    disk
}

/// The number of logins, of the first call that fails, and of the first that fails in the next writer.
fn cases() -> impl Iterator<Item = (u8, usize, usize)> {
    (1..8).flat_map(|logins| (0..12).flat_map(move |at| (0..6).map(move |next| (logins, at, next))))
}

/// Closing changes the bounds of the root in one slot without a sync, so that the other slot alone
/// is durable. The next writer must not write that one first.
#[test]
fn a_torn_root_after_a_close_leaves_the_durable_slot() {
    for (logins, at, next) in cases() {
        let what = format!("{logins} logins, calls {at} and {next} fail");
        let disk = logged_in(logins);
        let store = writer(&disk).unwrap();
        disk.fail(Some(Fault::once(disk.calls() + at, Failure::Short)));
        let right = state_of(&store).unwrap();
        let done = act(&store, &Op::LogIn(0, 50)).is_ok();
        let after = if done { state_of(&store).unwrap() } else { right.clone() };
        let _ = store.close();
        disk.fail(Some(Fault::once(disk.calls() + next, Failure::Short)));
        let opened = writer(&disk);
        disk.fail(None);
        disk.kill_all();
        drop(opened);
        for seed in 0..6 {
            let opened = writer(&SimDisk::new(disk.power_cut(seed, SECTOR)));
            let opened = opened.unwrap_or_else(|error| panic!("{what}, cut {seed}: {error:?}"));
            let found = state_of(&opened).unwrap();
            assert!(found == after || !done, "{what}, cut {seed}: a login is lost");
        }
    }
}

/// A slot that is torn in the page cache may be whole on the disk, with a generation that failed. A
/// writer that goes on from the other slot must replace it before it acknowledges anything.
#[test]
fn a_generation_that_failed_does_not_come_back_after_a_power_cut() {
    for (logins, at, next) in cases() {
        let what = format!("{logins} logins, calls {at} and {next} fail");
        let disk = logged_in(logins);
        let store = writer(&disk).unwrap();
        let first = disk.calls() + at;
        disk.fail(Some(Fault { first, count: 100, step: 1, failure: Failure::Eio }));
        let _ = act(&store, &Op::Import(1, 1, 30));
        disk.kill_all();
        drop(store);
        disk.fail(Some(Fault::once(disk.calls() + next, Failure::Short)));
        let opened = writer(&disk);
        disk.fail(None);
        disk.kill_all();
        drop(opened);
        let store = writer(&disk).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        check_after_power_cuts(&disk, &store, &what);
        act(&store, &Op::LogIn(0, 50)).unwrap();
        check_after_power_cuts(&disk, &store, &what);
    }
}

/// A sync that fails elsewhere may lose a record that the page cache shows. The next writer shows it
/// only if it has made it durable, also if a sync fails elsewhere meanwhile.
#[test]
fn a_record_that_the_next_writer_shows_is_durable() {
    for (logins, at, next) in cases() {
        let what = format!("{logins} logins, calls {at} and {next} fail");
        let disk = logged_in(logins);
        let store = writer(&disk).unwrap();
        disk.fail(Some(Fault::once(disk.calls() + at, Failure::Elsewhere)));
        let _ = act(&store, &Op::LogIn(0, 50));
        disk.kill_all();
        drop(store);
        disk.fail(Some(Fault::once(disk.calls() + next, Failure::Elsewhere)));
        let opened = writer(&disk);
        disk.fail(None);
        if let Ok(store) = opened {
            check_after_power_cuts(&disk, &store, &what);
        }
    }
}

/// What the store shows is on the disk.
fn check_after_power_cuts(disk: &SimDisk, store: &Store, what: &str) {
    let right = state_of(store).unwrap();
    for seed in 0..3 {
        let opened = writer(&SimDisk::new(disk.power_cut(seed, SECTOR)));
        let opened = opened.unwrap_or_else(|error| panic!("{what}, cut {seed}: {error:?}"));
        assert_eq!(state_of(&opened).unwrap(), right, "{what}, cut {seed}");
    }
}

/// A reader keeps the segments that it has opened. Those of a generation that failed are not those of
/// the next one, even in the same pages.
#[test]
fn a_reader_of_a_generation_that_failed_opens_the_segments_of_the_next() {
    for (logins, at, _) in cases().filter(|(_, _, next)| *next == 0) {
        let what = format!("{logins} logins, call {at} fails");
        let disk = logged_in(logins);
        let store = writer(&disk).unwrap();
        // The log moves away from page 1, where the next segments lie then.
        act(&store, &Op::Import(1, 1, 5)).unwrap();
        let reader = open(disk.handle(), Access::Read, 20_000).unwrap();
        disk.fail(Some(Fault::once(disk.calls() + at, Failure::Elsewhere)));
        let _ = act(&store, &Op::Import(2, 1, 5));
        disk.fail(None);
        let _ = state_of(&reader).unwrap();
        for op in [Op::LogIn(0, 50), Op::See(0, 1, 5), Op::Compact] {
            act(&store, &op).unwrap();
        }
        assert_eq!(state_of(&reader).unwrap(), state_of(&store).unwrap(), "{what}");
    }
}
