//! Finding out what a file is, and opening it as that.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Inner, Source};
use crate::error::{Damaged, Error, Result};
use crate::file::FileKindFound;
use crate::format::{SqliteFile, Tables, recognise};
use crate::sqlite::{self, Database, Salvage};
use crate::store::Store;

/// How a [`Source`] is opened.
///
/// ```
/// # fn main() -> tgsession::Result<()> {
/// # let path = "tests/fixtures/telethon/v7.session";
/// let source = tgsession::SourceOptions::new().salvage(true).open(path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct SourceOptions {
    salvage: bool,
}

impl SourceOptions {
    /// A file that must be whole and is not sealed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of a damaged SQLite session, takes what is left in it: every row that can still be proven
    /// whole, also from pages that nothing leads to any more and of tables that the schema has
    /// lost. A note says how much could not be saved. An unusable auth key is noted and left out.
    ///
    /// What is not a SQLite session is opened as without this.
    #[must_use]
    pub fn salvage(mut self, salvage: bool) -> Self {
        self.salvage = salvage;
        self
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::WrongKind`] when nothing here can be read from it,
    /// [`Error::Newer`], [`Error::Busy`] when its client is writing and does not finish,
    /// [`Error::Damaged`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Source> {
        let path = path.as_ref();
        let kind = kind_of(path)?;
        let inner = match kind {
            FileKindFound::Store => Inner::Store(Store::open_read_only(path)?),
            // A header that is damaged makes a database look like anything.
            FileKindFound::Sqlite | FileKindFound::SqliteCut | FileKindFound::Unknown
                if self.salvage =>
            {
                Inner::Sqlite(Box::new(salvage(path, kind)?))
            }
            FileKindFound::SqliteCut => {
                let error = sqlite::SqliteError::NotADatabase;
                return Err(Error::damaged(path, Damaged::Sqlite { table: None, error }));
            }
            FileKindFound::Sqlite => {
                let db = Database::open(path, &sqlite::OpenOptions::new());
                let db = Tables::Whole(db.map_err(|error| sqlite_error(path, error))?);
                let client = recognise(&db).map_err(|found| stranger(path, found))?;
                Inner::Sqlite(Box::new(SqliteFile::new(path, db, client)?))
            }
            other => return Err(wrong_kind(path, other)),
        };
        Ok(Source { path: path.to_owned(), inner })
    }
}

/// The tables that a client expects are only known when the client is, and that is told from the
/// tables which the schema still has.
fn salvage(path: &Path, kind: FileKindFound) -> Result<SqliteFile> {
    let open = |options: &sqlite::OpenOptions| {
        let salvage = Salvage::open(path, options).map_err(|error| sqlite_error(path, error))?;
        Ok::<_, Error>(Tables::Saved(salvage))
    };
    let schema = open(&sqlite::OpenOptions::new())?;
    let client = match recognise(&schema) {
        Ok(client) => client,
        Err(_) if kind == FileKindFound::Unknown && schema.all().is_empty() => {
            return Err(wrong_kind(path, kind));
        }
        Err(found) => return Err(stranger(path, found)),
    };
    drop(schema);
    let options = client.expected().iter();
    let options =
        options.fold(sqlite::OpenOptions::new(), |options, sql| options.expect_table(sql));
    SqliteFile::new(path, open(&options)?, client)
}

/// Looks at a file's first bytes.
fn kind_of(path: &Path) -> Result<FileKindFound> {
    let failed = |source| Error::io("open", path, source);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a folder" } else { "no ordinary file" };
        return Err(stranger(path, found.to_owned()));
    }
    let mut head = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(64).read_to_end(&mut head).map_err(|source| Error::io("read", path, source))?;
    Ok(FileKindFound::of(&head))
}

fn wrong_kind(path: &Path, found: FileKindFound) -> Error {
    stranger(path, found.in_words().to_owned())
}

fn stranger(path: &Path, found: String) -> Error {
    let hint = "a store or the session of a client is expected here";
    Error::WrongKind { path: path.to_owned(), found, hint }
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
