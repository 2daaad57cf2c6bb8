//! Filters say that a key is nowhere, so a look-up must not need what they leave out.

use super::faults::writer;
use super::random_ops::new_store;
use super::sim_disk::SimDisk;
use crate::session::Session;
use crate::store::{ImportSession, StoreSession};
use crate::types::{AccessHash, Account, Entity, PeerId};

const ENTITIES: i64 = 2_000;

fn entity(id: i64, hash: i64) -> Entity {
    let id = PeerId::user(id).unwrap();
    Entity {
        access_hash: Some(AccessHash(hash)),
        phone: Some(format!("999{id}")),
        ..Entity::new(id)
    }
    .with_username(&format!("somebody_{id}"))
}

fn finds_all(session: &StoreSession, what: &str, hash: impl Fn(i64) -> i64) {
    for id in 1..=ENTITIES {
        let right = Some(entity(id, hash(id)));
        let phone = format!("999{id}");
        assert_eq!(session.entity(PeerId::user(id).unwrap()).unwrap(), right, "{what}: {id}");
        let by_name = session.entity_by_username(&format!("somebody_{id}")).unwrap();
        assert_eq!(by_name, right, "{what}: the username of {id}");
        assert_eq!(session.entity_by_phone(&phone).unwrap(), right, "{what}: the phone of {id}");
    }
}

/// Looks up every entity by id, username and phone: in the memtable, in one segment, and in two segments of
/// which the newer one replaces some entities. Then one entity is removed, and the newest segment has its
/// tombstone.
#[test]
fn everything_is_found_through_the_filters() {
    let disk = SimDisk::new(new_store());
    let store = writer(&disk).unwrap();
    let session = store.session("a").unwrap();
    // Before an import all memtables go into a segment.
    let checkpoint = || {
        store.replace("b", ImportSession::new(&Account::default(), [])).unwrap();
    };
    let all: Vec<_> = (1..=ENTITIES).map(|id| entity(id, 1)).collect();
    session.process_entities(&all).unwrap();
    finds_all(&session, "memtable", |_| 1);
    checkpoint();
    finds_all(&session, "one segment", |_| 1);
    let is_changed = |id: i64| id % 7 == 0;
    let hash = |id: i64| if is_changed(id) { 2 } else { 1 };
    let changed: Vec<_> =
        (1..=ENTITIES).filter(|id| is_changed(*id)).map(|id| entity(id, 2)).collect();
    session.process_entities(&changed).unwrap();
    finds_all(&session, "memtable over a segment", hash);
    checkpoint();
    finds_all(&session, "two segments", hash);
    let removed = entity(ENTITIES + 1, 1);
    session.process_entities(std::slice::from_ref(&removed)).unwrap();
    checkpoint();
    session.update(|batch| batch.remove_entity(removed.id)).unwrap();
    checkpoint();
    assert_eq!(session.entity(removed.id).unwrap(), None);
    let username = format!("somebody_{}", ENTITIES + 1);
    assert_eq!(session.entity_by_username(&username).unwrap(), None);
    finds_all(&session, "below a tombstone", hash);
}
