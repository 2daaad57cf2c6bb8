//! Errors inside the engine, before the path of the store is added.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::error::{DamagedPart, Error};
use crate::file::FileDamage;
use crate::record::RecordError;
use crate::segment::SegmentError;

/// A result inside the engine.
pub(crate) type EngineResult<T> = Result<T, EngineError>;

/// A failure inside the engine.
#[derive(Debug)]
pub(crate) enum EngineError {
    /// redb said so.
    Redb(redb::Error),
    /// redb panicked, saying this.
    Panic(String),
    /// A record, key or index is not as it must be.
    Damaged(DamagedPart),
    /// A part of the file is damaged.
    File(FileDamage),
    /// The disk failed, or [`Damage`] was met on the way.
    Disk(io::Error),
    /// An error that names the path already.
    Ours(Error),
}

impl EngineError {
    /// A record of `table` that does not decode. The key is shown as hexadecimal digits.
    pub(crate) fn record(table: &'static str, key: &[u8], error: RecordError) -> Self {
        Self::Damaged(DamagedPart::Record { table, key: shown(key), error })
    }

    pub(crate) fn index(table: &'static str, key: &[u8], why: &'static str) -> Self {
        Self::Damaged(DamagedPart::Index { table, key: shown(key), why })
    }
}

/// A key as text: its bytes in hexadecimal, since text keys may hold names and phone numbers.
pub(crate) fn shown(key: &[u8]) -> String {
    use std::fmt::Write;
    key.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl From<Error> for EngineError {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<FileDamage> for EngineError {
    fn from(damage: FileDamage) -> Self {
        Self::File(damage)
    }
}

impl From<SegmentError> for EngineError {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::Io(error) => Self::Disk(error),
            SegmentError::Damage(damage) => Self::File(damage),
            SegmentError::Record(key, error) => Self::record("entities", &key, error),
        }
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for EngineError {
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

impl EngineError {
    /// The error as an error about this store.
    pub(crate) fn at(self, path: &Path) -> Error {
        match self {
            Self::Ours(error) => error,
            Self::Damaged(damaged) => Error::damaged(path, damaged),
            Self::File(damage) => Error::damaged(path, damage),
            Self::Disk(source) | Self::Redb(redb::Error::Io(source)) => match damage_in(&source) {
                Some(damage) => Error::damaged(path, damage),
                None => Error::io("read or write", path, source),
            },
            Self::Redb(redb::Error::Corrupted(text)) | Self::Panic(text) => {
                Error::damaged(path, DamagedPart::Base(format!("the base: {text}")))
            }
            Self::Redb(other) => Error::Engine { path: path.to_owned(), source: Box::new(other) },
        }
    }

    /// The number of the segment whose bytes are at fault, if they are.
    pub(crate) fn damaged_segment(&self) -> Option<u64> {
        let damage = match self {
            Self::File(damage) => Some(*damage),
            Self::Disk(error) => damage_in(error),
            _ => None,
        };
        match damage {
            Some(FileDamage::Segment { number, .. }) => Some(number),
            _ => None,
        }
    }

    /// Whether the bytes of the file are at fault, and not the disk or the caller.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::File(_) | Self::Panic(_) => true,
            Self::Redb(error) => matches!(error, redb::Error::Corrupted(_)),
            Self::Disk(error) => damage_in(error).is_some(),
            Self::Ours(error) => matches!(error, Error::Damaged { .. }),
        }
    }
}

/// The damage that an I/O error carries.
fn damage_in(error: &io::Error) -> Option<FileDamage> {
    error.get_ref()?.downcast_ref::<FileDamage>().copied()
}

/// Runs `work`; a panic in it becomes an error. A program that aborts on a panic cannot catch one, so
/// `layout_check` refuses everything that is known to make redb panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> EngineResult<T>) -> EngineResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        #[cfg(test)]
        CAUGHT.set(CAUGHT.get() + 1);
        Err(EngineError::Panic(said(&panic)))
    })
}

#[cfg(test)]
thread_local! {
    static CAUGHT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How many panics this thread has caught.
#[cfg(test)]
pub(crate) fn caught_panics() -> u64 {
    CAUGHT.get()
}

fn said(panic: &Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// What an error's source says, which is what is wrong; the path is known here.
pub(crate) fn said_by(error: &Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}
