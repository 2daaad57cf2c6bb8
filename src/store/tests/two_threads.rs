//! One thread compacts, merges, removes or imports, and is paused before one of its disk calls. Another
//! thread writes meanwhile. An acknowledged write must be in the file after a kill at any later call.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::faults::account_with_key;
use super::random_ops::{
    Op, act, becomes_true, new_store, open, open_with, open_writer, seal_of, state_in, state_of,
};
use super::sim_disk::{Failure, Fault, SimDisk};
use crate::error::{Error, Result};
use crate::file::{Access, Bytes, Disk, LockRange};
use crate::session::{Commit, Session};
use crate::store::{ImportSession, Store, StoreOptions};
use crate::types::{DcId, Entity, PeerId};

/// The operations that make the store, before anything pauses.
const FIRST: [Op; 4] = [Op::Session(0), Op::Import(1, 1, 9), Op::Import(2, 100, 9), Op::Flush];

/// The longest pause. A write that needs a lock of the paused thread is done after the pause.
const PAUSE: Duration = Duration::from_millis(40);

/// A disk that pauses before one of its calls.
#[derive(Debug)]
struct PausingDisk {
    disk: SimDisk,
    /// How many calls are left before the one at which it pauses.
    left: AtomicUsize,
    /// Locks are calls too.
    counts_locks: AtomicBool,
    paused: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl PausingDisk {
    fn new(disk: SimDisk) -> (Arc<Self>, Receiver<()>, Sender<()>) {
        let ((paused, is_paused), (go_on, goes_on)) = (channel(), channel());
        let left = AtomicUsize::new(usize::MAX);
        let (counts_locks, go_on_side) = (AtomicBool::new(false), Mutex::new(goes_on));
        let disk = Self { disk, left, counts_locks, paused, go_on: go_on_side };
        (Arc::new(disk), is_paused, go_on)
    }

    fn open(self: &Arc<Self>, options: &StoreOptions) -> Store {
        let disk = Arc::clone(self) as Arc<dyn Disk>;
        open_with(disk, &seal_of(&self.disk), Access::Write, options.clone()).unwrap()
    }

    fn pause(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 0 {
            self.left.store(usize::MAX, Ordering::Release);
            self.paused.send(()).unwrap();
            let _ = self.go_on.lock().unwrap().recv();
        }
    }
}

impl Disk for PausingDisk {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(at, out)
    }
    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        self.pause();
        self.disk.write(at, data)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.pause();
        self.disk.set_len(len)
    }
    fn sync(&self) -> io::Result<()> {
        self.pause();
        self.disk.sync()
    }
    fn failed_syncs(&self) -> u64 {
        self.disk.failed_syncs()
    }
    fn try_lock_exclusive(&self, range: LockRange) -> io::Result<bool> {
        self.disk.try_lock_exclusive(range)
    }
    fn try_lock_shared(&self, range: LockRange) -> io::Result<bool> {
        if self.counts_locks.load(Ordering::Acquire) {
            self.pause();
        }
        self.disk.try_lock_shared(range)
    }
    fn unlock(&self, range: LockRange) -> io::Result<()> {
        self.disk.unlock(range)
    }
    fn is_locked(&self, range: LockRange) -> io::Result<bool> {
        self.disk.is_locked(range)
    }
    fn bytes(&self, at: u64, len: usize) -> io::Result<Bytes> {
        self.disk.bytes(at, len)
    }
}

/// Runs `work` in a thread once for each of its disk calls, and pauses it before that call. Another
/// thread does `ops` during the pause. The last of `ops` must be durable.
fn write_at_each_call_of(work: fn(&Store) -> Result<()>, ops: &[Op], options: &StoreOptions) {
    let expected = {
        let store = open(SimDisk::new(new_store()), Access::Write, 4 << 20).unwrap();
        FIRST.iter().for_each(|op| assert!(act(&store, op).is_ok()));
        work(&store).unwrap();
        ops.iter().for_each(|op| assert!(act(&store, op).is_ok()));
        state_of(&store).unwrap()
    };
    for at in 0.. {
        let sim = SimDisk::new(new_store());
        let (disk, paused, go_on) = PausingDisk::new(sim.handle());
        let store = disk.open(options);
        FIRST.iter().for_each(|op| assert!(act(&store, op).is_ok()));
        disk.left.store(at, Ordering::Release);
        let is_over = std::thread::scope(|threads| {
            let working = threads.spawn(|| work(&store));
            while !working.is_finished() && paused.try_recv().is_err() {
                std::thread::sleep(Duration::from_micros(200));
            }
            if disk.left.load(Ordering::Acquire) < usize::MAX / 2 {
                working.join().unwrap().unwrap();
                return true;
            }
            let (done, is_done) = channel();
            let (store, sim) = (&store, &sim);
            let writing = threads.spawn(move || {
                for op in ops {
                    act(store, op).unwrap();
                }
                sim.keep_states();
                done.send(state_of(store).unwrap()).unwrap();
            });
            let acknowledged = is_done.recv_timeout(PAUSE);
            go_on.send(()).unwrap();
            writing.join().unwrap();
            // A view of the other thread may stop a compaction.
            let worked = working.join().unwrap();
            assert!(matches!(worked, Ok(()) | Err(Error::Busy { .. })), "{worked:?}");
            let acknowledged = acknowledged.unwrap_or_else(|_| is_done.recv().unwrap());
            // A sample: those next to the write, and some of the rest.
            let states = sim.take_states().into_iter().enumerate();
            for (call, state) in states.filter(|(call, _)| *call < 6 || call % 5 == 0) {
                let killed = open(SimDisk::new(state.cache), Access::Write, 20_000).unwrap();
                let found = state_of(&killed).unwrap();
                assert_eq!(found, acknowledged, "paused at call {at}, killed {call} calls later");
            }
            assert_eq!(state_of(store).unwrap(), expected, "paused at call {at}");
            let durable = open(SimDisk::new(sim.durable()), Access::Write, 20_000).unwrap();
            assert_eq!(state_of(&durable).unwrap(), acknowledged, "call {at}: the power goes");
            false
        });
        disk.left.store(usize::MAX, Ordering::Release);
        let before = state_of(&store).unwrap();
        store.close().unwrap();
        let reopened = open(sim.handle(), Access::Read, 20_000).unwrap();
        assert_eq!(state_of(&reopened).unwrap(), before, "call {at}: closed and opened");
        if is_over {
            assert!(at > 4, "{at} calls");
            break;
        }
    }
}

fn options() -> StoreOptions {
    StoreOptions::default().flush_interval(Duration::from_secs(3600))
}

#[test]
fn a_login_beside_a_compaction_is_in_the_file() {
    write_at_each_call_of(Store::compact, &[Op::LogIn(0, 1)], &options());
    write_at_each_call_of(Store::scrub, &[Op::LogIn(0, 1)], &options());
}

/// A memtable is frozen while the compaction is at work.
#[test]
fn more_than_a_memtable_beside_a_compaction_is_in_the_file() {
    let see = |id| Op::See(0, id, 60);
    let ops = [see(1), see(200), see(400), see(600), Op::LogIn(0, 1)];
    let options = StoreOptions { buffer_size: 6_000, ..options() };
    write_at_each_call_of(Store::scrub, &ops, &options);
}

#[test]
fn a_login_beside_a_removal_or_an_import_is_in_the_file() {
    write_at_each_call_of(|store| store.remove("b"), &[Op::LogIn(0, 1)], &options());
    let import = |store: &Store| act(store, &Op::Import(1, 700, 30)).map(drop);
    write_at_each_call_of(import, &[Op::LogIn(0, 1)], &options());
}

/// A merge replaces segments while others are written, removed and compacted.
#[test]
fn what_is_written_beside_a_merge_is_in_the_file() {
    let merge = |store: &Store| {
        store.engine.merge_segments(&|| ()).map(|is_merged| assert!(is_merged, "cancelled"))
    };
    let see = |id| Op::See(0, id, 60);
    let all: [&[Op]; 4] = [
        &[Op::LogIn(0, 1)],
        &[see(1), see(200), see(400), see(600), Op::LogIn(0, 1)],
        &[Op::Forget(2, 101), Op::Import(1, 700, 30)],
        &[see(1), Op::Remove(2)],
    ];
    let options = StoreOptions { buffer_size: 6_000, ..options() };
    for ops in all {
        write_at_each_call_of(merge, ops, &options);
    }
    // A compaction cancels a merge.
    let merge_if_it_can = |store: &Store| store.engine.merge_segments(&|| ()).map(drop);
    write_at_each_call_of(merge_if_it_can, &[Op::LogIn(0, 1), Op::Compact], &options);
}

/// The sync of a call fails after a merge has written its segment. The pages of the segment are lost too.
#[test]
fn a_sync_that_fails_beside_a_merge_costs_nothing_after_a_power_cut() {
    (0..4).for_each(fail_beside_a_merge);
}

fn fail_beside_a_merge(call: usize) {
    for at in 0.. {
        let sim = SimDisk::new(new_store());
        let (disk, paused, go_on) = PausingDisk::new(sim.handle());
        let store = disk.open(&options());
        FIRST.iter().for_each(|op| assert!(act(&store, op).is_ok()));
        let before = state_of(&store).unwrap();
        disk.left.store(at, Ordering::Release);
        let is_over = std::thread::scope(|threads| {
            let merging = threads.spawn(|| store.engine.merge_segments(&|| ()));
            while !merging.is_finished() && paused.try_recv().is_err() {
                std::thread::sleep(Duration::from_micros(200));
            }
            if disk.left.load(Ordering::Acquire) < usize::MAX / 2 {
                return true;
            }
            let writing = threads.spawn(|| {
                sim.fail(Some(Fault::once(sim.calls() + call, Failure::Eio)));
                let done = act(&store, &Op::LogIn(0, 1));
                sim.fail(None);
                done
            });
            std::thread::sleep(Duration::from_millis(5));
            go_on.send(()).unwrap();
            let _ = merging.join().unwrap();
            let done = writing.join().unwrap();
            let after = state_of(&store).unwrap();
            let durable = open(SimDisk::new(sim.durable()), Access::Write, 20_000).unwrap();
            let durable = state_of(&durable).unwrap();
            let is_allowed = durable == after || done.is_err() && durable == before;
            assert!(is_allowed, "paused at call {at}, call {call} fails: {durable:?}");
            false
        });
        disk.left.store(usize::MAX, Ordering::Release);
        if is_over {
            assert!(at > 4, "{at} calls");
            break;
        }
    }
}

/// A compaction that fails because a reader pins a generation loses no write that comes after it.
#[test]
fn a_login_beside_a_compaction_that_a_reader_stops_is_in_the_file() {
    let sim = SimDisk::new(new_store());
    let store = open(sim.handle(), Access::Write, 4 << 20).unwrap();
    for op in [Op::Session(0), Op::Import(1, 1, 60), Op::Import(2, 100, 60)] {
        act(&store, &op).unwrap();
    }
    let reader = open(sim.handle(), Access::Read, 20_000).unwrap();
    let view = reader.read_view().unwrap();
    let seen = state_in(&view).unwrap();
    assert!(store.scrub().is_err(), "a reader pins the pages");
    act(&store, &Op::LogIn(0, 1)).unwrap();
    let killed = open(SimDisk::new(sim.killed()), Access::Write, 20_000).unwrap();
    assert_eq!(state_of(&killed).unwrap(), state_of(&store).unwrap());
    assert_eq!(state_in(&view).unwrap(), seen);
}

/// Between reading the root and pinning its generation, the generation may be given up.
#[test]
fn a_reader_that_pins_a_generation_too_late_reads_the_current_one() {
    let sim = SimDisk::new(new_store());
    let store = open(sim.handle(), Access::Write, 4 << 20).unwrap();
    FIRST.iter().for_each(|op| assert!(act(&store, op).is_ok()));
    let (disk, paused, go_on) = PausingDisk::new(sim.handle());
    let shared: Arc<dyn Disk> = Arc::clone(&disk) as Arc<dyn Disk>;
    let reader = open_with(shared, &seal_of(&sim), Access::Read, options()).unwrap();
    act(&store, &Op::Import(2, 300, 9)).unwrap();
    // The first lock is that of the generation that it has read before.
    disk.left.store(1, Ordering::Release);
    disk.counts_locks.store(true, Ordering::Release);
    let view = std::thread::scope(|threads| {
        let view = threads.spawn(|| reader.read_view());
        paused.recv().unwrap();
        act(&store, &Op::Import(2, 400, 9)).unwrap();
        go_on.send(()).unwrap();
        view.join().unwrap().unwrap()
    });
    assert_eq!(state_in(&view).unwrap(), state_of(&store).unwrap());
}

/// A call that fails leaves its rows in memory. The flusher logs them, with the next ones if there are any.
#[test]
fn rows_of_a_failed_call_and_those_after_it_are_logged_within_the_flush_interval() {
    for next in [None, Some(Op::State(0, 5))] {
        rows_of_a_failed_call_are_logged(next.as_ref());
    }
}

fn rows_of_a_failed_call_are_logged(next: Option<&Op>) {
    let sim = SimDisk::new(new_store());
    let options = StoreOptions::default().flush_interval(Duration::from_millis(20));
    let store = open_writer(&sim, options);
    act(&store, &Op::Session(0)).unwrap();
    sim.fail(Some(Fault { first: sim.calls(), count: 2, step: 1, failure: Failure::Eio }));
    act(&store, &Op::LogIn(0, 1)).unwrap_err();
    sim.fail(None);
    next.into_iter().for_each(|next| assert!(act(&store, next).unwrap()));
    let state = state_of(&store).unwrap();
    assert!(becomes_true(|| {
        let killed = open(SimDisk::new(sim.killed()), Access::Write, 20_000).unwrap();
        state_of(&killed).unwrap() == state
    }));
}

/// The root of a generation that failed may be on the disk, and a reader may have pinned it. Closing
/// must not bring the generation before back, whose next writer would reuse the pages.
#[test]
fn a_reader_of_a_generation_that_fails_during_a_close_keeps_its_pages() {
    let before = almost_a_base();
    let mut paused_after = 0;
    for at in 0..12 {
        let sim = SimDisk::new(before.clone());
        let (disk, paused, go_on) = PausingDisk::new(sim.handle());
        let shared: Arc<dyn Disk> = Arc::clone(&disk) as Arc<dyn Disk>;
        let store = open_with(shared, &seal_of(&sim), Access::Write, options()).unwrap();
        // A view of an older generation keeps the file from being compacted.
        let early = open(sim.handle(), Access::Read, 20_000).unwrap();
        let _early = early.read_view().unwrap();
        act(&store, &Op::Import(2, 1, 0)).unwrap();
        // So many records that closing replaces the log, and so many rows that it writes a base,
        // which readers read late.
        (0..30).for_each(|number| assert!(act(&store, &Op::LogIn(0, number)).unwrap()));
        let right = state_of(&store).unwrap();
        sim.fail(Some(Fault::once(sim.calls() + at, Failure::Eio)));
        disk.left.store(at + 1, Ordering::Release);
        let reader = std::thread::scope(|threads| {
            let closing = threads.spawn(|| store.engine.finish_writes());
            let is_paused = loop {
                let is_over = closing.is_finished();
                if paused.try_recv().is_ok() || is_over {
                    break !is_over;
                }
                std::thread::sleep(Duration::from_micros(200));
            };
            let reader = is_paused.then(|| {
                let reader = open(sim.handle(), Access::Read, 20_000).unwrap();
                let view = reader.read_view().unwrap();
                go_on.send(()).unwrap();
                (reader, view)
            });
            let _ = closing.join().unwrap();
            // Dropping the handle would make another generation. The process is killed before.
            sim.kill(disk.disk.number());
            disk.left.store(usize::MAX, Ordering::Release);
            reader
        });
        // The call that fails may be the last.
        let Some((_reader, view)) = reader else { continue };
        paused_after += sim.failed().len();
        sim.fail(None);
        let next = open(sim.handle(), Access::Write, 20_000).unwrap();
        for first in (0..6).map(|number| number * 1_000) {
            act(&next, &Op::Import(1, first + 1, 900)).unwrap();
        }
        let seen = state_in(&view).unwrap_or_else(|error| panic!("call {at} fails: {error:?}"));
        assert_eq!(seen, right, "call {at} fails");
    }
    assert!(paused_after > 4, "a reader came after {paused_after} failed calls");
}

/// A store whose rows just fit into the log: a few more, and the next checkpoint writes a base.
fn almost_a_base() -> Vec<u8> {
    let disk = SimDisk::new(new_store());
    let store = open(disk.handle(), Access::Write, 4 << 20).unwrap();
    let account = account_with_key();
    let has_base = || store.engine.view().unwrap().version().base.is_some();
    act(&store, &Op::Session(0)).unwrap();
    let mut before = Vec::new();
    for number in 0.. {
        store.import(&format!("s{number:03}"), ImportSession::new(&account, [])).unwrap();
        if has_base() {
            break;
        }
        before.push(disk.killed());
    }
    before.swap_remove(before.len() - 4)
}

/// A thread writes so much that the flusher makes checkpoints, and one call to the disk, of it or of the
/// flusher, is paused while another thread makes a buffered write. No other write follows, so the
/// flusher itself has to remember it.
fn write_beside_the_flusher(options: &StoreOptions, fill: fn(&dyn Session)) {
    for at in 0..30 {
        let sim = SimDisk::new(new_store());
        let (disk, paused, go_on) = PausingDisk::new(sim.handle());
        let store = disk.open(options);
        let session = store.session("a").unwrap();
        disk.left.store(at, Ordering::Release);
        std::thread::scope(|threads| {
            let filling = threads.spawn(|| fill(&session));
            let _ = paused.recv_timeout(Duration::from_millis(200));
            let late = threads.spawn(|| session.process_entities(&[seen(9_999, 1)]).map(drop));
            std::thread::sleep(Duration::from_millis(2));
            // A pause that is still to come ends at once.
            go_on.send(()).unwrap();
            filling.join().unwrap();
            late.join().unwrap().unwrap();
        });
        let is_durable = becomes_true(|| {
            let killed = open(SimDisk::new(sim.killed()), Access::Read, 4 << 20).unwrap();
            matches!(killed.session("a").unwrap().entity(seen(9_999, 1).id), Ok(Some(_)))
        });
        assert!(is_durable, "paused at call {at}");
    }
}

fn seen(id: i64, name_len: usize) -> Entity {
    Entity::new(PeerId::user(id).unwrap()).with_name(&"n".repeat(name_len))
}

#[test]
fn a_buffered_write_while_memtables_are_full_is_durable_though_nothing_follows() {
    let options = StoreOptions::default().buffer_size(20_000);
    write_beside_the_flusher(&options.flush_interval(Duration::from_millis(5)), |session| {
        for call in 0..8 {
            let ids = 1 + 40 * call..41 + 40 * call;
            session.process_entities(&ids.map(|id| seen(id, 9)).collect::<Vec<_>>()).unwrap();
        }
    });
}

#[test]
fn a_buffered_write_while_the_log_is_full_is_durable_though_nothing_follows() {
    let options = StoreOptions::default().flush_interval(Duration::from_millis(5));
    write_beside_the_flusher(&options, |session| {
        for call in 0..4 {
            let ids = 1 + 40 * call..41 + 40 * call;
            session.process_entities(&ids.map(|id| seen(id, 4_000)).collect::<Vec<_>>()).unwrap();
            if call == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    });
}

#[test]
fn a_buffered_write_beside_a_synced_one_is_durable_though_nothing_follows() {
    let options = StoreOptions::default().flush_interval(Duration::from_millis(5));
    write_beside_the_flusher(&options, |session| {
        // More than a log takes.
        let all: Vec<_> = (1..161).map(|id| seen(id, 4_000)).collect();
        let done = session.transact(Commit::Durable, &mut |batch| {
            batch.process_entities(&all)?;
            batch.set_home_dc(DcId(2))
        });
        done.unwrap();
    });
}
