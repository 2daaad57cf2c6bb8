//! A source that is open: its sessions, and what its check says.

use std::path::{Path, PathBuf};

use super::lookup::{self, Lookup};
use super::session::{Entities, Impossible, SourceSession};
use crate::error::{DamagedPart, Error, Result};
use crate::format::sqlite_file::SqliteFile;
use crate::format::{self, Given, Notes, Parsed, ParsedSession, facts, take_given};
use crate::session::{self, Session};
use crate::sqlite;
use crate::store::{CheckReport, Store};
use crate::types::{Entity, Progress};

/// A file with sessions in it: a store or the session file of another client. Its format is
/// recognised by its content, never by its name.
///
/// Nothing is written to it. On Unix, a legacy file is locked as its own readers lock it while this
/// is open, and may be in use by a running client. Elsewhere no lock is taken: stop the client first.
///
/// ```
/// use tgsession::Source;
///
/// let source = Source::open("tests/fixtures/telethon/plain_1.45.0.session")?;
/// assert_eq!(source.format(), "telethon-sqlite v8");
/// for name in source.session_names()? {
///     let session = source.session(&name)?;
///     println!("{name}: home DC {:?}", session.account().login.home_dc);
///     for entity in session {
///         println!("{}", entity?.id);
///     }
/// }
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Debug)]
pub struct Source {
    pub(super) path: PathBuf,
    pub(super) inner: Inner,
    /// The wrappers that were removed, one sentence each.
    pub(super) notes: Vec<String>,
    /// The name of the only session, if it is not that of the path.
    pub(super) stem: Option<String>,
    pub(super) progress: Progress,
    /// Values from the caller, which override those of the source.
    pub(super) given: Given,
}

/// The sessions found in a file or folder.
pub(super) struct Found {
    pub(super) inner: Inner,
    /// As in [`Source`].
    pub(super) notes: Vec<String>,
    pub(super) stem: Option<String>,
}

impl Found {
    /// Sessions that were not wrapped in anything.
    pub(super) fn plain(inner: Inner) -> Self {
        Self { inner, notes: Vec::new(), stem: None }
    }
}

/// One source of several, in an archive.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) source: Source,
    /// Its sessions: the name among all, and that in it.
    pub(super) names: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) enum Inner {
    Store(Store),
    Sqlite(Box<SqliteFile>),
    Parsed(Parsed),
    #[cfg_attr(not(feature = "convert"), expect(dead_code, reason = "no archive is read"))]
    Many(Vec<Member>),
}

impl Source {
    /// The format and its version, as in dumps: `telethon-sqlite v7`, `tgsession v1`.
    #[must_use]
    pub fn format(&self) -> String {
        match &self.inner {
            Inner::Store(_) => format!("tgsession v{}", crate::file::FORMAT_VERSION),
            Inner::Sqlite(file) => file.format().to_owned(),
            Inner::Parsed(parsed) => parsed.format.clone(),
            Inner::Many(members) => {
                let mut formats: Vec<_> = members.iter().map(|one| one.source.format()).collect();
                formats.sort();
                formats.dedup();
                formats.join(", ")
            }
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
            Inner::Many(members) => {
                let names = members.iter().flat_map(|member| &member.names);
                names.map(|(name, _)| name.clone()).collect()
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
        let (mut account, entities) = match &self.inner {
            Inner::Store(store) => {
                // Account and entities are read at one moment.
                let session = store.read_view()?.session(name)?;
                (session.account()?, Entities::Store(Box::new(session::Entities::of(session))))
            }
            Inner::Sqlite(file) => {
                self.check_name(name)?;
                let (account, notes) = file.account(name)?;
                (account, Entities::Sqlite(Box::new(format::Entities::of(file, name, notes)?)))
            }
            Inner::Parsed(parsed) => {
                let session = self.parsed(parsed, name)?;
                (session.account.clone(), Entities::Parsed(session.entities.iter(), &session.notes))
            }
            Inner::Many(members) => {
                let (source, inner) = self.member(members, name)?;
                let mut session = source.session(inner)?;
                name.clone_into(&mut session.name);
                session.notes.extend_from_slice(&self.notes);
                return Ok(session);
            }
        };
        let (name, mut notes) = (name.to_owned(), self.notes.clone());
        take_given(&mut account, self.given, &mut notes);
        let doubts = facts::look_at(&mut account);
        let impossible = Impossible::default();
        Ok(SourceSession { name, account, entities, notes, doubts, impossible })
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
                lookup::in_all(|| format::Entities::of(file, name, Notes::default()), by)
            }
            Inner::Parsed(parsed) => {
                let session = self.parsed(parsed, name)?;
                lookup::in_all(|| Ok(session.entities.iter().cloned().map(Ok)), by)
            }
            Inner::Many(members) => {
                let (source, inner) = self.member(members, name)?;
                source.entity(inner, by)
            }
        }
    }

    /// Reads everything and reports all damage.
    ///
    /// # Errors
    ///
    /// Only if the check itself fails; what it finds is in the report.
    pub fn check(&self) -> Result<CheckReport> {
        match &self.inner {
            Inner::Store(store) => store.check(),
            Inner::Sqlite(file) => self.check_sqlite(file),
            Inner::Parsed(parsed) => {
                let entities = parsed.sessions.iter().map(|one| one.entities.len() as u64).sum();
                let sessions = parsed.sessions.len() as u64;
                let mut report = CheckReport { sessions, entities, ..CheckReport::default() };
                let unreadable = parsed.sessions.iter().filter_map(|one| one.unreadable.clone());
                unreadable.for_each(|why| report.problem(why));
                Ok(report)
            }
            Inner::Many(members) => {
                let mut all = CheckReport::default();
                for member in members {
                    let report = member.source.check()?;
                    all.sessions += report.sessions;
                    all.entities += report.entities;
                    all.records += report.records;
                    report.problems.into_iter().for_each(|problem| all.problem(problem));
                }
                Ok(all)
            }
        }
    }

    fn member<'a>(&self, members: &'a [Member], name: &str) -> Result<(&'a Source, &'a str)> {
        let mut all = members.iter().flat_map(|member| {
            member.names.iter().map(move |(own, inner)| (own, &member.source, inner.as_str()))
        });
        let found = all.find(|(own, ..)| *own == name);
        found.map(|(_, source, inner)| (source, inner)).ok_or_else(|| self.no_session(name))
    }

    fn check_sqlite(&self, file: &SqliteFile) -> Result<CheckReport> {
        let names = self.session_names()?;
        let mut report = CheckReport { sessions: names.len() as u64, ..CheckReport::default() };
        let tables = file.db().all().iter();
        self.progress.begin(Some(tables.map(|table| file.db().row_count(table)).sum()));
        for table in file.db().all() {
            check_table(file, table, &self.progress, &mut report);
        }
        for name in names {
            match self.session(&name) {
                Ok(session) => {
                    self.progress.begin(session.entity_count());
                    let entities = session.inspect(|_| self.progress.step());
                    report.entities += entities.filter(Result::is_ok).count() as u64;
                }
                Err(error) => report.problem(error.to_string()),
            }
        }
        Ok(report)
    }

    fn name_of(&self, session: &ParsedSession) -> String {
        match (&session.name, session.number) {
            (Some(name), _) => name.clone(),
            (None, Some(number)) => format!("{}-{number}", self.stem()),
            (None, None) => self.stem(),
        }
    }

    fn parsed<'a>(&self, parsed: &'a Parsed, name: &str) -> Result<&'a ParsedSession> {
        let found = parsed.sessions.iter().find(|session| self.name_of(session) == name);
        let session = found.ok_or_else(|| self.no_session(name))?;
        match &session.unreadable {
            Some(why) => Err(Error::damaged(&self.path, DamagedPart::Format(why.clone()))),
            None => Ok(session),
        }
    }

    fn stem(&self) -> String {
        if let Some(stem) = &self.stem {
            return stem.clone();
        }
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

fn check_table(
    file: &SqliteFile,
    table: &sqlite::Table,
    progress: &Progress,
    report: &mut CheckReport,
) {
    let name = table.name();
    let mut last = None;
    for row in file.db().rows(table) {
        progress.step();
        let rowid = row.as_ref().ok().and_then(sqlite::Row::rowid);
        if let (Some(before), Some(now)) = (last, rowid)
            && now <= before
        {
            report.problem(format!(
                "table {name}: row {now} follows row {before}, so the rows are out of order"
            ));
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
