//! `list`: the names of a store's sessions.

use std::io::Write;

use crate::args::List;
use crate::failure::Outcome;
use crate::{output, source};

pub(crate) fn run(args: &List) -> Outcome {
    let store = source::open_store_read_only(&args.store)?;
    let mut out = output::results();
    for name in store.list()? {
        writeln!(out, "{name}")?;
    }
    Ok(out.flush()?)
}
