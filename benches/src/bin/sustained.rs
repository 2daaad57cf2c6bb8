//! Measures how new entities are stored in calls of a client's size, and in one import.
//!
//! `sustained [--count 1000000] [--call 10000] [--rows calls,import,sorted,lmdb]`: `process_entities` with
//! `--call` entities a call, then one `flush`. Then the same entities as one import into another store,
//! as an import sorted by id, as in a session file, and in one transaction of LMDB. Each row has elapsed time
//! and processor time until the data is durable, how long closing takes then, and the longest call. The bytes
//! written are all that the process passed to write calls before the store was closed, for the log and for
//! merges too.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::fs;
use std::path::Path;

use tgsession::{Account, AuthKey, Entity, ImportSession, Session, Store};
use tgsession_benches::args::Args;
use tgsession_benches::clock::timed;
use tgsession_benches::people::World;
use tgsession_benches::{disk, peers};

fn main() {
    let args = Args::of_process();
    let number = |name, or: u64| args.after(name).map_or(or, |text| text.parse().unwrap());
    let (count, call) = (number("--count", 1_000_000), number("--call", 10_000));
    let rows = args.after("--rows").unwrap_or("calls,import,sorted,lmdb").to_owned();
    let folder = disk::folder();
    let world = World::new(count);
    println!("{count} new entities, all figures for each\n");
    println!(
        "| | us | us of the processor | bytes written | us to close | bytes in the file | longest call, ms |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for row in rows.split(',') {
        let entities = || (0..count).map(|at| world.entity(at));
        match row {
            "calls" => {
                let all: Vec<_> = entities().collect();
                in_calls(folder.path(), &all, usize::try_from(call).unwrap());
            }
            "import" => import(folder.path(), "import, in the same order", entities().collect()),
            "sorted" => import(folder.path(), "import, in the order of their ids", world.sorted()),
            "lmdb" => in_lmdb(folder.path(), entities().collect()),
            other => panic!("no row {other}"),
        }
    }
}

fn in_calls(folder: &Path, entities: &[Entity], call: usize) {
    let (path, store) = new_store(folder);
    let mut longest = 0.0_f64;
    let measured = Measured::of(|| {
        let session = store.session("anon").unwrap();
        for entities in entities.chunks(call) {
            let (took, _) = timed(|| session.process_entities(entities).unwrap());
            longest = longest.max(took);
        }
        session.flush().unwrap();
    });
    let (close, ()) = timed(|| store.close().unwrap());
    let what = format!("`process_entities`, {call} a call");
    measured.print(&what, entities.len(), close, &path, Some(longest));
}

fn import(folder: &Path, what: &str, entities: Vec<Entity>) {
    let (path, store) = new_store(folder);
    let count = entities.len();
    let measured = Measured::of(|| {
        let entities = entities.into_iter().map(Ok);
        store.replace("anon", ImportSession::new(&Account::default(), entities)).unwrap();
    });
    let (close, ()) = timed(|| store.close().unwrap());
    measured.print(what, count, close, &path, None);
}

fn new_store(folder: &Path) -> (std::path::PathBuf, Store) {
    let path = folder.join("sustained.tgsession");
    let _ = fs::remove_file(&path);
    let store = Store::create(&path).unwrap();
    (path, store)
}

fn in_lmdb(folder: &Path, entities: Vec<Entity>) {
    let folder = folder.join("lmdb");
    fs::create_dir(&folder).unwrap();
    let lmdb = peers::ALL.into_iter().find(|peer| peer.name == "lmdb").unwrap();
    let mut peer = (lmdb.create)(&folder, &AuthKey::new(&[7; 256]));
    let count = entities.len();
    let measured = Measured::of(|| peer.load(entities));
    let (close, ()) = timed(|| drop(peer));
    measured.print("LMDB, one transaction", count, close, &folder.join("data.mdb"), None);
}

/// What some work took.
struct Measured {
    micros: f64,
    processor: f64,
    written: f64,
}

impl Measured {
    fn of(work: impl FnOnce()) -> Self {
        let (processor, written) = (processor_seconds(), written_bytes());
        let (micros, ()) = timed(work);
        let processor = processor_seconds() - processor;
        Self { micros, processor, written: written_bytes() - written }
    }

    fn print(&self, what: &str, count: usize, close: f64, path: &Path, longest: Option<f64>) {
        let each = |all: f64| all / count as f64;
        let file = fs::metadata(path).unwrap().len() as f64;
        println!(
            "| {what} | {:.2} | {:.2} | {:.0} | {:.2} | {:.1} | {} |",
            each(self.micros),
            each(self.processor * 1e6),
            each(self.written),
            each(close),
            each(file),
            longest.map_or_else(|| "-".to_owned(), |micros| format!("{:.0}", micros / 1e3))
        );
    }
}

/// User and system time of all threads so far, in ticks of 10 ms (proc(5), `stat`).
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(") ").next().unwrap();
    let ticks = behind_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

/// The bytes that this process has passed to write calls so far (proc(5), `io`).
fn written_bytes() -> f64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().parse().unwrap()
}
