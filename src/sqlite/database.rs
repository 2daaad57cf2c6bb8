//! The database: what is over what, and the tables in it.

use std::path::Path;

use super::header::Header;
use super::lock::Lock;
use super::open::{Beside, Files};
use super::pages::Pages;
use super::payload::Local;
use super::tree::TreeCursor;
use super::{
    Encoding, OpenError, OpenOptions, Row, Rows, SqliteError, Table, guess, header, journal, open,
    schema, seek, wal,
};

/// A SQLite database, open for reading.
///
/// It is `Send` and `Sync`. On a file it holds SQLite's shared lock until it is dropped, so a
/// writer of a database in rollback mode waits for it: read what is wanted, then drop it.
///
/// ```
/// use tgsession::sqlite::{Database, OpenOptions};
///
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// let db = Database::open(path.as_ref(), &OpenOptions::new())?;
/// let names: Vec<&str> = db.tables().iter().map(|table| table.name()).collect();
/// assert!(names.contains(&"entities"));
/// # Ok::<(), tgsession::sqlite::OpenError>(())
/// ```
#[derive(Debug)]
pub struct Database {
    pub(super) pages: Pages,
    pub(super) local: Local,
    header: Header,
    tables: Vec<Table>,
    /// After `pages` in the struct, and so released after the map is gone.
    _locks: Vec<Lock>,
}

impl Database {
    /// Opens a database file with its `-wal` and `-journal`, and never writes to any of them.
    ///
    /// An empty file is a database without tables, as it is to SQLite.
    ///
    /// # While others write
    ///
    /// On Unix and Windows, the file gets the lock SQLite's own readers take. A writer in *rollback
    /// mode* cannot change the file until the database is dropped; one that is at it already is waited
    /// for ([`OpenOptions::lock_wait`]), then the answer is [`OpenError::Busy`]. A journal is
    /// rolled back in memory only if no writer is alive to own it.
    ///
    /// In *WAL mode* the committed part of the `-wal` is copied. If there is a `-shm`, its
    /// checkpoint lock is held in shared mode, so that no process moves newer pages into the file
    /// meanwhile; writers still append to the `-wal`. If there is none, no process had the database
    /// open. One case is not guarded: a process opens it later, and checkpoints while this one
    /// still reads.
    ///
    /// On Linux and Android these are locks of the open file (`F_OFD_SETLK`). Other Unixes have
    /// only locks of the process: there, closing any other handle of this process on the
    /// same file releases them. Windows has `LockFileEx`, whose locks belong to the open file. Where the
    /// file system knows no locks, and on other systems, none are taken: do not open a file that is
    /// being written there.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        let files = open::gather(path, options)?;
        Ok(Self::assemble(files, options)?)
    }

    /// Opens a database from the bytes of its file and of those beside it.
    ///
    /// A journal that names a super-journal counts as hot: whether that other file still
    /// exists is for the caller to know.
    ///
    /// # Errors
    ///
    /// If the header or the schema is damaged, as with SQLite.
    pub fn from_bytes(
        main: Vec<u8>,
        wal: Option<Vec<u8>>,
        journal: Option<Vec<u8>>,
        options: &OpenOptions,
    ) -> Result<Self, SqliteError> {
        Self::assemble(Files::owned(main, wal, journal), options)
    }

    pub(super) fn assemble(files: Files, options: &OpenOptions) -> Result<Self, SqliteError> {
        let Files { main, beside, locks } = files;
        // SQLite takes one byte for none: it once wrote one to get a lock.
        let empty = main.len() <= 1;
        let mut pages = Pages::new(main);
        let header = if empty { Header::EMPTY } else { lay_out(&mut pages, beside)? };
        if empty {
            pages.cut(0);
            pages.lay_out(header.page_size, 0);
        }
        let mut db = Self::of(pages, header, locks, options);
        if !empty {
            db.tables = schema::read(&db)?;
        }
        Ok(db)
    }

    fn of(pages: Pages, header: Header, locks: Vec<Lock>, options: &OpenOptions) -> Self {
        let local = Local::new(header.usable_size, options.max_memory);
        Self { pages, local, header, tables: Vec::new(), _locks: locks }
    }

    /// The same of a file whose header or schema may be damaged: what cannot be read is guessed
    /// or left out.
    /// The second value is the page count in the header. Pages after it are read only if a table
    /// leads there.
    pub(super) fn assemble_what_is_left(files: Files, options: &OpenOptions) -> (Self, u32) {
        let Files { main, beside, locks } = files;
        let mut pages = Pages::new(main);
        let header = match lay_out(&mut pages, beside) {
            Ok(header) => header,
            Err(_) => guess::lay_out(&mut pages),
        };
        let counted = pages.count();
        if let Ok(held) = u32::try_from(pages.held())
            && held > counted
        {
            pages.lay_out(header.page_size, held);
        }
        let mut db = Self::of(pages, header, locks, options);
        db.tables = schema::read_what_is_left(&db, &options.expected);
        (db, counted)
    }

    /// The ordinary tables, in the order of the schema. Views, virtual tables, indexes and
    /// triggers are left out.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// A table by name; ASCII letters match in either case, as in SQLite.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// The rows of a table of this database, in key order.
    #[must_use]
    pub fn rows<'a>(&'a self, table: &'a Table) -> Rows<'a> {
        Rows::new(self, table)
    }

    /// The number of rows of a table, up to the first damaged page. Reads its pages, and decodes no row.
    pub(crate) fn row_count(&self, table: &Table) -> u64 {
        TreeCursor::new(&self.pages, table.root, table.kind()).map_or(0, TreeCursor::count)
    }

    /// The row with a rowid; in a `WITHOUT ROWID` table, the first row whose first primary key
    /// column is this integer.
    ///
    /// # Errors
    ///
    /// If the way to the row is damaged.
    pub fn row<'a>(&'a self, table: &'a Table, rowid: i64) -> Result<Option<Row<'a>>, SqliteError> {
        match table.key {
            None => seek::by_rowid(self, table, rowid),
            Some(order) => seek::by_key(self, table, rowid, order),
        }
    }

    /// Bytes of a page.
    #[must_use]
    pub fn page_size(&self) -> u32 {
        self.header.page_size
    }

    /// Pages of the database, those in the `-wal` included.
    #[must_use]
    pub fn page_count(&self) -> u32 {
        self.pages.count()
    }

    /// Pages that are free, as the header counts them.
    #[must_use]
    pub fn freelist_count(&self) -> u32 {
        self.header.freelist_count
    }

    /// The encoding of every text in the database.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.header.encoding
    }

    /// What `PRAGMA user_version` gives.
    #[must_use]
    pub fn user_version(&self) -> i32 {
        self.header.user_version.cast_signed()
    }

    /// What `PRAGMA application_id` gives.
    #[must_use]
    pub fn application_id(&self) -> i32 {
        self.header.application_id.cast_signed()
    }

    pub(super) fn schema_format(&self) -> u8 {
        self.header.schema_format
    }
}

/// Lays the journal and then the log over the file, reads the header and counts the pages.
fn lay_out(pages: &mut Pages, beside: Beside) -> Result<Header, SqliteError> {
    let mut count = None;
    let file_page_size = header::page_size(&pages.head()).ok();
    let rollback = beside.journal.and_then(|bytes| journal::read(bytes, file_page_size));
    if let Some(rollback) = rollback {
        pages.cut(u64::from(rollback.page_count) * u64::from(rollback.page_size));
        count = Some(rollback.page_count);
        pages.cover(rollback.pages);
    }
    if let Some(log) = beside.wal.map(wal::read).transpose()?.flatten() {
        count = Some(log.page_count);
        pages.cover(log.pages);
    }
    let header = Header::parse(&pages.head())?;
    let page_size = header.page_size;
    if let Some(found) = pages.overlay_sizes().find(|size| *size != page_size) {
        return Err(SqliteError::JournalPageSize { found, page_size });
    }
    let file = count.unwrap_or_else(|| {
        let pages = pages.main_bytes().len().div_ceil(page_size as usize);
        u32::try_from(pages).unwrap_or(u32::MAX)
    });
    match header.page_count {
        Some(header) if header > file => Err(SqliteError::PagesMissing { header, file }),
        vouched => {
            pages.lay_out(page_size, vouched.unwrap_or(file));
            Ok(header)
        }
    }
}
