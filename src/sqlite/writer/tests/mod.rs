//! Databases written and read back by the reader beside.

mod read_back;
mod refusals;
mod trees;

use std::io::Cursor;

use super::super::page::Kind;
use super::super::payload::Payload;
use super::super::tree::TreeCursor;
use super::super::{Database, OpenOptions, Row, Text, Value, schema};
use super::{DatabaseWriter, WriterOptions};

/// A value that owns what it holds.
#[derive(Clone, Debug, PartialEq)]
enum Owned {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(value) => Self::Integer(value),
            Value::Real(value) => Self::Real(value),
            Value::Text(text) => Self::Text(text.to_str().unwrap().into_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Real(value) => Value::Real(*value),
            Self::Text(text) => Value::Text(Text::from(text.as_str())),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

fn values(row: &[Owned]) -> Vec<Value<'_>> {
    row.iter().map(Owned::value).collect()
}

/// Random numbers that are the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn writer(page_size: u32) -> DatabaseWriter<Cursor<Vec<u8>>> {
    let options = WriterOptions::new().page_size(page_size);
    DatabaseWriter::new(Cursor::new(Vec::new()), &options).unwrap()
}

fn finished(writer: DatabaseWriter<Cursor<Vec<u8>>>) -> Database {
    let bytes = writer.finish().unwrap().into_inner();
    let db = Database::from_bytes(bytes, None, None, &OpenOptions::new()).unwrap();
    assert_eq!(db.page_count() as usize, db.pages.held(), "the header counts every page");
    db
}

/// All rows of a table: rowids and values.
fn rows(db: &Database, table: &str) -> Vec<(i64, Vec<Owned>)> {
    let table = db.table(table).unwrap();
    let columns = table.columns().len();
    let values = |row: &Row<'_>| (0..columns).map(|at| Owned::of(row.get(at).unwrap())).collect();
    let row = |row: Row<'_>| (row.rowid().unwrap(), values(&row));
    db.rows(table).map(|found| row(found.unwrap())).collect()
}

/// The records of an index, in the order of its tree.
fn keys(db: &Database, index: &str) -> Vec<Vec<u8>> {
    let schema = schema::schema_table();
    let named = |row: &Row<'_>| row.get(1).unwrap() == Value::from(index);
    let entry = db.rows(&schema).map(Result::unwrap).find(named).unwrap();
    let Value::Integer(root) = entry.get(3).unwrap() else { panic!("no root") };
    let mut walk = TreeCursor::new(&db.pages, u32::try_from(root).unwrap(), Kind::Index).unwrap();
    let mut keys = Vec::new();
    while let Some(cell) = walk.next().unwrap() {
        let payload = Payload::of_index(&cell, &db.local).unwrap();
        keys.push(payload.assemble(&db.pages, &db.local).unwrap());
    }
    keys
}
