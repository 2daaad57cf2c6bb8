//! `sqlite_schema`: which tables there are (file format, section 2.6).

use std::collections::HashSet;

use super::reach;
use super::sql::{self, CreateTable, Created, Generated};
use super::table::{Affinity, Column, Constant, Order, Slot, Table};
use super::{Database, Row, SqliteError, Value};

/// Reads the schema as SQLite does when it opens a database, and refuses what it refuses.
pub(super) fn read(db: &Database) -> Result<Vec<Table>, SqliteError> {
    let format = db.schema_format();
    if format > NEWEST {
        return Err(SqliteError::SchemaFormat { found: format });
    }
    let schema = schema_table();
    let mut reader = Reader { db, tables: Vec::new(), names: HashSet::new(), indexed: Vec::new() };
    for row in db.rows(&schema) {
        reader.entry(&Entry::read(&row?)?)?;
    }
    Ok(reader.tables)
}

/// Reads the tables of a damaged schema: rows that are wrong are stepped over, and expected tables
/// that are not there have no root.
pub(super) fn read_what_is_left(db: &Database, expected: &[String]) -> Vec<Table> {
    let schema = schema_table();
    let mut reader = Reader { db, tables: Vec::new(), names: HashSet::new(), indexed: Vec::new() };
    for row in reach::rows(db, &schema).filter(|row| reach::is_whole(row, &schema)) {
        if let Ok(entry) = Entry::read(&row) {
            let _ = reader.entry(&entry);
        }
    }
    for sql in expected {
        if let Ok(Created::Table(create)) = sql::parse(sql)
            && reader.tables.iter().all(|known| !known.name.eq_ignore_ascii_case(&create.name))
        {
            reader.tables.push(table_of(create, sql, NO_ROOT, db));
        }
    }
    reader.tables
}

/// Where a table's root would be that the schema does not have. Pages count from 1.
pub(super) const NO_ROOT: u32 = 0;

/// A row of the schema.
struct Entry {
    row: i64,
    kind: String,
    name: Option<String>,
    table: String,
    /// `None` if it is no page number.
    root: Option<u32>,
    sql: Option<String>,
}

impl Entry {
    fn read(row: &Row<'_>) -> Result<Self, SqliteError> {
        let text = |column| row.get(column).map(text_of);
        let [kind, name, table, root, sql] = [0, 1, 2, 3, 4].map(text);
        let row = row.rowid().unwrap_or_default();
        let Some(root) = root? else {
            return Err(SqliteError::SchemaRow { row });
        };
        Ok(Self {
            row,
            kind: kind?.unwrap_or_default(),
            name: name?,
            table: table?.unwrap_or_default(),
            root: root.parse().ok(),
            sql: sql?.filter(|sql| !sql.is_empty()),
        })
    }
}

/// A value as C code reads it: text up to the first zero byte.
fn text_of(value: Value<'_>) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Integer(value) => Some(value.to_string()),
        Value::Real(value) => Some(format!("{value:?}")),
        Value::Text(text) => Some(until_zero(&text.to_str_lossy())),
        Value::Blob(bytes) => Some(until_zero(&String::from_utf8_lossy(bytes))),
    }
}

fn until_zero(text: &str) -> String {
    text.split('\0').next().unwrap_or_default().to_owned()
}

struct Reader<'a> {
    db: &'a Database,
    tables: Vec<Table>,
    /// Names of tables, views and indexes, in lower case.
    names: HashSet<String>,
    /// Tables in lower case, and the indexes that their constraints may have.
    indexed: Vec<(String, usize)>,
}

impl Reader<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SqliteError> {
        let row = entry.row;
        match &entry.sql {
            Some(sql) if starts_with_cr(sql) => self.created(entry, sql),
            None if entry.name.is_some() => self.automatic_index(entry),
            _ => Err(SqliteError::SchemaRow { row }),
        }
    }

    fn created(&mut self, entry: &Entry, sql: &str) -> Result<(), SqliteError> {
        let row = entry.row;
        if entry.root.is_none_or(|root| root > self.db.page_count()) {
            return Err(SqliteError::SchemaRoot { row });
        }
        let at = |error: sql::SyntaxError| u32::try_from(error.at).unwrap_or(u32::MAX);
        let created =
            sql::parse(sql).map_err(|error| SqliteError::SchemaSql { row, at: at(error) })?;
        let (kind, name, table) = match &created {
            Created::Table(table) => ("table", &table.name, &table.name),
            Created::Virtual(name) => ("table", name, name),
            Created::View(name) => ("view", name, name),
            Created::Index(name, table) => ("index", name, table),
            Created::Trigger(name) => ("trigger", name, &entry.table),
        };
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let own_name = entry.name.as_deref().unwrap_or_default();
        if !same(kind, &entry.kind) || !same(name, own_name) || !same(table, &entry.table) {
            return Err(SqliteError::SchemaName { row });
        }
        if kind != "trigger" && !self.names.insert(name.to_ascii_lowercase()) {
            return Err(SqliteError::SchemaTwice { row });
        }
        if let Created::Table(create) = created {
            self.indexed.push((create.name.to_ascii_lowercase(), create.indexes));
            let root = entry.root.unwrap_or_default();
            self.tables.push(table_of(create, sql, root, self.db));
        }
        Ok(())
    }

    /// A row without SQL is the index of a constraint of a table that came before.
    fn automatic_index(&self, entry: &Entry) -> Result<(), SqliteError> {
        let row = entry.row;
        let name = entry.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let known = name.strip_prefix(AUTOMATIC).is_some_and(|rest| {
            self.indexed.iter().any(|(table, indexes)| {
                let number = rest.strip_prefix(table.as_str()).and_then(|r| r.strip_prefix('_'));
                number.and_then(|n| n.parse().ok()).is_some_and(|n| (1..=*indexes).contains(&n))
            })
        });
        let root = entry.root.filter(|root| (2..=self.db.page_count()).contains(root));
        match (known, root) {
            (false, _) => Err(SqliteError::SchemaOrphan { row }),
            (true, None) => Err(SqliteError::SchemaRoot { row }),
            (true, Some(_)) => Ok(()),
        }
    }
}

/// SQLite looks at no more than two letters before it parses.
fn starts_with_cr(sql: &str) -> bool {
    sql.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("cr"))
}

/// Lays the columns out over the record.
fn table_of(create: CreateTable, sql: &str, root: u32, db: &Database) -> Table {
    let slots = slots(&create);
    let key = create
        .key
        .first()
        .filter(|_| create.without_rowid)
        .map(|part| if part.descending { Order::Descending } else { Order::Ascending });
    let columns = create.columns.into_iter().zip(slots).filter_map(|(column, slot)| {
        Some(Column {
            slot: slot?,
            default: column.default.stored(column.affinity, db.encoding()),
            name: column.name,
            declared_type: column.declared_type,
            affinity: column.affinity,
        })
    });
    Table { name: create.name, sql: sql.to_owned(), columns: columns.collect(), root, key }
}

/// Where each column's value is; `None` for one that is not stored.
fn slots(create: &CreateTable) -> Vec<Option<Slot>> {
    let mut slots = vec![None; create.columns.len()];
    let mut next = 0;
    let mut put = |column: usize| {
        if let Some(slot) = slots.get_mut(column) {
            slot.get_or_insert(Slot::Field(next));
            next += 1;
        }
    };
    if create.without_rowid {
        create.key.iter().for_each(|part| put(part.column));
    }
    let keyed = |column| create.without_rowid && create.key.iter().any(|p| p.column == column);
    let stored = create.columns.iter().enumerate();
    let stored = stored.filter(|(_, column)| column.generated != Generated::Virtual);
    stored.filter(|(column, _)| !keyed(*column)).for_each(|(column, _)| put(column));
    if let Some(slot) = create.rowid.and_then(|rowid| slots.get_mut(rowid)) {
        *slot = Some(Slot::Rowid);
    }
    slots
}

/// `sqlite_schema` itself, which no row describes.
pub(super) fn schema_table() -> Table {
    let column = |(field, name): (u16, &str)| Column {
        name: name.to_owned(),
        declared_type: String::new(),
        affinity: Affinity::Blob,
        slot: Slot::Field(field),
        default: Constant::Null,
    };
    let columns = (0..).zip(["type", "name", "tbl_name", "rootpage", "sql"]).map(column).collect();
    Table { name: "sqlite_schema".to_owned(), sql: String::new(), columns, root: 1, key: None }
}

const NEWEST: u8 = 4;
const AUTOMATIC: &str = "sqlite_autoindex_";
