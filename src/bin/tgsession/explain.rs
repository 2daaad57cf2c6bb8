//! Errors of the library in one line: what was found, what was expected, what to do.

use std::error::Error as StdError;
use std::path::Path;

use tgsession::Error;

use crate::{settings, target};

/// The error, its causes and its cure.
pub(crate) fn in_words(error: &Error) -> String {
    match cure(error) {
        Some(cure) => format!("{}; {cure}", chain(error)),
        None => chain(error),
    }
}

/// The error and what caused it, outermost first. The library repeats no cause in its own text.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = plain(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn plain(error: &Error) -> String {
    error.to_string()
}

fn cure(error: &Error) -> Option<String> {
    match error {
        Error::Damaged { path, .. } | Error::BadAuthKey { path, .. } => cure_of(path),
        _ => None,
    }
}

/// What helps with this damaged file, if anything does.
pub(crate) fn cure_of(path: &Path) -> Option<String> {
    if target::is_store(path) {
        return Some(format!(
            "`tgsession repair {} OUT` writes what is still whole to a new store",
            path.display()
        ));
    }
    let can_be_salvaged = !settings::get().salvage && target::starts_with(path, b"SQLite");
    let text = "--salvage (of import, export, dump, info, get) takes the rows that are still whole";
    can_be_salvaged.then(|| text.to_owned())
}
