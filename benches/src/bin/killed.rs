//! Measures how long a store takes to open after its writer was killed, at any moment of its work.
//!
//! `killed [--count 1000000] [--kills 100]`: a child process stores entities, new and changed ones, and update
//! states, some of them durably, in a store that begins with `--count` entities. It is killed within a second.
//! Then a child opens the store read-only and reads the auth key, and another opens it for writing. Each row has
//! the shortest, the median and the longest time of all kills.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tgsession::{Account, DcId, DcOption, ImportSession, Session, Store};
use tgsession_benches::args::Args;
use tgsession_benches::clock::timed;
use tgsession_benches::disk;
use tgsession_benches::people::{Dice, World, auth_key, state};
use tgsession_benches::process::printed_number;

const CALL: u64 = 1_000;

fn main() {
    let args = Args::of_process();
    let number = |name, or: u64| args.after(name).map_or(or, |text| text.parse().unwrap());
    let (count, kills) = (number("--count", 1_000_000), number("--kills", 100));
    if let Some(what) = args.after("--child") {
        let path = Path::new(args.after("--path").unwrap());
        return child(what, path, count, number("--seed", 0));
    }
    let folder = disk::folder();
    let path = folder.path().join("killed.tgsession");
    fill(&path, count);
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for seed in 0..kills {
        let mut writer = command("write", &path, count, seed).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(Dice::new(seed).below(1_000)));
        writer.kill().unwrap();
        writer.wait().unwrap();
        reads.push(printed_number(&mut command("read", &path, count, seed)));
        writes.push(printed_number(&mut command("open", &path, count, seed)));
    }
    println!("{count} entities, {kills} kills, microseconds from opening to the auth key\n");
    println!("| | shortest | median | longest |\n|---|---:|---:|---:|");
    for (what, mut times) in [("open read-only", reads), ("open for writing", writes)] {
        times.sort_by(f64::total_cmp);
        let (first, last) = (times.first().unwrap(), times.last().unwrap());
        println!("| {what} | {first:.0} | {:.0} | {last:.0} |", times[times.len() / 2]);
    }
}

fn fill(path: &Path, count: u64) {
    let mut dc = DcOption::new(DcId(2));
    dc.auth_key = Some(auth_key());
    let mut account = Account::default();
    account.dcs = vec![dc];
    let store = Store::create(path).unwrap();
    let entities = World::new(count).sorted().into_iter().map(Ok);
    store.replace("anon", ImportSession::new(&account, entities)).unwrap();
    store.close().unwrap();
}

fn command(what: &str, path: &Path, count: u64, seed: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--child", what, "--path"]).arg(path);
    command.args(["--count", &count.to_string(), "--seed", &seed.to_string()]);
    command
}

fn child(what: &str, path: &Path, count: u64, seed: u64) {
    if what == "write" {
        write(path, count, seed);
    }
    let open = |path: &Path| {
        let store = if what == "read" { Store::open_read_only(path) } else { Store::open(path) };
        let store = store.unwrap();
        let key = store.open_session("anon").unwrap().dcs().unwrap().swap_remove(0).auth_key;
        assert_eq!(key, Some(auth_key()));
        store
    };
    println!("{}", timed(|| open(path)).0);
}

/// Writes until it is killed.
fn write(path: &Path, count: u64, seed: u64) -> ! {
    let (world, mut dice) = (World::new(2 * count), Dice::new(seed));
    let store = Store::open(path).unwrap();
    let session = store.open_session("anon").unwrap();
    for call in 1_i32.. {
        let first = dice.below(2 * count);
        let entities = (first..first + CALL).map(|at| {
            let entity = world.entity(at % (2 * count));
            entity.with_name(&format!("name {seed} {call}"))
        });
        session.process_entities(&entities.collect::<Vec<_>>()).unwrap();
        session.set_update_state(Some(state(call))).unwrap();
        if dice.below(4) == 0 {
            session.flush().unwrap();
        }
    }
    unreachable!("there are more calls than time")
}
