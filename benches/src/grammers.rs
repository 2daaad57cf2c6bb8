//! The program that grammers is measured by, of the crate `grammers/`.

use std::path::PathBuf;

use crate::args::Args;
use crate::relay::Relay;

/// Its name on the command line.
pub const NAME: &str = "grammers";

/// Its name in the table.
pub const TITLE: &str = "grammers' SqliteSession";

/// The program, if it is wanted and was built: beside this one, or in its own crate's target.
#[must_use]
pub fn program(args: &Args) -> Option<PathBuf> {
    if args.list("--peers").is_some_and(|names| !names.contains(&NAME)) {
        return None;
    }
    let name = "tgsession-benches-grammers";
    let beside = std::env::current_exe().ok()?.with_file_name(name);
    let places = [beside, PathBuf::from("grammers/target/release").join(name)];
    let found = places.into_iter().find(|place| place.is_file());
    if found.is_none() {
        eprintln!("{NAME} is left out; to have it: (cd grammers && cargo build --release)");
    }
    found
}

/// Starts it for a world of `count` entities; alone without it.
#[must_use]
pub fn relay(program: Option<&PathBuf>, count: u64, args: &Args) -> Relay {
    let Some(program) = program else { return Relay::Alone };
    let works = args.after("--works").map(|works| ["--works".to_owned(), works.to_owned()]);
    let quick = args.has("--quick").then(|| "--quick".to_owned());
    let args = [count.to_string()].into_iter().chain(works.into_iter().flatten()).chain(quick);
    Relay::lead(program, &args.collect::<Vec<_>>())
}
