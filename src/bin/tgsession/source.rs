//! From the path a person typed to the source or store that is meant.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tgsession::{Error, Source, SourceOptions, Store};

use crate::failure::{Failure, Outcome};

/// Opens what a SRC argument names, for reading only.
pub(crate) fn open(path: &Path, reading: Reading) -> Outcome<Source> {
    reading.open(&find(path, &[".tgsession", ".session"])?)
}

/// How a source is read.
#[derive(Clone, Copy)]
pub(crate) enum Reading {
    /// Damage is an error.
    Whole,
    /// Of a damaged file, what is left.
    Salvage,
}

impl Reading {
    pub(crate) fn salvage(asked: bool) -> Self {
        if asked { Self::Salvage } else { Self::Whole }
    }

    /// Opens exactly this path.
    pub(crate) fn open(self, path: &Path) -> Outcome<Source> {
        Ok(match self {
            Self::Whole => Source::open(path)?,
            Self::Salvage => SourceOptions::new().salvage(true).open(path)?,
        })
    }
}

/// Opens the store that a STORE argument names, for reading only.
pub(crate) fn open_store_read_only(path: &Path) -> Outcome<Store> {
    Ok(Store::open_read_only(find_store(path)?)?)
}

/// Opens the store that a STORE argument names, for writing.
pub(crate) fn open_store(path: &Path) -> Outcome<Store> {
    Ok(Store::open(find_store(path)?)?)
}

/// Refuses the `-` that stands for standard input elsewhere.
pub(crate) fn refuse_stdin(path: &Path) -> Outcome {
    if path.as_os_str() == "-" {
        let text = "-: standard input cannot be read or written yet; give a path (./- for a file of that name)";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(())
}

/// The one session that is meant: the named one, or the only one there is.
pub(crate) fn pick_session(source: &Source, asked: Option<&str>) -> Outcome<String> {
    if let Some(name) = asked {
        return Ok(name.to_owned());
    }
    let names = source.session_names()?;
    let path = source.path().display();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::Refused(format!("{path}: it holds no session"))),
        _ => Err(Failure::Usage(format!(
            "{path}: it holds several sessions; choose one with --session: {}",
            names.join(", ")
        ))),
    }
}

fn find_store(path: &Path) -> Outcome<PathBuf> {
    find(path, &[".tgsession"])
}

/// The path itself or, where nothing is there, the first with one of the endings added.
fn find(path: &Path, endings: &[&str]) -> Outcome<PathBuf> {
    refuse_stdin(path)?;
    if may_be_there(path) {
        return Ok(path.to_owned());
    }
    let mut longer = endings.iter().map(|ending| with_ending(path, ending));
    longer
        .find(|path| may_be_there(path))
        .ok_or_else(|| Error::NotFound { path: path.to_owned() }.into())
}

/// A link to nowhere and a file in a closed folder count: the library says what is wrong there.
fn may_be_there(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// `set_extension` would replace what follows the last dot of `my.account`.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
