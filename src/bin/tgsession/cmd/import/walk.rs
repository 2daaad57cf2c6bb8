//! The paths that may be sessions: those that were given, and what lies in given directories.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::outcome::Failures;
use crate::args::Import;
use crate::failure::{Failure, Outcome};
use crate::source::{self, Reader, Reading, STDIN};

/// A path that may be a session.
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// The directory that was given, where the path lies in it.
    pub(super) directory: Option<PathBuf>,
}

/// The files found, and the files left out.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) found: Vec<Found>,
    /// Directories two levels down, by the directory that was given.
    pub(super) too_deep: Vec<(PathBuf, PathBuf)>,
    /// Every path once: links may lead to one file twice.
    seen: BTreeSet<PathBuf>,
}

/// The paths that were given, with patterns and directories of sessions taken apart.
pub(super) fn walk(args: &Import, failures: &mut Failures) -> Walk {
    let mut walk = Walk::default();
    for given in &args.sources {
        match expand(given) {
            Err(failure) => failures.add(given, None, failure),
            Ok(paths) => paths.into_iter().for_each(|path| walk.add(path, failures)),
        }
    }
    walk
}

impl Walk {
    fn add(&mut self, path: PathBuf, failures: &mut Failures) {
        if path.is_dir() && (!is_session(&path) || holds_tdata(&path)) {
            self.enter(&path, &path, 0, failures);
        } else {
            self.take(path, None);
        }
    }

    fn take(&mut self, path: PathBuf, directory: Option<&Path>) {
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if path.as_os_str() == STDIN || self.seen.insert(real) {
            self.found.push(Found { path, directory: directory.map(Path::to_owned) });
        }
    }

    /// Takes the files of a directory and of its directories, but no deeper.
    fn enter(&mut self, given: &Path, directory: &Path, depth: u32, failures: &mut Failures) {
        // Their files are no files: reading one may block for ever.
        if depth > 0 && KERNEL.iter().any(|kernel| Path::new(kernel) == directory) {
            return;
        }
        let paths = match entries(directory) {
            Ok(paths) => paths,
            Err(failure) => return failures.add(directory, None, failure),
        };
        for path in paths {
            let inside = path.is_dir();
            let session = inside && is_session(&path);
            if path.is_file() || (session && (depth > 0 || !holds_tdata(&path))) {
                self.take(path, Some(given));
            } else if inside && depth == 0 {
                self.enter(given, &path, 1, failures);
            } else if inside {
                self.too_deep.push((given.to_owned(), path));
            }
        }
    }
}

const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// A pattern that no shell has expanded, or a path with its ending left out.
fn expand(given: &Path) -> Outcome<Vec<PathBuf>> {
    match source::find(given) {
        Ok(path) => Ok(vec![path]),
        Err(not_found) => {
            let Some(pattern) = given.to_str().filter(|text| text.contains(['*', '?', '['])) else {
                return Err(not_found);
            };
            let paths = glob::glob(pattern).map_err(|error| Failure::Usage(error.to_string()))?;
            let paths: Vec<_> = paths.filter_map(Result::ok).collect();
            if paths.is_empty() { Err(not_found) } else { Ok(paths) }
        }
    }
}

/// Whether a directory is a session itself, as Telegram Desktop's and GramJS's are. One that is
/// sealed, or damaged, is one too.
fn is_session(directory: &Path) -> bool {
    let reader = Reader::new(Reading::Whole, None);
    reader.is_ok_and(|reader| reader.looks_like_session(directory))
}

/// Whether a directory is only a session because `tdata` lies in it; other sessions may too.
fn holds_tdata(directory: &Path) -> bool {
    let tdata = directory.join(TDATA);
    tdata.is_dir() && is_session(&tdata)
}

/// What Telegram Desktop calls its directory.
pub(super) const TDATA: &str = "tdata";

/// The entries of a directory, sorted, without hidden files and without SQLite's `-wal`, `-shm` and
/// `-journal`.
fn entries(directory: &Path) -> Outcome<Vec<PathBuf>> {
    let refused = |error| {
        Failure::Refused(format!("{}: cannot read the directory: {error}", directory.display()))
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = ["-journal", "-wal", "-shm"].iter().any(|end| name.ends_with(end));
        if !name.starts_with('.') && !beside {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
