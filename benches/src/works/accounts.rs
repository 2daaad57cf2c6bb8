//! A minute of a thousand accounts: every second each sets its state and meets fifty entities.
//!
//! The seconds follow each other without a pause, so the time of one says what the load costs.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tgsession::{Entity, Session, Store, StoreSession, UpdateState};

use super::Plan;
use crate::clock::timed;
use crate::people::{Dice, World, auth_key, state};
use crate::table::{Column, Figure, Figures, grouped};
use crate::{disk, telethon};

const FIRST: Column =
    Column { name: "accounts", title: "first second, all 50 new", unit: "us an account" };
const MINUTE: Column =
    Column { name: "accounts", title: "a second of the minute", unit: "us an account" };

const THREADS: usize = 4;

/// How many entities an account meets a second.
const MET: usize = 50;

/// How many seconds bring an account new entities; after these it meets the same ones again.
const NEW: usize = 4;

/// After this the minute is cut short: where each second is synced often, on a slow disk.
const MOST: Duration = Duration::from_secs(30);

/// Names and titles for the table. Telethon's client commits once a minute, which promises less
/// than a store that has all on the disk within a second; so there is one that promises as much.
const TITLES: [(&str, &str); 3] = [
    ("ours", "**tgsession**, one store"),
    ("telethon_second", "Telethon's schema on SQLite, files, a commit every second"),
    ("telethon_minute", "Telethon's schema on SQLite, files, a commit a minute"),
];

/// One store with all accounts, and a Telethon file for each. Gives a Markdown table.
pub fn accounts(plan: &Plan) -> String {
    let count = if plan.quick { 50 } else { 1000 };
    more_files();
    let mut minute = Minute {
        met: met(count),
        seconds: if plan.quick { 6 } else { 60 },
        figures: Figures::default(),
    };
    minute.measure(TITLES[0].0, |folder| Ours::create(folder, count));
    minute.measure(TITLES[1].0, |folder| Telethon::create(folder, count, true));
    minute.measure(TITLES[2].0, |folder| Telethon::create(folder, count, false));
    let table = minute.figures.markdown(count as u64, &TITLES);
    let count = grouped(&count.to_string());
    format!("### {count} accounts, {} seconds, {THREADS} threads\n\n{table}", minute.seconds)
}

/// For each account what it meets in its first seconds.
type Met = Vec<[Vec<Entity>; NEW]>;

fn met(count: usize) -> Met {
    let (world, mut dice) = (World::new(20_000), Dice::new(1000));
    let mut meets = || {
        // No two are the same, so each of the seconds brings new ones alone.
        let mut all = world.sample(&mut dice, MET * NEW);
        std::array::from_fn(|_| all.split_off(all.len() - MET))
    };
    (0..count).map(|_| meets()).collect()
}

/// A store of the accounts.
trait Keeper: Sync {
    /// A second of account number `at`.
    fn second(&self, at: usize, state: UpdateState, met: &[Entity]);

    /// The end of its minute.
    fn end(&self, at: usize);

    /// Brings everything to the disk that it promises to have there; false if that is not all.
    fn flush(&self) -> bool;

    /// Fails if this is not the state and one of the entities.
    fn check(&self, at: usize, state: UpdateState, entity: &Entity);
}

struct Minute {
    met: Met,
    seconds: usize,
    figures: Figures,
}

impl Minute {
    fn measure<K: Keeper>(&mut self, name: &'static str, create: impl FnOnce(&Path) -> K) {
        let folder = disk::folder();
        let keeper = create(folder.path());
        let (first, all) = timed(|| {
            self.second(&keeper, 0);
            keeper.flush()
        });
        let (mut seconds, start) = (1, Instant::now());
        let (rest, ()) = timed(|| {
            while seconds < self.seconds && start.elapsed() < MOST {
                self.second(&keeper, seconds);
                seconds += 1;
            }
            each_account(self.met.len(), |at| keeper.end(at));
            keeper.flush();
        });
        if all {
            self.add(FIRST, name, first);
        }
        self.add(MINUTE, name, (first + rest) / seconds as f64);
        for (at, met) in self.met.iter().enumerate() {
            keeper.check(at, state_of(seconds - 1), &met[at % NEW][at % MET]);
        }
    }

    fn second(&self, keeper: &impl Keeper, second: usize) {
        each_account(self.met.len(), |at| {
            keeper.second(at, state_of(second), &self.met[at][second % NEW]);
        });
    }

    fn add(&mut self, column: Column, peer: &'static str, time: f64) {
        let count = self.met.len();
        self.figures.add(Figure { column, size: count as u64, peer, value: time / count as f64 });
    }
}

fn state_of(second: usize) -> UpdateState {
    state(i32::try_from(second).unwrap())
}

/// Every thread has accounts of its own.
fn each_account(count: usize, work: impl Fn(usize) + Sync) {
    let work = &work;
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            scope.spawn(move || (first..count).step_by(THREADS).for_each(work));
        }
    });
}

struct Ours(Vec<StoreSession>);

impl Ours {
    fn create(folder: &Path, count: usize) -> Self {
        let store = Store::create(folder.join("all.tgsession")).unwrap();
        Self((0..count).map(|at| store.session(&format!("account{at}")).unwrap()).collect())
    }
}

impl Keeper for Ours {
    fn second(&self, at: usize, state: UpdateState, met: &[Entity]) {
        self.0[at].set_update_state(Some(state)).unwrap();
        self.0[at].process_entities(met).unwrap();
    }

    fn end(&self, _: usize) {}

    /// Of one session it is that of the whole store.
    fn flush(&self) -> bool {
        self.0[0].flush().unwrap();
        true
    }

    fn check(&self, at: usize, state: UpdateState, entity: &Entity) {
        assert_eq!(self.0[at].update_state().unwrap(), Some(state));
        assert_eq!(self.0[at].entity(entity.id).unwrap().as_ref(), Some(entity));
    }
}

struct Telethon {
    files: Vec<Mutex<Connection>>,
    /// Whether every second is committed, or nothing before the end of the minute.
    each: bool,
}

impl Telethon {
    fn create(folder: &Path, count: usize, each: bool) -> Self {
        let file = |at| telethon::create(&folder.join(format!("{at}.session")), &auth_key());
        Self { files: (0..count).map(|at| Mutex::new(file(at))).collect(), each }
    }
}

impl Keeper for Telethon {
    fn second(&self, at: usize, state: UpdateState, met: &[Entity]) {
        let db = self.files[at].lock().unwrap();
        if db.is_autocommit() {
            db.execute_batch("begin").unwrap();
        }
        telethon::put_state(&db, state);
        telethon::put_entities(&db, met);
        if self.each {
            db.execute_batch("commit").unwrap();
        }
    }

    fn end(&self, at: usize) {
        if !self.each {
            self.files[at].lock().unwrap().execute_batch("commit").unwrap();
        }
    }

    fn flush(&self) -> bool {
        self.each
    }

    fn check(&self, at: usize, state: UpdateState, entity: &Entity) {
        let db = self.files[at].lock().unwrap();
        let pts: i32 = db.query_row("select pts from update_state", [], |row| row.get(0)).unwrap();
        assert_eq!(pts, state.pts);
        let (id, sql) = (entity.id.marked(), "select name from entities where id = ?");
        let name: Option<String> = db.query_row(sql, [id], |row| row.get(0)).unwrap();
        assert_eq!(name, entity.name);
    }
}

/// A file for each account takes more than a process may usually have open.
fn more_files() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live variable of the type that the call fills.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer is to a live variable of the type that the call reads.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
}
