//! Sessions that come and go leave nothing behind that grows.

use super::random_ops::{new_store, open};
use super::sim_disk::SimDisk;
use crate::file::Access;
use crate::session::Session;
use crate::store::{ImportSession, Store};
use crate::types::{Account, Entity, PeerId};

fn import(store: &Store, name: &str, entities: i64) {
    let entities = (1..=entities).map(|id| Ok(Entity::new(PeerId::user(id).unwrap())));
    store.replace(name, ImportSession::new(&Account::default(), entities)).unwrap();
}

fn removed(store: &Store) -> usize {
    store.engine.view().unwrap().version().segments.removed.len()
}

#[test]
fn sessions_that_come_and_go_beside_a_large_one_are_forgotten() {
    let disk = SimDisk::new(new_store());
    let store = open(disk.handle(), Access::Write, 4 << 20).unwrap();
    import(&store, "stays", 20_000);
    for _ in 0..150 {
        import(&store, "comes", 3);
        store.remove("comes").unwrap();
        // At most as many as short segments lie over each other.
        assert!(removed(&store) <= 24, "{} are remembered", removed(&store));
    }
}

#[test]
fn removed_sessions_whose_rows_lie_in_one_large_segment_are_bounded() {
    const SESSIONS: usize = 130;
    let disk = SimDisk::new(new_store());
    let store = open(disk.handle(), Access::Write, 4 << 20).unwrap();
    import(&store, "stays", 500);
    for number in 0..SESSIONS {
        import(&store, &format!("{number}"), 1);
    }
    store.compact().unwrap();
    let mut most = 0;
    for number in 0..SESSIONS {
        store.remove(&format!("{number}")).unwrap();
        most = most.max(removed(&store));
    }
    // In tests at most a hundred are remembered.
    assert!((90..=100).contains(&most), "{most} are remembered");
    assert!(removed(&store) < 40, "{} are remembered", removed(&store));
    assert_eq!(store.open_session("stays").unwrap().entity_count().unwrap(), 500);
}
