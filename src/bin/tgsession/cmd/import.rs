//! `import`: session files into a store, each whole or not at all.

use std::path::{Path, PathBuf};

use tgsession::{Account, Error, ImportReport, Source, Store, store_path};

use crate::args::Import;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::progress::Progress;
use crate::source::{self, Reading};
use crate::words::{count, dc_list, dcs_with_keys, home_key};

pub(crate) fn run(args: &Import) -> Outcome {
    let target = target(args)?;
    let mut failures = Failures::default();
    let jobs = plan(args, &target, &mut failures)?;
    if !jobs.is_empty() {
        write(&target, &jobs, args.replace, &mut failures)?;
    }
    failures.into_outcome()
}

/// One session on its way into the store. Its source is opened again when its turn comes, so that
/// a thousand sources are not a thousand open files.
struct Job {
    path: PathBuf,
    reading: Reading,
    session: String,
    name: String,
}

fn target(args: &Import) -> Outcome<PathBuf> {
    source::refuse_stdin(&args.into)?;
    if args.name.is_some() && args.sources.len() > 1 {
        let text = "--as names one session, and there are several sources";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(store_path(&args.into))
}

/// What is to be done, decided before anything is written.
fn plan(args: &Import, target: &Path, failures: &mut Failures) -> Outcome<Vec<Job>> {
    let reading = Reading::salvage(args.salvage);
    let mut jobs = Vec::new();
    for path in &args.sources {
        let Some((source, names)) = failures.keep(look(path, reading)) else { continue };
        refuse_store(&source, target)?;
        if args.name.is_some() && names.len() != 1 {
            return Err(not_one_session(&source, names.len()));
        }
        jobs.extend(names.into_iter().map(|session| {
            let name = args.name.clone().unwrap_or_else(|| session.clone());
            Job { path: source.path().to_owned(), reading, session, name }
        }));
    }
    refuse_same_names(&jobs)?;
    Ok(jobs)
}

fn look(path: &Path, reading: Reading) -> Outcome<(Source, Vec<String>)> {
    let source = source::open(path, reading)?;
    let names = source.session_names()?;
    Ok((source, names))
}

fn refuse_store(source: &Source, target: &Path) -> Outcome {
    if !source.is_store() {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "{}: it is a store already, and stores are not imported into {}",
        source.path().display(),
        target.display()
    )))
}

fn not_one_session(source: &Source, sessions: usize) -> Failure {
    let path = source.path().display();
    let sessions = count(sessions as u64, "session", "sessions");
    Failure::Usage(format!("{path}: --as names one session, and this holds {sessions}"))
}

fn refuse_same_names(jobs: &[Job]) -> Outcome {
    for (at, job) in jobs.iter().enumerate() {
        if let Some(other) = jobs.iter().take(at).find(|other| other.name == job.name) {
            return Err(Failure::Refused(format!(
                "{} and {} both give a session named {:?}; import one of them with --as",
                other.path.display(),
                job.path.display(),
                job.name
            )));
        }
    }
    Ok(())
}

/// A new store appears under its name only when something got into it, and only then is anything
/// said to be in it.
fn write(target: &Path, jobs: &[Job], replace: bool, failures: &mut Failures) -> Outcome {
    if target.symlink_metadata().is_ok() {
        let store = Store::open(target)?;
        for job in jobs {
            let imported = import_one(&store, target, job, replace);
            failures.keep(imported).iter().flatten().for_each(|line| output::say(line));
        }
        return Ok(());
    }
    let mut told = Vec::new();
    let created = Store::create_with(target, |store| {
        let imports = jobs.iter().map(|job| import_one(store, target, job, replace));
        told.extend(imports.filter_map(|imported| failures.keep(imported)));
        if told.is_empty() { Err(Error::Other("nothing was imported".into())) } else { Ok(()) }
    });
    match created {
        // Our own error from above: why nothing got in has been said, source by source.
        Err(Error::Other(_)) => {}
        created => created?,
    }
    told.iter().flatten().for_each(|line| output::say(line));
    Ok(())
}

/// What there is to say of it, line by line. `target` is the name that a new store will have.
fn import_one(store: &Store, target: &Path, job: &Job, replace: bool) -> Outcome<Vec<String>> {
    let source = job.reading.open(&job.path)?;
    let mut session = source.session(&job.session)?;
    let account = session.account().clone();
    let mut progress = Progress::new(session.entity_count());
    let entities = session.by_ref().inspect(|_| progress.step());
    let imported = store.import(&job.name, &account, entities, replace);
    drop(progress);
    let report = imported.map_err(|error| explain(error, target, job))?;
    let summary = summary(&source.form(), &account, &report);
    let mut lines = vec![format!("{}: {}: {summary}", job.path.display(), job.name)];
    lines.extend(notes(&job.path, &session.notes(), &report.notes));
    Ok(lines)
}

/// The library does not know what the tool calls its ways out, nor the path behind a name.
fn explain(error: Error, target: &Path, job: &Job) -> Failure {
    match error {
        Error::SessionExists { name, .. } => Failure::Refused(format!(
            "{}: there is a session named {name:?} already; give --replace, or another name with --as",
            target.display()
        )),
        Error::BadName { .. } => {
            Failure::Refused(format!("{}: {error}; give it another with --as", job.path.display()))
        }
        error => error.into(),
    }
}

fn summary(form: &str, account: &Account, report: &ImportReport) -> String {
    let mut parts = vec![form.to_owned()];
    parts.push(match account.login.home_dc {
        Some(dc) => format!("home DC {dc}"),
        None => "home DC unknown".to_owned(),
    });
    parts.push(logged_in(account));
    parts.extend(account.login.user.map(|user| format!("user {}", user.id)));
    parts.extend([
        count(report.entities, "entity", "entities"),
        count(report.usernames, "username", "usernames"),
        count(report.phones, "phone", "phones"),
        count(account.channel_states.len() as u64, "channel state", "channel states"),
        count(account.sent_files.len() as u64, "file", "files"),
    ]);
    parts.join(", ")
}

fn logged_in(account: &Account) -> String {
    let keys = dcs_with_keys(account);
    match home_key(account) {
        Some(_) => "logged in".to_owned(),
        None if keys.is_empty() => "never logged in".to_owned(),
        None => format!("no key of the home DC, but of DC {}", dc_list(&keys)),
    }
}

/// More notes than this would push the summary off the screen.
const NOTES: usize = 20;

fn notes(source: &Path, lost: &[String], changed: &[String]) -> Vec<String> {
    let notes = changed.iter().chain(lost);
    let mut lines: Vec<_> = notes.take(NOTES).map(|note| format!("  note: {note}")).collect();
    let more = (changed.len() + lost.len()).saturating_sub(NOTES);
    if more > 0 {
        let path = source.display();
        lines.push(format!("  and {more} more: tgsession dump {path} shows all"));
    }
    lines
}

/// What went wrong so far, said at once so that the order of the sources is kept.
#[derive(Default)]
struct Failures {
    worst: u8,
}

impl Failures {
    fn keep<T>(&mut self, outcome: Outcome<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(failure) => {
                failure.report();
                self.worst = self.worst.max(failure.code());
                None
            }
        }
    }

    fn into_outcome(self) -> Outcome {
        if self.worst == 0 { Ok(()) } else { Err(Failure::Reported(self.worst)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_notes_twenty_are_shown_and_the_rest_is_counted() {
        let lost: Vec<_> = (0..21).map(|row| format!("row {row}")).collect();
        let lines = notes(Path::new("a.session"), &lost, &["changed".to_owned()]);
        assert_eq!(lines.len(), 21);
        assert_eq!(lines.first().map(String::as_str), Some("  note: changed"));
        let last = "  and 2 more: tgsession dump a.session shows all";
        assert_eq!(lines.last().map(String::as_str), Some(last));
        assert_eq!(
            notes(Path::new("a.session"), lost.get(..20).unwrap_or_default(), &[]).len(),
            20
        );
    }
}
