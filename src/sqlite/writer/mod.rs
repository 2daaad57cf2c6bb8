//! Writes a new SQLite database file, in pure Rust and in one pass.
//!
//! [`DatabaseWriter`] takes tables one after another, each as its `CREATE TABLE`, its indexes and
//! its rows in the order of their rowids; then views and triggers. Every version of SQLite since
//! 3.7.0 reads and writes what comes out; only an index that holds reals beside integers beyond
//! 2^53 is in an order that the oldest of them, which compare these as reals, find wrong.
//!
//! ```
//! use tgsession::sqlite::writer::{DatabaseWriter, Index, WriterOptions};
//! use tgsession::sqlite::{Database, OpenOptions, Value};
//!
//! let out = std::io::Cursor::new(Vec::new()); // or a `File`
//! let mut db = DatabaseWriter::new(out, &WriterOptions::new().user_version(7))?;
//! let by_name = Index::explicit("CREATE INDEX by_name ON people (name)", &[1]);
//! let sql = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)";
//! let mut people = db.table(sql, &[by_name])?;
//! people.row(1, &[Value::Integer(1), Value::from("Ada")])?;
//! people.row(5, &[Value::Null, Value::from("Grace")])?; // the key is the rowid anyway
//! people.finish()?;
//! let bytes = db.finish()?.into_inner();
//!
//! let db = Database::from_bytes(bytes, None, None, &OpenOptions::new())?;
//! let people = db.table("people").expect("just written");
//! let grace = db.row(people, 5)?.expect("just written");
//! assert_eq!(grace.get(1)?, Value::from("Grace"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it writes
//!
//! Rowid tables, `UNIQUE` and `PRIMARY KEY` constraints with their automatic indexes, explicit
//! indexes, views, triggers; pages of 512 to 65536 bytes, UTF-8, schema format 4, rollback mode,
//! no auto-vacuum. Pages are filled to the last cell that fits, so the file is about what `VACUUM`
//! would make of it.
//!
//! # What it is not
//!
//! It changes no file that exists, runs no SQL, and does not sort rows. It writes no
//! `WITHOUT ROWID` table, no generated column, and no index that is partial, descending, of an
//! expression or of another collation than `BINARY`.
//!
//! # Memory
//!
//! A page for each level of a b-tree, a quarter of a megabyte of pages on their way out, the
//! longest row, and of the table that is being written the keys of all its indexes: each as it will
//! lie in the file, and some 18 bytes. What held pages, rows and keys is wiped before it is freed;
//! only of the first 8 bytes of a key there may be a copy left.

mod cell;
mod compare;
mod database;
mod error;
mod header;
mod index;
mod options;
mod page;
mod record;
mod schema;
mod sink;
mod table;
#[cfg(test)]
mod tests;
mod tree;

pub use database::DatabaseWriter;
pub use error::WriteError;
pub use index::Index;
pub use options::WriterOptions;
pub use table::TableWriter;
