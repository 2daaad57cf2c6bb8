//! `repair`: a new store of everything that is whole in a damaged one.

use tgsession::{Progress, StoreKey, store_path};

use crate::args::Repair;
use crate::failure::{Failure, Outcome};
use crate::key::{Unlocker, store_options};
use crate::progress::Waiting;
use crate::target::Inputs;
use crate::words::count;
use crate::{output, source};

pub(crate) fn run(args: &Repair) -> Outcome {
    source::refuse_stdin(&args.output)?;
    let damaged = source::find_store(&args.store)?;
    let target = store_path(&args.output);
    let key_file = args.key.options().file();
    Inputs::of([damaged.as_path()].into_iter().chain(key_file.as_deref())).refuse(&target)?;
    let unlocker = Unlocker::new(args.key.options())?;
    let progress = Progress::default();
    let waiting = Waiting::new("repairing", &progress);
    let repair = |key: Option<&StoreKey>| {
        store_options(key).progress(&progress).repair(&damaged, &args.output)
    };
    let report = unlocker.open(repair)?;
    drop(waiting);
    let (sessions, entities) = (report.sessions.len() as u64, report.entities);
    output::say(&format!(
        "{}: {} and {} recovered",
        target.display(),
        count(sessions, "session", "sessions"),
        count(entities, "entity", "entities")
    ));
    if report.lost.is_empty() {
        return Ok(());
    }
    for lost in &report.lost {
        output::say(&format!("  missing: {lost}"));
    }
    Err(Failure::Problems(format!("{}: some data could not be recovered", damaged.display())))
}
