//! Segments are merged while the same store is written.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::random_ops::{Op, act, becomes_true, new_store, open, open_writer, state_of};
use super::sim_disk::{Failed, Failure, Fault, SimDisk};
use crate::error::Error;
use crate::file::{Access, PAGE, SECTOR};
use crate::session::Session;
use crate::store::{ImportSession, Store, StoreOptions};
use crate::types::{Account, Entity, PeerId};

/// A store with some segments, which a merge makes one.
fn with_segments(sim: &SimDisk) -> Store {
    let store = open(sim.handle(), Access::Write, 4 << 20).unwrap();
    for op in [Op::Import(1, 1, 60), Op::Import(2, 100, 60)] {
        act(&store, &op).unwrap();
    }
    assert!(numbers(&store).len() > 1);
    store
}

/// The numbers of the segments.
fn numbers(store: &Store) -> Vec<u64> {
    let view = store.engine.view().unwrap();
    view.version().segments.iter().map(|segment| segment.number()).collect()
}

/// Pages that were taken for a segment and not given back would be kept by a compaction.
fn assert_sound(store: &Store, sim: &SimDisk) {
    let state = state_of(store).unwrap();
    store.compact().unwrap();
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    let compacted = sim.killed();
    let other = open(SimDisk::new(compacted.clone()), Access::Write, 4 << 20).unwrap();
    assert_eq!(state_of(&other).unwrap(), state);
    let other_sim = SimDisk::new(compacted);
    let other = open(other_sim.handle(), Access::Write, 4 << 20).unwrap();
    other.scrub().unwrap();
    assert!(sim.killed().len() <= other_sim.killed().len(), "pages are lost");
}

/// A writer that removes many sessions writes all segments anew.
#[test]
fn a_merge_whose_segments_are_replaced_meanwhile_changes_nothing() {
    let sim = SimDisk::new(new_store());
    let store = with_segments(&sim);
    let names: Vec<_> = (0..120).map(|number| format!("s{number}")).collect();
    let entity = || Entity::new(PeerId::user(1).unwrap());
    let sessions = names.iter().map(|name| {
        let entities = [Ok(entity())];
        store.import(name, ImportSession::new(&Account::default(), entities)).map(drop)
    });
    sessions.collect::<Result<Vec<_>, _>>().unwrap();
    let view = store.engine.view().unwrap();
    let extents: Vec<_> = view.version().extents().collect();
    drop(view);
    let pages = || {
        let image = sim.killed();
        let pages = extents.iter().map(|extent| {
            let at = extent.at() as usize;
            image[at..at + extent.len() as usize].to_vec()
        });
        pages.collect::<Vec<_>>()
    };
    let before = pages();
    let left = Cell::new(true);
    let merged = store.engine.merge_segments(&|| {
        if left.take() {
            names.iter().for_each(|name| store.remove(name).unwrap());
            // Free pages are used again.
            (0..20).for_each(|first| assert!(act(&store, &Op::Import(0, first + 1, 60)).unwrap()));
            assert!(pages() == before, "pages that a merge reads were written over");
        }
    });
    assert!(!merged.unwrap() && !left.get());
    assert_sound(&store, &sim);
}

/// Imports merge small segments if there are many. They leave those that are being merged.
#[test]
fn a_merge_is_not_lost_to_checkpoints() {
    let sim = SimDisk::new(new_store());
    let store = with_segments(&sim);
    let before = numbers(&store);
    let (left, calls) = (Cell::new(true), Cell::new(0));
    let merged = store.engine.merge_segments(&|| {
        calls.set(calls.get() + 1);
        if left.take() {
            (1..=40).for_each(|first| assert!(act(&store, &Op::Import(0, first, 5)).unwrap()));
        }
    });
    assert!(merged.unwrap() && !left.get());
    assert!(calls.get() > 4, "{} calls for 120 rows", calls.get());
    let after = numbers(&store);
    assert!(!after.iter().any(|number| before.contains(number)), "{after:?} after {before:?}");
    let distinct: BTreeSet<_> = after.iter().collect();
    assert_eq!(distinct.len(), after.len());
    assert_sound(&store, &sim);
}

#[test]
fn a_merge_that_fails_at_any_call_changes_nothing_and_keeps_no_pages() {
    for failure in Failure::ALL {
        let calls = (0..).take_while(|at| fail_a_merge_at(*at, failure)).count();
        assert!((5..20).contains(&calls), "{calls} calls, {failure:?}");
    }
}

/// Returns false if the merge makes no such call.
fn fail_a_merge_at(at: usize, failure: Failure) -> bool {
    /// A merge first extends the log, by at most this many bytes.
    const LOG_ROOM: usize = 16 * PAGE;
    let sim = SimDisk::new(new_store());
    let store = with_segments(&sim);
    let (before, image, first) = (state_of(&store).unwrap(), sim.killed(), sim.calls());
    sim.fail(Some(Fault::once(first + at, failure)));
    let merged = store.engine.merge_segments(&|| ());
    sim.fail(None);
    let is_made = sim.calls() > first + at;
    assert!(!matches!(merged, Ok(false)), "call {at}: {failure:?}");
    assert_eq!(state_of(&store).unwrap(), before, "call {at}: {failure:?}");
    // If the write of a root failed, the root may be on the disk, and its pages stay in use.
    let writes_root = |failed: &Failed| matches!(failed, Failed::Write(at, _) if *at < PAGE as u64);
    let is_in_doubt = sim.killed()[..PAGE] != image[..PAGE] || sim.failed().iter().any(writes_root);
    if merged.is_err() && !is_in_doubt {
        let len = sim.killed().len();
        assert!(len <= image.len() + LOG_ROOM, "call {at}: {failure:?}: the file has {len} bytes");
    }
    assert_sound(&store, &sim);
    is_made
}

/// The segment of a merge may lie behind the log. The log has room to grow all the same.
#[test]
fn calls_beside_a_merge_are_logged_without_a_checkpoint() {
    let sim = SimDisk::new(new_store());
    let store = with_segments(&sim);
    let version = || Arc::clone(store.engine.view().unwrap().version());
    let (before, left) = (version(), Cell::new(true));
    let merged = store.engine.merge_segments(&|| {
        if left.take() {
            (0..100).for_each(|number| assert!(act(&store, &Op::LogIn(1, number)).unwrap()));
            assert!(Arc::ptr_eq(&before, &version()), "the log had no room");
        }
    });
    assert!(merged.unwrap() && !left.get());
    assert_sound(&store, &sim);
}

/// The log grows into pages before those of the merged segment. The root counts them all the same.
#[test]
fn a_file_that_is_cut_after_calls_beside_a_merge_is_refused() {
    let sim = SimDisk::new(new_store());
    let store = with_segments(&sim);
    let (before, left) = (sim.killed().len(), Cell::new(true));
    let merged = store.engine.merge_segments(&|| {
        if sim.killed().len() == before || !left.take() {
            return;
        }
        (0..100).for_each(|number| assert!(act(&store, &Op::LogIn(1, number)).unwrap()));
        let (state, image) = (state_of(&store).unwrap(), sim.killed());
        for pages in 1..image.len() / PAGE {
            let cut = SimDisk::new(image[..pages * PAGE].to_vec());
            match open(cut, Access::Read, 4 << 20).and_then(|cut| state_of(&cut)) {
                Ok(found) => assert!(found == state, "{pages} pages have an older state"),
                Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error:?}"),
            }
        }
    });
    assert!(merged.unwrap() && !left.get());
}

/// Each call fills a memtable, of which the flusher, or the call itself, makes a segment.
#[test]
fn a_load_waits_for_a_merge_during_which_it_has_added_many_segments() {
    for thread in [true, false] {
        load_during_a_merge(thread);
    }
}

fn load_during_a_merge(thread: bool) {
    const MOST_ADDED: usize = 16;
    let sim = SimDisk::new(new_store());
    drop(with_segments(&sim));
    let options = StoreOptions { thread, ..StoreOptions::default().buffer_size(20_000) };
    let store = open_writer(&sim, options.flush_interval(Duration::from_secs(3_600)));
    let (session, before) = (store.session("a").unwrap(), numbers(&store).len());
    let seen = |id: i64| Entity::new(PeerId::user(id).unwrap()).with_name(&"n".repeat(4_000));
    let load = || {
        for first in (0..3 * MOST_ADDED as i64).map(|call| 1 + 10 * call) {
            let entities: Vec<_> = (first..first + 10).map(seen).collect();
            session.process_entities(&entities).unwrap();
        }
    };
    let most = Cell::new(None);
    std::thread::scope(|threads| {
        let merged = store.engine.merge_segments(&|| {
            if most.get().is_none() {
                threads.spawn(load);
                assert!(becomes_true(|| numbers(&store).len() > before + MOST_ADDED));
                std::thread::sleep(Duration::from_millis(200));
                most.set(Some(numbers(&store).len() - before));
            }
        });
        assert!(merged.unwrap());
    });
    // Two more memtables may have been full before the load waited.
    let most = most.get().unwrap();
    assert!(most <= MOST_ADDED + 3, "{most} segments were added during the merge");
    assert_eq!(session.entity_count().unwrap(), 30 * MOST_ADDED as u64);
}

/// No merge replaces a damaged segment or an older one.
#[test]
fn newer_segments_are_merged_beside_a_damaged_one() {
    let sim = SimDisk::new(new_store());
    let store = with_segments(&sim);
    act(&store, &Op::Session(0)).unwrap();
    let view = store.engine.view().unwrap();
    let damaged = *view.version().segments.newest_first.first().unwrap().info();
    drop((view, store));
    let mut image = sim.killed();
    image[damaged.extent.at() as usize + SECTOR + 20] ^= 1;
    let sim = SimDisk::new(image);
    let options = StoreOptions::default().buffer_size(5_000);
    let store = open_writer(&sim, options.flush_interval(Duration::from_secs(3_600)));
    let mut most = 0;
    for first in (0..100).map(|call| 1_000 + 200 * call) {
        assert!(act(&store, &Op::See(0, first, 60)).unwrap());
        most = most.max(numbers(&store).len());
    }
    for first in (0..100).map(|call| 100_000 + 10 * call) {
        assert!(act(&store, &Op::Import(1, first, 5)).unwrap());
        most = most.max(numbers(&store).len());
    }
    assert!(most < 50, "{most} segments");
    assert!(numbers(&store).contains(&damaged.number));
    assert!(becomes_true(|| numbers(&store).len() <= 6), "{} segments", numbers(&store).len());
    let session = store.open_session("a").unwrap();
    for id in (0..100).map(|call| 1_000 + 200 * call) {
        assert!(session.entity(PeerId::user(id).unwrap()).unwrap().is_some());
    }
}

#[test]
fn a_compaction_cancels_a_merge() {
    let sim = SimDisk::new(new_store());
    let store = with_segments(&sim);
    std::thread::scope(|threads| {
        let ((begun, is_begun), store) = (channel(), &store);
        let compacting = threads.spawn(move || {
            is_begun.recv().unwrap();
            store.compact()
        });
        let merged = store.engine.merge_segments(&|| {
            begun.send(()).unwrap();
            assert!(becomes_true(|| store.engine.waits_for_merge()));
        });
        assert!(!merged.unwrap());
        compacting.join().unwrap().unwrap();
    });
    assert_eq!(numbers(&store).len(), 1);
    assert_sound(&store, &sim);
}

/// The flusher wants to merge what a load has left, while another merge is going on.
#[test]
fn a_cancelled_merge_is_made_later() {
    let sim = SimDisk::new(new_store());
    drop(with_segments(&sim));
    let options = StoreOptions::default().buffer_size(5_000);
    let options = options.flush_interval(Duration::from_millis(5));
    let store = open_writer(&sim, options);
    act(&store, &Op::Session(0)).unwrap();
    act(&store, &Op::Import(2, 500, 60)).unwrap();
    let left = Cell::new(true);
    let merged = store.engine.merge_segments(&|| {
        if left.take() {
            for first in (0..12).map(|call| call * 200) {
                act(&store, &Op::See(0, first + 1, 60)).unwrap();
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    assert!(merged.unwrap() && !left.get());
    let is_merged = becomes_true(|| numbers(&store).len() <= 4);
    assert!(is_merged, "{} segments are left", numbers(&store).len());
}

/// The flusher merges, and no other thread writes to the log.
#[test]
fn a_buffered_write_is_durable_before_a_long_merge_ends() {
    let sim = SimDisk::new(new_store());
    let options = StoreOptions::default().buffer_size(100_000);
    let options = options.flush_interval(Duration::from_millis(1));
    let store = open_writer(&sim, options);
    let session = store.session("a").unwrap();
    let seen = |id: i64| Entity::new(PeerId::user(id).unwrap());
    let is_durable = |id: i64| {
        let killed = open(SimDisk::new(sim.killed()), Access::Read, 4 << 20).unwrap();
        killed.session("a").unwrap().entity(seen(id).id).unwrap().is_some()
    };
    let is_early = (0..40).any(|round| {
        for call in 0..40 {
            let first = 1 + round * 40_000 + call * 1_000;
            let entities: Vec<_> = (first..first + 1_000).map(seen).collect();
            session.process_entities(&entities).unwrap();
        }
        let merging = (0..1_000).find_map(|_| {
            let merging = store.engine.merging();
            std::thread::sleep(Duration::from_micros(if merging.is_none() { 100 } else { 0 }));
            merging
        });
        let late = 10_000_000 + round;
        session.process_entities(&[seen(late)]).unwrap();
        let is_going_on = || merging.is_some() && store.engine.merging() == merging;
        becomes_true(|| is_durable(late)) && is_going_on()
    });
    assert!(is_early, "no write was durable before the end of a merge");
}
