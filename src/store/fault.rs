//! What can go wrong inside a transaction, before the store's path is put to it.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::error::{Damaged, Error};
use crate::file::Damage;
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
    /// A part of the file is not what was written there.
    Block(Damage),
    /// The disk failed while a run was read or written.
    Disk(io::Error),
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

from_redb!(
    StorageError,
    TableError,
    TransactionError,
    CommitError,
    DatabaseError,
    CursorError,
    CompactionError
);

impl Fault {
    /// The fault as an error about this store; `damage` is what its blocks have shown so far.
    pub(super) fn at(self, path: &Path, damage: Option<Damage>) -> Error {
        let path_buf = || path.to_owned();
        match (self, damage) {
            (Self::Ours(error), _) => error,
            (Self::Damaged(damaged), _) => Error::damaged(path, damaged),
            (Self::Block(damage), _) => Error::damaged(path, damage),
            (Self::Disk(source), _) => match damage_in(&source) {
                Some(damage) => Error::damaged(path, damage),
                None => Error::io("read or write", path, source),
            },
            (Self::Panic(_) | Self::Redb(redb::Error::Corrupted(_)), Some(damage)) => {
                Error::damaged(path, damage)
            }
            (Self::Redb(redb::Error::Corrupted(text)), None) => {
                Error::damaged(path, Damaged::Engine(text))
            }
            (Self::Panic(text), None) => Error::Engine { path: path_buf(), source: text.into() },
            (Self::Dead | Self::Redb(redb::Error::PreviousIo), _) => {
                Error::Dead { path: path_buf() }
            }
            (Self::Redb(redb::Error::DatabaseAlreadyOpen), _)
            | (Self::Redb(redb::Error::LockProtocolMismatch), _)
            | (Self::Redb(redb::Error::TransactionInProgress), _) => {
                Error::Busy { path: path_buf() }
            }
            (Self::Redb(redb::Error::Io(source)), _) => match damage_in(&source) {
                Some(damage) => Error::damaged(path, damage),
                None => Error::io("read or write", path, source),
            },
            (Self::Redb(other), _) => Error::Engine { path: path_buf(), source: Box::new(other) },
        }
    }
}

/// The damage that our own blocks reported through redb as an I/O error.
fn damage_in(error: &io::Error) -> Option<Damage> {
    error.get_ref()?.downcast_ref::<Damage>().copied()
}

/// Runs `work`; a panic in it becomes a fault.
pub(super) fn caught<T>(work: impl FnOnce() -> Step<T>) -> Step<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Fault::Panic(said(&panic))))
}

fn said(panic: &Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// What an error's source says, which is what is wrong; the path is known here.
pub(super) fn said_by(error: &Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}
