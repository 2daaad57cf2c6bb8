//! The two slots of the root, where the page cache and the disk differ: a writer was stopped, or its
//! call failed, and the next one goes on. Which units a failed sync or a power cut loses depends on
//! the number of calls before it, so each test has several of these.

use std::fmt;

use super::faults::writer;
use super::random_ops::{Op, act, new_store_with, open, state_of};
use super::sim_disk::{Failure, Fault, SimDisk};
use crate::error::Result;
use crate::file::{Access, SECTOR};
use crate::session::Session;
use crate::store::{ImportSession, Store};
use crate::types::{AccessHash, Account, Entity, PeerId};

/// The calls that fail in one run of a test.
struct Case {
    /// How often the session has logged in before.
    logins: u8,
    /// The call of the first writer that fails, counted from its first call after it has opened.
    first: usize,
    /// The call of the next writer that fails, counted from its first call.
    next: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { logins, first, next } = self;
        write!(f, "{logins} logins, calls {first} and {next} fail")
    }
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        let cases = (1..8).flat_map(|logins| (0..12).map(move |first| (logins, first)));
        cases.flat_map(|(logins, first)| (0..6).map(move |next| Self { logins, first, next }))
    }

    /// A store with a session that has logged in. Every second one is encrypted: a torn write of an
    /// encrypted root has never the same bytes as a whole one.
    fn disk(&self) -> SimDisk {
        let is_encrypted = self.logins % 2 == 1 && cfg!(feature = "encryption");
        let disk = SimDisk::new(new_store_with(is_encrypted));
        let store = writer(&disk).unwrap();
        act(&store, &Op::Session(0)).unwrap();
        for number in 1..=self.logins {
            act(&store, &Op::LogIn(0, number)).unwrap();
        }
        store.close().unwrap();
        disk
    }

    /// Does an operation, of which `count` calls fail. Then the process is killed.
    fn fail_first(&self, disk: &SimDisk, op: &Op, count: usize, failure: Failure) {
        let store = writer(disk).unwrap();
        let first = disk.calls() + self.first;
        disk.fail(Some(Fault { first, count, step: 1, failure }));
        let _ = act(&store, op);
        disk.kill_all();
    }

    /// Opens the store while a call fails.
    fn fail_next(&self, disk: &SimDisk, failure: Failure) -> Result<Store> {
        disk.fail(Some(Fault::once(disk.calls() + self.next, failure)));
        let opened = writer(disk);
        disk.fail(None);
        opened
    }
}

/// Closing changes the bounds of the root in one slot without a sync, so that the other slot alone
/// is durable. The next writer must not write that one first.
#[test]
fn a_torn_root_after_a_close_leaves_the_durable_slot() {
    for case in Case::all() {
        let disk = case.disk();
        let store = writer(&disk).unwrap();
        disk.fail(Some(Fault::once(disk.calls() + case.first, Failure::Short)));
        let done = act(&store, &Op::LogIn(0, 50));
        let after = state_of(&store).unwrap();
        let _ = store.close();
        let next = case.fail_next(&disk, Failure::Short);
        disk.kill_all();
        drop(next);
        for seed in 0..6 {
            let opened = writer(&SimDisk::new(disk.power_cut(seed, SECTOR)));
            let opened = opened.unwrap_or_else(|error| panic!("{case}, cut {seed}: {error:?}"));
            let found = state_of(&opened).unwrap();
            assert!(found == after || done.is_err(), "{case}, cut {seed}: a login is lost");
        }
    }
}

/// A slot that is torn in the page cache may be whole on the disk, with a generation that failed. A
/// writer that goes on from the other slot must replace it before it acknowledges anything.
#[test]
fn a_generation_that_failed_does_not_come_back_after_a_power_cut() {
    for case in Case::all() {
        let disk = case.disk();
        case.fail_first(&disk, &Op::Import(1, 1, 30), 100, Failure::Eio);
        let next = case.fail_next(&disk, Failure::Short);
        disk.kill_all();
        drop(next);
        let store = writer(&disk).unwrap_or_else(|error| panic!("{case}: {error:?}"));
        check_after_power_cuts(&disk, &store, &case);
        act(&store, &Op::LogIn(0, 50)).unwrap();
        check_after_power_cuts(&disk, &store, &case);
    }
}

/// A sync that fails in another thread may lose a record that the page cache shows. The next writer
/// shows the record only if it is durable, also if another sync fails while the writer opens.
#[test]
fn a_record_that_the_next_writer_shows_is_durable() {
    let mut opened = 0;
    for case in Case::all() {
        let disk = case.disk();
        case.fail_first(&disk, &Op::LogIn(0, 50), 1, Failure::Elsewhere);
        if let Ok(store) = case.fail_next(&disk, Failure::Elsewhere) {
            check_after_power_cuts(&disk, &store, &case);
            opened += 1;
        }
    }
    assert!(opened > 100, "{opened} writers opened");
}

/// What the store shows is on the disk.
fn check_after_power_cuts(disk: &SimDisk, store: &Store, case: &Case) {
    let right = state_of(store).unwrap();
    for seed in 0..3 {
        let opened = writer(&SimDisk::new(disk.power_cut(seed, SECTOR)));
        let opened = opened.unwrap_or_else(|error| panic!("{case}, cut {seed}: {error:?}"));
        assert_eq!(state_of(&opened).unwrap(), right, "{case}, cut {seed}");
    }
}

/// A reader keeps the segments that it has opened. Those of a generation that failed are not those of
/// the next one, even in the same pages.
#[test]
fn a_reader_of_a_generation_that_failed_opens_the_segments_of_the_next() {
    for case in Case::all().filter(|case| case.next == 0) {
        let disk = case.disk();
        let store = writer(&disk).unwrap();
        // The log moves away from page 1, where the next segments lie then.
        act(&store, &Op::Import(1, 1, 5)).unwrap();
        let reader = open(disk.handle(), Access::Read, 20_000).unwrap();
        disk.fail(Some(Fault::once(disk.calls() + case.first, Failure::Elsewhere)));
        let _ = act(&store, &Op::Import(2, 1, 5));
        disk.fail(None);
        let _ = state_of(&reader).unwrap();
        for op in [Op::LogIn(0, 50), Op::See(0, 1, 5), Op::Compact] {
            act(&store, &op).unwrap();
        }
        assert_eq!(state_of(&reader).unwrap(), state_of(&store).unwrap(), "{case}");
    }
}

/// A store with an entity of this access hash, and after it this many more generations.
fn generation_with(before: &[u8], hash: i64, more: usize) -> Vec<u8> {
    let disk = SimDisk::new(before.to_vec());
    let store = writer(&disk).unwrap();
    let entities = [Ok(with_hash(hash))];
    store.replace("a", ImportSession::new(&Account::default(), entities)).unwrap();
    for _ in 0..more {
        store.replace("b", ImportSession::new(&Account::default(), [])).unwrap();
    }
    disk.killed()
}

fn with_hash(hash: i64) -> Entity {
    let id = PeerId::user(7).unwrap();
    Entity { access_hash: Some(AccessHash(hash)), ..Entity::new(id) }
}

/// After a failed sync, the death of the writer and the loss of its pages, the next writer gives the
/// number of the generation again. The reader looks again when that one or a later one is current, which
/// has a segment in the same pages.
#[test]
fn a_reader_tells_a_lost_generation_from_those_that_follow() {
    let disk = SimDisk::new(new_store_with(false));
    let store = writer(&disk).unwrap();
    act(&store, &Op::Session(0)).unwrap();
    store.close().unwrap();
    let before = disk.killed();
    for more in 0..3 {
        let disk = SimDisk::new(generation_with(&before, 1_000, 0));
        let reader = open(disk.handle(), Access::Read, 20_000).unwrap();
        let session = reader.open_session("a").unwrap();
        let entity = || session.entity(with_hash(0).id).unwrap();
        assert_eq!(entity(), Some(with_hash(1_000)));
        disk.replace(generation_with(&before, 1_001, more));
        assert_eq!(entity(), Some(with_hash(1_001)), "{more} generations later");
    }
}
