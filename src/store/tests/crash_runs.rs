//! Long runs: the process is killed, the power goes, calls fail, and the store goes on each time
//! from what is left, beside a reader that stays.

use super::random_ops::{
    Model, Op, ShadowStore, State, act, is_durable, new_store_with, open, state_of,
};
use super::sim_disk::{Failure, Fault, Random, SimDisk};
use crate::error::Error;
use crate::file::Access;
use crate::store::Store;

/// The seeds of the runs. `TGSESSION_SIM_CRASH_RUNS` asks for more, `TGSESSION_SIM_FIRST` for those from
/// another seed on.
#[cfg(test)]
fn seeds() -> std::ops::Range<u64> {
    let ask = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let first = ask("TGSESSION_SIM_FIRST").unwrap_or(0);
    first..first + ask("TGSESSION_SIM_CRASH_RUNS").unwrap_or(20)
}

/// How many operations a run has.
const OPS: usize = 60;

struct CrashRun {
    name: String,
    random: Random,
    disk: SimDisk,
    /// The number of the writer's handle.
    handle: usize,
    store: Option<Store>,
    /// A reader in another process. It stays open until the power goes.
    reader: Option<Store>,
    model: Model,
    shadow: ShadowStore,
    log: Vec<String>,
    /// How many of the calls of the disk that failed are accounted for by errors of the store.
    reported: usize,
}

impl CrashRun {
    fn new(name: String, is_encrypted: bool, random: Random) -> Self {
        Self {
            name,
            random,
            disk: SimDisk::new(new_store_with(is_encrypted)),
            handle: 0,
            store: None,
            reader: None,
            model: Model::new(),
            shadow: ShadowStore::new(),
            log: Vec::new(),
            reported: 0,
        }
    }

    /// What is said where it goes wrong.
    fn at(&self) -> String {
        format!("crash run {}: {:#?}", self.name, self.log)
    }

    fn run(&mut self) {
        for _ in 0..OPS {
            if self.random.is_spent() {
                break;
            }
            match self.random.below(24) {
                0 => self.kill(),
                1 => self.lose_power(),
                2 | 3 => self.fail_for_a_while(),
                _ => self.act(),
            }
            self.watch();
        }
        self.disk.fail(None);
        self.lose_power();
        self.open();
    }

    /// Opens the store, if it is not open. What a writer shows when it opens is durable.
    fn open(&mut self) -> bool {
        if self.store.is_some() {
            return true;
        }
        let handle = self.disk.handle();
        self.handle = handle.number();
        let buffer = [2_000, 20_000, 4 << 20][self.random.below(3)];
        self.reported = self.disk.failed().len();
        match open(handle, Access::Write, buffer) {
            Ok(store) => {
                let state = self.disk.aside(|| state_of(&store)).unwrap();
                self.log.push("opened".into());
                assert!(self.model.allowed.contains(&state), "lost or torn: {}", self.at());
                if state != self.shadow.state() {
                    self.shadow.restart(self.disk.killed());
                }
                self.model.holds(state, true);
                self.store = Some(store);
                true
            }
            Err(error) => {
                assert!(self.is_due(), "cannot be opened: {error:?} {}", self.at());
                self.log.push("open failed".into());
                false
            }
        }
    }

    /// Whether an error of the store is due. Each call of the disk that fails accounts for one, at
    /// once or, of work in the background, in a later operation.
    fn is_due(&mut self) -> bool {
        self.reported += 1;
        self.reported <= self.disk.failed().len()
    }

    fn kill(&mut self) {
        self.log.push("killed".into());
        self.disk.kill(self.handle);
        self.store = None;
    }

    fn lose_power(&mut self) {
        self.kill();
        let unit = [512, 4096][self.random.below(2)];
        self.disk.lose_power(self.random.next(), unit);
        self.reader = None;
        self.log.push("the power went".into());
    }

    fn fail_for_a_while(&mut self) {
        let failure = Failure::ALL[self.random.below(Failure::ALL.len())];
        let first = self.disk.calls() + self.random.below(12);
        let (count, step) = (1 + self.random.below(3), 1 + self.random.below(8));
        let fault = Fault { first, count, step, failure };
        self.log.push(format!("{fault:?}"));
        self.disk.fail(Some(fault));
    }

    fn act(&mut self) {
        if !self.open() {
            return;
        }
        let op = Op::random(&mut self.random);
        let Some(store) = self.store.take() else { return };
        let before = self.disk.aside(|| state_of(&store)).unwrap();
        match op {
            Op::Reopen => return self.close(store, &before),
            Op::Read => self.open_others(),
            _ => {}
        }
        let done = act(&store, &op);
        let state = self.disk.aside(|| state_of(&store)).unwrap();
        self.log.push(format!("{op:?}: {}", done.is_ok()));
        self.store = Some(store);
        match done {
            Ok(done) => {
                if op == Op::Flush {
                    self.reported = self.disk.failed().len();
                }
                self.shadow.act(&op);
                assert_eq!(state, self.shadow.state(), "{op:?} {}", self.at());
                let waits = !op.logs_in() || state != before;
                self.model.holds(state, done && is_durable(&op) && waits);
            }
            Err(error) => {
                assert!(self.is_due(), "{op:?} failed: {error:?} {}", self.at());
                // It may be on the disk all the same, and in memory.
                let with = self.shadow.state_with(&op);
                if state != before {
                    assert_eq!(state, with, "done by half: {}", self.at());
                    self.shadow.act(&op);
                }
                self.model.holds(with, false);
                self.model.holds(state, false);
                // Sometimes the process dies of it.
                if self.random.below(3) == 0 {
                    self.kill();
                }
            }
        }
    }

    fn close(&mut self, store: Store, before: &State) {
        let closed = store.close();
        self.log.push(format!("close: {}", closed.is_ok()));
        match closed {
            Ok(()) => self.model.holds(before.clone(), true),
            Err(error) => assert!(self.is_due(), "close failed: {error:?} {}", self.at()),
        }
    }

    /// Another process reads from now on; one that wants to write is refused.
    fn open_others(&mut self) {
        let other = self.disk.aside(|| open(self.disk.handle(), Access::Write, 20_000));
        assert!(matches!(other, Err(Error::Busy { .. })), "two writers: {}", self.at());
        if self.reader.is_none() {
            let reader = self.disk.aside(|| open(self.disk.handle(), Access::Read, 20_000));
            self.reader = Some(reader.unwrap_or_else(|error| panic!("{error:?} {}", self.at())));
        }
    }

    /// The reader sees nothing that never was, and nothing older than what is durable.
    fn watch(&self) {
        let Some(reader) = &self.reader else { return };
        match self.disk.aside(|| state_of(reader)) {
            Ok(state) => {
                assert!(self.model.allowed.contains(&state), "a reader: {}", self.at());
            }
            Err(error) => panic!("a reader: {error:?} {}", self.at()),
        }
    }
}

/// A crash run that these bytes decide.
#[cfg(any(fuzzing, feature = "convert"))]
pub(crate) fn crash_run_of(bytes: &[u8]) {
    CrashRun::new("of these bytes".to_owned(), false, Random::chosen(bytes)).run();
}

#[test]
fn a_store_that_crashes_again_and_again_loses_nothing_durable() {
    for seed in seeds() {
        let is_encrypted = seed % 2 == 1;
        CrashRun::new(seed.to_string(), is_encrypted, Random::new(seed ^ 0x5a6a)).run();
    }
}
