//! The crate's one error: what was being done, to which path, what was found, what to do next.

mod key;

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::{fmt, io};

pub use self::key::KeyError;
use crate::file::{FileDamage, LockHolder};
use crate::record::RecordError;
use crate::sqlite::SqliteError;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done.
///
/// The text names the path, what was found and what to do; a lower error, where there is one, is
/// in [`source`](StdError::source) and not repeated in the text. No text holds a secret.
///
/// ```
/// use tgsession::{Error, ErrorKind, Store};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts.tgsession");
/// let error = Store::open(&path).unwrap_err();
/// match error.kind() {
///     ErrorKind::NotFound => println!("create it first: {error}"),
///     ErrorKind::Busy => println!("try again later: {error}"),
///     ErrorKind::Damaged => println!("repair it: {error}"),
///     _ => println!("{error}"),
/// }
/// assert!(matches!(error, Error::NotFound { path: missing } if missing == path));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation on a file.
    Io {
        /// What was being done, as "to `doing` PATH".
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such file, or no such folder to put one in.
    NotFound {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// There is a file already, and nothing here overwrites one.
    AlreadyExists {
        /// The path that was to be created.
        path: PathBuf,
    },
    /// Another handle has the file open for writing, or keeps reading what was to be moved.
    Busy {
        /// The file.
        path: PathBuf,
        /// The process that has it open for writing, where that is known.
        holder: Option<LockHolder>,
    },
    /// The path names another file by now, or none. Nothing was written: open the store again.
    Replaced {
        /// The store.
        path: PathBuf,
    },
    /// The store was opened before this process was forked. Only the process that opened it may
    /// write: open the store after the fork.
    Forked {
        /// The store.
        path: PathBuf,
    },
    /// The file was opened for reading only.
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// The file is something else than was asked for.
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What it is, as in "it is `found`".
        found: String,
        /// What was expected and what to do.
        hint: &'static str,
    },
    /// The file was written by a newer release. It has not been touched.
    Newer {
        /// The file.
        path: PathBuf,
        /// What has a version: "store format", "Telethon schema".
        what: &'static str,
        /// The version found.
        found: i64,
        /// The newest that this build reads.
        newest: i64,
    },
    /// The file was written by a build from before the first release.
    Older {
        /// The file.
        path: PathBuf,
        /// What has a version: "store format".
        what: &'static str,
        /// The version found.
        found: i64,
    },
    /// The bytes of the file are not what its format says.
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A session's auth key cannot be one.
    BadAuthKey {
        /// The file.
        path: PathBuf,
        /// The DC.
        dc: i32,
        /// The value found: "255 bytes", "text".
        found: String,
    },
    /// It is sealed under a passphrase, and none was given.
    NeedsPassphrase {
        /// The file or folder.
        path: PathBuf,
        /// What opens it, after "give".
        what: &'static str,
    },
    /// The passphrase does not open it; damage cannot be told from that.
    WrongPassphrase {
        /// The file or folder.
        path: PathBuf,
    },
    /// The key of an encrypted store is missing or wrong, or cannot be changed like that.
    Key {
        /// The store.
        path: PathBuf,
        /// The reason.
        why: KeyError,
    },
    /// The store holds no session of this name.
    NoSession {
        /// The store.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
    },
    /// The store holds a session of this name already.
    SessionExists {
        /// The store.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// This cannot be the name of a session.
    BadName {
        /// The name.
        name: String,
    },
    /// This cannot be a small value of a client's own. Nothing was written.
    BadExtra {
        /// Its name, or how that begins.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A format needs something that the session does not say.
    Lacks {
        /// The format.
        format: &'static str,
        /// What it needs.
        what: &'static str,
    },
    /// A session has something that a format cannot hold, and was not exported.
    Unfit {
        /// The format.
        format: &'static str,
        /// What does not fit, in words.
        why: String,
    },
    /// An export would leave something out, and nothing was to be left out. Nothing was written.
    Lossy {
        /// The format.
        format: &'static str,
        /// How many values it has no place for.
        count: u64,
        /// The fields.
        what: String,
    },
    /// A value is larger than a store can hold.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The largest length in bytes that fits.
        most: usize,
    },
    /// The engine under the store failed in a way that is no damage.
    Engine {
        /// The store.
        path: PathBuf,
        /// What it said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Another implementation of [`Session`](crate::Session) or
    /// [`Storage`](crate::storage::Storage) failed.
    Other(Box<dyn StdError + Send + Sync>),
}

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Look for another path or name.
    NotFound,
    /// The request was understood and refused; nothing was changed.
    Refused,
    /// The input is damaged.
    Damaged,
    /// Try again later.
    Busy,
    /// The operating system or the engine failed.
    Failed,
}

impl Error {
    /// The error of a storage that is not of this crate. Its text must hold no secret.
    ///
    /// ```
    /// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    /// let error = tgsession::Error::other(refused);
    /// assert_eq!(error.kind(), tgsession::ErrorKind::Failed);
    /// assert!(std::error::Error::source(&error).is_some());
    /// ```
    pub fn other(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Other(source.into())
    }

    /// What can be done about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::NoSession { .. } => ErrorKind::NotFound,
            Self::Busy { .. } => ErrorKind::Busy,
            Self::Damaged { .. } | Self::BadAuthKey { .. } => ErrorKind::Damaged,
            Self::Io { .. } | Self::Engine { .. } | Self::Other(_) => ErrorKind::Failed,
            _ => ErrorKind::Refused,
        }
    }

    /// Whether the same call may succeed later with nothing changed by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind() == ErrorKind::Busy
    }

    /// An I/O error while `doing` something to `path`; a missing file becomes
    /// [`Error::NotFound`] and one in the way [`Error::AlreadyExists`].
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::AlreadyExists => Self::AlreadyExists { path },
            _ => Self::Io { doing, path, source },
        }
    }

    pub(crate) fn damaged(path: &Path, source: impl Into<DamagedPart>) -> Self {
        Self::Damaged { path: path.to_owned(), source: Box::new(source.into()) }
    }
}

const FORKED: &str = "the handle was opened by the parent process, and only the parent may write with it; \
                      close the store before the fork, and open it in the child";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, path, .. } => write!(f, "cannot {doing} {}", path.display()),
            Self::NotFound { path } => write!(f, "{}: no such file or folder", path.display()),
            Self::AlreadyExists { path } => {
                write!(f, "{}: the file already exists; nothing was written", path.display())
            }
            Self::Busy { path, holder } => fmt_busy(f, path, holder.as_ref()),
            Self::ReadOnly { path } => {
                write!(f, "{}: opened for reading only; open it for writing", path.display())
            }
            Self::WrongKind { path, found, hint } => {
                write!(f, "{}: it is {found}; {hint}", path.display())
            }
            Self::Newer { path, what, found, newest } => write!(
                f,
                "{}: {what} {found} is newer than the {newest} that this build reads; update tgsession",
                path.display()
            ),
            Self::Damaged { path, .. } => write!(f, "{}: the file is damaged", path.display()),
            Self::BadAuthKey { path, dc, found } => write!(
                f,
                "{}: the auth key of DC {dc} is {found}, and a key has 256 bytes; log in again or find an undamaged copy",
                path.display()
            ),
            Self::NeedsPassphrase { path, what } => {
                write!(f, "{}: it is encrypted; give {what} to open it", path.display())
            }
            Self::WrongPassphrase { path } => write!(
                f,
                "{}: this passphrase does not open it; check the passphrase, then whether the file is whole",
                path.display()
            ),
            Self::Key { path, why } => write!(f, "{}: {why}", path.display()),
            Self::NoSession { path, name } => {
                write!(f, "{}: there is no session named {name:?}", path.display())
            }
            Self::SessionExists { path, name } => write!(
                f,
                "{}: there is a session named {name:?} already; replace it explicitly or take another name",
                path.display()
            ),
            Self::Replaced { path } => write!(
                f,
                "{}: the file was replaced or deleted while it was open; nothing was written, open it again",
                path.display()
            ),
            Self::Forked { path } => write!(f, "{}: {FORKED}", path.display()),
            Self::Older { path, what, found } => write!(
                f,
                "{}: {what} {found} predates the first release and is not supported; export its sessions with the build that wrote it",
                path.display()
            ),
            Self::Engine { path, .. } => write!(
                f,
                "{}: internal error of the storage engine; run `tgsession check`, and report it",
                path.display()
            ),
            _ => self.fmt_without_path(f),
        }
    }
}

impl Error {
    /// The text of an error that has no path.
    fn fmt_without_path(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks { format, what } => {
                write!(f, "{format} needs {what}, which the session does not have")
            }
            Self::Unfit { format, why } => write!(f, "{format} cannot hold this session: {why}"),
            Self::Lossy { format, count, what } => write!(
                f,
                "{format} has no place for {count} values of this session ({what}); nothing was written"
            ),
            Self::BadName { name } => write!(
                f,
                "{name:?} cannot name a session: a name has 1 to 255 bytes and no control characters"
            ),
            Self::BadExtra { name, why } => write!(f, "the extra {name:?} is refused: {why}"),
            Self::TooLarge { what, most } => write!(
                f,
                "{what} is larger than {most} bytes, the limit of a store; nothing was written"
            ),
            _ => f.write_str("the session's storage failed"),
        }
    }
}

fn fmt_busy(f: &mut fmt::Formatter<'_>, path: &Path, holder: Option<&LockHolder>) -> fmt::Result {
    let path = path.display();
    match holder {
        Some(holder) if holder.process == std::process::id() => write!(
            f,
            "{path}: this process has it open for writing already; use that handle, or close it first"
        ),
        Some(holder) => write!(
            f,
            "{path}: {holder}, has it open for writing; stop that process, or wait and try again"
        ),
        None => write!(
            f,
            "{path}: another process is using it; stop that process, or wait and try again"
        ),
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Damaged { source, .. } | Self::Engine { source, .. } | Self::Other(source) => {
                Some(source.as_ref())
            }
            _ => None,
        }
    }
}

impl From<Box<dyn StdError + Send + Sync>> for Error {
    fn from(source: Box<dyn StdError + Send + Sync>) -> Self {
        Self::Other(source)
    }
}

/// What exactly is damaged in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DamagedPart {
    /// Header, log, segments or base of a store.
    File(FileDamage),
    /// A record of a store's table.
    Record { table: &'static str, key: String, error: RecordError },
    /// An index row and the entity it names do not agree.
    Index { table: &'static str, key: String, why: &'static str },
    /// The redb database of a store.
    Base(String),
    /// A file that is neither a store nor a SQLite file: what is wrong in it, in words.
    Format(String),
    /// A SQLite file.
    Sqlite { table: Option<String>, error: SqliteError },
}

impl fmt::Display for DamagedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(damage) => damage.fmt(f),
            Self::Record { table, key, error } => write!(f, "table {table}, key {key}: {error}"),
            Self::Index { table, key, why } => write!(f, "table {table}, key {key}: {why}"),
            Self::Base(text) | Self::Format(text) => f.write_str(text),
            Self::Sqlite { table: Some(table), error } => write!(f, "table {table}: {error}"),
            Self::Sqlite { table: None, error } => error.fmt(f),
        }
    }
}

impl StdError for DamagedPart {}

impl From<FileDamage> for DamagedPart {
    fn from(damage: FileDamage) -> Self {
        Self::File(damage)
    }
}
