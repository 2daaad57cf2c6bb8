//! `remove`: a session and everything in it.

use tgsession::Progress;

use super::compact::SCRUBBED;
use crate::args::Remove;
use crate::confirm::Holding;
use crate::failure::Outcome;
use crate::progress::Waiting;
use crate::{output, source};

pub(crate) fn run(args: &Remove) -> Outcome {
    let progress = Progress::default();
    let store = source::open_store_to_write(&args.store, &args.key, &progress)?;
    if let Some(holding) = Holding::of(&store, &args.name)? {
        output::say(&holding.confirm(&store, "delete", args.yes)?);
    }
    store.remove(&args.name)?;
    let path = store.path().display();
    output::say(&format!("{path}: session {:?} is deleted", args.name));
    if args.scrub {
        let waiting = Waiting::new("overwriting", &progress);
        store.scrub()?;
        drop(waiting);
        output::say(&format!("{path}: {SCRUBBED}"));
    }
    Ok(())
}
