//! A SQLite database as the formats see it: whole, or what can be saved of it.

use super::Output;
use crate::sqlite::writer::{DatabaseWriter, WriteError};
use crate::sqlite::{Database, Row, Salvage, SqliteError, Table, Value};

/// Where the rows come from.
#[derive(Debug)]
pub(crate) enum Tables {
    /// A database that is read as SQLite reads it: damage is an error.
    Whole(Database),
    /// A damaged one: rows that are still whole, in any order.
    Saved(Salvage),
}

impl Tables {
    /// Every table.
    pub(crate) fn all(&self) -> &[Table] {
        match self {
            Self::Whole(db) => db.tables(),
            Self::Saved(salvage) => salvage.tables(),
        }
    }

    /// A table by name, in either case.
    pub(crate) fn named(&self, name: &str) -> Option<&Table> {
        match self {
            Self::Whole(db) => db.table(name),
            Self::Saved(salvage) => salvage.table(name),
        }
    }

    /// Whether there is a table of this name with all these columns.
    pub(crate) fn has(&self, table: &str, columns: &[&str]) -> bool {
        let table = self.named(table);
        table.is_some_and(|table| columns.iter().all(|name| table.column(name).is_some()))
    }

    /// How many of these columns there are, each given with its table.
    pub(crate) fn count<'c>(
        &self,
        columns: impl IntoIterator<Item = &'c (&'c str, &'c str)>,
    ) -> usize {
        columns.into_iter().filter(|(table, column)| self.has(table, &[column])).count()
    }

    /// The rows of a table.
    pub(crate) fn rows<'a>(&'a self, table: &'a Table) -> Rows<'a> {
        match self {
            Self::Whole(db) => Box::new(db.rows(table)),
            Self::Saved(salvage) => Box::new(salvage.rows(table).map(Ok)),
        }
    }

    /// The number of rows of a table, at most. Reads its pages, and decodes no row.
    pub(crate) fn row_count(&self, table: &Table) -> u64 {
        match self {
            Self::Whole(db) => db.row_count(table),
            Self::Saved(salvage) => salvage.row_count(table),
        }
    }

    /// The row of this integer key.
    pub(crate) fn row<'a>(
        &'a self,
        table: &'a Table,
        key: i64,
    ) -> Result<Option<Row<'a>>, SqliteError> {
        match self {
            Self::Whole(db) => db.row(table, key),
            Self::Saved(salvage) => Ok(salvage.rows(table).find(|row| row.rowid() == Some(key))),
        }
    }
}

/// The rows of a table, as they are read.
pub(crate) type Rows<'a> = Box<dyn Iterator<Item = Result<Row<'a>, SqliteError>> + 'a>;

/// Text as it is stored; none is NULL.
pub(crate) fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::from)
}

/// An integer as it is stored; none is NULL.
pub(crate) fn integer(number: Option<impl Into<i64>>) -> Value<'static> {
    number.map_or(Value::Null, |number| Value::Integer(number.into()))
}

/// A database that is being written.
pub(crate) type Writer<'a> = DatabaseWriter<&'a mut dyn Output>;

/// Writes a table of one row.
pub(crate) fn one_row(
    db: &mut Writer<'_>,
    sql: &str,
    rowid: i64,
    row: &[Value<'_>],
) -> Result<(), WriteError> {
    let mut table = db.table(sql, &[])?;
    table.row(rowid, row)?;
    table.finish()
}
