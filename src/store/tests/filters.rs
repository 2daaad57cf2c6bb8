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

/// In one segment that this writer has written, and in several of which a newer one has the entity
/// again; with rows in the memtable over them and without.
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
}
