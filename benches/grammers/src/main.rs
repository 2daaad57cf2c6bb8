//! grammers' `SqliteSession` as a peer: the same works as every other one's, in a program of its
//! own, since its SQLite does not link beside rusqlite's.
//!
//! `tgsession-benches-grammers COUNT [--works open,id,..] [--quick] [--follow]`
//!
//! Prints what it measured. With `--follow` it waits for a line on standard input before each of
//! its turns: `peers` starts it so.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

mod peer;

use tgsession_benches::args::Args;
use tgsession_benches::relay::{self, Relay};
use tgsession_benches::table::Figures;
use tgsession_benches::works::{self, Plan};

fn main() {
    let args = Args::of_process();
    if works::is_child(&args, &[peer::KIND]) {
        return;
    }
    let count = args.at(0).and_then(|count| count.parse().ok()).expect("how many entities");
    let works = args.list("--works").map(|works| works.into_iter().map(str::to_owned).collect());
    let plan = Plan { peers: vec![peer::KIND], works, quick: args.has("--quick") };
    let mut relay = if args.has("--follow") { Relay::Following } else { Relay::Alone };
    let mut figures = Figures::default();
    works::measure(&plan, count, &mut relay, &mut figures);
    relay::say(&figures);
}
