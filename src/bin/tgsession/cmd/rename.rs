//! `rename`: another name for a session.

use tgsession::Progress;

use crate::args::Rename;
use crate::failure::Outcome;
use crate::{output, source};

pub(crate) fn run(args: &Rename) -> Outcome {
    let Rename { store, key, old, new } = args;
    let store = source::open_store_to_write(store, key, &Progress::default())?;
    store.rename(old, new)?;
    output::say(&format!("{}: session {old:?} is now {new:?}", store.path().display()));
    Ok(())
}
