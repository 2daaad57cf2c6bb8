//! `remove`: a session and everything in it.

use super::compact::SCRUBBED;
use crate::args::Remove;
use crate::confirm::Holding;
use crate::failure::Outcome;
use crate::{output, source};

pub(crate) fn run(args: &Remove) -> Outcome {
    let store = source::open_store(&args.store)?;
    if let Some(holding) = Holding::of(&store, &args.name)? {
        output::say(&holding.confirm(&store, "delete", args.yes)?);
    }
    store.remove(&args.name)?;
    let path = store.path().display();
    output::say(&format!("{path}: session {:?} is deleted", args.name));
    if args.scrub {
        store.scrub()?;
        output::say(&format!("{path}: {SCRUBBED}"));
    }
    Ok(())
}
