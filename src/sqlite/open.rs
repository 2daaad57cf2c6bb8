//! Opening by path: the file, its locks, its `-wal` and `-journal`.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::image::Image;
use super::lock::{self, Lock, Locked};
use super::{SqliteError, journal, wal};

/// How to open a database.
///
/// ```
/// use std::time::Duration;
/// use tgsession::sqlite::{Database, OpenOptions};
///
/// let options = OpenOptions::new().lock_wait(Duration::ZERO).max_memory(1 << 20);
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// assert!(Database::open(path.as_ref(), &options).is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub(super) lock_wait: Duration,
    pub(super) max_memory: u64,
    pub(super) expected: Vec<String>,
}

impl OpenOptions {
    /// A wait of 5 seconds and a gigabyte of memory.
    #[must_use]
    pub fn new() -> Self {
        Self { lock_wait: Duration::from_secs(5), max_memory: 1 << 30, expected: Vec::new() }
    }

    /// How long to wait for a writer before [`OpenError::Busy`].
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// The most bytes to take for a `-wal` or a `-journal`, and for one row on overflow pages.
    ///
    /// The database file itself is mapped and takes none.
    #[must_use]
    pub fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = bytes;
        self
    }
}

impl OpenOptions {
    /// A table that should be there, as `CREATE TABLE` makes it. Only
    /// [`Salvage`](super::Salvage) heeds it: where the schema has lost the table, pages that lead
    /// from nowhere may still be its.
    #[must_use]
    pub fn expect_table(mut self, sql: &str) -> Self {
        self.expected.push(sql.to_owned());
        self
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a database file cannot be opened.
///
/// ```
/// use tgsession::sqlite::{Database, OpenError, OpenOptions};
///
/// match Database::open("README.md".as_ref(), &OpenOptions::new()) {
///     Err(OpenError::NotSqlite) => println!("it is another file"),
///     Err(OpenError::Busy) => println!("stop the client first"),
///     Err(error) => println!("{error}"),
///     Ok(_) => unreachable!("it is a text"),
/// }
/// ```
#[non_exhaustive]
#[derive(Debug)]
pub enum OpenError {
    /// The system says no.
    Io {
        /// The file, which may be the `-wal` or `-journal` of the one asked for.
        path: PathBuf,
        /// The value.
        source: io::Error,
    },
    /// The file is something else than a SQLite database.
    NotSqlite,
    /// It is a SQLite database, and its header or schema is damaged.
    Damaged(SqliteError),
    /// Another process is writing and did not finish in the time given.
    Busy,
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Damaged(source) => Some(source),
            Self::NotSqlite | Self::Busy => None,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::NotSqlite => f.write_str("the file is not a SQLite database"),
            Self::Damaged(_) => f.write_str("the SQLite database is damaged"),
            Self::Busy => f.write_str("another process is writing to the database: try again"),
        }
    }
}

impl From<SqliteError> for OpenError {
    fn from(error: SqliteError) -> Self {
        match error {
            SqliteError::NotADatabase => Self::NotSqlite,
            error => Self::Damaged(error),
        }
    }
}

/// The files beside the main file, as far as they are to be used.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) wal: Option<Vec<u8>>,
    pub(super) journal: Option<Vec<u8>>,
}

/// All that a database is read from.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) main: Image,
    pub(super) beside: Beside,
    pub(super) locks: Vec<Lock>,
}

impl Files {
    /// Bytes that are already here, and need no lock.
    pub(super) fn owned(main: Vec<u8>, wal: Option<Vec<u8>>, journal: Option<Vec<u8>>) -> Self {
        let (main, beside) = (Image::Owned(main), Beside { wal, journal });
        Self { main, beside, locks: Vec::new() }
    }
}

/// Locks and maps the file, and reads its `-wal` or `-journal`.
pub(super) fn gather(path: &Path, options: &OpenOptions) -> Result<Files, OpenError> {
    let until = Instant::now() + options.lock_wait;
    let file = File::open(path).map_err(io_error(path))?;
    let lock = wait(path, file, until, lock::shared)?;
    // A checkpoint may change the length of the file, so this lock is taken before the file is mapped.
    let checkpoint = lock_checkpoint(&beside_of(path, "-shm"), until)?;
    let main = Image::map(lock.file()).map_err(io_error(path))?;
    let reserved = lock::reserved(lock.file()).map_err(io_error(path))?;
    let mut beside = Beside::default();
    if main.len() > 1 {
        if !reserved {
            beside.journal = hot_journal(path, options)?;
        }
        beside.wal = Log { path: beside_of(path, "-wal"), options }.read(until)?;
    }
    Ok(Files { main, beside, locks: [lock].into_iter().chain(checkpoint).collect() })
}

/// Keeps other processes from checkpointing, if there is a `-shm` file.
fn lock_checkpoint(shm: &Path, until: Instant) -> Result<Option<Lock>, OpenError> {
    let file = open_beside(shm)?;
    file.map(|file| wait(shm, file, until, lock::checkpoint)).transpose()
}

/// Tries a lock until it is had or the time is over.
fn wait(
    path: &Path,
    mut file: File,
    until: Instant,
    lock: fn(File) -> io::Result<Locked>,
) -> Result<Lock, OpenError> {
    loop {
        match lock(file).map_err(io_error(path))? {
            Locked::Yes(lock) => return Ok(lock),
            Locked::No(_) if Instant::now() >= until => return Err(OpenError::Busy),
            Locked::No(back) => file = back,
        }
        thread::sleep(RETRY);
    }
}

/// The journal's bytes if it is hot: not empty, not zeroed, its super-journal still there.
fn hot_journal(path: &Path, options: &OpenOptions) -> Result<Option<Vec<u8>>, OpenError> {
    let path = beside_of(path, "-journal");
    let Some(mut file) = open_beside(&path)? else {
        return Ok(None);
    };
    let Some(bytes) = read_all(&path, &mut file, options)? else {
        return Ok(None);
    };
    if bytes.first() == Some(&0) {
        return Ok(None);
    }
    let committed = journal::super_journal(&bytes).is_some_and(|name| !exists(name));
    Ok((!committed).then_some(bytes))
}

/// A `-wal` to be copied while another process may write it.
struct Log<'a> {
    path: PathBuf,
    options: &'a OpenOptions,
}

impl Log<'_> {
    /// Copies the log, again if it was begun anew meanwhile: frames of two logs do not mix.
    fn read(&self, until: Instant) -> Result<Option<Vec<u8>>, OpenError> {
        loop {
            let Some(mut file) = open_beside(&self.path)? else {
                return Ok(None);
            };
            let bytes = read_all(&self.path, &mut file, self.options)?;
            if bytes.as_deref().map(head) == self.head_now()?.as_deref().map(head) {
                return Ok(bytes);
            }
            if Instant::now() >= until {
                return Err(OpenError::Busy);
            }
        }
    }

    fn head_now(&self) -> Result<Option<Vec<u8>>, OpenError> {
        let Some(file) = open_beside(&self.path)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = file.take(wal::HEAD as u64).read_to_end(&mut bytes);
        read.map_err(io_error(&self.path))?;
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

/// As much of a log's header as there is.
fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..wal::HEAD).unwrap_or(bytes)
}

/// A file that need not be there, and is only looked at if it is a plain file.
fn open_beside(path: &Path) -> Result<Option<File>, OpenError> {
    match File::open(path) {
        Ok(file) => Ok(file.metadata().is_ok_and(|meta| meta.is_file()).then_some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path)(error)),
    }
}

/// The whole file; `None` if it is empty: SQLite treats an empty file as a missing one.
fn read_all(
    path: &Path,
    file: &mut File,
    options: &OpenOptions,
) -> Result<Option<Vec<u8>>, OpenError> {
    let (need, limit) = (file.metadata().map_err(io_error(path))?.len(), options.max_memory);
    if need > limit {
        return Err(SqliteError::Memory { need, limit }.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(need).unwrap_or_default());
    file.take(limit).read_to_end(&mut bytes).map_err(io_error(path))?;
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// `path` with something appended to its name.
fn beside_of(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
fn exists(name: &[u8]) -> bool {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(name)).exists()
}

#[cfg(not(unix))]
fn exists(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| Path::new(name).exists())
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { path: path.to_owned(), source }
}

/// Between two tries for a lock.
const RETRY: Duration = Duration::from_millis(5);
