//! Faults that version 3 of the format had, each as a test. The table in tests/README.md names them.

use super::random_ops::{Op, act, new_store, open, seal_of, state_in, state_of};
use super::sim_disk::{Failed, Failure, Fault, SimDisk};
use crate::error::{Error, Result};
use crate::file::{Access, PAGE, Roots, SECTOR};
use crate::session::Session;
use crate::store::{ImportSession, Store};
use crate::types::{Account, AuthKey, DcId, DcOption, Entity, PeerId};

const BUFFER: usize = 4 << 20;

pub(super) fn writer(disk: &SimDisk) -> Result<Store> {
    open(disk.handle(), Access::Write, BUFFER)
}

fn reader(image: &[u8]) -> Result<Store> {
    open(SimDisk::new(image.to_vec()), Access::Read, BUFFER)
}

/// A session with 130 entities and a log of many records; its writer was killed.
fn killed_with_a_long_log() -> (Vec<u8>, usize) {
    let disk = SimDisk::new(new_store());
    let store = writer(&disk).unwrap();
    act(&store, &Op::Session(0)).unwrap();
    let session = store.open_session("a").unwrap();
    for call in 0..13 {
        let entities: Vec<_> =
            (1..=10).map(|n| Entity::new(PeerId::user(call * 10 + n).unwrap())).collect();
        session.process_entities(&entities).unwrap();
        session.flush().unwrap();
    }
    let (root, _) = Roots::read(&disk, &seal_of(&disk)).unwrap().current().unwrap();
    let image = disk.killed();
    disk.kill_all();
    drop((session, store));
    (image, root.log.at() as usize)
}

fn is_refused(image: &[u8], what: &str) {
    let read = reader(image).and_then(|store| state_of(&store));
    assert!(matches!(read, Err(Error::Damaged { .. })), "{what}: {read:?}");
    let written = writer(&SimDisk::new(image.to_vec()));
    assert!(matches!(written, Err(Error::Damaged { .. })), "{what}: {written:?}");
}

/// Fault 01: a number of the log was used twice after a write had failed.
#[test]
fn a_log_write_that_fails_once_damages_nothing() {
    for failure in [Failure::Eio, Failure::Short, Failure::NoSpace] {
        for at in 0..6 {
            let disk = SimDisk::new(new_store());
            let store = writer(&disk).unwrap();
            act(&store, &Op::Session(0)).unwrap();
            disk.fail(Some(Fault::once(disk.calls() + at, failure)));
            for number in 1..9 {
                let _ = act(&store, &Op::LogIn(0, number));
            }
            disk.fail(None);
            act(&store, &Op::LogIn(0, 9)).unwrap();
            let state = state_of(&store).unwrap();
            for image in [disk.killed(), disk.durable()] {
                let disk = SimDisk::new(image);
                assert_eq!(state_of(&writer(&disk).unwrap()).unwrap(), state, "{failure:?} {at}");
            }
        }
    }
}

/// Fault 02: readers showed an empty store where a record in the middle of the log was damaged.
#[test]
fn a_damaged_record_in_the_log_is_an_error_for_readers_too() {
    let (image, log) = killed_with_a_long_log();
    assert_eq!(state_of(&reader(&image).unwrap()).unwrap().len(), 132);
    for sector in 0..10 {
        let mut damaged = image.clone();
        damaged[log + sector * SECTOR + 90] ^= 1;
        is_refused(&damaged, &format!("sector {sector}"));
    }
}

/// Fault 03: a file that was cut showed an older state, or none.
#[test]
fn a_file_that_was_cut_is_refused_by_readers_and_writers() {
    let (image, _) = killed_with_a_long_log();
    for len in [0, 511, 2048, 4168, 4608, PAGE, 2 * PAGE, image.len() - 1] {
        is_refused(&image[..len], &format!("{len} bytes"));
    }
}

/// An account with the auth key of one DC.
pub(super) fn account_with_key() -> Account {
    let dcs = vec![DcOption::new(DcId(2)).with_key(AuthKey::new(&[7; 256]))];
    Account { dcs, ..Account::default() }
}

/// A store with a base.
pub(super) fn with_a_base() -> (SimDisk, Store) {
    let disk = SimDisk::new(new_store());
    let store = writer(&disk).unwrap();
    let account = account_with_key();
    for number in 0..250 {
        store.import(&format!("s{number:03}"), ImportSession::new(&account, [])).unwrap();
    }
    (disk, store)
}

/// Fault 04: a writer opened and acknowledged into what no reader could read.
#[test]
fn what_a_writer_acknowledges_a_reader_can_read() {
    let (disk, store) = with_a_base();
    let base = {
        let view = store.engine.view().unwrap();
        view.version().base.as_ref().unwrap().info().extent
    };
    store.close().unwrap();
    for page in 0..base.pages as usize {
        let mut image = disk.killed();
        image[base.at() as usize + page * PAGE + 100] ^= 1;
        let disk = SimDisk::new(image);
        let Ok(store) = writer(&disk) else { continue };
        let written = store.open_session("s003").and_then(|session| session.set_home_dc(DcId(4)));
        if written.is_ok() {
            let seen = reader(&disk.killed())
                .and_then(|store| Ok(store.open_session("s003")?.login()?.home_dc));
            assert_eq!(seen.unwrap(), Some(DcId(4)), "page {page}");
        }
        disk.kill_all();
        drop(store);
    }
}

/// Fault 05: the same on a disk that was full for a while.
#[test]
fn a_disk_that_is_full_for_a_while_costs_nothing() {
    for count in [1, 3, 40] {
        let disk = SimDisk::new(new_store());
        let store = writer(&disk).unwrap();
        act(&store, &Op::Session(0)).unwrap();
        let first = disk.calls();
        disk.fail(Some(Fault { first, count, step: 1, failure: Failure::NoSpace }));
        let mut errors = 0;
        for number in 0..60 {
            errors += usize::from(act(&store, &Op::See(0, number * 9 + 1, 60)).is_err());
            errors += usize::from(act(&store, &Op::Flush).is_err());
        }
        assert!(errors > 0 && !disk.failed().is_empty(), "{count}: nothing has failed");
        act(&store, &Op::Flush).unwrap();
        let state = state_of(&store).unwrap();
        let again = SimDisk::new(disk.durable());
        assert_eq!(state_of(&writer(&again).unwrap()).unwrap(), state, "{count}");
    }
}

/// Each checkpoint that fails leaves its memtable in memory. Look-ups go through all of them, and a
/// client that ignores errors goes on.
#[test]
fn a_disk_that_fails_for_long_costs_no_more_memory_than_a_few_buffers() {
    let buffer = 20_000;
    let disk = SimDisk::new(new_store());
    let store = open(disk.handle(), Access::Write, buffer).unwrap();
    act(&store, &Op::Session(0)).unwrap();
    let view = store.read_view().unwrap();
    let old = state_in(&view).unwrap();
    let first = disk.calls();
    disk.fail(Some(Fault { first, count: usize::MAX, step: 1, failure: Failure::Eio }));
    let (mut refused, mut taken) = (0, 0);
    for number in 0..400 {
        let import = Op::Import(1, 1, 0);
        let see = Op::See(0, number * 180 + 1, 60);
        taken += usize::from(act(&store, &see).is_ok());
        for op in [Op::Flush, import] {
            refused += usize::from(act(&store, &op).is_err());
        }
        let sizes = store.engine.view().unwrap().memtable_sizes();
        assert!(sizes.len() < 8, "{} memtables", sizes.len());
        assert!(sizes.iter().sum::<usize>() < 10 * buffer, "{sizes:?} bytes");
    }
    assert!(taken > 4 && refused == 800, "{taken} were taken, {refused} refused");
    assert_eq!(state_in(&view).unwrap(), old, "a view changed");
    disk.fail(None);
    let state = state_of(&store).unwrap();
    act(&store, &Op::Flush).unwrap();
    assert_eq!(state_of(&writer(&SimDisk::new(disk.durable())).unwrap()).unwrap(), state);
    act(&store, &Op::See(0, 1, 60)).unwrap();
    act(&store, &Op::See(0, 2, 60)).unwrap();
    assert_eq!(store.engine.view().unwrap().memtable_sizes().len(), 1);
}

/// Fault 07: `remove` and `import` failed and took effect all the same.
#[test]
fn a_call_that_fails_has_no_effect_and_can_be_made_again() {
    for op in [Op::Remove(0), Op::Import(0, 500, 40)] {
        for at in 0..40 {
            let disk = SimDisk::new(new_store());
            let store = writer(&disk).unwrap();
            act(&store, &Op::Session(0)).unwrap();
            act(&store, &Op::Import(0, 1, 60)).unwrap();
            let before = state_of(&store).unwrap();
            disk.fail(Some(Fault::once(disk.calls() + at, Failure::Eio)));
            if act(&store, &op).is_err() {
                assert_eq!(state_of(&store).unwrap(), before, "{op:?}, call {at}");
                assert!(act(&store, &op).unwrap(), "{op:?}, call {at}");
            }
            disk.fail(None);
            let state = state_of(&store).unwrap();
            let again = writer(&SimDisk::new(disk.durable())).unwrap();
            assert_eq!(state_of(&again).unwrap(), state, "{op:?}, call {at}");
            assert_eq!(again.check().unwrap().problems, [""; 0], "{op:?}, call {at}");
        }
    }
}

/// Fault 08: a reader of a store whose writer was killed shut all others out.
#[test]
fn a_reader_of_a_killed_store_keeps_no_writer_out() {
    let (image, _) = killed_with_a_long_log();
    let disk = SimDisk::new(image);
    let reader = open(disk.handle(), Access::Read, BUFFER).unwrap();
    let view = reader.read_view().unwrap();
    let other = open(disk.handle(), Access::Read, BUFFER).unwrap();
    let writer = writer(&disk).unwrap();
    writer.session("b").unwrap();
    assert_eq!(other.list().unwrap(), ["a", "b"]);
    assert_eq!(view.list().unwrap(), ["a"]);
}

/// Fault 09: a sync failed while the base was made, its pages were lost, then the power went.
#[test]
fn a_failed_sync_of_a_new_base_costs_nothing_after_a_power_cut() {
    let (disk, store) = with_a_base();
    let before = disk.killed();
    let state = state_of(&store).unwrap();
    disk.kill_all();
    drop(store);
    for at in 0..30 {
        let disk = SimDisk::new(before.clone());
        let store = writer(&disk).unwrap();
        store.remove("s004").unwrap();
        let first = disk.calls() + at;
        disk.fail(Some(Fault::once(first, Failure::Eio)));
        let compacted = store.compact();
        let failed = disk.failed().contains(&Failed::Sync);
        assert!(!failed || compacted.is_err(), "call {at}: a failed sync is not reported");
        for seed in 0..3 {
            let again = writer(&SimDisk::new(disk.power_cut(seed, SECTOR))).unwrap();
            let mut now = state_of(&again).unwrap();
            assert!(!now.contains_key(&("s004".to_owned(), "login".to_owned())));
            now.extend(state.iter().filter(|((name, _), _)| name == "s004").map(own));
            assert_eq!(now, state, "call {at}");
        }
        disk.kill_all();
        drop(store);
    }
}

fn own((key, value): (&(String, String), &String)) -> ((String, String), String) {
    (key.clone(), value.clone())
}
