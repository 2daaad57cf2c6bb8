//! The power goes at each call of a run, and again while the store recovers.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;

use super::disk_state::DiskState;
use super::random_ops::{
    MERGED, Model, Op, ShadowStore, State, act, is_durable, new_store_with, open, state_in,
    state_of,
};
use super::sim_disk::{Failure, Fault, Random, SimDisk};
use crate::file::{Access, Extent, PAGE, SECTOR};
use crate::store::{ReadView, Store};

/// The seeds of the runs. `TGSESSION_SIM_RUNS` asks for more, `TGSESSION_SIM_FIRST` for those
/// from another seed on.
fn seeds() -> std::ops::Range<u64> {
    let first = asked("TGSESSION_SIM_FIRST").unwrap_or(0);
    first..first + asked("TGSESSION_SIM_RUNS").unwrap_or(10)
}

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// The memory of a store in each run: a small one makes checkpoints all the time.
fn buffer_of(seed: u64) -> usize {
    [2_000, 20_000, 4 << 20][seed as usize % 3]
}

/// Every second run is that of an encrypted store.
fn is_encrypted(seed: u64) -> bool {
    seed % 2 == 1 && cfg!(feature = "encryption")
}

/// A run.
struct Run {
    seed: u64,
    /// Calls may fail.
    troubled: bool,
    disk: SimDisk,
    model: Model,
    ops: Vec<Op>,
    shadow: ShadowStore,
    readers: Vec<Reader>,
}

/// A handle that reads beside the writer, and holds on to what it saw first.
struct Reader {
    view: ReadView,
    seen: State,
    /// What the pages of its segments and its base hold. A simulated disk is not mapped: the
    /// view itself has a copy of them.
    pages: Vec<(Extent, Vec<u8>)>,
    /// For this many more operations.
    left: usize,
}

/// Runs random operations. `crashed` gets what the disk held before each call of an operation, and the states that
/// may be found after a crash there.
fn run_ops(
    seed: u64,
    fault: Option<Fault>,
    mut crashed: impl FnMut(&Run, Vec<DiskState>, &[State]),
) -> Run {
    let disk = SimDisk::new(new_store_with(is_encrypted(seed)));
    disk.fail(fault);
    disk.keep_states();
    let opened = open(disk.handle(), Access::Write, buffer_of(seed));
    let (model, shadow) = (Model::new(), ShadowStore::new());
    let troubled = fault.is_some();
    let (ops, readers) = (Vec::new(), Vec::new());
    let mut run = Run { seed, troubled, disk, model, ops, shadow, readers };
    let Ok(mut store) = opened else { return run };
    let mut random = Random::new(seed);
    for _ in 0..30 {
        let op = Op::random(&mut random);
        run.ops.push(op.clone());
        run.check_readers();
        let before = run.model.allowed.clone();
        match op {
            Op::Reopen => match run.reopen(store) {
                Some(opened) => store = opened,
                None => return run,
            },
            Op::Read => run.read(),
            op => run.act(&store, &op),
        }
        let states = run.disk.take_states();
        crashed(&run, states, &[before, run.model.allowed.clone()].concat());
    }
    run
}

impl Run {
    /// Closes the store and opens it; `None` if that is not to be had.
    fn reopen(&mut self, store: Store) -> Option<Store> {
        let seed = self.seed;
        let before = state_of(&store).unwrap();
        let closed = store.close().is_ok();
        assert!(closed || self.troubled, "seed {seed}: close failed");
        let opened = open(self.disk.handle(), Access::Write, buffer_of(seed));
        let store = match opened {
            Ok(store) => store,
            Err(error) => {
                assert!(self.troubled, "seed {seed}: {error:?}");
                return None;
            }
        };
        let now = state_of(&store).unwrap();
        if closed {
            assert_eq!(now, before, "seed {seed}: closed and opened");
        } else {
            assert!(self.model.allowed.contains(&now), "seed {seed}: after a failed close");
        }
        if now != self.shadow.state() {
            self.shadow.restart(self.disk.killed());
        }
        self.model.holds(now, closed);
        Some(store)
    }

    /// Another handle reads, and stays open for a while.
    fn read(&mut self) {
        let reader = open(self.disk.handle(), Access::Read, 20_000).unwrap();
        let view = reader.read_view().unwrap();
        let seen = state_in(&view).unwrap();
        assert!(self.model.allowed.contains(&seen), "seed {}: a reader", self.seed);
        let image = self.disk.killed();
        let pages = view.view.version().extents();
        let pages = pages.map(|extent| (extent, bytes_in(&image, extent).to_vec())).collect();
        self.readers.push(Reader { view, seen, pages, left: 12 });
    }

    /// What a reader holds on to stays as it was, whatever was written meanwhile.
    fn check_readers(&mut self) {
        for reader in &mut self.readers {
            let now = state_in(&reader.view).unwrap();
            assert_eq!(now, reader.seen, "seed {}: a view has changed", self.seed);
            let image = self.disk.killed();
            let stay = reader.pages.iter().all(|(at, pages)| bytes_in(&image, *at) == *pages);
            assert!(stay, "seed {}: pages under a reader were written over", self.seed);
            reader.left -= 1;
        }
        self.readers.retain(|reader| reader.left > 0);
    }

    fn act(&mut self, store: &Store, op: &Op) {
        let seed = self.seed;
        let done = act(store, op);
        let (state, before) = (state_of(store).unwrap(), self.shadow.state());
        let model = &mut self.model;
        match done {
            Ok(done) => {
                self.shadow.act(op);
                assert_eq!(state, self.shadow.state(), "seed {seed}: {op:?}");
                let durable = done && is_durable(op) && (!op.logs_in() || state != before);
                model.holds(state, durable);
            }
            Err(error) => {
                assert!(self.troubled, "seed {seed}: {op:?} failed: {error:?}");
                // It may be on the disk all the same, and in memory.
                let with = self.shadow.state_with(op);
                if state != before {
                    assert_eq!(state, with, "seed {seed}: {op:?} was done by half");
                    self.shadow.act(op);
                }
                model.holds(with, false);
                model.holds(state, false);
            }
        }
    }
}

fn bytes_in(image: &[u8], extent: Extent) -> &[u8] {
    let at = extent.at() as usize;
    image.get(at..at + extent.len() as usize).unwrap_or_default()
}

/// The disk after a crash, and the states that a recovery from it may give. After a kill the disk has
/// writes that were not synced. A later power cut may lose them.
struct Crash<'a> {
    disk: DiskState,
    allowed: &'a [State],
    what: String,
}

impl Crash<'_> {
    /// Recovers, and goes on: what is written then is there after another kill.
    fn recover(&self) {
        let what = &self.what;
        let disk = SimDisk::of(self.disk.clone());
        let store = match open(disk.handle(), Access::Write, 20_000) {
            Ok(store) => store,
            Err(error) => panic!("{what}: cannot be opened: {error:?}"),
        };
        let state = state_of(&store).unwrap();
        assert!(
            self.allowed.contains(&state),
            "{what}: a state that never was, or older than a durable one:\n{state:?}\n{:?}",
            self.allowed
        );
        let reader = open(disk.handle(), Access::Read, 20_000).unwrap();
        assert_eq!(state_of(&reader).unwrap(), state, "{what}: a reader sees something else");
        drop(reader);
        let report = store.check().unwrap();
        let allowed = |problem: &String| problem.contains("copies of the root");
        assert!(report.problems.iter().all(allowed), "{what}: {:?}", report.problems);
        store.session("after").unwrap();
        let now = state_of(&store).unwrap();
        let killed = open(SimDisk::new(disk.killed()), Access::Write, 20_000).unwrap();
        assert_eq!(state_of(&killed).unwrap(), now, "{what}: killed after recovery");
        disk.kill_all();
        drop(store);
    }

    /// Recovers, and the power goes again at each call meanwhile.
    fn crash_again(&self) {
        let disk = SimDisk::of(self.disk.clone());
        disk.keep_states();
        let store = open(disk.handle(), Access::Write, 20_000).unwrap();
        let _ = store.session("after").unwrap();
        disk.kill_all();
        drop(store);
        for (call, state) in disk.take_states().into_iter().enumerate() {
            let image = state.after_power_cut(call as u64 * 77 + 5, SECTOR);
            let store = open(SimDisk::new(image), Access::Write, 20_000).unwrap();
            let mut state = state_of(&store).unwrap();
            state.retain(|(name, _), _| name != "after");
            assert!(self.allowed.contains(&state), "{}: cut again at {call}", self.what);
        }
    }
}

/// How many images were recovered from, and how many of them were distinct.
#[derive(Default)]
struct Images {
    drawn: u64,
    distinct: HashSet<u64>,
}

impl Images {
    /// Counts an image; says whether it is a new one.
    fn is_new(&mut self, image: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        image.hash(&mut hasher);
        self.drawn += 1;
        self.distinct.insert(hasher.finish())
    }
}

/// Recovers from crashes in each of these states of the disk: a kill, and power cuts that tear
/// writes in sectors or in pages.
/// `TGSESSION_SIM_CUTS` asks for more cuts at each call than two.
fn crash_at_each(run: &Run, states: Vec<DiskState>, allowed: &[State], images: &mut Images) {
    let op = run.ops.len() as u64;
    let cuts = asked("TGSESSION_SIM_CUTS").unwrap_or(2);
    for (call, state) in (0..).zip(states) {
        let mut random = Random::new(run.seed << 32 | op << 16 | call);
        for cut in 0..=cuts {
            let unit = if cut % 2 == 0 { SECTOR } else { PAGE };
            let killed = cut == cuts;
            let disk = if killed {
                state.clone()
            } else {
                DiskState::synced(state.after_power_cut(random.next(), unit))
            };
            if images.is_new(&disk.cache) {
                let kind = if killed { "killed".to_owned() } else { format!("cut {cut}") };
                let (seed, ops) = (run.seed, &run.ops);
                let what = format!("seed {seed}, call {call} of op {op}, {kind}, after {ops:?}");
                let crash = Crash { disk, allowed, what };
                crash.recover();
                if images.distinct.len().is_multiple_of(4) {
                    crash.crash_again();
                }
            }
        }
    }
}

#[test]
fn a_crash_at_any_call_leaves_a_state_no_older_than_the_last_durable_one() {
    let mut images = Images::default();
    for seed in seeds() {
        run_ops(seed, None, |run, states, allowed| {
            crash_at_each(run, states, allowed, &mut images)
        });
    }
    println!("{} distinct images of {}", images.distinct.len(), images.drawn);
    let merged = MERGED.load(Ordering::Relaxed);
    assert!(merged > 0 || seeds().count() < 10, "no segments were merged beside an operation");
}

#[test]
fn a_call_that_fails_costs_no_durable_data_and_the_store_goes_on() {
    for seed in seeds() {
        let calls = run_ops(seed, None, |_, _, _| ()).disk.calls();
        let mut random = Random::new(seed ^ 0xfa17);
        for round in 0..(calls / 4).min(24) {
            let failure = Failure::ALL[round % Failure::ALL.len()];
            let step = 1 + random.below(4);
            let fault = Fault { first: random.below(calls), count: 1 + round % 4, step, failure };
            let run = run_ops(seed, Some(fault), |_, _, _| ());
            run.disk.fail(None);
            let cut = DiskState::synced(run.disk.power_cut(random.next(), SECTOR));
            for disk in [cut, run.disk.state()] {
                let what = format!("seed {seed}, {fault:?}, after {:?}", run.ops);
                let crash = Crash { disk, allowed: &run.model.allowed, what };
                crash.recover();
                crash.crash_again();
            }
        }
    }
}
