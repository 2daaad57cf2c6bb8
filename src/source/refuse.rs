//! The errors for files that are no sessions, or cannot be opened.

use std::path::Path;

use crate::error::{DamagedPart, Error};
use crate::file::FileKindFound;
use crate::sqlite;

pub(super) fn cut_short(path: &Path) -> Error {
    let error = sqlite::SqliteError::NotADatabase;
    Error::damaged(path, DamagedPart::Sqlite { table: None, error })
}

pub(super) fn wrong_kind(path: &Path, found: FileKindFound) -> Error {
    stranger(path, found.in_words().to_owned())
}

pub(super) fn stranger(path: &Path, found: String) -> Error {
    let hint = "expected a store or a client's session";
    Error::WrongKind { path: path.to_owned(), found, hint }
}

pub(super) fn sqlite_error(path: &Path, error: sqlite::OpenError) -> Error {
    match error {
        sqlite::OpenError::Io { path, source } => Error::io("read", &path, source),
        sqlite::OpenError::Busy => Error::Busy { path: path.to_owned(), holder: None },
        sqlite::OpenError::Damaged(error) => {
            Error::damaged(path, DamagedPart::Sqlite { table: None, error })
        }
        sqlite::OpenError::NotSqlite => {
            let error = sqlite::SqliteError::NotADatabase;
            Error::damaged(path, DamagedPart::Sqlite { table: None, error })
        }
    }
}
