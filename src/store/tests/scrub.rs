//! What was deleted is in no byte of a scrubbed store, nor in what was cut off it.

use super::random_ops::{new_store, open, state_of};
use super::sim_disk::{Random, SimDisk};
use crate::file::Access;
use crate::session::Session;
use crate::store::{ImportSession, Store};
use crate::types::{Account, AuthKey, DcId, DcOption, Entity, Login, PeerId};

/// Byte of the auth keys that are deleted, and the text in every entity that is.
const GONE: u8 = 0xa7;
const NAME: &str = "the name of somebody who is deleted";

fn has_key(bytes: &[u8], byte: u8) -> bool {
    bytes.windows(64).any(|window| window.iter().all(|one| *one == byte))
}

fn has_name(bytes: &[u8]) -> bool {
    bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes())
}

fn dc(byte: u8) -> DcOption {
    let mut dc = DcOption::new(DcId(2));
    dc.auth_key = Some(AuthKey::new(&[byte; 256]));
    dc
}

fn entity(id: i64) -> Entity {
    let mut entity = Entity::new(PeerId::user(id).unwrap());
    entity.name = Some(NAME.to_owned());
    entity
}

/// A store with a past: keys in the log, in a base and in pages that are free, entities in
/// segments.
fn store_with_a_past(seed: u64) -> (SimDisk, Store) {
    let disk = SimDisk::new(new_store());
    let store = open(disk.handle(), Access::Write, 20_000).unwrap();
    let mut random = Random::new(seed);
    for number in 0..40 {
        let name = format!("gone {}", random.below(4));
        let dcs = vec![dc(GONE)];
        let account = Account { login: Login::default(), dcs, ..Account::default() };
        let entities = (1..random.below(200) as i64).map(|id| Ok(entity(id)));
        store.replace(&name, ImportSession::new(&account, entities)).unwrap();
        let session = store.session(&format!("kept {}", number % 3)).unwrap();
        session.set_dc(&dc(if random.below(2) == 0 { GONE } else { 0x11 })).unwrap();
        session
            .process_entities(&[entity(number + 1), Entity::new(PeerId::user(7).unwrap())])
            .unwrap();
        match random.below(6) {
            0 => store.compact().unwrap(),
            1 => store.engine.flush().unwrap(),
            2 => store.remove(&name).unwrap(),
            _ => {}
        }
    }
    (disk, store)
}

fn delete(store: &Store) {
    for name in store.list().unwrap() {
        if name.starts_with("gone") {
            store.remove(&name).unwrap();
            continue;
        }
        let session = store.open_session(&name).unwrap();
        session.set_dc(&dc(0x11)).unwrap();
        for entity in session.entities(None, usize::MAX).unwrap() {
            session.remove_entity(entity.id).unwrap();
        }
    }
}

#[test]
fn nothing_that_was_deleted_is_left_in_the_file_or_in_what_is_cut_off() {
    for seed in 0..8 {
        let (disk, store) = store_with_a_past(seed);
        assert!(has_key(&disk.killed(), GONE) && has_name(&disk.killed()), "seed {seed}");
        delete(&store);
        let before = state_of(&store).unwrap();
        disk.cut_off();
        store.scrub().unwrap();
        for (what, bytes) in [("the file", disk.killed()), ("what was cut off", disk.cut_off())] {
            assert!(!has_key(&bytes, GONE), "seed {seed}: a key is in {what}");
            assert!(!has_name(&bytes), "seed {seed}: a name is in {what}");
        }
        assert!(has_key(&disk.killed(), 0x11), "seed {seed}: the other keys are there");
        assert_eq!(state_of(&store).unwrap(), before, "seed {seed}");
        assert_eq!(store.check().unwrap().problems, Vec::<String>::new(), "seed {seed}");
        drop(store);
        let again = open(SimDisk::new(disk.killed()), Access::Write, 20_000).unwrap();
        assert_eq!(state_of(&again).unwrap(), before, "seed {seed}: opened again");
    }
}

#[test]
fn a_power_cut_during_a_scrub_loses_nothing_and_the_next_scrub_wipes_all() {
    let (disk, store) = store_with_a_past(3);
    delete(&store);
    store.engine.flush().unwrap();
    let state = state_of(&store).unwrap();
    let image = disk.killed();
    disk.kill_all();
    drop(store);
    let calls = {
        let disk = SimDisk::new(image.clone());
        let store = open(disk.handle(), Access::Write, 20_000).unwrap();
        let before = disk.calls();
        store.scrub().unwrap();
        disk.calls() - before
    };
    assert!(calls > 8, "{calls} calls");
    for cut in 0..calls {
        let disk = SimDisk::new(image.clone());
        let store = open(disk.handle(), Access::Write, 20_000).unwrap();
        disk.cut_after(cut);
        // A file that cannot be cut off keeps its length: that is the last call.
        assert!(store.scrub().is_err() || cut + 1 == calls, "cut at {cut} of {calls}");
        disk.kill_all();
        drop(store);
        for unit in [512, 4096] {
            let disk = SimDisk::new(disk.power_cut(cut as u64, unit));
            let store = open(disk.handle(), Access::Write, 20_000).unwrap();
            assert_eq!(state_of(&store).unwrap(), state, "cut at {cut}, units of {unit}");
            store.scrub().unwrap();
            assert!(!has_key(&disk.killed(), GONE), "cut at {cut}, units of {unit}");
            assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
        }
    }
}

#[test]
fn a_view_that_is_alive_keeps_the_store_from_being_wiped() {
    let (_, store) = store_with_a_past(1);
    let view = store.read_view().unwrap();
    delete(&store);
    assert!(matches!(store.scrub(), Err(crate::error::Error::Busy { .. })));
    assert!(!view.list().unwrap().is_empty());
    drop(view);
    store.scrub().unwrap();
}
