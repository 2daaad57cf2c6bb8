//! Damage in the bytes of a database.

use std::fmt;

/// Damage in a database file, as page numbers and offsets.
///
/// Sections are those of SQLite's "Database File Format" document.
///
/// ```
/// use tgsession::sqlite::{Database, OpenOptions, SqliteError};
///
/// let bytes = b"not a database".to_vec();
/// let refused = Database::from_bytes(bytes, None, None, &OpenOptions::new());
/// assert_eq!(refused.err(), Some(SqliteError::NotADatabase));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SqliteError {
    /// The file does not begin with the header string (1.3.1).
    NotADatabase,
    /// The page size is not a power of two from 512 to 65536, which is stored as 1 (1.3.2).
    PageSize {
        /// The two bytes at offset 16.
        found: u16,
    },
    /// The read version is newer than rollback journal (1) and WAL (2) (1.3.3).
    ReadVersion {
        /// The byte at offset 19.
        found: u8,
    },
    /// The reserved bytes leave less than 480 usable bytes in a page (1.3.4).
    ReservedBytes {
        /// The byte at offset 20.
        found: u8,
        /// The page size.
        page_size: u32,
    },
    /// The payload fractions are not 64, 32 and 32 (1.3.5).
    PayloadFractions {
        /// The bytes at offset 21, 22 and 23.
        found: [u8; 3],
    },
    /// The header counts more pages than the file holds (1.3.7).
    PagesMissing {
        /// Pages the header promises.
        header: u32,
        /// Pages the file has.
        file: u32,
    },
    /// The schema format is newer than 4 (1.3.10).
    SchemaFormat {
        /// The byte at offset 47.
        found: u8,
    },
    /// A page number leads out of the database: 0, too large, or the lock-byte page (1.2, 1.6).
    PageOutside {
        /// The page asked for.
        page: u32,
        /// Pages in the database.
        pages: u32,
    },
    /// The first byte of a b-tree page is not the kind its tree needs (1.6).
    PageKind {
        /// The page.
        page: u32,
        /// Its first byte.
        found: u8,
    },
    /// A b-tree page counts more cells than fit (1.6).
    CellCount {
        /// The page.
        page: u32,
        /// The count found.
        found: u16,
    },
    /// A b-tree page that has to have cells has none (1.6).
    NoCells {
        /// The page.
        page: u32,
    },
    /// A b-tree is deeper than 20 pages: its pages form a circle (1.6).
    TooDeep {
        /// The page that was one too many.
        page: u32,
    },
    /// A walk met more pages than the database has: pages are shared (1.6).
    TooManyPages {
        /// The page that was one too many.
        page: u32,
    },
    /// A cell does not lie within its page (1.6).
    CellOutside {
        /// The page.
        page: u32,
        /// The number of the cell.
        cell: u16,
    },
    /// A payload is longer than the whole database, or than the memory allowed (1.6).
    PayloadTooLong {
        /// The page of its cell.
        page: u32,
        /// The length found.
        found: u32,
    },
    /// The local part of a payload leaves its page (1.6).
    PayloadOutside {
        /// The page of its cell.
        page: u32,
    },
    /// A chain of overflow pages ends early or leaves the file (1.7).
    Overflow {
        /// The page of the cell.
        page: u32,
        /// The page number that ended the chain.
        next: u32,
    },
    /// A record's header is longer than its payload (2.1).
    RecordHeader {
        /// The page of its cell.
        page: u32,
        /// The length found.
        found: u32,
    },
    /// A record's serial types do not add up to its payload (2.1).
    RecordBody {
        /// The page of its cell.
        page: u32,
        /// The column at which it showed.
        column: u16,
    },
    /// A text is not valid in the database's encoding (1.3.13).
    Encoding {
        /// The byte at which it stops being valid.
        at: u32,
    },
    /// No such column; not damage, but a wrong index.
    NoSuchColumn {
        /// The index asked for.
        column: u32,
        /// Columns the table has.
        columns: u32,
    },
    /// A row of `sqlite_schema` lacks its root page or its name (2.6).
    SchemaRow {
        /// The rowid.
        row: i64,
    },
    /// The SQL of a row of `sqlite_schema` cannot be parsed (2.6).
    SchemaSql {
        /// The rowid.
        row: i64,
        /// The byte of the text at which parsing stopped.
        at: u32,
    },
    /// The SQL of a row of `sqlite_schema` makes something other than the row says (2.6).
    SchemaName {
        /// The rowid.
        row: i64,
    },
    /// Two rows of `sqlite_schema` make the same name (2.6).
    SchemaTwice {
        /// The rowid of the second.
        row: i64,
    },
    /// A row of `sqlite_schema` names a root page outside the file (2.6).
    SchemaRoot {
        /// The rowid.
        row: i64,
    },
    /// A row of `sqlite_schema` is an automatic index of no table (2.6).
    SchemaOrphan {
        /// The rowid.
        row: i64,
    },
    /// The `-wal` has a version this module does not know (4.1).
    WalVersion {
        /// The version found; 3007000 is expected.
        found: u32,
    },
    /// The `-wal` or `-journal` was written for pages of another size (3, 4.1).
    JournalPageSize {
        /// The page size in the `-wal` or `-journal`.
        found: u32,
        /// The page size of the database.
        page_size: u32,
    },
    /// A file beside the database is larger than the memory allowed.
    Memory {
        /// Bytes needed.
        need: u64,
        /// Bytes allowed.
        limit: u64,
    },
}

impl std::error::Error for SqliteError {}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header(f)
    }
}

/// Each part writes its own variants and passes the others on.
impl SqliteError {
    fn header(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PageSize { found } => {
                write!(f, "page size {found} is not a power of two from 512 to 65536 (1)")
            }
            Self::ReadVersion { found } => {
                write!(f, "read version {found}, and this reader knows 1 and 2")
            }
            Self::ReservedBytes { found, page_size } => {
                write!(f, "{found} reserved bytes leave too little of pages of {page_size}")
            }
            Self::PayloadFractions { found: [a, b, c] } => {
                write!(f, "payload fractions {a}, {b}, {c} instead of 64, 32, 32")
            }
            Self::PagesMissing { header, file } => {
                write!(f, "the header counts {header} pages and the file has {file}")
            }
            Self::SchemaFormat { found } => {
                write!(f, "schema format {found}, and this reader knows 1 to 4")
            }
            _ => self.tree(f),
        }
    }

    fn tree(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PageOutside { page, pages } => {
                write!(f, "page {page} is asked for in a database of {pages} pages")
            }
            Self::PageKind { page, found } => {
                write!(f, "page {page} begins with {found:#04x}, not a page of this b-tree")
            }
            Self::CellCount { page, found } => {
                write!(f, "page {page} counts {found} cells, more than fit")
            }
            Self::NoCells { page } => write!(f, "page {page} has no cells"),
            Self::TooDeep { page } => write!(f, "the b-tree is still going down at page {page}"),
            Self::CellOutside { page, cell } => {
                write!(f, "cell {cell} of page {page} is not within the page")
            }
            Self::TooManyPages { page } => {
                write!(f, "the b-tree visits more pages than there are, up to page {page}")
            }
            _ => self.record(f),
        }
    }

    fn record(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PayloadTooLong { page, found } => {
                write!(f, "a payload of {found} bytes on page {page} is too long")
            }
            Self::PayloadOutside { page } => {
                write!(f, "a payload on page {page} is not within the page")
            }
            Self::Overflow { page, next } => {
                write!(f, "the overflow chain of a cell on page {page} ends at page {next}")
            }
            Self::RecordHeader { page, found } => {
                write!(f, "a record on page {page} has a header of {found} bytes")
            }
            Self::RecordBody { page, column } => {
                write!(f, "a record on page {page} does not add up at column {column}")
            }
            Self::Encoding { at } => write!(f, "the text is not valid at byte {at}"),
            Self::NoSuchColumn { column, columns } => {
                write!(f, "column {column} is asked for in a table of {columns} columns")
            }
            _ => self.schema(f),
        }
    }

    fn schema(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SchemaRow { row } => write!(f, "schema row {row} lacks what it needs"),
            Self::SchemaSql { row, at } => {
                write!(f, "the SQL of schema row {row} cannot be parsed at byte {at}")
            }
            Self::SchemaName { row } => {
                write!(f, "the SQL of schema row {row} makes something else than the row says")
            }
            Self::SchemaTwice { row } => write!(f, "schema row {row} makes a name a second time"),
            Self::SchemaRoot { row } => {
                write!(f, "schema row {row} has its root page outside the file")
            }
            Self::SchemaOrphan { row } => write!(f, "schema row {row} is an index of no table"),
            _ => self.beside(f),
        }
    }

    fn beside(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WalVersion { found } => {
                write!(f, "the -wal has version {found}, and this reader knows 3007000")
            }
            Self::JournalPageSize { found, page_size } => {
                write!(f, "the journal has pages of {found} bytes, the database of {page_size}")
            }
            Self::Memory { need, limit } => {
                write!(f, "{need} bytes of memory are needed, and {limit} are allowed")
            }
            _ => f.write_str("the file is not a SQLite database"),
        }
    }
}
