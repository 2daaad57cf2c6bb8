//! Errors of the library in one line: what was found, what was expected, what to do.

use std::error::Error as StdError;
use std::path::Path;

use tgsession::Error;

use crate::{key, settings, target};

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

/// The text of an error in the words and options of the tool.
fn plain(error: &Error) -> String {
    match error {
        Error::NotFound { path } => format!("{}: not found", path.display()),
        Error::AlreadyExists { path } => {
            format!("{}: already exists; nothing was written", path.display())
        }
        Error::WrongKind { path, found, hint } => wrong_kind(path, found, hint),
        Error::NeedsPassphrase { path, what } => {
            format!(
                "{}: encrypted with a passphrase; give {what} with --passphrase-file FILE",
                path.display()
            )
        }
        Error::WrongPassphrase { path } => format!(
            "{}: wrong passphrase, or the file is damaged: the two cannot be told apart; check the passphrase",
            path.display()
        ),
        Error::NoSession { path, name } => {
            format!("{}: no session named {name:?}", path.display())
        }
        Error::SessionExists { path, name } => {
            format!("{}: already holds a session named {name:?}", path.display())
        }
        Error::Lacks { format, what } => {
            format!("{format} needs {what}, which the session does not have")
        }
        Error::Key { path, why } => key::in_words(path, *why).unwrap_or_else(|| error.to_string()),
        _ => error.to_string(),
    }
}

/// The library's own words where it expects a session.
pub(crate) const EXPECTED: &str = "expected a store or a client's session";

fn wrong_kind(path: &Path, found: &str, hint: &str) -> String {
    let path = path.display();
    let found = match found {
        "a file of unknown format" => "unknown file format",
        "a folder" => "a directory",
        "empty" => "an empty file",
        "JSON of no session's format" => "JSON, but not of a session",
        found => found,
    };
    if hint == EXPECTED {
        format!("{path}: not a session: {found} (expected a store or a client's session file)")
    } else if hint.starts_with("a tgsession store") {
        format!("{path}: not a store: {found} (expected a tgsession store)")
    } else {
        format!("{path}: not a session: {found}; {hint}")
    }
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
