//! The peers side by side: a Markdown table for each size, and a plot for each work.
//!
//! `peers [--sizes 1000,100000,1000000] [--works open,id,..] [--peers ours,lmdb,..] [--quick]
//! [--plots FOLDER]`

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::path::Path;

use tgsession_benches::args::Args;
use tgsession_benches::table::Figures;
use tgsession_benches::works::{self, Plan};
use tgsession_benches::{peers, plot};

fn main() {
    let args = Args::of_process();
    if args.at(0) == Some("--child") {
        let said = |at| args.at(at).unwrap();
        return works::child(said(1), said(2), Path::new(said(3)), said(4).parse().unwrap());
    }
    let plan = plan(&args);
    let sizes = sizes(&args, plan.quick);
    let mut figures = Figures::default();
    for size in &sizes {
        works::measure(&plan, *size, &mut figures);
    }
    let peers: Vec<_> = plan.peers.iter().map(|kind| (kind.name, kind.title)).collect();
    for size in sizes {
        println!("### {size} entities\n\n{}", figures.markdown(size, &peers));
    }
    plot::write(&figures, &peers, Path::new(args.after("--plots").unwrap_or("plots"))).unwrap();
    if plan.wants("accounts") {
        accounts(&plan, &peers);
    }
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

fn sizes(args: &Args, quick: bool) -> Vec<u64> {
    match args.list("--sizes") {
        Some(sizes) => sizes.into_iter().map(|size| size.parse().unwrap()).collect(),
        None if quick => vec![1000, 10_000],
        None => vec![1000, 100_000, 1_000_000],
    }
}

fn accounts(plan: &Plan, peers: &[(&str, &str)]) {
    let mut figures = Figures::default();
    works::accounts(plan, &mut figures);
    let count = figures.iter().next().unwrap().size;
    let peers: Vec<_> = peers
        .iter()
        .copied()
        .filter(|(name, _)| ["ours", "telethon_sqlite"].contains(name))
        .collect();
    println!("### {count} accounts, 4 threads\n\n{}", figures.markdown(count, &peers));
}
