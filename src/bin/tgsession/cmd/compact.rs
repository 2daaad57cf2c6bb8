//! `compact`: a store's file without what is free in it.

use std::fs;

use crate::args::Compact;
use crate::failure::Outcome;
use crate::progress::Waiting;
use crate::words::count;
use crate::{output, source};

pub(crate) fn run(args: &Compact) -> Outcome {
    let store = source::open_store(&args.store)?;
    let path = store.path().to_owned();
    let bytes = || fs::metadata(&path).map_or(0, |file| file.len());
    let before = bytes();
    let waiting = Waiting::new("compacting");
    store.compact()?;
    drop(store);
    drop(waiting);
    let (before, after) = (count(before, "byte", "bytes"), count(bytes(), "byte", "bytes"));
    output::say(&format!("{}: {before} before, {after} now", path.display()));
    Ok(())
}
