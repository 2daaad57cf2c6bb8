//! The peers side by side: a Markdown table for each size, and a plot for each work.
//!
//! `peers [--sizes 1000,100000,1000000] [--works open,id,..] [--peers ours,lmdb,..] [--quick]
//! [--plots FOLDER]`

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::path::Path;

use tgsession_benches::args::Args;
use tgsession_benches::table::{Figures, grouped};
use tgsession_benches::works::{self, Plan};
use tgsession_benches::{grammers, machine, peers, plot};

fn main() {
    let args = Args::of_process();
    if works::is_child(&args, &peers::ALL) {
        return;
    }
    let plan = plan(&args);
    let sizes = sizes(&args, &plan);
    let mut figures = Figures::default();
    let grammers = grammers::program(&args);
    for size in &sizes {
        let mut relay = grammers::relay(grammers.as_ref(), *size, &args);
        works::measure(&plan, *size, &mut relay, &mut figures);
        relay.finish(*size, grammers::NAME, &mut figures);
    }
    let peers = shown(&plan, grammers.is_some());
    println!("{}", machine::header());
    for size in sizes {
        let count = grouped(&size.to_string());
        println!("### {count} entities\n\n{}", figures.markdown(size, &peers));
    }
    plot::write(&figures, &peers, Path::new(args.after("--plots").unwrap_or("plots"))).unwrap();
    if plan.wants("accounts") {
        println!("{}", works::accounts(&plan));
    }
}

/// Names and titles of the peers, the limits last.
fn shown(plan: &Plan, grammers: bool) -> Vec<(&'static str, &'static str)> {
    let mut peers: Vec<_> = plan.peers.iter().map(|kind| (kind.name, kind.title)).collect();
    if grammers {
        let limits = peers.iter().position(|(name, _)| *name == "limits");
        peers.insert(limits.unwrap_or(peers.len()), (grammers::NAME, grammers::TITLE));
    }
    peers
}

fn plan(args: &Args) -> Plan {
    let wanted = args.list("--peers");
    let wants = |name: &str| wanted.as_ref().is_none_or(|names| names.contains(&name));
    Plan {
        peers: peers::ALL.into_iter().filter(|kind| wants(kind.name)).collect(),
        works: args.list("--works").map(|works| works.into_iter().map(str::to_owned).collect()),
        quick: args.has("--quick"),
    }
}

fn sizes(args: &Args, plan: &Plan) -> Vec<u64> {
    // These have their own.
    if plan.works.as_ref().is_some_and(|works| works == &["accounts"]) {
        return Vec::new();
    }
    match args.list("--sizes") {
        Some(sizes) => sizes.into_iter().map(|size| size.parse().unwrap()).collect(),
        None if plan.quick => vec![1000, 10_000],
        None => vec![1000, 100_000, 1_000_000],
    }
}
