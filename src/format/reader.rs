//! How the sessions of a client are recognised and read.

#[cfg(feature = "convert")]
use std::path::Path;

#[cfg(feature = "convert")]
use serde_json::Value;

use super::sqlite_file::SqliteFormat;
#[cfg(feature = "convert")]
use super::{Files, Parsed};
#[cfg(feature = "convert")]
use crate::error::{DamagedPart, Error, Result};
#[cfg(feature = "convert")]
use crate::string::Reading;
#[cfg(feature = "convert")]
use crate::types::DcId;

/// One format that sessions are read from.
pub(crate) enum Reader {
    /// A SQLite database, recognised by its tables.
    Sqlite(&'static dyn SqliteFormat),
    /// A binary file, recognised by its first bytes.
    #[cfg(feature = "convert")]
    File {
        /// Whether the first bytes are no accident: then base64 and hex of the file are read too.
        has_magic: bool,
        looks_like: fn(&[u8]) -> bool,
        read: fn(&Path, &[u8], Known<'_>) -> Result<Parsed>,
    },
    /// A folder of files.
    #[cfg(feature = "convert")]
    Folder {
        /// As in "it is ...".
        name: &'static str,
        looks_like: fn(&dyn Files, &Path) -> bool,
        read: fn(&dyn Files, &Path, Known<'_>) -> Result<Parsed>,
    },
    /// A JSON object.
    #[cfg(feature = "convert")]
    Json {
        /// As in "a JSON session of ...".
        name: &'static str,
        looks_like: fn(&Value) -> bool,
        /// The error is in words, without what is in the text.
        read: fn(&Value) -> Result<Parsed, String>,
    },
    /// Text with a beginning or an alphabet of its own; `None` where it is another text.
    #[cfg(feature = "convert")]
    Text(fn(&Path, &str, Known<'_>) -> Option<Result<Parsed>>),
    /// A session string: the bytes under base64.
    #[cfg(feature = "convert")]
    String {
        /// Whether the digit 1 stands before the base64.
        versioned: bool,
        decode: fn(&[u8]) -> Reading,
    },
}

impl Reader {
    /// The client, if it reads SQLite databases.
    pub(crate) fn sqlite(&self) -> Option<&'static dyn SqliteFormat> {
        match self {
            Self::Sqlite(client) => Some(*client),
            #[cfg(feature = "convert")]
            _ => None,
        }
    }
}

/// Values from the caller that are needed to read a source.
#[cfg(feature = "convert")]
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) passphrase: Option<&'a [u8]>,
    pub(crate) dc: Option<DcId>,
}

/// The error for a session of a format that is known, which cannot be read for this reason.
#[cfg(feature = "convert")]
pub(crate) fn damaged(path: &Path, why: String) -> Error {
    Error::damaged(path, DamagedPart::Format(why))
}
