//! What an import is to do, decided before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tgsession::{Error, Source, Store};

use super::companion::path_beside;
use super::outcome::Failures;
use super::walk::{Found, TDATA, walk};
use crate::args::Import;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::source::{Reader, STDIN};
use crate::words::count;

/// One session on its way into the store.
pub(super) struct Job {
    pub(super) origin: Origin,
    /// Its name in the source.
    pub(super) session: String,
    /// Its name in the store.
    pub(super) name: String,
    /// The name that it would have if another source had not taken it.
    pub(super) wanted: Option<String>,
}

/// Where it is read from.
pub(super) enum Origin {
    /// Opened again when its turn comes, so that a thousand sources are not a thousand open files.
    Path(PathBuf),
    /// An open source that can be read only once.
    Held(Rc<Source>),
}

impl Origin {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Held(source) => source.path(),
        }
    }

    /// Opens it, or hands out what is held.
    pub(super) fn open(&self, reader: &Reader) -> Outcome<Rc<Source>> {
        match self {
            Self::Path(path) => Ok(Rc::new(reader.open(path)?)),
            Self::Held(source) => Ok(Rc::clone(source)),
        }
    }
}

/// Every session of every source, each under a name of its own.
pub(super) fn plan(
    args: &Import,
    reader: &Reader,
    failures: &mut Failures,
) -> (Vec<Job>, Vec<(PathBuf, String)>) {
    let mut plan = Plan { args, reader, jobs: Vec::new(), taken: BTreeSet::new() };
    let mut skipped = Skipped::default();
    let walked = walk(args, failures);
    for Found { path, directory } in walked.found {
        let added = match (plan.add_path(&path, directory.is_some()), directory) {
            (Err(Failure::Library(Error::WrongKind { .. })), Some(directory)) => {
                if !is_companion(&path) {
                    skipped.add(directory, STRANGERS, &path);
                }
                continue;
            }
            (Ok(Added::Store), Some(directory)) => {
                skipped.add(directory, STORES, &path);
                continue;
            }
            (added, _) => added,
        };
        if let Err(failure) = added {
            failures.add(&path, Some(stem(&path)), failure);
        }
    }
    if let Some(variable) = &args.string_env {
        let added = reader.open_variable(variable).and_then(|source| plan.add_held(source));
        if let Err(failure) = added {
            failures.add(Path::new(variable), None, failure);
        }
    }
    walked.too_deep.iter().for_each(|(given, path)| skipped.add(given.clone(), TOO_DEEP, path));
    skipped.say();
    (plan.jobs, skipped.all)
}

struct Plan<'a> {
    args: &'a Import,
    reader: &'a Reader,
    jobs: Vec<Job>,
    taken: BTreeSet<String>,
}

enum Added {
    Sessions,
    /// A store in a directory: nothing of it was added.
    Store,
}

impl Plan<'_> {
    fn add_path(&mut self, path: &Path, in_directory: bool) -> Outcome<Added> {
        // One in a directory needs no key.
        if in_directory && Store::keys_of(path).is_ok() {
            return Ok(Added::Store);
        }
        let source = self.reader.open(path)?;
        if path.as_os_str() == STDIN {
            return self.add_held(source);
        }
        let names = self.names(&source)?;
        let owner = owner_of_tdata(path, in_directory);
        for session in names {
            let wanted = match (&owner, session.strip_prefix(TDATA)) {
                (Some(owner), Some(rest)) => format!("{owner}{rest}"),
                _ => session.clone(),
            };
            self.push(Origin::Path(path.to_owned()), session, wanted);
        }
        Ok(Added::Sessions)
    }

    fn add_held(&mut self, source: Source) -> Outcome<Added> {
        let source = Rc::new(source);
        let names = self.names(&source)?;
        for session in names {
            let unnamed = session == stem(source.path());
            let wanted = if unnamed { name_of(&source, &session) } else { session.clone() };
            self.push(Origin::Held(Rc::clone(&source)), session, wanted);
        }
        Ok(Added::Sessions)
    }

    /// The sessions that are wanted of a source.
    fn names(&self, source: &Source) -> Outcome<Vec<String>> {
        let mut names = source.session_names()?;
        if let Some(wanted) = &self.args.session {
            names.retain(|name| name == wanted);
            if names.is_empty() {
                let (path, name) = (source.path().to_owned(), wanted.clone());
                return Err(Error::NoSession { path, name }.into());
            }
        }
        if self.args.name.is_some() && names.len() != 1 {
            let sessions = count(names.len() as u64, "session", "sessions");
            return Err(Failure::Usage(format!(
                "{}: --as names one session, but the source holds {sessions}; choose one with --session",
                source.path().display()
            )));
        }
        Ok(names)
    }

    /// A name that another source has taken gets a number after it.
    fn push(&mut self, origin: Origin, session: String, wanted: String) {
        let wanted = self.args.name.clone().unwrap_or(wanted);
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut names = std::iter::once(wanted.clone()).chain(numbered);
        let free = names.find(|name| !self.taken.contains(name)).unwrap_or_default();
        self.taken.insert(free.clone());
        let wanted = (free != wanted).then_some(wanted);
        self.jobs.push(Job { origin, session, name: free, wanted });
    }
}

/// The directory is always called `tdata`, so the name of its parent is taken.
fn owner_of_tdata(path: &Path, in_directory: bool) -> Option<String> {
    if !in_directory || path.file_name()? != TDATA {
        return None;
    }
    let real = std::fs::canonicalize(path.parent()?).ok()?;
    Some(real.file_stem()?.to_string_lossy().into_owned())
}

/// A name for a session from a pipe or a variable: its user's id.
fn name_of(source: &Source, session: &str) -> String {
    let user = source.session(session).ok().and_then(|session| session.account().login.user);
    user.map_or_else(|| "session".to_owned(), |user| format!("user-{}", user.id))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a JSON file is not a session itself but describes the one beside it.
fn is_companion(path: &Path) -> bool {
    path_beside(&path.with_extension("session")).is_some_and(|json| json == path)
        && path.with_extension("session").is_file()
}

const STRANGERS: &str = "not a session file";
const STORES: &str = "a store (name it alone to import its sessions)";
const TOO_DEEP: &str = "more than one directory down";

/// Files in directories that are not imported, by directory and reason.
#[derive(Default)]
struct Skipped {
    by_reason: BTreeMap<(PathBuf, &'static str), Vec<String>>,
    all: Vec<(PathBuf, String)>,
}

impl Skipped {
    fn add(&mut self, directory: PathBuf, why: &'static str, path: &Path) {
        let name = path.strip_prefix(&directory).unwrap_or(path).display().to_string();
        self.by_reason.entry((directory, why)).or_default().push(name);
        self.all.push((path.to_owned(), why.to_owned()));
    }

    /// One line for each, with as many names as anybody reads.
    fn say(&self) {
        for ((directory, why), names) in &self.by_reason {
            let shown = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = match names.len().saturating_sub(NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            output::say(&format!("{}: skipped: {why}: {shown}{more}", directory.display()));
        }
    }
}

/// How many skipped files are named.
const NAMES: usize = 10;
