//! The database as it is written.

use std::io::{Seek, Write};

use super::super::sql::{self, CreateTable, Created, Generated};
use super::index::Keys;
use super::schema::{self, Entry, Kind};
use super::sink::Sink;
use super::{Index, TableWriter, WriteError, WriterOptions};

/// A SQLite database on its way to `W`, which has to be empty or to be overwritten whole.
///
/// Pages go out in their order through a buffer, nothing is read back, and the first page comes
/// last: until [`Self::finish`] the file is no database. `W` is not synced.
///
/// ```
/// use tgsession::sqlite::writer::{DatabaseWriter, WriterOptions};
///
/// let out = std::io::Cursor::new(Vec::new()); // or a `File`
/// let mut db = DatabaseWriter::new(out, &WriterOptions::new())?;
/// db.table("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)", &[])?.finish()?;
/// db.view("CREATE VIEW names AS SELECT name FROM people")?;
/// assert_eq!(db.finish()?.into_inner().len(), 2 * 4096);
/// # Ok::<(), tgsession::sqlite::writer::WriteError>(())
/// ```
#[derive(Debug)]
pub struct DatabaseWriter<W> {
    pub(super) sink: Sink<W>,
    pub(super) entries: Vec<Entry>,
    options: WriterOptions,
}

impl<W: Write + Seek> DatabaseWriter<W> {
    /// Begins a database at the first byte of `out`.
    ///
    /// # Errors
    ///
    /// [`WriteError::PageSize`], and [`WriteError::Io`] if `out` cannot seek.
    pub fn new(out: W, options: &WriterOptions) -> Result<Self, WriteError> {
        let sink = Sink::new(out, options.checked_page_size()?)?;
        Ok(Self { sink, entries: Vec::new(), options: *options })
    }

    /// Begins the table that `sql`, a `CREATE TABLE`, makes, with its indexes: automatic ones
    /// first, as SQLite has them. The SQL is stored as it is given.
    ///
    /// # Errors
    ///
    /// If the SQL is no such table or the indexes cannot be its; nothing is added then.
    pub fn table<'a>(
        &'a mut self,
        sql: &str,
        indexes: &[Index<'_>],
    ) -> Result<TableWriter<'a, W>, WriteError> {
        let Created::Table(table) = parse(sql)? else {
            return Err(wrong_kind(sql));
        };
        if table.without_rowid || table.columns.iter().any(|c| c.generated != Generated::No) {
            return Err(WriteError::TooNew { table: table.name });
        }
        check_automatic(&table, indexes)?;
        let mut entries = vec![entry(Kind::Table, &table.name, &table.name, Some(sql))];
        let mut keys = Vec::with_capacity(indexes.len());
        for (number, index) in (1..).zip(indexes) {
            let name = index_name(index, number, &table)?;
            entries.push(entry(Kind::Index, &name, &table.name, index.sql));
            keys.push(Keys::new(name, index.columns, index.is_unique()));
        }
        let first = self.add(entries)?;
        Ok(TableWriter::new(self, table, first, keys))
    }

    /// Adds the view that `sql`, a `CREATE VIEW`, makes.
    ///
    /// # Errors
    ///
    /// If the SQL is no view, or its name is taken.
    pub fn view(&mut self, sql: &str) -> Result<(), WriteError> {
        let Created::View(name) = parse(sql)? else {
            return Err(wrong_kind(sql));
        };
        let view = Entry { root: Some(0), ..entry(Kind::View, &name, &name, Some(sql)) };
        self.add(vec![view]).map(|_| ())
    }

    /// Adds the trigger that `sql`, a `CREATE TRIGGER`, makes on a table or a view.
    ///
    /// # Errors
    ///
    /// If the SQL is no trigger, its name is taken, or `table` is not there.
    pub fn trigger(&mut self, table: &str, sql: &str) -> Result<(), WriteError> {
        let Created::Trigger(name) = parse(sql)? else {
            return Err(wrong_kind(sql));
        };
        let is_table = |entry: &&Entry| matches!(entry.kind, Kind::Table | Kind::View);
        let mut tables = self.entries.iter().filter(is_table);
        if !tables.any(|entry| entry.name.eq_ignore_ascii_case(table)) {
            return Err(WriteError::NoSuchTable { name, table: table.to_owned() });
        }
        let trigger = Entry { root: Some(0), ..entry(Kind::Trigger, &name, table, Some(sql)) };
        self.add(vec![trigger]).map(|_| ())
    }

    /// Writes the schema and the first page, flushes the output and gives it back.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unfinished`] if a table was begun and not finished, or what the output says.
    pub fn finish(mut self) -> Result<W, WriteError> {
        let first = schema::first_page(&mut self.sink, &self.entries, &self.options)?;
        self.sink.finish(&first)
    }

    /// Adds entries whose names are not taken; the index of the first.
    fn add(&mut self, entries: Vec<Entry>) -> Result<usize, WriteError> {
        for (at, new) in entries.iter().enumerate() {
            let trigger = |entry: &Entry| entry.kind == Kind::Trigger;
            let same = |old: &Entry| {
                trigger(old) == trigger(new) && old.name.eq_ignore_ascii_case(&new.name)
            };
            if self.entries.iter().chain(entries.iter().take(at)).any(same) {
                return Err(WriteError::SameName { name: new.name.clone() });
            }
        }
        let first = self.entries.len();
        self.entries.extend(entries);
        Ok(first)
    }
}

/// Automatic indexes have to be there for the constraints, and come first.
fn check_automatic(table: &CreateTable, indexes: &[Index<'_>]) -> Result<(), WriteError> {
    let given = indexes.iter().filter(|index| index.sql.is_none()).count();
    let leading = indexes.iter().take_while(|index| index.sql.is_none()).count();
    let constraints = table.indexes;
    let enough = given <= constraints && (given > 0) == (constraints > 0);
    if enough && given == leading {
        return Ok(());
    }
    Err(WriteError::AutomaticIndexes { table: table.name.clone(), given, constraints })
}

fn entry(kind: Kind, name: &str, table: &str, sql: Option<&str>) -> Entry {
    let (name, table) = (name.to_owned(), table.to_owned());
    Entry { kind, name, table, root: None, sql: sql.map(str::to_owned) }
}

/// The name of an index whose SQL and columns can be the table's.
fn index_name(index: &Index<'_>, number: usize, table: &CreateTable) -> Result<String, WriteError> {
    let name = match index.sql {
        None => format!("sqlite_autoindex_{}_{number}", table.name),
        Some(sql) => match parse(sql)? {
            Created::Index(name, on) if on.eq_ignore_ascii_case(&table.name) => name,
            Created::Index(name, table) => return Err(WriteError::NoSuchTable { name, table }),
            _ => return Err(wrong_kind(sql)),
        },
    };
    let outside = |column: &usize| *column >= table.columns.len();
    let count = index.columns.len();
    if count == 0 || count > MOST_COLUMNS || index.columns.iter().any(outside) {
        return Err(WriteError::NoSuchColumn { index: name });
    }
    Ok(name)
}

/// The statement; a zero byte would end it for SQLite.
fn parse(sql: &str) -> Result<Created, WriteError> {
    let wrong = |at| WriteError::Sql { sql: sql.to_owned(), at };
    match sql.find('\0') {
        Some(at) => Err(wrong(at)),
        None => sql::parse(sql).map_err(|error| wrong(error.at)),
    }
}

fn wrong_kind(sql: &str) -> WriteError {
    WriteError::Sql { sql: sql.to_owned(), at: 0 }
}

/// `SQLITE_MAX_COLUMN`, of an index too.
const MOST_COLUMNS: usize = 2_000;
