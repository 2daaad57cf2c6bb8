//! `import`: session files into a store, each whole or not at all.

mod companion;
mod outcome;
mod plan;
mod table;
mod walk;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use tgsession::{Account, Entity, Error, ImportReport, ImportSession, Session, Store, store_path};

use self::companion::Companion;
use self::outcome::{Failures, Imported};
use self::plan::{Job, plan};
use crate::args::Import;
use crate::confirm::Holding;
use crate::failure::{Failure, Outcome};
use crate::key::{Unlocker, store_options};
use crate::output;
use crate::progress::{Progress, expected};
use crate::source::{self, Reader, Reading, refuse_for_several};
use crate::target::Inputs;
use crate::words::dcs_with_keys;

pub(crate) fn run(args: &Import) -> Outcome {
    let target = target(args)?;
    let reading = Reading::salvage(args.salvage);
    let reader = Reader::new(reading, args.passphrase_file.as_deref())?.with_dc(args.dc);
    let reader = reader.with_corrections(&args.corrections).with_key(args.from_key.options())?;
    let unlocker = Unlocker::new(args.key.options())?;
    let mut failures = Failures::default();
    let (jobs, skipped) = plan(args, &reader, &mut failures);
    let sources = args.sources.iter().map(|path| path.display().to_string());
    let sources: Vec<_> = sources.chain(args.string_env.clone()).collect();
    let sources = sources.join(", ");
    refuse_for_several(&args.corrections, &sources, jobs.len(), "import them one at a time")?;
    if jobs.is_empty() && failures.worst == 0 {
        return Err(Failure::Refused(format!("{sources}: no session found")));
    }
    let mut work = Work {
        reader: &reader,
        unlocker: &unlocker,
        target: &target,
        args,
        brief: jobs.len() > BRIEF,
        sessions: (jobs.len() > FEW).then(|| Progress::of_sessions(jobs.len())),
        keys: RefCell::default(),
        imported: Vec::new(),
        existing: Vec::new(),
        skipped,
    };
    if !jobs.is_empty() {
        work.write(&jobs, &mut failures)?;
    }
    work.sessions = None;
    work.close(&failures)?;
    failures.into_outcome()
}

/// Of more sessions than this each has its row in the table alone.
const BRIEF: usize = 10;

/// Of more sessions than this the progress counts sessions, else the entities of each.
const FEW: usize = 3;

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
    let keys = [args.key.options().file(), args.from_key.options().file()];
    let secrets = args.passphrase_file.iter().chain(keys.iter().flatten());
    let files = files.chain(secrets).map(PathBuf::as_path);
    Inputs::of(files).refuse(&target)?;
    Ok(target)
}

/// An import on its way.
struct Work<'a> {
    reader: &'a Reader,
    /// The key of the store that is written to.
    unlocker: &'a Unlocker,
    /// The store by the name that it has or will have.
    target: &'a Path,
    args: &'a Import,
    /// Whether sessions are many, so that a line for each would be too much.
    brief: bool,
    sessions: Option<Progress>,
    /// The session of each auth key.
    keys: RefCell<BTreeMap<String, (String, String)>>,
    imported: Vec<Imported>,
    /// The sessions that the store has already, where those are skipped.
    existing: Vec<(PathBuf, String)>,
    /// The files that are no sessions, with the reason.
    skipped: Vec<(PathBuf, String)>,
}

impl Work<'_> {
    /// A new store appears under its name only when something got into it, and only then is
    /// anything said to be in it.
    fn write(&mut self, jobs: &[Job], failures: &mut Failures) -> Outcome {
        if self.target.symlink_metadata().is_ok() {
            return self.write_to_existing(jobs, failures);
        }
        if self.args.dry_run {
            jobs.iter().for_each(|job| self.import_one(None, job, failures));
            self.imported.iter().for_each(|imported| self.tell(imported));
            return Ok(());
        }
        let created = store_options(self.unlocker.given()).create_with(self.target, |store| {
            jobs.iter().for_each(|job| self.import_one(Some(store), job, failures));
            if self.imported.is_empty() {
                return Err(Error::Other("nothing was imported".into()));
            }
            Ok(())
        });
        match created {
            // Our own error from above: why nothing got in has been said, source by source.
            Err(Error::Other(_)) => {}
            // Another import has created it meanwhile.
            Err(Error::AlreadyExists { .. }) => {
                self.imported.clear();
                self.keys.borrow_mut().clear();
                return self.write_to_existing(jobs, failures);
            }
            created => created?,
        }
        self.imported.iter().for_each(|imported| self.tell(imported));
        Ok(())
    }

    fn write_to_existing(&mut self, jobs: &[Job], failures: &mut Failures) -> Outcome {
        let store = self.open_store()?;
        self.note_keys(&store)?;
        for job in jobs {
            let before = self.imported.len();
            self.import_one(Some(&store), job, failures);
            self.imported.iter().skip(before).for_each(|imported| self.tell(imported));
        }
        Ok(())
    }

    fn open_store(&self) -> Outcome<Store> {
        if self.args.dry_run {
            return source::read_store(self.target, self.unlocker, &Default::default());
        }
        source::write_store(self.target, self.unlocker, &Default::default())
    }

    fn import_one(&mut self, store: Option<&Store>, job: &Job, failures: &mut Failures) {
        let path = job.origin.path();
        match self.try_import(store, job) {
            Ok(Some(imported)) => self.imported.push(imported),
            Ok(None) => self.existing.push((path.to_owned(), job.name.clone())),
            Err(failure) => failures.add(path, Some(job.name.clone()), failure),
        }
        self.sessions.iter_mut().for_each(Progress::step);
    }

    /// `None`: the store has a session of this name, and those are skipped.
    fn try_import(&self, store: Option<&Store>, job: &Job) -> Outcome<Option<Imported>> {
        let exists = store.is_some_and(|store| store.open_session(&job.name).is_ok());
        if exists && self.args.skip_existing {
            return Ok(None);
        }
        let source = job.origin.open(self.reader)?;
        let mut session = source.session(&job.session)?;
        let mut account = session.account().clone();
        let mut companion = Companion::of(job.origin.path()).unwrap_or_default();
        let mut notes = companion.fill(&mut account);
        let replaced = match store.filter(|_| exists) {
            Some(store) => self.replace(store, job, &account)?,
            None => false,
        };
        let mut progress = match self.sessions {
            Some(_) => Progress::hidden(),
            None => Progress::new(expected(&session)),
        };
        let entities = session.by_ref().inspect(|_| progress.step());
        let entities = companion.with_phone(&account, entities);
        let imported = match store.filter(|_| !self.args.dry_run) {
            Some(store) => {
                let incoming = ImportSession::new(&account, entities);
                if self.args.replace {
                    store.replace(&job.name, incoming)
                } else {
                    store.import(&job.name, incoming)
                }
            }
            None => counted(entities),
        };
        drop(progress);
        let report = imported.map_err(|error| explain(error, self.target, job))?;
        let mut imported = Imported::new(job, source.format(), account, report);
        if let Some(wanted) = &job.wanted {
            notes.push(format!("named {:?}, as another source is named {wanted:?}", job.name));
        }
        notes.append(&mut imported.notes);
        notes.append(&mut session.notes());
        imported.notes = notes;
        imported.replaced = replaced;
        imported.warnings.extend(self.same_key(job, &imported.account));
        Ok(Some(imported))
    }

    /// Says what is replaced, asks, and keeps a login from being replaced by nothing.
    fn replace(&self, store: &Store, job: &Job, account: &Account) -> Outcome<bool> {
        let Some(holding) = Holding::of(store, &job.name)? else { return Ok(false) };
        if !self.args.replace {
            let (path, name) = (store.path().to_owned(), job.name.clone());
            return Err(explain(Error::SessionExists { path, name }, self.target, job));
        }
        if holding.has_key && dcs_with_keys(account).is_empty() && !self.args.lose_login {
            return Err(Failure::Refused(format!(
                "{}: it has no auth key, and session {:?} of {} is logged in; --lose-login replaces \
                 it all the same",
                job.origin.path().display(),
                job.name,
                self.target.display()
            )));
        }
        let line = holding.confirm(store, "replace", self.args.yes || self.args.dry_run)?;
        if !self.brief {
            output::say(&line);
        }
        Ok(true)
    }

    fn note_keys(&self, store: &Store) -> Outcome {
        let mut keys = self.keys.borrow_mut();
        for name in store.list()? {
            for key in
                store.open_session(&name)?.dcs()?.iter().filter_map(|dc| dc.auth_key.as_ref())
            {
                let holder = format!("session {name:?} of {}", store.path().display());
                keys.insert(key.id(), (holder, name.clone()));
            }
        }
        Ok(())
    }

    /// A warning where another session holds the same auth key.
    fn same_key(&self, job: &Job, account: &Account) -> Option<String> {
        let mut keys = self.keys.borrow_mut();
        let mut warning = None;
        for key in account.dcs.iter().filter_map(|dc| dc.auth_key.as_ref()) {
            let holder = (job.origin.path().display().to_string(), job.name.clone());
            match keys.insert(key.id(), holder) {
                Some((other, name)) if name != job.name => {
                    warning = Some(format!(
                        "the same auth key as {other}: use only one of the two, Telegram revokes a \
                         key that two clients use at once"
                    ));
                }
                _ => {}
            }
        }
        warning
    }

    fn tell(&self, imported: &Imported) {
        if !self.brief {
            output::say(&imported.summary());
            notes(&imported.path, &imported.notes).iter().for_each(|line| output::say(line));
        }
    }

    /// Of many warnings the first ten, and how many more there are.
    fn warn(&self) {
        let warnings = self.imported.iter().flat_map(|imported| {
            let path = imported.path.display();
            imported.warnings.iter().map(move |warning| format!("{path}: {warning}"))
        });
        let warnings: Vec<_> = warnings.collect();
        warnings.iter().take(WARNINGS).for_each(|warning| output::warn(warning));
        let more = warnings.len().saturating_sub(WARNINGS);
        if more > 0 {
            output::warn(&format!("{more} more sessions have the auth key of another session"));
        }
    }

    /// The table, the count, and the report for programs.
    fn close(&self, failures: &Failures) -> Outcome {
        table::say(&self.imported, failures);
        self.warn();
        let (imported, existing) = (self.imported.len(), self.existing.len());
        let several = imported > 0 && imported + failures.len() > 1;
        if several || existing > 0 {
            let of =
                |fits: fn(&Imported) -> bool| self.imported.iter().filter(|one| fits(one)).count();
            let counts = [
                (of(|one| one.replaced), "replaced"),
                (if self.brief { of(|one| !one.notes.is_empty()) } else { 0 }, "with notes"),
                (existing, "already there"),
                (failures.len(), "failed"),
            ];
            let counts = counts.iter().filter(|(number, _)| *number > 0);
            let counts = counts.map(|(number, what)| format!("{number} {what}"));
            let parts: Vec<_> =
                [format!("{imported} imported")].into_iter().chain(counts).collect();
            output::say(&format!("{}: {}", self.target.display(), parts.join(", ")));
        }
        if self.args.dry_run {
            output::say("dry run: nothing was written");
        }
        if self.args.json {
            let dry = self.args.dry_run;
            let exists = |(path, name): &(PathBuf, String)| {
                (path.clone(), format!("the store already holds a session named {name:?}"))
            };
            let skipped: Vec<_> =
                self.skipped.iter().cloned().chain(self.existing.iter().map(exists)).collect();
            let report = outcome::report(self.target, dry, &self.imported, &skipped, failures);
            let mut out = output::results();
            writeln!(out, "{report:#}")?;
            out.flush()?;
        }
        Ok(())
    }
}

const WARNINGS: usize = 10;

/// What an import would bring in, without a store to bring it to.
fn counted(
    entities: impl Iterator<Item = tgsession::Result<Entity>>,
) -> tgsession::Result<ImportReport> {
    let mut report = ImportReport::default();
    for entity in entities {
        let entity = entity?;
        report.entities += 1;
        report.usernames += entity.usernames.len() as u64;
        report.phones += u64::from(entity.phone.is_some());
    }
    Ok(report)
}

/// The library does not know what the tool calls its ways out, nor the path behind a name.
fn explain(error: Error, target: &Path, job: &Job) -> Failure {
    match error {
        Error::SessionExists { name, .. } => Failure::Refused(format!(
            "{}: already holds a session named {name:?}; give --replace, --skip-existing, or another \
             name with --as",
            target.display()
        )),
        Error::BadName { .. } => Failure::Refused(format!(
            "{}: {error}; give it another with --as",
            job.origin.path().display()
        )),
        error => error.into(),
    }
}

/// More notes than this would push the summary off the screen.
const NOTES: usize = 20;

fn notes(source: &Path, notes: &[String]) -> Vec<String> {
    let mut lines: Vec<_> =
        notes.iter().take(NOTES).map(|note| format!("  note: {note}")).collect();
    let more = notes.len().saturating_sub(NOTES);
    if more > 0 {
        let path = source.display();
        lines.push(format!("  and {more} more: tgsession dump {path} shows all"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_notes_twenty_are_shown_and_the_rest_is_counted() {
        let all: Vec<_> = (0..22).map(|row| format!("row {row}")).collect();
        let lines = notes(Path::new("a.session"), &all);
        assert_eq!(lines.len(), 21);
        assert_eq!(lines.first().map(String::as_str), Some("  note: row 0"));
        let last = "  and 2 more: tgsession dump a.session shows all";
        assert_eq!(lines.last().map(String::as_str), Some(last));
        assert_eq!(notes(Path::new("a.session"), all.get(..20).unwrap_or_default()).len(), 20);
    }
}
