//! While a client fills one memtable after another, few segments are merged; afterwards they are.

use std::time::Duration;

use super::random_ops::{becomes_true, new_store, open, open_writer};
use super::sim_disk::{Failure, Fault, SimDisk};
use crate::file::Access;
use crate::session::Session;
use crate::store::{Store, StoreOptions};
use crate::types::{Entity, PeerId, UpdateState};

const CALLS: i64 = 120;
const CALL: i64 = 40;

/// After a merge each segment is more than four times as large as all newer ones together.
const MOST_MERGED: usize = 4;

/// Somewhat longer than the pause after which segments are merged, in tests.
const CALM: Duration = Duration::from_millis(30);

/// Up to 24 segments may wait for a merge, and a merge may be replacing up to 24 more.
const MOST_UNDER_LOAD: usize = 48;

fn segments(store: &Store) -> usize {
    store.engine.view().unwrap().version().segments.newest_first.len()
}

/// A store whose buffer one call fills, and the most segments that it had meanwhile.
fn loaded(sim: &SimDisk, interval: Duration, calls: i64) -> (Store, usize) {
    let options = StoreOptions::default().buffer_size(5_000).flush_interval(interval);
    let store = open_writer(sim, options);
    let session = store.session("a").unwrap();
    let mut most = 0;
    for call in 0..calls {
        // Not in the order of their ids.
        let ids = (0..CALL).map(|at| 1 + call + calls * at);
        let call = ids
            .map(|id| Entity::new(PeerId::user(id).unwrap()).with_username(&format!("name_{id}")));
        session.process_entities(&call.collect::<Vec<_>>()).unwrap();
        most = most.max(segments(&store));
    }
    (store, most)
}

fn has_all(store: &Store, calls: i64) -> bool {
    let session = store.open_session("a").unwrap();
    let found = |id: i64| session.entity_by_username(&format!("name_{id}")).unwrap().is_some();
    session.entity_count().unwrap() == (CALL * calls) as u64 && (1..=CALL * calls).all(found)
}

#[test]
fn segments_are_merged_when_the_load_is_over() {
    let sim = SimDisk::new(new_store());
    let (store, most) = loaded(&sim, Duration::from_millis(10), CALLS);
    assert!((MOST_MERGED + 1..=MOST_UNDER_LOAD).contains(&most), "{most} segments under load");
    let is_merged = becomes_true(|| segments(&store) <= MOST_MERGED);
    assert!(is_merged, "{} segments are left", segments(&store));
    assert!(has_all(&store, CALLS));
}

/// Also where so little is free that a compaction does not pay.
#[test]
fn segments_are_merged_when_the_store_is_closed_after_a_load() {
    let mut most_under_load = 0;
    for calls in 1..=16 {
        let sim = SimDisk::new(new_store());
        let (store, most) = loaded(&sim, Duration::from_secs(3_600), calls);
        most_under_load = most_under_load.max(most);
        store.close().unwrap();
        let store = open(SimDisk::new(sim.killed()), Access::Read, 4 << 20).unwrap();
        assert!(segments(&store) <= MOST_MERGED, "{} after {calls} calls", segments(&store));
        assert!(has_all(&store, calls));
    }
    assert!(most_under_load > MOST_MERGED, "{most_under_load} segments under load");
}

/// A merge only makes later reads faster, so no call returns its error.
#[test]
fn a_merge_that_fails_makes_no_call_fail() {
    let is_tried = (0..20).any(|_| {
        let sim = SimDisk::new(new_store());
        let (store, _) = loaded(&sim, Duration::from_millis(5), 3);
        let session = store.session("a").unwrap();
        session.flush().unwrap();
        let fault = Fault::once(sim.calls(), Failure::NoSpace);
        sim.fail(Some(Fault { count: usize::MAX, ..fault }));
        std::thread::sleep(10 * CALM);
        sim.fail(None);
        let state = UpdateState { pts: 7, ..UpdateState::default() };
        let done = session.set_update_state(Some(state));
        assert_eq!(done.map_err(|error| error.to_string()), Ok(()));
        assert!(has_all(&store, 3));
        // On a slow machine the merge may have ended before the disk was full.
        !sim.failed().is_empty()
    });
    assert!(is_tried, "no merge has failed");
}

#[test]
fn a_store_that_was_compacted_after_a_load_is_as_short_when_it_is_closed() {
    for calls in [3, 5, 8, 16, 30] {
        let sim = SimDisk::new(new_store());
        let (store, _) = loaded(&sim, Duration::from_secs(3_600), calls);
        store.compact().unwrap();
        let compact = sim.killed().len();
        store.close().unwrap();
        assert!(sim.killed().len() <= compact, "after {calls} calls");
    }
}

/// The log has room where a checkpoint has none.
#[test]
fn a_buffered_write_is_logged_while_the_disk_is_full() {
    let sim = SimDisk::new(new_store());
    let options = StoreOptions::default().buffer_size(100_000);
    let options = options.flush_interval(Duration::from_millis(10));
    let store = open_writer(&sim, options);
    let session = store.session("a").unwrap();
    let seen =
        |id: i64, len: usize| Entity::new(PeerId::user(id).unwrap()).with_name(&"n".repeat(len));
    for id in 1..=13 {
        session.process_entities(&[seen(id, 4_000)]).unwrap();
        session.flush().unwrap();
    }
    let fault = Fault::once(sim.calls(), Failure::NoSpace);
    sim.fail(Some(Fault { count: usize::MAX, ..fault }));
    session.process_entities(&[seen(99, 1)]).unwrap();
    let is_durable = becomes_true(|| {
        let killed = open(SimDisk::new(sim.killed()), Access::Read, 4 << 20).unwrap();
        killed.session("a").unwrap().entity(seen(99, 1).id).unwrap().is_some()
    });
    sim.fail(None);
    assert!(is_durable, "the log has room");
}
