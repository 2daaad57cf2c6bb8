//! The power goes at any call of a life, and again while the store recovers.

use super::life::{
    Deed, Model, Shadow, State, act, is_durable, new_store, open, state_in, state_of,
};
use super::sim_disk::{Failure, Fault, Random, SimDisk};
use crate::file::{Access, Extent};
use crate::store::{ReadView, Store};

/// How many lives are tried here. `TGSESSION_SIM_LIVES` asks for more.
fn lives() -> u64 {
    std::env::var("TGSESSION_SIM_LIVES").ok().and_then(|lives| lives.parse().ok()).unwrap_or(10)
}

/// The memory of a store in each life: a small one makes checkpoints all the time.
fn buffer_of(seed: u64) -> usize {
    [2_000, 20_000, 4 << 20][seed as usize % 3]
}

/// A life up to the call with which the power goes; a fault may hit it before.
struct Lived {
    disk: SimDisk,
    model: Model,
    deeds: Vec<Deed>,
}

/// A life while it is lived.
struct Life {
    seed: u64,
    /// Calls may fail: the power goes, or a fault hits them.
    troubled: bool,
    lived: Lived,
    shadow: Shadow,
    readers: Vec<Reader>,
}

/// A handle that reads beside the writer, and holds on to what it saw first.
struct Reader {
    view: ReadView,
    seen: State,
    /// What the pages of its segments and its base hold. A simulated disk is not mapped: the
    /// view itself has a copy of them.
    pages: Vec<(Extent, Vec<u8>)>,
    /// For so many more deeds.
    left: usize,
}

fn live(seed: u64, cut_after: Option<usize>, fault: Option<Fault>) -> Lived {
    let disk = SimDisk::new(new_store());
    if let Some(calls) = cut_after {
        disk.cut_after(calls);
    }
    disk.fail(fault);
    let opened = open(disk.handle(), Access::Write, buffer_of(seed));
    let lived = Lived { disk, model: Model::new(), deeds: Vec::new() };
    let troubled = cut_after.is_some() || fault.is_some();
    let shadow = Shadow::new();
    let mut life = Life { seed, troubled, lived, shadow, readers: Vec::new() };
    let Ok(mut store) = opened else { return life.lived };
    let mut random = Random::new(seed);
    for _ in 0..30 {
        let deed = Deed::random(&mut random);
        life.lived.deeds.push(deed.clone());
        life.check_readers();
        let goes_on = match deed {
            Deed::Reopen => match life.reopen(store) {
                Some(opened) => {
                    store = opened;
                    continue;
                }
                None => return life.lived,
            },
            Deed::Read => life.read(),
            deed => life.act(&store, &deed),
        };
        if !goes_on && cut_after.is_some() {
            std::mem::forget(std::mem::take(&mut life.readers));
            forget(store);
            break;
        }
    }
    life.lived
}

impl Life {
    /// Closes the store and opens it; `None` if that is not to be had.
    fn reopen(&mut self, store: Store) -> Option<Store> {
        let seed = self.seed;
        let before = state_of(&store).unwrap();
        let closed = store.close().is_ok();
        assert!(closed || self.troubled, "seed {seed}: close failed");
        let opened = open(self.lived.disk.handle(), Access::Write, buffer_of(seed));
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
            assert!(self.lived.model.allowed.contains(&now), "seed {seed}: after a failed close");
        }
        if now != self.shadow.state() {
            self.shadow.restart(self.lived.disk.killed());
        }
        self.lived.model.holds(now, closed);
        Some(store)
    }

    /// Another handle reads, and stays open for a while.
    fn read(&mut self) -> bool {
        let reader = open(self.lived.disk.handle(), Access::Read, 20_000).unwrap();
        let view = reader.read_view().unwrap();
        let seen = state_in(&view).unwrap();
        assert!(self.lived.model.allowed.contains(&seen), "seed {}: a reader", self.seed);
        let image = self.lived.disk.killed();
        let pages = view.view.version().extents();
        let pages = pages.map(|extent| (extent, bytes_in(&image, extent).to_vec())).collect();
        self.readers.push(Reader { view, seen, pages, left: 12 });
        true
    }

    /// What a reader holds on to stays as it was, whatever was written meanwhile.
    fn check_readers(&mut self) {
        for reader in &mut self.readers {
            let now = state_in(&reader.view).unwrap();
            assert_eq!(now, reader.seen, "seed {}: a view has changed", self.seed);
            let image = self.lived.disk.killed();
            let stay = reader.pages.iter().all(|(at, pages)| bytes_in(&image, *at) == *pages);
            assert!(stay, "seed {}: pages under a reader were written over", self.seed);
            reader.left -= 1;
        }
        self.readers.retain(|reader| reader.left > 0);
    }

    /// Says whether the deed was done.
    fn act(&mut self, store: &Store, deed: &Deed) -> bool {
        let seed = self.seed;
        let done = act(store, deed);
        let (state, before) = (state_of(store).unwrap(), self.shadow.state());
        let model = &mut self.lived.model;
        match done {
            Ok(done) => {
                self.shadow.act(deed);
                assert_eq!(state, self.shadow.state(), "seed {seed}: {deed:?}");
                // A login that changes nothing waits for nothing.
                let logs_in = matches!(deed, Deed::LogIn(..));
                let durable = done && is_durable(deed) && (!logs_in || state != before);
                model.holds(state, durable);
                true
            }
            Err(error) => {
                assert!(self.troubled, "seed {seed}: {deed:?} failed: {error:?}");
                // It may be on the disk all the same, and in memory.
                let with = self.shadow.state_with(deed);
                if state != before {
                    assert_eq!(state, with, "seed {seed}: {deed:?} was done by half");
                    self.shadow.act(deed);
                }
                model.holds(with, false);
                model.holds(state, false);
                false
            }
        }
    }
}

fn bytes_in(image: &[u8], extent: Extent) -> &[u8] {
    let at = extent.at() as usize;
    image.get(at..at + extent.len() as usize).unwrap_or_default()
}

/// The process is gone: nothing is flushed.
fn forget(store: Store) {
    std::mem::forget(store);
}

/// Recovers from this image; the power goes again during recovery.
fn check_image(lived: &Lived, image: Vec<u8>, what: &str, again: bool) {
    let disk = SimDisk::new(image.clone());
    let store = match open(disk.handle(), Access::Write, 20_000) {
        Ok(store) => store,
        Err(error) => panic!("{what}: cannot be opened: {error:?} {:?}", lived.deeds),
    };
    let state = state_of(&store).unwrap();
    assert!(
        lived.model.allowed.contains(&state),
        "{what}: a state that never was, or older than a durable one, after {:?}\n{state:?}\n{:?}",
        lived.deeds,
        lived.model.allowed
    );
    let reader = open(disk.handle(), Access::Read, 20_000).unwrap();
    assert_eq!(state_of(&reader).unwrap(), state, "{what}: a reader sees something else");
    drop(reader);
    let report = store.check().unwrap();
    let allowed = |problem: &String| problem.contains("copies of the root");
    assert!(report.problems.iter().all(allowed), "{what}: {:?}", report.problems);
    // It goes on: what is written now is there after another kill.
    store.session("after").unwrap();
    let now = state_of(&store).unwrap();
    let killed = open(SimDisk::new(disk.killed()), Access::Write, 20_000).unwrap();
    assert_eq!(state_of(&killed).unwrap(), now, "{what}: killed after recovery");
    forget(store);
    if !again {
        return;
    }
    for calls in 0..6 {
        let disk = SimDisk::new(image.clone());
        disk.cut_after(calls);
        if let Ok(store) = open(disk.handle(), Access::Write, 20_000) {
            let _ = store.session("after");
            forget(store);
        }
        let cut = disk.power_cut(calls as u64 * 77 + 5, 512);
        let store = open(SimDisk::new(cut), Access::Write, 20_000).unwrap();
        let mut state = state_of(&store).unwrap();
        state.retain(|(name, _), _| name != "after");
        assert!(lived.model.allowed.contains(&state), "{what}: cut again at {calls}");
    }
}

#[test]
fn a_power_cut_at_any_call_leaves_a_state_no_older_than_the_last_durable_one() {
    for seed in 0..lives() {
        let whole = live(seed, None, None);
        let calls = whole.disk.calls();
        let mut random = Random::new(seed ^ 0xc07);
        for _ in 0..(calls / 4).min(24) {
            let at = random.below(calls);
            let lived = live(seed, Some(at), None);
            for cut in 0..3 {
                let unit = if cut == 1 { 4096 } else { 512 };
                let image = lived.disk.power_cut(random.next(), unit);
                check_image(&lived, image, &format!("seed {seed}, call {at}, cut {cut}"), cut == 0);
            }
            let what = format!("seed {seed}, call {at}, killed");
            check_image(&lived, lived.disk.killed(), &what, false);
        }
    }
}

#[test]
fn a_call_that_fails_costs_no_durable_data_and_the_store_goes_on() {
    for seed in 0..lives() {
        let calls = live(seed, None, None).disk.calls();
        let mut random = Random::new(seed ^ 0xfa17);
        for round in 0..(calls / 4).min(24) {
            let failure = [Failure::Eio, Failure::Short, Failure::NoSpace][round % 3];
            let step = 1 + random.below(4);
            let fault = Fault { first: random.below(calls), count: 1 + round % 4, step, failure };
            let lived = live(seed, None, Some(fault));
            let what = format!("seed {seed}, {fault:?}");
            lived.disk.fail(None);
            check_image(&lived, lived.disk.power_cut(random.next(), 512), &what, false);
            check_image(&lived, lived.disk.killed(), &format!("{what}, killed"), false);
        }
    }
}
