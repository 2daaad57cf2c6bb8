//! A thousand accounts: each sets its state and meets fifty entities.

use std::path::Path;
use std::sync::Mutex;

use rusqlite::Connection;
use tgsession::{Entity, Session, Store, StoreSession};

use super::Plan;
use crate::clock::timed;
use crate::people::{Dice, World, auth_key, state};
use crate::table::{Column, Figure, Figures};
use crate::{disk, telethon};

const NEW: Column = Column { name: "accounts", title: "50 new", unit: "us an account" };
const AGAIN: Column =
    Column { name: "accounts", title: "the same 50 again", unit: "us an account" };

const THREADS: usize = 4;

/// What happens to one account: its number and the round.
type Meets<'a> = &'a (dyn Fn(usize, i32) + Sync);

/// One store with all accounts, and a Telethon file for each; figures are under the number of
/// accounts.
pub fn accounts(plan: &Plan, figures: &mut Figures) {
    let count = if plan.quick { 50 } else { 1000 };
    more_files();
    let folder = disk::folder();
    let met: Vec<Vec<Entity>> = met(count);
    ours(folder.path(), &met, figures);
    theirs(folder.path(), &met, figures);
}

fn met(count: usize) -> Vec<Vec<Entity>> {
    let (world, mut dice) = (World::new(20_000), Dice::new(1000));
    (0..count).map(|_| world.sample(&mut dice, 50)).collect()
}

fn ours(folder: &Path, met: &[Vec<Entity>], figures: &mut Figures) {
    let store = Store::create(folder.join("all.tgsession")).unwrap();
    let names = 0..met.len();
    let sessions: Vec<StoreSession> =
        names.map(|at| store.session(&format!("account{at}")).unwrap()).collect();
    rounds(figures, met.len(), "ours", &|at, round| {
        sessions[at].set_update_state(Some(state(round))).unwrap();
        sessions[at].process_entities(&met[at]).unwrap();
        // The last account of each thread: nothing is left in a buffer when the clock stops.
        if at + THREADS >= met.len() {
            sessions[at].flush().unwrap();
        }
    });
    assert_eq!(
        sessions[met.len() - 1].entity(met[met.len() - 1][0].id).unwrap().unwrap(),
        met[met.len() - 1][0]
    );
}

fn theirs(folder: &Path, met: &[Vec<Entity>], figures: &mut Figures) {
    let file = |at| telethon::create(&folder.join(format!("{at}.session")), &auth_key());
    let files: Vec<Mutex<Connection>> = (0..met.len()).map(|at| Mutex::new(file(at))).collect();
    rounds(figures, met.len(), "telethon_sqlite", &|at, round| {
        let db = files[at].lock().unwrap();
        db.execute_batch("begin").unwrap();
        telethon::put_state(&db, state(round));
        telethon::put_entities(&db, &met[at]);
        db.execute_batch("commit").unwrap();
    });
}

/// The accounts meet everyone for the first time, then again.
fn rounds(figures: &mut Figures, count: usize, peer: &'static str, meets: Meets<'_>) {
    for (round, column) in [(1, NEW), (2, AGAIN)] {
        let (time, ()) = timed(|| all(count, round, meets));
        figures.add(Figure { column, size: count as u64, peer, value: time / count as f64 });
    }
}

fn all(count: usize, round: i32, meets: Meets<'_>) {
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            scope.spawn(move || (first..count).step_by(THREADS).for_each(|at| meets(at, round)));
        }
    });
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
