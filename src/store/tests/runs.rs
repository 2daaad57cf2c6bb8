//! The places of runs: kept for who reads, used again when nobody does, and given back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::crash_disk::CrashDisk;
use super::power_cut::{SUPERBLOCK, new_disk, person};
use crate::file::Access;
use crate::session::Session;
use crate::store::engine::Engine;
use crate::store::files::{self, Medium};
use crate::store::rows::Rows;
use crate::store::tables::Table;
use crate::store::{Store, StoreOptions};
use crate::types::{Account, Entity};

fn people(from: i64, count: i64) -> Vec<Entity> {
    (from..from + count).map(person).collect()
}

fn import(store: &Store, name: &str, people: Vec<Entity>) {
    store.import(name, &Account::default(), people.into_iter().map(Ok), true).unwrap();
}

fn entities(store: &Store, name: &str) -> Vec<Entity> {
    store.open_session(name).unwrap().entities(None, usize::MAX).unwrap()
}

fn reader(path: &Path) -> Engine {
    let medium = files::open(path, Access::Read).unwrap();
    Engine::new(path, medium, Access::Read, &StoreOptions::default()).unwrap()
}

fn len(path: &Path) -> u64 {
    path.metadata().unwrap().len()
}

#[test]
fn what_somebody_reads_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.tgsession");
    let store = Store::create(&path).unwrap();
    import(&store, "a", people(1, 3_000));
    let reader = reader(&path);
    let moment = reader.freeze().unwrap();
    let rows = || {
        let mut rows = 0;
        let each =
            moment.each(Table::Entities, &crate::store::Span::ALL, usize::MAX, &mut |_, _| {
                rows += 1;
                Ok(true)
            });
        each.map(|()| rows).unwrap()
    };
    assert_eq!(rows(), 3_000);
    for turn in 1..10 {
        import(&store, "a", people(turn * 10_000, 3_000));
        // It may have to wait for who reads, and then says so.
        let _ = store.compact();
        assert_eq!(rows(), 3_000, "turn {turn}");
    }
    let while_read = len(&path);
    drop(moment);
    drop(reader);
    import(&store, "a", people(1, 3_000));
    store.compact().unwrap();
    assert!(len(&path) < while_read / 3, "{} of {while_read} are left", len(&path));
    assert_eq!(entities(&store, "a"), people(1, 3_000));
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
}

#[test]
fn places_are_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.tgsession");
    // Without a buffer each call makes a run.
    let options = Store::options().flush_interval(Duration::ZERO).buffer_size(0);
    let store = options.create(&path).unwrap();
    let session = store.session("a").unwrap();
    let mut longest = 0;
    for turn in 0..300 {
        let mut known = people(1 + turn % 7, 20);
        known[0].name = Some(format!("turn {turn}"));
        session.process_entities(&known).unwrap();
        if turn == 100 {
            longest = len(&path);
        }
    }
    assert!(len(&path) <= 2 * longest, "{} and {longest} long before", len(&path));
    drop((session, store));
    let store = Store::open(&path).unwrap();
    assert_eq!(entities(&store, "a").len(), 26);
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_hundred_small_imports_lie_over_each_other_and_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s.tgsession")).unwrap();
    for account in 0..100 {
        import(&store, &format!("{account}"), people(account + 1, 5));
    }
    for account in 0..100 {
        let session = store.open_session(&format!("{account}")).unwrap();
        assert_eq!(session.entity_count().unwrap(), 5);
        let found = session.entity_by_username(&format!("user_{}", account + 3)).unwrap();
        assert_eq!(found, Some(person(account + 3)));
        assert_eq!(session.entity_by_username(&format!("user_{account}")).unwrap(), None);
    }
}

/// What came of a commit that failed nobody knows until the file is opened again: neither its new
/// runs nor those that it did away with may be written over.
#[test]
fn a_disk_that_fails_for_a_while_costs_nothing() {
    let options = || {
        let options = StoreOptions { thread: false, ..StoreOptions::default() };
        options.flush_interval(Duration::ZERO).buffer_size(2_000)
    };
    let open = |disk: &CrashDisk| {
        let medium = Medium::simulated(Arc::new(disk.clone()), SUPERBLOCK);
        Engine::new(Path::new("disk"), medium, Access::Write, &options()).map(Store::on).unwrap()
    };
    for stop in 0..70 {
        let disk = new_disk(SUPERBLOCK.log);
        let store = open(&disk);
        let session = store.session("a").unwrap();
        session.process_entities(&people(1, 40)).unwrap();
        disk.set_left(stop);
        for turn in 0..20 {
            let failed = session.process_entities(&people(20 + 10 * turn, 30)).is_err();
            if failed || store.compact().is_err() {
                break;
            }
        }
        disk.set_left(usize::MAX);
        let known = session.entities(None, usize::MAX).unwrap();
        let _ = session.flush();
        session.flush().unwrap();
        for turn in 0..5 {
            session.process_entities(&people(1_000 + 40 * turn, 40)).unwrap();
        }
        let mut all = known;
        all.extend(people(1_000, 200));
        assert_eq!(session.entities(None, usize::MAX).unwrap(), all, "stop {stop}");
        drop((session, store));
        let store = open(&CrashDisk::new(disk.survivors(1), usize::MAX));
        assert_eq!(entities(&store, "a"), all, "stop {stop}, opened again");
    }
}

/// Runs that lie behind gaps move into them when the store is closed.
#[test]
fn what_merging_has_left_free_is_given_back_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.tgsession");
    let options = Store::options().flush_interval(Duration::MAX).buffer_size(50_000);
    let store = options.create(&path).unwrap();
    import(&store, "a", people(1, 60_000));
    let imported = len(&path);
    let session = store.open_session("a").unwrap();
    for turn in 0..120 {
        let mut met = people(1 + 400 * turn, 400);
        met.iter_mut().for_each(|person| person.name = Some(format!("turn {turn}")));
        session.process_entities(&met).unwrap();
    }
    session.flush().unwrap();
    let open = len(&path);
    drop((session, store));
    assert!(open > imported + (2 << 20), "{open} and {imported}: nothing to give back");
    assert!(len(&path) < open - (1 << 20), "{} of {open} are left", len(&path));
    let store = Store::open(&path).unwrap();
    let session = store.open_session("a").unwrap();
    assert_eq!(session.entity_count().unwrap(), 60_000);
    for n in (1..60_000).step_by(997) {
        let found = session.entity(person(n).id).unwrap().unwrap();
        let turn = (n - 1) / 400;
        let name = if turn < 120 { format!("turn {turn}") } else { person(n).name.unwrap() };
        assert_eq!(found.name, Some(name));
    }
}
