//! The power goes at each write, resize and sync of a store's life, and each time what was
//! acknowledged is there, and of what was not, all or nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::crash_disk::CrashDisk;
use crate::error::Result;
use crate::file::{Access, Superblock};
use crate::session::Session;
use crate::store::engine::Engine;
use crate::store::files::Medium;
use crate::store::{Store, StoreOptions};
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, PeerId,
    UpdateState,
};

/// The log is as small as it may be, so that it is full all the time.
pub(super) const SUPERBLOCK: Superblock = Superblock { file_id: [3; 16], log: 4 << 10 };

/// More operations than any life here has.
const FOR_EVER: usize = usize::MAX;

/// How a store is used.
#[derive(Clone, Copy, Debug)]
struct Way {
    interval: Duration,
    /// Length of the log.
    log: u32,
    thread: bool,
}

const AT_ONCE: Way = Way { interval: Duration::ZERO, log: 512 << 10, thread: false };

fn open(disk: CrashDisk, way: Way) -> Result<Store> {
    let mut options = StoreOptions::default().flush_interval(way.interval);
    options.thread = way.thread;
    let (disk, superblock) = (Arc::new(disk), Superblock { log: way.log, ..SUPERBLOCK });
    let medium = Medium::simulated(disk, superblock);
    Engine::new(Path::new("disk"), medium, Access::Write, &options).map(Store::on)
}

/// A disk with a new store on it.
pub(super) fn new_disk(log: u32) -> CrashDisk {
    let disk = CrashDisk::new(Vec::new(), FOR_EVER);
    let superblock = Superblock { log, ..SUPERBLOCK };
    let shared = Arc::new(disk.clone());
    let medium = Medium::simulated(shared, superblock);
    drop(Engine::make(Path::new("disk"), medium, &StoreOptions::default()).unwrap());
    disk
}

/// What a deed promises when it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It is on disk, and all before it.
    OnDisk,
    /// It will be.
    InMemory,
}
use Then::{InMemory, OnDisk};

type Deed = (&'static str, Then, fn(&Store) -> Result<()>);

/// A life: log in, meet people, lose a username, move, import, leave.
const LIFE: [Deed; 22] = [
    ("make a session", OnDisk, |store| store.session("a").map(drop)),
    ("save a key", OnDisk, |store| {
        store.session("a")?.set_dc(&dc(2, 1))?;
        Ok(())
    }),
    ("become somebody", OnDisk, |store| store.session("a")?.set_home_dc(DcId(2))),
    ("meet a hundred", InMemory, |store| {
        let people: Vec<Entity> = (1..=100).map(person).collect();
        store.session("a")?.process_entities(&people).map(drop)
    }),
    ("a username changes hands", InMemory, |store| {
        let mut thief = person(1);
        thief.usernames = vec!["user_2".into(), "user_3".into()];
        store.session("a")?.process_entities(&[thief]).map(drop)
    }),
    ("save the state", InMemory, |store| store.session("a")?.set_update_state(state(5))),
    ("flush", OnDisk, |store| store.session("a")?.flush()),
    ("save channels", InMemory, |store| {
        let states = [1, 2].map(|n| ChannelState { id: PeerId::channel(n).unwrap(), pts: 9 });
        store.session("a")?.set_channel_states(&states)
    }),
    ("save another key", OnDisk, |store| store.session("a")?.set_dc(&dc(4, 2))),
    ("save another state", InMemory, |store| store.session("a")?.set_update_state(state(6))),
    // One row that the log has, and one that is new: never one of them alone.
    ("other channels", InMemory, |store| {
        let states = [1, 3].map(|n| ChannelState { id: PeerId::channel(n).unwrap(), pts: 11 });
        store.session("a")?.set_channel_states(&states)
    }),
    ("import another", OnDisk, |store| {
        let people = (1..=300).map(person).map(Ok);
        store.import("b", &Account { dcs: vec![dc(2, 9)], ..Account::default() }, people, true)?;
        Ok(())
    }),
    ("rename", OnDisk, |store| store.rename("b", "c")),
    ("forget the state", InMemory, |store| store.session("a")?.set_update_state(None)),
    ("key 11", OnDisk, |store| store.session("a")?.set_dc(&dc(11, 3))),
    ("key 12", OnDisk, |store| store.session("a")?.set_dc(&dc(12, 4))),
    ("state 13", InMemory, |store| store.session("a")?.set_update_state(state(13))),
    ("key 14", OnDisk, |store| store.session("a")?.set_dc(&dc(14, 5))),
    ("remove", OnDisk, |store| store.remove("c")),
    ("compact", OnDisk, Store::compact),
    ("key 15", OnDisk, |store| store.session("a")?.set_dc(&dc(15, 6))),
    ("key 16", OnDisk, |store| store.session("a")?.set_dc(&dc(16, 6))),
];

fn state(pts: i32) -> Option<UpdateState> {
    Some(UpdateState { pts, qts: 6, date: 7, seq: 8 })
}

fn dc(id: i32, seed: u8) -> DcOption {
    let key = AuthKey::new(&[seed; 256]);
    DcOption::new(DcId(id)).at(Endpoint::new("149.154.167.51", 443)).with_key(key)
}

pub(super) fn person(n: i64) -> Entity {
    let mut entity = Entity::new(PeerId::user(n).unwrap());
    entity.access_hash = Some(AccessHash(n));
    entity.usernames = vec![format!("user_{n}")];
    entity.phone = Some(format!("1555{n}"));
    entity.name = Some("A name that takes some room in the file".to_owned());
    entity
}

/// Everything in the store, as text.
fn everything(store: &Store) -> Result<String> {
    let mut all = String::new();
    for name in store.list()? {
        let session = store.open_session(&name)?;
        all += &format!("{name} {:?} {:?}\n", session.login()?, session.dcs()?);
        all += &format!("{:?} {:?}\n", session.update_state()?, session.channel_states()?);
        all += &format!("{:?}\n", session.entities(None, usize::MAX)?);
        all += &format!("{:?}\n", session.entity_by_username("user_2")?);
    }
    Ok(all)
}

/// What a store holds after each deed; the first is after none.
fn moments() -> Vec<String> {
    let store = open(new_disk(AT_ONCE.log), AT_ONCE).unwrap();
    let mut moments = vec![everything(&store).unwrap()];
    for (name, _, deed) in LIFE {
        deed(&store).unwrap_or_else(|error| panic!("{name}: {error}"));
        moments.push(everything(&store).unwrap());
    }
    moments
}

/// Lives until the power goes; says how many deeds were acknowledged, and how many of them must
/// be on disk.
fn live(disk: &CrashDisk, way: Way) -> (usize, usize) {
    let (mut done, mut kept) = (0, 0);
    let Ok(store) = open(disk.clone(), way) else { return (0, 0) };
    for (_, then, deed) in LIFE {
        if deed(&store).is_err() {
            break;
        }
        done += 1;
        if then == OnDisk || way.interval.is_zero() {
            kept = done;
        }
    }
    (done, kept)
}

/// The moments that may be found after so much was done and so much kept.
fn possible(moments: &[String], (done, kept): (usize, usize)) -> &[String] {
    &moments[kept..=(done + 1).min(LIFE.len())]
}

fn survives(way: Way, fewest: usize) {
    let moments = moments();
    let empty = new_disk(way.log).survivors(0);
    let whole = CrashDisk::new(empty.clone(), FOR_EVER);
    assert_eq!(live(&whole, way).0, LIFE.len());
    let operations = FOR_EVER - whole.left();
    assert!(operations > fewest, "{operations}: the life is too short to say anything");
    for stop in 0..operations {
        let disk = CrashDisk::new(empty.clone(), stop);
        let lived = live(&disk, way);
        for seed in 0..8 {
            let survivors = CrashDisk::new(disk.survivors(seed), FOR_EVER);
            let store = open(survivors.clone(), way)
                .unwrap_or_else(|error| panic!("{way:?}, stop {stop}, seed {seed}: {error:?}"));
            let found = everything(&store).unwrap();
            assert!(
                possible(&moments, lived).contains(&found),
                "{way:?}, stop {stop}, seed {seed}: no moment from {lived:?} on"
            );
            // What is written now is there the next time.
            assert_eq!(store.session("a").unwrap().set_dc(&dc(5, 5)).ok(), Some(()));
            let again = open(CrashDisk::new(survivors.survivors(1), FOR_EVER), way).unwrap();
            let kept = again.open_session("a").unwrap().dc(DcId(5)).unwrap();
            assert_eq!(kept, Some(dc(5, 5)), "{way:?}, stop {stop}, seed {seed}");
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_any_moment() {
    survives(AT_ONCE, 40);
    survives(Way { log: 4 << 10, ..AT_ONCE }, 100);
}

#[test]
fn what_is_flushed_later_is_lost_as_a_whole_and_takes_nothing_else_with_it() {
    let later = Way { interval: Duration::MAX, ..AT_ONCE };
    survives(later, 30);
    survives(Way { log: 4 << 10, ..later }, 100);
    survives(Way { log: 10 << 10, ..later }, 60);
}

#[test]
fn what_the_thread_behind_has_not_finished_is_not_lost() {
    survives(Way { log: 4 << 10, thread: true, ..AT_ONCE }, 60);
    survives(Way { log: 6 << 10, thread: true, interval: Duration::from_micros(1) }, 60);
}

#[test]
fn a_power_cut_while_recovering_changes_nothing_more() {
    let moments = moments();
    let way = Way { log: 4 << 10, ..AT_ONCE };
    let disk = CrashDisk::new(new_disk(way.log).survivors(0), 120);
    let lived = live(&disk, way);
    let crashed = disk.survivors(2);
    for stop in 0..40 {
        let again = CrashDisk::new(crashed.clone(), stop);
        drop(open(again.clone(), way));
        for seed in 0..6 {
            let survivors = CrashDisk::new(again.survivors(seed), FOR_EVER);
            let found = everything(&open(survivors, way).unwrap()).unwrap();
            assert!(possible(&moments, lived).contains(&found), "stop {stop}");
        }
    }
}

/// What the log holds stays there: bringing it into the tables is for later.
#[test]
fn opening_after_a_kill_within_a_commit_is_a_commit_of_nothing() {
    let way = Way { log: 64 << 10, interval: Duration::MAX, thread: false };
    let mut unfinished = 0;
    for stop in (150..).step_by(7) {
        let disk = CrashDisk::new(new_disk(way.log).survivors(0), stop);
        let store = open(disk.clone(), way).unwrap();
        let session = store.session("a").unwrap();
        let met = (1..2000).take_while(|n| {
            session.process_entities(&[person(*n)]).and_then(|_| session.flush()).is_ok()
        });
        let met = met.count() as u64;
        let killed = CrashDisk::new(disk.survivors(0), FOR_EVER);
        let again = open(killed.clone(), way).unwrap();
        let operations = FOR_EVER - killed.left();
        let found = again.open_session("a").unwrap().entity_count().unwrap();
        assert!((met..=met + 1).contains(&found), "stop {stop}: {met} and {found}");
        assert!(operations <= 20, "stop {stop}: opening took {operations} writes and syncs");
        unfinished += u32::from(operations > 0);
        if unfinished > 5 {
            break;
        }
    }
}
