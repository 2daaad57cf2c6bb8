//! A table as the schema defines it.

use super::page::Kind;
use super::{Encoding, Text, Value};

/// An ordinary table: its name, its columns, and where its rows are.
///
/// ```
/// use tgsession::sqlite::{Database, OpenOptions};
///
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// let db = Database::open(path.as_ref(), &OpenOptions::new())?;
/// let version = db.table("VERSION").ok_or("there is no table version")?;
/// assert_eq!((version.name(), version.column("version")), ("version", Some(0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) name: String,
    pub(super) sql: String,
    pub(super) columns: Vec<Column>,
    pub(super) root: u32,
    /// The sort order of the first key column, in a `WITHOUT ROWID` table.
    pub(super) key: Option<Order>,
}

impl Table {
    /// The name, as the schema writes it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns in the order of `CREATE TABLE`; `VIRTUAL` ones, which are stored nowhere,
    /// are left out.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The index of a column; ASCII letters match in either case, as in SQLite.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Whether this is a `WITHOUT ROWID` table.
    #[must_use]
    pub fn without_rowid(&self) -> bool {
        self.key.is_some()
    }

    /// The `CREATE TABLE` text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    pub(super) fn kind(&self) -> Kind {
        if self.without_rowid() { Kind::Index } else { Kind::Table }
    }
}

/// A column of a [`Table`].
///
/// ```
/// use tgsession::sqlite::{Affinity, Database, OpenOptions};
///
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// let db = Database::open(path.as_ref(), &OpenOptions::new())?;
/// let version = db.table("version").ok_or("there is no table version")?;
/// let [column] = version.columns() else { return Err("not one column".into()) };
/// assert!(column.is_rowid() && column.affinity() == Affinity::Integer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Column {
    pub(super) name: String,
    pub(super) declared_type: String,
    pub(super) affinity: Affinity,
    pub(super) slot: Slot,
    pub(super) default: Constant,
}

impl Column {
    /// The name, without the quotes it may have in the SQL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type as declared; empty if there is none.
    #[must_use]
    pub fn declared_type(&self) -> &str {
        &self.declared_type
    }

    /// What SQLite prefers to store in the column. It forbids nothing.
    #[must_use]
    pub fn affinity(&self) -> Affinity {
        self.affinity
    }

    /// Whether this is the `INTEGER PRIMARY KEY`, which is the rowid itself.
    #[must_use]
    pub fn is_rowid(&self) -> bool {
        self.slot == Slot::Rowid
    }
}

/// The type that SQLite prefers for a column ("Datatypes in SQLite", section 3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Affinity {
    /// No preference.
    Blob,
    /// Text.
    Text,
    /// Integers and reals.
    Numeric,
    /// Integers.
    Integer,
    /// Reals; an integer stored here to save space is read back as a real.
    Real,
}

/// Where a column's value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Slot {
    /// It is the key of the table's b-tree.
    Rowid,
    /// It is this field of the record.
    Field(u16),
}

/// How a key is sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// The value of a column that a row is too short to have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Constant {
    Null,
    Integer(i64),
    Real(f64),
    /// In the database's encoding.
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Constant {
    pub(super) fn value(&self, encoding: Encoding) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Real(value) => Value::Real(*value),
            Self::Text(bytes) => Value::Text(Text::new(bytes, encoding)),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}
