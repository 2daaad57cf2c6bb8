//! Anything that sessions can be read from, whatever wrote it.

use std::path::{Path, PathBuf};

use crate::error::{Damaged, Error, Result};
use crate::format::{Notes, Parsed, ParsedSession, SqliteFile};
use crate::session::Session;
use crate::sqlite;
use crate::store::{CheckReport, SessionView, Store};
use crate::types::{Account, Entity};

mod lookup;
mod open;
mod session;
#[cfg(feature = "convert")]
mod small;

pub use self::lookup::Lookup;
pub use self::open::SourceOptions;
use self::session::Entities;
pub use self::session::SourceSession;

/// A file with sessions in it: a store or the session file of another client. What it is is told
/// from its content, never from its name.
///
/// Nothing is written to it. A legacy file is locked as its own readers lock it while this is
/// open, and may be in use by a running client.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Store(Store),
    Sqlite(Box<SqliteFile>),
    Parsed(Parsed),
}

impl Source {
    /// Opens a file for reading: [`SourceOptions::open`] with nothing set.
    ///
    /// # Errors
    ///
    /// Those of [`SourceOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        SourceOptions::new().open(path)
    }

    /// What it is and in which version, as dumps say it: `telethon-sqlite v7`, `tgsession v1`.
    #[must_use]
    pub fn form(&self) -> String {
        match &self.inner {
            Inner::Store(_) => format!("tgsession v{}", crate::file::FORMAT_VERSION),
            Inner::Sqlite(file) => file.form().to_owned(),
            Inner::Parsed(parsed) => parsed.form.clone(),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a store of ours.
    #[must_use]
    pub fn is_store(&self) -> bool {
        matches!(self.inner, Inner::Store(_))
    }

    /// The names of the sessions in it, sorted. The only session of a legacy file is named as the
    /// file without its extension.
    ///
    /// # Errors
    ///
    /// Those of reading it.
    pub fn session_names(&self) -> Result<Vec<String>> {
        let mut names = match &self.inner {
            Inner::Store(store) => return store.list(),
            Inner::Sqlite(file) => file.sessions()?.unwrap_or_else(|| vec![self.stem()]),
            Inner::Parsed(parsed) => {
                parsed.sessions.iter().map(|session| self.name_of(session)).collect()
            }
        };
        names.sort();
        Ok(names)
    }

    /// One session: everything but its entities at once, the entities as it is iterated.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::BadAuthKey`], [`Error::Damaged`].
    pub fn session(&self, name: &str) -> Result<SourceSession<'_>> {
        let (account, entities) = match &self.inner {
            Inner::Store(store) => {
                // Account and entities are of one moment.
                let session = store.read_view()?.session(name)?;
                (account_of(&session)?, Entities::of_store(session))
            }
            Inner::Sqlite(file) => {
                self.check_name(name)?;
                let (account, notes) = file.account(name)?;
                (account, Entities::Sqlite(Box::new(file.entities(name, notes)?)))
            }
            Inner::Parsed(parsed) => {
                let session = self.parsed(parsed, name)?;
                (session.account.clone(), Entities::Parsed(session.entities.iter(), &session.notes))
            }
        };
        Ok(SourceSession { name: name.to_owned(), account, entities })
    }

    /// The entity of a session that is found by this: in a store by its indexes, else by reading
    /// all. Where several of a legacy file fit, the one seen last is meant, and on a tie the one
    /// with the smallest marked id.
    ///
    /// # Errors
    ///
    /// Those of [`Source::session`].
    pub fn entity(&self, name: &str, by: &Lookup) -> Result<Option<Entity>> {
        match &self.inner {
            Inner::Store(store) => lookup::in_store(&store.read_view()?.session(name)?, by),
            Inner::Sqlite(file) => {
                self.check_name(name)?;
                lookup::in_all(|| file.entities(name, Notes::default()), by)
            }
            Inner::Parsed(parsed) => {
                let session = self.parsed(parsed, name)?;
                lookup::in_all(|| Ok(session.entities.iter().cloned().map(Ok)), by)
            }
        }
    }

    /// Reads everything there is and says what is wrong with it.
    ///
    /// # Errors
    ///
    /// Only when the check could not be made; what it found is in the report.
    pub fn check(&self) -> Result<CheckReport> {
        match &self.inner {
            Inner::Store(store) => store.check(),
            Inner::Sqlite(file) => self.check_sqlite(file),
            Inner::Parsed(parsed) => Ok(CheckReport {
                sessions: parsed.sessions.len() as u64,
                entities: parsed.sessions.iter().map(|one| one.entities.len() as u64).sum(),
                ..CheckReport::default()
            }),
        }
    }

    fn check_sqlite(&self, file: &SqliteFile) -> Result<CheckReport> {
        let names = self.session_names()?;
        let mut report = CheckReport { sessions: names.len() as u64, ..CheckReport::default() };
        for table in file.db().all() {
            check_table(file, table, &mut report);
        }
        for name in names {
            match self.session(&name) {
                Ok(session) => {
                    report.entities += session.filter(|entity| entity.is_ok()).count() as u64;
                }
                Err(error) => report.problem(error.to_string()),
            }
        }
        Ok(report)
    }

    fn name_of(&self, session: &ParsedSession) -> String {
        session.name.clone().unwrap_or_else(|| self.stem())
    }

    fn parsed<'a>(&self, parsed: &'a Parsed, name: &str) -> Result<&'a ParsedSession> {
        let found = parsed.sessions.iter().find(|session| self.name_of(session) == name);
        let session = found.ok_or_else(|| self.no_session(name))?;
        match &session.unreadable {
            Some(why) => Err(Error::damaged(&self.path, Damaged::Form(why.clone()))),
            None => Ok(session),
        }
    }

    fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn check_name(&self, name: &str) -> Result<()> {
        let known = self.session_names()?.iter().any(|known| known == name);
        if known { Ok(()) } else { Err(self.no_session(name)) }
    }

    fn no_session(&self, name: &str) -> Error {
        Error::NoSession { path: self.path.clone(), name: name.to_owned() }
    }
}

fn check_table(file: &SqliteFile, table: &sqlite::Table, report: &mut CheckReport) {
    let name = table.name();
    let mut last = None;
    for row in file.db().rows(table) {
        let rowid = row.as_ref().ok().and_then(sqlite::Row::rowid);
        if let (Some(before), Some(now)) = (last, rowid)
            && now <= before
        {
            report.problem(format!("table {name}: row {now} comes behind row {before}"));
        }
        last = rowid;
        let mut columns = 0..table.columns().len();
        let read = row.and_then(|row| columns.try_for_each(|at| row.get(at).map(drop)));
        match read {
            Ok(()) => report.records += 1,
            Err(error) => report.problem(format!("table {name}: {error}")),
        }
    }
}

fn account_of(session: &SessionView) -> Result<Account> {
    Ok(Account {
        login: session.login()?,
        dcs: session.dcs()?,
        update_state: session.update_state()?,
        channel_states: session.channel_states()?,
        sent_files: session.sent_files()?,
    })
}
