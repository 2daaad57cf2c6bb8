//! `compact`: a store's file without what is free in it.

use std::fs;

use tgsession::Progress;

use crate::args::Compact;
use crate::failure::Outcome;
use crate::progress::Waiting;
use crate::words::count;
use crate::{output, source};

/// What scrubbing has done, and what it cannot do.
pub(crate) const SCRUBBED: &str = "deleted data in this file was overwritten; copies, snapshots \
                                   and old blocks of an SSD may still have it";

pub(crate) fn run(args: &Compact) -> Outcome {
    let progress = Progress::default();
    let store = source::open_store_to_write(&args.store, &args.key, &progress)?;
    let path = store.path().to_owned();
    let bytes = || fs::metadata(&path).map_or(0, |file| file.len());
    let before = bytes();
    let waiting = Waiting::new("compacting", &progress);
    if args.scrub { store.scrub() } else { store.compact() }?;
    drop(store);
    drop(waiting);
    let (before, after) = (count(before, "byte", "bytes"), count(bytes(), "byte", "bytes"));
    let path = path.display();
    output::say(&format!("{path}: {before} before, {after} now"));
    if args.scrub {
        output::say(&format!("{path}: {SCRUBBED}"));
    }
    Ok(())
}
