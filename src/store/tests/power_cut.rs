//! The power goes at each write, resize and sync of a store's life, and each time what was
//! acknowledged is there, and of what was not, all or nothing.

use std::sync::Arc;

use super::crash_disk::CrashDisk;
use crate::error::Result;
use crate::file::Superblock;
use crate::session::Session;
use crate::store::Store;
use crate::store::engine::Engine;
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, PeerId,
    UpdateState,
};

const SUPERBLOCK: Superblock = Superblock { file_id: [3; 16] };

/// More operations than any life here has.
const FOR_EVER: usize = usize::MAX;

fn open(disk: CrashDisk, new: bool) -> Result<Store> {
    Ok(Store { engine: Arc::new(Engine::on_disk(disk, SUPERBLOCK, new)?) })
}

type Deed = (&'static str, fn(&Store) -> Result<()>);

/// A life: log in, meet people, lose a username, move, import, leave.
const LIFE: [Deed; 11] = [
    ("make a session", |store| store.session("a").map(drop)),
    ("save a key", |store| {
        store.session("a")?.set_dc(&dc(2, 1))?;
        Ok(())
    }),
    ("become somebody", |store| store.session("a")?.set_home_dc(DcId(2))),
    ("meet a hundred", |store| {
        let people: Vec<Entity> = (1..=100).map(person).collect();
        store.session("a")?.process_entities(&people).map(drop)
    }),
    ("a username changes hands", |store| {
        let mut thief = person(1);
        thief.usernames = vec!["user_2".into(), "user_3".into()];
        store.session("a")?.process_entities(&[thief]).map(drop)
    }),
    ("save the state", |store| {
        let state = UpdateState { pts: 5, qts: 6, date: 7, seq: 8 };
        store.session("a")?.set_update_state(Some(state))
    }),
    ("save channels", |store| {
        let states = [1, 2].map(|n| ChannelState { id: PeerId::channel(n).unwrap(), pts: 9 });
        store.session("a")?.set_channel_states(&states)
    }),
    ("save another key", |store| store.session("a")?.set_dc(&dc(4, 2))),
    ("import another", |store| {
        let people = (1..=300).map(person).map(Ok);
        store.import("b", &Account { dcs: vec![dc(2, 9)], ..Account::default() }, people, true)?;
        Ok(())
    }),
    ("rename", |store| store.rename("b", "c")),
    ("remove", |store| store.remove("c")),
];

fn dc(id: i32, seed: u8) -> DcOption {
    let key = AuthKey::new(&[seed; 256]);
    DcOption::new(DcId(id)).at(Endpoint::new("149.154.167.51", 443)).with_key(key)
}

fn person(n: i64) -> Entity {
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
    let store = open(CrashDisk::new(Vec::new(), FOR_EVER), true).unwrap();
    let mut moments = vec![everything(&store).unwrap()];
    for (name, deed) in LIFE {
        deed(&store).unwrap_or_else(|error| panic!("{name}: {error}"));
        moments.push(everything(&store).unwrap());
    }
    moments
}

/// An empty store that was closed, as it lies on the disk.
fn empty() -> Vec<u8> {
    let disk = CrashDisk::new(Vec::new(), FOR_EVER);
    drop(open(disk.clone(), true).unwrap());
    disk.survivors(0)
}

/// Lives until the power goes; says how many deeds were acknowledged.
fn live(disk: &CrashDisk) -> usize {
    let Ok(store) = open(disk.clone(), false) else { return 0 };
    LIFE.iter().take_while(|(_, deed)| deed(&store).is_ok()).count()
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_any_moment() {
    let (moments, empty) = (moments(), empty());
    let whole = CrashDisk::new(empty.clone(), FOR_EVER);
    assert_eq!(live(&whole), LIFE.len());
    let operations = FOR_EVER - whole.left();
    assert!(operations > 60, "{operations}: the life is too short to say anything");
    for stop in 0..operations {
        let disk = CrashDisk::new(empty.clone(), stop);
        let done = live(&disk);
        for seed in 0..8 {
            let survivors = CrashDisk::new(disk.survivors(seed), FOR_EVER);
            let store = open(survivors, false)
                .unwrap_or_else(|error| panic!("stop {stop}, seed {seed}: {error:?}"));
            let found = everything(&store).unwrap();
            let next = (done + 1).min(LIFE.len());
            assert!(
                found == moments[done] || found == moments[next],
                "stop {stop}, seed {seed}: neither the moment after {done} deeds nor the next"
            );
            assert_eq!(store.session("a").unwrap().set_dc(&dc(5, 5)).ok(), Some(()));
        }
    }
}

#[test]
fn a_power_cut_while_recovering_changes_nothing_more() {
    let (moments, empty) = (moments(), empty());
    let disk = CrashDisk::new(empty, 40);
    let done = live(&disk);
    let crashed = disk.survivors(2);
    for stop in 0..40 {
        let again = CrashDisk::new(crashed.clone(), stop);
        drop(open(again.clone(), false));
        for seed in 0..6 {
            let store = open(CrashDisk::new(again.survivors(seed), FOR_EVER), false).unwrap();
            let found = everything(&store).unwrap();
            assert!(found == moments[done] || found == moments[done + 1], "stop {stop}");
        }
    }
}
