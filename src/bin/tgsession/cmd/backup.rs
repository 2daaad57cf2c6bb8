//! `backup`: a consistent copy of a store that may be in use.

use tgsession::{Progress, store_path};

use crate::args::Backup;
use crate::failure::Outcome;
use crate::progress::Waiting;
use crate::target::Inputs;
use crate::{output, source};

pub(crate) fn run(args: &Backup) -> Outcome {
    source::refuse_stdin(&args.output)?;
    let progress = Progress::default();
    let store = source::open_store_to_read(&args.store, &args.key, &progress)?;
    let key_file = args.key.options().file();
    Inputs::of([store.path()].into_iter().chain(key_file.as_deref()))
        .refuse(&store_path(&args.output))?;
    let waiting = Waiting::new("copying", &progress);
    store.backup(&args.output)?;
    drop(waiting);
    let (store, copy) = (store.path().display(), store_path(&args.output));
    output::say(&format!("{store}: copied to {}", copy.display()));
    Ok(())
}
