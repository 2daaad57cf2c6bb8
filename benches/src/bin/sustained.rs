//! Measures how new entities are stored in calls of a client's size, and in one import.
//!
//! `sustained [--count 1000000] [--call 10000]`: `process_entities` with `--call` entities a call,
//! then one `flush`. Then the same entities as one import into another store, and as an import
//! sorted by id, as in a session file. Each row has elapsed time and processor time. The bytes
//! written are all that the process passed to write calls, for the log and for merges too.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::fs;
use std::path::Path;

use tgsession::{Account, ImportSession, Session, Store};
use tgsession_benches::args::Args;
use tgsession_benches::clock::timed;
use tgsession_benches::disk;
use tgsession_benches::people::World;

fn main() {
    let args = Args::of_process();
    let number = |name, or: u64| args.after(name).map_or(or, |text| text.parse().unwrap());
    let (count, call) = (number("--count", 1_000_000), number("--call", 10_000));
    let folder = disk::folder();
    let world = World::new(count);
    println!("{count} new entities, all figures for each\n");
    println!("| | us | us of the processor | bytes written | bytes in the file |");
    println!("|---|---:|---:|---:|---:|");
    let calls: Vec<Vec<_>> = (0..count)
        .step_by(call.try_into().unwrap())
        .map(|from| (from..count.min(from + call)).map(|at| world.entity(at)).collect())
        .collect();
    row(&format!("`process_entities`, {call} a call"), count, folder.path(), |store| {
        let session = store.session("anon").unwrap();
        for entities in &calls {
            session.process_entities(entities).unwrap();
        }
        session.flush().unwrap();
    });
    row("import, in the same order", count, folder.path(), |store| {
        let entities = calls.iter().flatten().cloned().map(Ok);
        store.replace("anon", ImportSession::new(&Account::default(), entities)).unwrap();
    });
    drop(calls);
    let sorted = world.sorted();
    row("import, in the order of their ids", count, folder.path(), |store| {
        store
            .replace("anon", ImportSession::new(&Account::default(), sorted.into_iter().map(Ok)))
            .unwrap();
    });
}

/// One row of the table, of a new store.
fn row(what: &str, count: u64, folder: &Path, work: impl FnOnce(&Store)) {
    let path = folder.join("sustained.tgsession");
    let _ = fs::remove_file(&path);
    let store = Store::create(&path).unwrap();
    let (processor, written) = (processor_seconds(), written_bytes());
    let (micros, ()) = timed(|| work(&store));
    let (processor, written) = (processor_seconds() - processor, written_bytes() - written);
    store.close().unwrap();
    let each = |all: f64| all / count as f64;
    let file = fs::metadata(&path).unwrap().len() as f64;
    println!(
        "| {what} | {:.2} | {:.2} | {:.0} | {:.0} |",
        each(micros),
        each(processor * 1e6),
        each(written),
        each(file)
    );
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
