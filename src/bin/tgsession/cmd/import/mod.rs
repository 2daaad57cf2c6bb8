//! `import`: session files into a store, each whole or not at all.

mod plan;
mod table;

use std::path::{Path, PathBuf};

use tgsession::{Account, Error, ImportReport, Store, store_path};

use self::plan::{Job, Plan, plan};
use self::table::Table;
use crate::args::Import;
use crate::confirm::Holding;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::progress::Progress;
use crate::source::{self, Reader, Reading};
use crate::target::Inputs;
use crate::words::{count, dc_list, dcs_with_keys, home_key};

pub(crate) fn run(args: &Import) -> Outcome {
    let target = target(args)?;
    let reading = Reading::salvage(args.salvage);
    let reader = Reader::new(reading, args.passphrase_file.as_deref())?;
    let mut failures = Failures::default();
    let Plan { jobs, unopened } = plan(args, &reader, &target, &mut failures)?;
    if jobs.is_empty() && failures.worst == 0 {
        let sources: Vec<_> = args.sources.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::Refused(format!("{}: no session found", sources.join(", "))));
    }
    if !jobs.is_empty() {
        let work = Work { reader: &reader, target: &target, args };
        work.write(&jobs, &unopened, &mut failures)?;
    }
    failures.into_outcome()
}

fn target(args: &Import) -> Outcome<PathBuf> {
    source::refuse_stdin(&args.into)?;
    let sources = args.sources.len() + usize::from(args.string_env.is_some());
    if args.name.is_some() && sources > 1 {
        let text = "--as names one session, but there are several sources";
        return Err(Failure::Usage(text.to_owned()));
    }
    let target = store_path(&args.into);
    let sources: Vec<_> = args.sources.iter().filter_map(|path| source::find(path).ok()).collect();
    let files = sources.iter().filter(|path| !path.is_dir());
    let files = files.chain(&args.passphrase_file).map(PathBuf::as_path);
    Inputs::of(files).refuse(&target)?;
    Ok(target)
}

/// What is the same for every session.
struct Work<'a> {
    reader: &'a Reader,
    /// The store by the name that it has or will have.
    target: &'a Path,
    args: &'a Import,
}

impl Work<'_> {
    /// A new store appears under its name only when something got into it, and only then is
    /// anything said to be in it.
    fn write(&self, jobs: &[Job], unopened: &[String], failures: &mut Failures) -> Outcome {
        let mut table = Table::with(unopened);
        if self.target.symlink_metadata().is_ok() {
            let store = Store::open(self.target)?;
            for job in jobs {
                let imported = self.import_one(&store, job, &mut table);
                failures.keep(imported).iter().flatten().for_each(|line| output::say(line));
            }
            table.say();
            return Ok(());
        }
        let mut told = Vec::new();
        let created = Store::create_with(self.target, |store| {
            let imports = jobs.iter().map(|job| self.import_one(store, job, &mut table));
            told.extend(imports.filter_map(|imported| failures.keep(imported)));
            if told.is_empty() {
                return Err(Error::Other("nothing was imported".into()));
            }
            Ok(())
        });
        match created {
            // Our own error from above: why nothing got in has been said, source by source.
            Err(Error::Other(_)) => {}
            created => created.map(drop)?,
        }
        told.iter().flatten().for_each(|line| output::say(line));
        table.say();
        Ok(())
    }

    /// What there is to say of it, line by line.
    fn import_one(&self, store: &Store, job: &Job, table: &mut Table) -> Outcome<Vec<String>> {
        let imported = self.try_import(store, job);
        table.add(&job.name, imported.as_ref().ok());
        let Imported { form, account, report, notes: lost } = imported?;
        let path = job.origin.path();
        let summary = summary(&form, &account, &report);
        let mut lines = vec![format!("{}: {}: {summary}", path.display(), job.name)];
        lines.extend(notes(path, &lost, &report.notes));
        Ok(lines)
    }

    fn try_import(&self, store: &Store, job: &Job) -> Outcome<Imported> {
        let source = job.origin.open(self.reader)?;
        let mut session = source.session(&job.session)?;
        let account = session.account().clone();
        if self.args.replace {
            self.confirm_replacing(store, job, &account)?;
        }
        let mut progress = Progress::new(session.entity_count());
        let entities = session.by_ref().inspect(|_| progress.step());
        let imported = store.import(&job.name, &account, entities, self.args.replace);
        drop(progress);
        let report = imported.map_err(|error| explain(error, self.target, job))?;
        Ok(Imported { form: source.form(), account, report, notes: session.notes() })
    }

    /// Says what is replaced, asks, and keeps a login from being replaced by nothing.
    fn confirm_replacing(&self, store: &Store, job: &Job, account: &Account) -> Outcome {
        let Some(holding) = Holding::of(store, &job.name)? else { return Ok(()) };
        if holding.has_key && dcs_with_keys(account).is_empty() && !self.args.lose_login {
            return Err(Failure::Refused(format!(
                "{}: it has no auth key, and session {:?} of {} is logged in; --lose-login replaces \
                 it all the same",
                job.origin.path().display(),
                job.name,
                self.target.display()
            )));
        }
        holding.confirm(store, "replace", self.args.yes)
    }
}

/// What came of one session.
struct Imported {
    form: String,
    account: Account,
    report: ImportReport,
    /// What the source holds and the store does not.
    notes: Vec<String>,
}

/// The library does not know what the tool calls its ways out, nor the path behind a name.
fn explain(error: Error, target: &Path, job: &Job) -> Failure {
    match error {
        Error::SessionExists { name, .. } => Failure::Refused(format!(
            "{}: already holds a session named {name:?}; give --replace, or another name with --as",
            target.display()
        )),
        Error::BadName { .. } => Failure::Refused(format!(
            "{}: {error}; give it another with --as",
            job.origin.path().display()
        )),
        error => error.into(),
    }
}

fn summary(form: &str, account: &Account, report: &ImportReport) -> String {
    let mut parts = vec![form.to_owned()];
    parts.push(match account.login.home_dc {
        Some(dc) => format!("home DC {dc}"),
        None => "home DC: unknown".to_owned(),
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
