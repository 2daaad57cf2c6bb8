//! `remove`: a session and everything in it.

use crate::args::Remove;
use crate::failure::Outcome;
use crate::{output, source};

pub(crate) fn run(args: &Remove) -> Outcome {
    let store = source::open_store(&args.store)?;
    store.remove(&args.name)?;
    output::say(&format!("{}: session {:?} is gone", store.path().display(), args.name));
    Ok(())
}
