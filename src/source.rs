//! Anything that sessions can be read from, whatever wrote it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Damaged, Error, Result};
use crate::file::FileKindFound;
use crate::format::telethon::{self, TelethonFile};
use crate::format::{Notes, Tables};
use crate::session::Session;
use crate::session::merge::{fold_phone, fold_username};
use crate::sqlite::{self, Database, Salvage};
use crate::store::{CheckReport, Store, StoreSession};
use crate::types::{Account, Entity, PeerId};

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
    Telethon(Box<TelethonFile>),
}

/// What to find an entity by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// A marked id; if nobody has it, the bare id of a channel, then of a group.
    Id(i64),
    /// A username in any case, with or without `@`.
    Username(String),
    /// A phone number.
    Phone(String),
    /// Exactly this name.
    Name(String),
}

impl Source {
    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::WrongKind`] when nothing here can be read from it,
    /// [`Error::Newer`], [`Error::Busy`] when its client is writing and does not finish,
    /// [`Error::Damaged`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let inner = match kind_of(path)? {
            FileKindFound::Store => Inner::Store(Store::open_read_only(path)?),
            FileKindFound::SqliteCut => {
                let error = sqlite::SqliteError::NotADatabase;
                return Err(Error::damaged(path, Damaged::Sqlite { table: None, error }));
            }
            FileKindFound::Sqlite => {
                let db = Database::open(path, &sqlite::OpenOptions::new());
                let db = db.map_err(|error| sqlite_error(path, error))?;
                Inner::Telethon(Box::new(TelethonFile::new(path, Tables::Whole(db))?))
            }
            other => return Err(wrong_kind(path, other)),
        };
        Ok(Self { path: path.to_owned(), inner })
    }

    /// Opens a damaged legacy file for what is left in it: every row that can still be proven
    /// whole, also from pages that nothing leads to any more and of tables that the schema has
    /// lost. A note says how much could not be saved. An unusable auth key is noted and left out.
    ///
    /// A store needs none of this, and is opened as by [`Source::open`].
    ///
    /// # Errors
    ///
    /// As [`Source::open`]; a file of which nothing can be told is still [`Error::WrongKind`].
    pub fn salvage(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let kind = kind_of(path)?;
        match kind {
            FileKindFound::Store => return Self::open(path),
            // A header that is damaged makes a database look like anything.
            FileKindFound::Sqlite | FileKindFound::SqliteCut | FileKindFound::Unknown => {}
            other => return Err(wrong_kind(path, other)),
        }
        let options = telethon::EXPECTED
            .iter()
            .fold(sqlite::OpenOptions::new(), |options, sql| options.expect_table(sql));
        let salvage = Salvage::open(path, &options).map_err(|error| sqlite_error(path, error))?;
        if kind == FileKindFound::Unknown
            && !salvage.tables().iter().any(|table| salvage.is_in_schema(table))
        {
            return Err(wrong_kind(path, kind));
        }
        let file = TelethonFile::new(path, Tables::Saved(salvage))?;
        Ok(Self { path: path.to_owned(), inner: Inner::Telethon(Box::new(file)) })
    }

    /// What it is and in which version, as dumps say it: `telethon-sqlite v7`, `tgsession v1`.
    #[must_use]
    pub fn form(&self) -> String {
        match &self.inner {
            Inner::Store(_) => format!("tgsession v{}", crate::file::FORMAT_VERSION),
            Inner::Telethon(file) => file.form(),
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

    /// The names of the sessions in it, sorted. A legacy file has one, named as the file without
    /// its extension.
    ///
    /// # Errors
    ///
    /// Those of reading a store.
    pub fn session_names(&self) -> Result<Vec<String>> {
        match &self.inner {
            Inner::Store(store) => store.list(),
            Inner::Telethon(_) => Ok(vec![self.stem()]),
        }
    }

    /// One session: everything but its entities at once, the entities as it is iterated.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::BadAuthKey`], [`Error::Damaged`].
    pub fn session(&self, name: &str) -> Result<SourceSession<'_>> {
        let (account, entities) = match &self.inner {
            Inner::Store(store) => {
                let session = store.open_session(name)?;
                (account_of(&session)?, Entities::of_store(session))
            }
            Inner::Telethon(file) => {
                self.check_name(name)?;
                let (account, notes) = file.account()?;
                (account, Entities::Telethon(Box::new(file.entities(notes))))
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
            Inner::Store(store) => find_in_store(&store.open_session(name)?, by),
            Inner::Telethon(file) => {
                self.check_name(name)?;
                find_in_all(|| file.entities(Notes::default()), by)
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
            Inner::Telethon(file) => Ok(self.check_legacy(file)),
        }
    }

    fn check_legacy(&self, file: &TelethonFile) -> CheckReport {
        let mut report = CheckReport { sessions: 1, ..CheckReport::default() };
        for table in file.db().all() {
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
        match self.session(&self.stem()) {
            Ok(session) => report.entities = session.filter(|entity| entity.is_ok()).count() as u64,
            Err(error) => report.problem(error.to_string()),
        }
        report
    }

    fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn check_name(&self, name: &str) -> Result<()> {
        if name == self.stem() {
            return Ok(());
        }
        Err(Error::NoSession { path: self.path.clone(), name: name.to_owned() })
    }
}

/// One session of a [`Source`]. Iterating it gives its entities in the order of their marked ids.
#[derive(Debug)]
pub struct SourceSession<'a> {
    name: String,
    account: Account,
    entities: Entities<'a>,
}

#[derive(Debug)]
enum Entities<'a> {
    Telethon(Box<telethon::Entities<'a>>),
    Store(Box<StoreEntities>),
}

/// So many entities are taken out of a store at once.
const BATCH: usize = 1_000;

#[derive(Debug)]
struct StoreEntities {
    session: StoreSession,
    after: Option<PeerId>,
    batch: std::vec::IntoIter<Entity>,
    ended: bool,
}

impl SourceSession<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything but the entities.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How many entities there are, where that is known without reading them.
    #[must_use]
    pub fn entity_count(&self) -> Option<u64> {
        match &self.entities {
            Entities::Store(entities) => entities.session.entity_count().ok(),
            Entities::Telethon(_) => None,
        }
    }

    /// What was in the source and is not in the account or the entities read so far, one sentence
    /// each. Complete once the entities have been read to the end.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        match &self.entities {
            Entities::Store(_) => Vec::new(),
            Entities::Telethon(entities) => entities.notes().into_sentences(),
        }
    }
}

impl Iterator for SourceSession<'_> {
    type Item = Result<Entity>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.entities {
            Entities::Telethon(entities) => entities.next(),
            Entities::Store(entities) => entities.next().transpose(),
        }
    }
}

impl Entities<'_> {
    fn of_store(session: StoreSession) -> Self {
        let batch = Vec::new().into_iter();
        Self::Store(Box::new(StoreEntities { session, after: None, batch, ended: false }))
    }
}

impl StoreEntities {
    fn next(&mut self) -> Result<Option<Entity>> {
        if let Some(entity) = self.batch.next() {
            return Ok(Some(entity));
        }
        if self.ended {
            return Ok(None);
        }
        // An error is said once and ends it.
        self.ended = true;
        let batch = self.session.entities(self.after, BATCH)?;
        self.ended = batch.len() < BATCH;
        self.after = batch.last().map(|entity| entity.id);
        self.batch = batch.into_iter();
        Ok(self.batch.next())
    }
}

fn account_of(session: &StoreSession) -> Result<Account> {
    Ok(Account {
        login: session.login()?,
        dcs: session.dcs()?,
        update_state: session.update_state()?,
        channel_states: session.channel_states()?,
        sent_files: session.sent_files()?,
    })
}

fn find_in_store(session: &StoreSession, by: &Lookup) -> Result<Option<Entity>> {
    match by {
        Lookup::Username(username) => session.entity_by_username(username),
        Lookup::Phone(phone) => session.entity_by_phone(phone),
        Lookup::Name(name) => session.entity_by_name(name),
        Lookup::Id(id) => {
            let marked = PeerId::from_marked(*id).map(|id| session.entity(id)).transpose()?;
            match marked.flatten() {
                Some(entity) => Ok(Some(entity)),
                None => session.entity_by_bare_id(*id),
            }
        }
    }
}

/// Reads all entities for the one that is meant; once more for a bare id.
fn find_in_all<I: Iterator<Item = Result<Entity>>>(
    all: impl Fn() -> I,
    by: &Lookup,
) -> Result<Option<Entity>> {
    match by {
        Lookup::Username(username) => {
            let folded = fold_username(username);
            let shows = |name: &String| fold_username(name) == folded;
            newest(all(), |entity| entity.usernames.iter().any(shows))
        }
        Lookup::Phone(phone) => {
            let Some(folded) = fold_phone(phone) else { return Ok(None) };
            newest(all(), |entity| {
                entity.phone.as_deref().and_then(fold_phone).as_ref() == Some(&folded)
            })
        }
        Lookup::Name(name) => first(all(), |entity| entity.name.as_ref() == Some(name)),
        Lookup::Id(id) => {
            for id in [PeerId::from_marked(*id), PeerId::channel(*id), PeerId::group(*id)] {
                let found = first(all(), |entity| Some(entity.id) == id)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        }
    }
}

fn first(
    all: impl Iterator<Item = Result<Entity>>,
    fits: impl Fn(&Entity) -> bool,
) -> Result<Option<Entity>> {
    for entity in all {
        let entity = entity?;
        if fits(&entity) {
            return Ok(Some(entity));
        }
    }
    Ok(None)
}

fn newest(
    all: impl Iterator<Item = Result<Entity>>,
    fits: impl Fn(&Entity) -> bool,
) -> Result<Option<Entity>> {
    let mut newest: Option<Entity> = None;
    for entity in all {
        let entity = entity?;
        if fits(&entity) && newest.as_ref().is_none_or(|newest| entity.date > newest.date) {
            newest = Some(entity);
        }
    }
    Ok(newest)
}

/// Looks at a file's first bytes.
fn kind_of(path: &Path) -> Result<FileKindFound> {
    let failed = |source| Error::io("open", path, source);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a folder" } else { "no ordinary file" };
        let hint = "a session file is expected here";
        return Err(Error::WrongKind { path: path.to_owned(), found: found.to_owned(), hint });
    }
    let mut head = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(64).read_to_end(&mut head).map_err(|source| Error::io("read", path, source))?;
    Ok(FileKindFound::of(&head))
}

fn wrong_kind(path: &Path, found: FileKindFound) -> Error {
    Error::WrongKind {
        path: path.to_owned(),
        found: found.in_words().to_owned(),
        hint: "a store or a Telethon session is expected here",
    }
}

fn sqlite_error(path: &Path, error: sqlite::OpenError) -> Error {
    match error {
        sqlite::OpenError::Io { path, source } => Error::io("read", &path, source),
        sqlite::OpenError::Busy => Error::Busy { path: path.to_owned() },
        sqlite::OpenError::Damaged(error) => {
            Error::damaged(path, Damaged::Sqlite { table: None, error })
        }
        sqlite::OpenError::NotSqlite => {
            let error = sqlite::SqliteError::NotADatabase;
            Error::damaged(path, Damaged::Sqlite { table: None, error })
        }
    }
}
