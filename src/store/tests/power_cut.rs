//! The power goes at any call of a life, and again while the store recovers.

use super::life::{Deed, Model, Shadow, act, is_durable, new_store, open, state_of};
use super::sim_disk::{Failure, Fault, Random, SimDisk};
use crate::file::Access;
use crate::store::Store;

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
    cut: bool,
    deeds: Vec<Deed>,
}

fn live(seed: u64, cut_after: Option<usize>, fault: Option<Fault>) -> Lived {
    let mut random = Random::new(seed);
    let disk = SimDisk::new(new_store());
    let buffer = buffer_of(seed);
    if let Some(calls) = cut_after {
        disk.cut_after(calls);
    }
    disk.fail(fault);
    let mut lived = Lived { disk, model: Model::new(), cut: false, deeds: Vec::new() };
    let mut store = match open(lived.disk.handle(), Access::Write, buffer) {
        Ok(store) => store,
        Err(_) => {
            lived.cut = true;
            return lived;
        }
    };
    let mut shadow = Shadow::new();
    let mut readers: Vec<(Store, usize)> = Vec::new();
    for _ in 0..30 {
        let deed = Deed::random(&mut random);
        lived.deeds.push(deed.clone());
        readers.retain_mut(|(_, left)| {
            *left -= 1;
            *left > 0
        });
        match deed {
            Deed::Reopen => {
                let before = state_of(&store).unwrap();
                let closed = store.close();
                let durable = closed.is_ok();
                if !durable && fault.is_none() {
                    lived.cut = true;
                    return lived;
                }
                store = match open(lived.disk.handle(), Access::Write, buffer) {
                    Ok(store) => store,
                    Err(error) => {
                        assert!(cut_after.is_some() || fault.is_some(), "seed {seed}: {error:?}");
                        lived.cut = true;
                        return lived;
                    }
                };
                let now = state_of(&store).unwrap();
                if durable {
                    assert_eq!(now, before, "seed {seed}: closed and opened");
                } else {
                    assert!(
                        lived.model.allowed.contains(&now),
                        "seed {seed}: after a failed close"
                    );
                }
                if now != shadow.state() {
                    shadow.restart(lived.disk.killed());
                }
                lived.model.holds(now, durable);
            }
            Deed::Read => {
                let reader = open(lived.disk.handle(), Access::Read, buffer).unwrap();
                let seen = state_of(&reader).unwrap();
                assert!(lived.model.allowed.contains(&seen), "seed {seed}: a reader");
                readers.push((reader, 3));
            }
            deed => {
                let done = act(&store, &deed);
                let state = state_of(&store).unwrap();
                match done {
                    Ok(done) => {
                        let before = shadow.state();
                        shadow.act(&deed);
                        assert_eq!(state, shadow.state(), "seed {seed}: {deed:?}");
                        // A login that changes nothing waits for nothing.
                        let logs_in = matches!(deed, Deed::LogIn(..));
                        let durable = done && is_durable(&deed) && (!logs_in || state != before);
                        lived.model.holds(state, durable);
                    }
                    Err(error) => {
                        assert!(
                            cut_after.is_some() || fault.is_some(),
                            "seed {seed}: {deed:?} failed: {error:?}"
                        );
                        // It may be on the disk all the same, and in memory.
                        let before = shadow.state();
                        let with = shadow.state_with(&deed);
                        if state != before {
                            assert_eq!(state, with, "seed {seed}: {deed:?} was done by half");
                            shadow.act(&deed);
                        }
                        lived.model.holds(with, false);
                        lived.model.holds(state, false);
                        if cut_after.is_some() {
                            lived.cut = true;
                            std::mem::forget(readers);
                            forget(store);
                            return lived;
                        }
                    }
                }
            }
        }
    }
    lived
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
            let fault = Fault { first: random.below(calls), count: 1 + round % 4, failure };
            let lived = live(seed, None, Some(fault));
            let what = format!("seed {seed}, {fault:?}");
            lived.disk.fail(None);
            check_image(&lived, lived.disk.power_cut(random.next(), 512), &what, false);
            check_image(&lived, lived.disk.killed(), &format!("{what}, killed"), false);
        }
    }
}
