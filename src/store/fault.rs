//! What can go wrong inside a transaction, before the store's path is put to it.

use std::io;

use crate::error::{Damaged, Error};
use crate::record::RecordError;

/// The result of a step within a transaction.
pub(super) type Step<T> = Result<T, Fault>;

/// A failure within a transaction.
#[derive(Debug)]
pub(super) enum Fault {
    /// redb said so.
    Redb(redb::Error),
    /// redb panicked, saying this.
    Panic(String),
    /// A record, key or index is not as it must be.
    Damaged(Damaged),
    /// The handle is not used any more.
    Dead,
    /// It is said already.
    Ours(Error),
}

impl Fault {
    /// A record of `table` that does not decode. The key is shown as hexadecimal digits.
    pub(super) fn record(table: &'static str, key: &[u8], error: RecordError) -> Self {
        Self::Damaged(Damaged::Record { table, key: shown(key), error })
    }

    pub(super) fn index(table: &'static str, key: &[u8], why: &'static str) -> Self {
        Self::Damaged(Damaged::Index { table, key: shown(key), why })
    }
}

/// A key as text: its bytes in hexadecimal, since text keys may hold what is nobody's business.
pub(super) fn shown(key: &[u8]) -> String {
    use std::fmt::Write;
    key.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Redb(redb::Error::Io(error))
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Fault {
            fn from(error: redb::$error) -> Self {
                Self::Redb(error.into())
            }
        })*
    };
}

from_redb!(StorageError, TableError, TransactionError, CommitError, DatabaseError, CursorError);
