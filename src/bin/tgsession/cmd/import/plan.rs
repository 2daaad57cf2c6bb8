//! What an import is to do, decided before anything is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tgsession::{Error, Source};

use super::Failures;
use crate::args::Import;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::source::{self, Reader, Reading, STDIN};
use crate::words::count;

/// One session on its way into the store.
pub(super) struct Job {
    pub(super) origin: Origin,
    /// Its name in the source.
    pub(super) session: String,
    /// Its name in the store.
    pub(super) name: String,
}

/// Where it is read from.
pub(super) enum Origin {
    /// Opened again when its turn comes, so that a thousand sources are not a thousand open files.
    Path(PathBuf),
    /// What can be read only once.
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
#[derive(Default)]
pub(super) struct Plan {
    pub(super) jobs: Vec<Job>,
    /// The sources that cannot be opened, by the names that their sessions would have.
    pub(super) unopened: Vec<String>,
}

pub(super) fn plan(
    args: &Import,
    reader: &Reader,
    target: &Path,
    failures: &mut Failures,
) -> Outcome<Plan> {
    let mut plan = Plan::default();
    let mut passed = Passed::default();
    for Found { path, folder } in sources(args, failures) {
        let looked = if path.as_os_str() == STDIN {
            reader.open(&path).map(|source| look_at(Origin::Held(Rc::new(source))))
        } else {
            reader.open(&path).map(|source| {
                let names = source.session_names();
                let is_store = source.is_store();
                names.map(|names| (Origin::Path(path.clone()), names, is_store))
            })
        };
        let looked = match (looked, folder) {
            (Err(Failure::Library(Error::WrongKind { .. })), Some(folder)) => {
                passed.add(folder, STRANGERS, &path);
                continue;
            }
            (Ok(Ok((.., true))), Some(folder)) => {
                passed.add(folder, STORES, &path);
                continue;
            }
            (looked, _) => looked.and_then(|names| Ok(names?)),
        };
        match failures.keep(looked) {
            Some((origin, names, is_store)) => {
                add(args, target, &mut plan.jobs, origin, names, is_store)?;
            }
            None => plan.unopened.push(stem(&path)),
        }
    }
    if let Some(variable) = &args.string_env {
        let looked = reader.open_variable(variable);
        let looked = looked.and_then(|source| Ok(look_at(Origin::Held(Rc::new(source)))?));
        if let Some((origin, names, is_store)) = failures.keep(looked) {
            add(args, target, &mut plan.jobs, origin, names, is_store)?;
        }
    }
    passed.say();
    refuse_same_names(&plan.jobs)?;
    Ok(plan)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

const STRANGERS: &str = "not a session file";
const STORES: &str = "a store";

/// What lies in folders and is not imported, by folder and by what it is.
#[derive(Default)]
struct Passed(BTreeMap<(PathBuf, &'static str), Vec<String>>);

impl Passed {
    fn add(&mut self, folder: PathBuf, what: &'static str, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.0.entry((folder, what)).or_default().push(name);
    }

    /// One line for each, with as many names as anybody reads.
    fn say(&self) {
        for ((folder, what), names) in &self.0 {
            let shown = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = match names.len().saturating_sub(NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            output::say(&format!("{}: skipped: {what}: {shown}{more}", folder.display()));
        }
    }
}

/// So many names are said of those passed over.
const NAMES: usize = 10;

type Looked = (Origin, Vec<String>, bool);

fn look_at(origin: Origin) -> tgsession::Result<Looked> {
    let Origin::Held(source) = &origin else { return Ok((origin, Vec::new(), false)) };
    let (names, is_store) = (source.session_names()?, source.is_store());
    Ok((origin, names, is_store))
}

fn add(
    args: &Import,
    target: &Path,
    jobs: &mut Vec<Job>,
    origin: Origin,
    names: Vec<String>,
    is_store: bool,
) -> Outcome {
    if is_store {
        let (path, target) = (origin.path().display(), target.display());
        return Err(Failure::Refused(format!(
            "{path}: it is a store already, and stores are not imported into {target}"
        )));
    }
    if args.name.is_some() && names.len() != 1 {
        let (path, sessions) = (origin.path().display(), names.len() as u64);
        let sessions = count(sessions, "session", "sessions");
        return Err(Failure::Usage(format!(
            "{path}: --as names one session, and this holds {sessions}"
        )));
    }
    let origin = &origin;
    jobs.extend(names.into_iter().map(|session| {
        let name = args.name.clone().unwrap_or_else(|| session.clone());
        let origin = match origin {
            Origin::Path(path) => Origin::Path(path.clone()),
            Origin::Held(source) => Origin::Held(Rc::clone(source)),
        };
        Job { origin, session, name }
    }));
    Ok(())
}

fn refuse_same_names(jobs: &[Job]) -> Outcome {
    for (at, job) in jobs.iter().enumerate() {
        if let Some(other) = jobs.iter().take(at).find(|other| other.name == job.name) {
            return Err(Failure::Refused(format!(
                "{} and {} both give a session named {:?}; import one of them with --as",
                other.origin.path().display(),
                job.origin.path().display(),
                job.name
            )));
        }
    }
    Ok(())
}

/// A path that may be a source.
struct Found {
    path: PathBuf,
    /// The folder that was asked for where it was not this itself.
    folder: Option<PathBuf>,
}

/// The paths that were asked for, with patterns and folders of sessions taken apart.
fn sources(args: &Import, failures: &mut Failures) -> Vec<Found> {
    let mut found = Vec::new();
    for asked in &args.sources {
        let Some(paths) = failures.keep(expand(asked)) else { continue };
        for path in paths {
            if path.is_dir() && !is_session(&path) {
                let inside = failures.keep(files_in(&path)).into_iter().flatten();
                let folder = Some(path);
                found.extend(inside.map(|path| Found { path, folder: folder.clone() }));
            } else {
                found.push(Found { path, folder: None });
            }
        }
    }
    found
}

/// A pattern that no shell has expanded, or a path with its ending left out.
fn expand(asked: &Path) -> Outcome<Vec<PathBuf>> {
    match source::find(asked) {
        Ok(path) => Ok(vec![path]),
        Err(not_found) => {
            let Some(pattern) = asked.to_str().filter(|text| text.contains(['*', '?', '['])) else {
                return Err(not_found);
            };
            let paths = glob::glob(pattern).map_err(|error| Failure::Usage(error.to_string()))?;
            let paths: Vec<_> = paths.filter_map(Result::ok).collect();
            if paths.is_empty() { Err(not_found) } else { Ok(paths) }
        }
    }
}

/// Whether a folder is a session itself, as Telegram Desktop's and GramJS's are. One that is
/// sealed, or damaged, is one too.
fn is_session(folder: &Path) -> bool {
    let opened = Reader::new(Reading::Whole, None).map(|reader| reader.looks_like_session(folder));
    opened.unwrap_or(false)
}

/// What may be a session in a folder, by name: files and folders that are sessions, but nothing
/// hidden and nothing that SQLite lays beside a database.
fn files_in(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let refused = |error| {
        Failure::Refused(format!("{}: cannot read the directory: {error}", folder.display()))
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = ["-journal", "-wal", "-shm"].iter().any(|end| name.ends_with(end));
        let fits = path.is_file() || (path.is_dir() && is_session(&path));
        if fits && !name.starts_with('.') && !beside {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
