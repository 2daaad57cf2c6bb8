//! One run from the creation of a store to its repair. Each of its calls fails once, or several do:
//! the error is reported, nothing acknowledged is lost, and the store opens.

use std::path::Path;
use std::sync::Arc;

use super::random_ops::{State, create, open, seal_of, state_of};
use super::sim_disk::{Failed, Failure, Fault, SimDisk};
use crate::error::{Error, Result};
use crate::file::{Access, Disk, SLOTS};
use crate::session::Session;
use crate::store::repair::{salvaged_on, take_over};
use crate::store::{ImportSession, Store};
use crate::types::{
    AccessHash, Account, AuthKey, DcId, DcOption, Entity, Login, PeerId, Progress, UpdateState,
};

/// Every call is tried with `TGSESSION_SIM_SCRIPT=full`, with ten times as many entities.
fn is_full() -> bool {
    std::env::var("TGSESSION_SIM_SCRIPT").is_ok_and(|value| value == "full")
}

/// Else this many calls are.
const SAMPLE: usize = 3;

/// How many entities a call brings.
fn entities_of_a_call() -> i64 {
    if is_full() { 1000 } else { 100 }
}

/// The memory of the store. It makes checkpoints while entities come in.
fn buffer() -> usize {
    400 * entities_of_a_call() as usize
}

/// A step of the run.
struct Op {
    name: &'static str,
    /// What was done so far is durable once it has succeeded.
    durable: bool,
    work: Box<Work<'static>>,
}

type Work<'a> = dyn Fn(&Store) -> Result<()> + 'a;

fn op(name: &'static str, durable: bool, work: impl Fn(&Store) -> Result<()> + 'static) -> Op {
    Op { name, durable, work: Box::new(work) }
}

fn entity(id: i64) -> Entity {
    let mut entity = Entity::new(PeerId::user(id).unwrap());
    entity.access_hash = Some(AccessHash(id * 77));
    entity.usernames = vec![format!("user{id}")];
    entity
}

fn account(number: u8) -> Account {
    let dcs = vec![DcOption::new(DcId(2)).with_key(AuthKey::new(&[number; 256]))];
    Account {
        login: Login { home_dc: Some(DcId(2)), ..Login::default() },
        dcs,
        ..Account::default()
    }
}

fn import(number: u8, entities: i64) -> impl Fn(&Store) -> Result<()> {
    move |store| {
        let entities = (1..=entities).map(|id| Ok(entity(id * 3)));
        store.replace("b", ImportSession::new(&account(number), entities)).map(drop)
    }
}

fn ops() -> Vec<Op> {
    let mut ops = vec![
        op("make", true, |store| store.session("a").map(drop)),
        op("log in", true, |store| {
            store.open_session("a")?.update(|batch| {
                batch.set_dc(&DcOption::new(DcId(2)).with_key(AuthKey::new(&[9; 256])))?;
                batch.set_home_dc(DcId(2))
            })
        }),
    ];
    for call in 0..10 {
        ops.push(op("entities", false, move |store| {
            let entities: Vec<_> =
                (1..=entities_of_a_call()).map(|id| entity(id * 10 + call)).collect();
            store.open_session("a")?.process_entities(&entities).map(drop)
        }));
    }
    ops.extend([
        op("flush", true, |store| store.open_session("a")?.flush()),
        op("import", true, import(1, 400)),
        op("replace", true, import(2, 100)),
        op("update state", false, |store| {
            let state = UpdateState { pts: 5, qts: 6, date: 7, seq: 8 };
            store.open_session("a")?.set_update_state(Some(state))
        }),
        op("remove", true, |store| store.remove("b")),
        op("compact", false, Store::compact),
        op("key", true, |store| {
            store.open_session("a")?.set_auth_key(DcId(4), Some(AuthKey::new(&[3; 256])))
        }),
    ]);
    ops
}

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    Calls(Fault),
    /// So many reads from this one on.
    Reads(usize, usize),
    /// Calls of the disk that a copy is made on.
    CopyCalls(Fault),
}

impl Trouble {
    fn begin(self, disk: &SimDisk) {
        match self {
            Self::Calls(fault) => disk.fail(Some(fault)),
            Self::Reads(first, count) => disk.fail_reads(Some((first, count))),
            Self::None | Self::CopyCalls(_) => {}
        }
    }

    fn begin_copy(self, disk: &SimDisk) {
        if let Self::CopyCalls(fault) = self {
            disk.fail(Some(fault));
        }
    }
}

/// How many calls and reads a run has, and calls a backup and a repair have.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: usize,
    reads: usize,
    copy_calls: usize,
}

struct Script {
    /// The store and its copies are encrypted.
    is_encrypted: bool,
    ops: Vec<Op>,
    /// The state after each operation, the empty store first.
    states: Vec<State>,
}

impl Script {
    fn new(is_encrypted: bool) -> Self {
        let ops = ops();
        let disk = SimDisk::new(super::random_ops::new_store_with(is_encrypted));
        let store = open(disk.handle(), Access::Write, buffer()).unwrap();
        let mut states = vec![state_of(&store).unwrap()];
        for op in &ops {
            (op.work)(&store).unwrap();
            states.push(state_of(&store).unwrap());
        }
        Self { is_encrypted, ops, states }
    }

    fn run(&self, trouble: Trouble) -> Counts {
        let disk = SimDisk::new(Vec::new());
        trouble.begin(&disk);
        let run = Run { script: self, trouble, disk };
        run.create();
        let store = run.opened();
        run.act(&store);
        let copy_calls = run.copy(&store);
        run.close(store);
        Counts { calls: run.disk.calls(), reads: run.disk.reads(), copy_calls }
    }
}

struct Run<'a> {
    script: &'a Script,
    trouble: Trouble,
    disk: SimDisk,
}

impl Run<'_> {
    /// Tries again until it succeeds. Each error must have a cause, and some causes an error.
    fn persist<T>(&self, disk: &SimDisk, what: &str, mut work: impl FnMut() -> Result<T>) -> T {
        let trouble = self.trouble;
        for _ in 0..20 {
            let before = disk.failed().len();
            let done = work();
            let failed = disk.failed().split_off(before);
            match done {
                Ok(done) => {
                    let silent = failed.iter().find(|failed| !is_harmless(failed));
                    assert_eq!(silent, None, "{trouble:?}: {what} reports no error");
                    return done;
                }
                Err(error) => {
                    let reported = matches!(error, Error::Io { .. });
                    assert!(reported, "{trouble:?}: {what}: {error:?}");
                    assert!(!disk.failed().is_empty(), "{trouble:?}: {what}: {error:?}");
                }
            }
        }
        panic!("{trouble:?}: {what} does not succeed any more");
    }

    fn create(&self) {
        self.persist(&self.disk, "create", || {
            // Each attempt has a file of its own.
            self.disk.aside(|| self.disk.set_len(0)).unwrap();
            create(&self.disk, self.script.is_encrypted)
        });
    }

    fn opened(&self) -> Store {
        self.persist(&self.disk, "open", || open(self.disk.handle(), Access::Write, buffer()))
    }

    fn act(&self, store: &Store) {
        let mut durable = 0;
        for (at, op) in self.script.ops.iter().enumerate() {
            let allowed = |durable| &self.script.states[durable..=at + 1];
            let mut failures = 0;
            self.persist(&self.disk, op.name, || {
                (op.work)(store).inspect_err(|_| {
                    failures += 1;
                    self.check_cut(allowed(durable), at as u64);
                })
            });
            if op.durable {
                durable = at + 1;
            }
            if failures > 0 {
                self.check_cut(allowed(durable), at as u64);
            }
        }
        let state = self.disk.aside(|| state_of(store)).unwrap();
        assert!(self.script.states.last() == Some(&state), "{:?}: the end", self.trouble);
    }

    /// After a power cut, and after a kill, the store opens with one of these states.
    fn check_cut(&self, allowed: &[State], seed: u64) {
        for image in [self.disk.power_cut(seed, 512), self.disk.killed()] {
            let disk = SimDisk::new(image);
            let opened = open(disk.handle(), Access::Write, buffer());
            let store = opened.unwrap_or_else(|error| panic!("{:?}: {error:?}", self.trouble));
            let state = state_of(&store).unwrap();
            assert!(allowed.contains(&state), "{:?}: lost or torn", self.trouble);
            disk.kill_all();
            drop(store);
        }
    }

    /// A backup and a repair; says how many calls both have made on their disks.
    fn copy(&self, store: &Store) -> usize {
        let before = self.disk.killed();
        let state = self.script.states.last().unwrap();
        let mut calls = 0;
        let source: Arc<dyn Disk> = Arc::new(self.disk.handle());
        let repair = |copy: &Store| {
            let seal = self.disk.aside(|| seal_of(source.as_ref()));
            let failed = self.disk.failed().len();
            let report = take_over(
                copy,
                salvaged_on(Path::new("sim"), &source, &seal, &Progress::default())?,
            )?;
            // A salvage goes on where it cannot read, and reports what it does not have.
            if self.disk.failed().len() > failed && !report.lost.is_empty() {
                let source = std::io::Error::other(report.lost.join("; "));
                return Err(Error::io("read", Path::new("sim"), source));
            }
            assert_eq!(report.lost, [""; 0], "{:?}", self.trouble);
            Ok(())
        };
        let backup = |copy: &Store| store.copy_into(copy);
        let ways: [(&str, &Work<'_>); 2] = [("backup", &backup), ("repair", &repair)];
        for (what, fill) in ways {
            // What the first way leaves of the fault hits the second.
            let disk = SimDisk::new(Vec::new());
            self.trouble.begin_copy(&disk);
            let fails = |disk: &SimDisk| disk.failed().len() + self.disk.failed().len();
            let mut copied = self.made(&disk, fill);
            for _ in 0..20 {
                let Err(error) = &copied else { break };
                assert!(fails(&disk) > 0, "{:?}: {what}: {error:?}", self.trouble);
                copied = self.made(&SimDisk::new(Vec::new()), fill);
            }
            let copy = copied.unwrap_or_else(|error| panic!("{:?}: {error:?}", self.trouble));
            let shown = open(copy.handle(), Access::Read, buffer()).unwrap();
            assert!(state_of(&shown).unwrap() == *state, "{:?}: {what} differs", self.trouble);
            calls = calls.max(disk.calls());
        }
        assert!(self.disk.killed() == before, "{:?}: a copy changes the store", self.trouble);
        calls
    }

    fn made(&self, disk: &SimDisk, fill: &Work<'_>) -> Result<SimDisk> {
        create(disk, self.script.is_encrypted)?;
        let copy = open(disk.handle(), Access::Write, buffer())?;
        fill(&copy)?;
        copy.engine.compact()?;
        copy.engine.finish_writes()?;
        // The file is synced once more before it gets its name.
        disk.sync().map_err(|source| Error::io("create", Path::new("copy"), source))?;
        Ok(disk.handle())
    }

    fn close(&self, store: Store) {
        let last = self.script.states.last().unwrap();
        // Compaction is optional on close: its failure is no error.
        if store.close().is_err() {
            assert!(!self.disk.failed().is_empty(), "{:?}: close", self.trouble);
        }
        self.check_cut(std::slice::from_ref(last), 5);
        let store = self.opened();
        assert!(self.disk.aside(|| state_of(&store)).unwrap() == *last, "{:?}", self.trouble);
    }
}

/// Whether nothing is lost where this call fails, so that its failure need not be reported: the
/// stamp of the owner, a mark, room that is not given back, and bounds in the root.
fn is_harmless(failed: &Failed) -> bool {
    match failed {
        Failed::Write(at, data) => {
            let is_mark = data.starts_with(b"\x89log") && data.get(36) == Some(&3);
            *at == 3584 || is_mark || SLOTS.contains(at)
        }
        Failed::SetLen => true,
        Failed::Sync | Failed::Read => false,
    }
}

/// Not encrypted, and encrypted where this build can.
fn scripts() -> impl Iterator<Item = Script> {
    let kinds: &[bool] = if cfg!(feature = "encryption") { &[false, true] } else { &[false] };
    kinds.iter().map(|is_encrypted| Script::new(*is_encrypted))
}

/// Each of this many numbers, or a sample.
fn tried(count: usize, shift: usize) -> impl Iterator<Item = usize> {
    let step = if is_full() { 1 } else { (count / SAMPLE).max(1) };
    (shift % step..count).step_by(step)
}

#[test]
fn each_write_of_a_run_may_fail_once_or_for_a_while() {
    scripts().for_each(|script| fail_writes(&script));
}

fn fail_writes(script: &Script) {
    let counts = script.run(Trouble::None);
    let failures = [Failure::Eio, Failure::NoSpace, Failure::Short];
    for (place, failure) in failures.into_iter().enumerate() {
        for first in tried(counts.calls, place * 5) {
            script.run(Trouble::Calls(Fault::once(first, failure)));
        }
        for first in tried(counts.calls, place * 3 + 1).step_by(2) {
            let fault = Fault { first, count: 2 + first % 4, step: 1 + first % 2, failure };
            script.run(Trouble::Calls(fault));
        }
        for first in tried(counts.copy_calls, place) {
            script.run(Trouble::CopyCalls(Fault::once(first, failure)));
        }
    }
}

/// The first call stays in memory alone; the second must not say that all is well.
#[test]
fn a_session_that_could_not_be_made_durable_is_durable_when_it_is_asked_for_again() {
    let disk = SimDisk::new(super::random_ops::new_store());
    let store = open(disk.handle(), Access::Write, buffer()).unwrap();
    disk.fail(Some(Fault { first: 0, count: 100, step: 1, failure: Failure::Eio }));
    store.session("a").unwrap_err();
    store.session("a").unwrap_err();
    disk.fail(None);
    store.session("a").unwrap();
    let cut = open(SimDisk::new(disk.durable()), Access::Read, buffer()).unwrap();
    assert_eq!(cut.list().unwrap(), ["a"]);
}

#[test]
fn each_read_of_a_run_may_fail_once_or_for_a_while() {
    for script in scripts() {
        let counts = script.run(Trouble::None);
        for first in tried(counts.reads, 3) {
            script.run(Trouble::Reads(first, 1 + first % 3));
        }
    }
}
