//! Why a database cannot be written.

use std::{fmt, io};

/// Why a database cannot be written. None of it holds a value of a row.
///
/// ```
/// use tgsession::sqlite::writer::{DatabaseWriter, WriteError, WriterOptions};
///
/// let options = WriterOptions::new().page_size(1000);
/// let refused = DatabaseWriter::new(std::io::Cursor::new(Vec::new()), &options);
/// assert!(matches!(refused, Err(WriteError::PageSize { .. })));
/// ```
#[non_exhaustive]
#[derive(Debug)]
pub enum WriteError {
    /// The output says no; after that the writer refuses everything else.
    Io(io::Error),
    /// The page size is not a power of two from 512 to 65536.
    PageSize {
        /// The size asked for.
        found: u32,
    },
    /// The SQL is not the statement it should be.
    Sql {
        /// The SQL.
        sql: String,
        /// The byte at which parsing stopped; 0 if it is a statement of another kind.
        at: usize,
    },
    /// A `WITHOUT ROWID` table or a generated column, which old versions of SQLite do not know.
    TooNew {
        /// The table.
        table: String,
    },
    /// Another table, index or view has the name.
    SameName {
        /// The name.
        name: String,
    },
    /// A trigger or an index is on a table that is not there.
    NoSuchTable {
        /// The name of the trigger or the index.
        name: String,
        /// The table it is on.
        table: String,
    },
    /// An index is on a column that its table does not have, on none, or on over 2000.
    NoSuchColumn {
        /// The index.
        index: String,
    },
    /// The automatic indexes given cannot be those of the table's constraints, or do not come first.
    AutomaticIndexes {
        /// The table.
        table: String,
        /// Automatic indexes given.
        given: usize,
        /// Constraints of the table that may have one.
        constraints: usize,
    },
    /// A row does not come after the one before it.
    OutOfOrder {
        /// The table.
        table: String,
        /// The row.
        rowid: i64,
    },
    /// A row has more or fewer values than its table has columns.
    ColumnCount {
        /// The table.
        table: String,
        /// The row.
        rowid: i64,
        /// Values given.
        found: usize,
        /// Columns of the table.
        columns: usize,
    },
    /// A value that SQLite would not have left as it is: a number in a column of texts, a text
    /// that is a number in a column of numbers, a text in UTF-16, an `INTEGER PRIMARY KEY` that is
    /// not the rowid.
    Value {
        /// The table.
        table: String,
        /// The row.
        rowid: i64,
        /// The column, the first is 0.
        column: usize,
    },
    /// A row or its key in an index has over 1,000,000,000 bytes, SQLite's limit.
    TooLong {
        /// The table.
        table: String,
        /// The row.
        rowid: i64,
    },
    /// Two rows have the same key in a unique index.
    NotUnique {
        /// The index.
        index: String,
        /// The second row.
        rowid: i64,
    },
    /// The database has 1,073,741,823 pages, the limit of old versions of SQLite.
    Full,
    /// A table was begun and not finished.
    Unfinished {
        /// The table or the index that is missing.
        name: String,
    },
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(source) => Some(source),
            _ => None,
        }
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_) => f.write_str("the database cannot be written"),
            Self::PageSize { found } => {
                write!(f, "page size {found} is not a power of two from 512 to 65536")
            }
            Self::Full => f.write_str("the database has 1073741823 pages and can have no more"),
            Self::Unfinished { name } => {
                write!(f, "`{name}` was begun and not finished: call finish() on each table")
            }
            _ => self.schema(f),
        }
    }
}

/// Each part writes its own variants and passes the others on.
impl WriteError {
    fn schema(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql { sql, at } => write!(f, "the statement is wrong at byte {at}: {sql}"),
            Self::TooNew { table } => write!(
                f,
                "table `{table}` is WITHOUT ROWID or has a generated column: these are not written"
            ),
            Self::SameName { name } => write!(f, "there is a `{name}` already"),
            Self::NoSuchTable { name, table } => {
                write!(f, "`{name}` is on `{table}`, which is not there")
            }
            Self::NoSuchColumn { index } => {
                write!(
                    f,
                    "index `{index}` is on a column that its table does not have, on none, or on over 2000"
                )
            }
            Self::AutomaticIndexes { table, given, constraints } => write!(
                f,
                "table `{table}` has {constraints} constraints that need an index, and {given} \
                 automatic indexes are given"
            ),
            _ => self.row(f),
        }
    }

    fn row(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfOrder { table, rowid } => {
                write!(f, "row {rowid} of table `{table}` does not come after the one before it")
            }
            Self::ColumnCount { table, rowid, found, columns } => {
                write!(f, "row {rowid} of table `{table}` has {found} values for {columns} columns")
            }
            Self::Value { table, rowid, column } => write!(
                f,
                "row {rowid} of table `{table}` has a value in column {column} that SQLite would \
                 have stored as another"
            ),
            Self::TooLong { table, rowid } => {
                write!(f, "row {rowid} of table `{table}` has over 1000000000 bytes")
            }
            Self::NotUnique { index, rowid } => {
                write!(f, "row {rowid} has a key that index `{index}` has already")
            }
            _ => Ok(()),
        }
    }
}
