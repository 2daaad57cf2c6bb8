//! Reads SQLite database files and lays out new ones, in pure Rust. A database that is read is
//! never written.
//!
//! [`Database::open`] maps a file, takes the lock that SQLite's own readers take, and looks
//! at the files beside it: the committed part of a `-wal` is read, a hot `-journal` is rolled
//! back in memory. [`Database::from_bytes`] does the same for bytes that are already here.
//! Then [`Database::tables`] says what there is, and [`Database::rows`] walks a table. [`writer`]
//! makes a database in one pass.
//!
//! ```no_run
//! use tgsession::sqlite::{Database, OpenOptions, Value};
//!
//! let db = Database::open("anon.session".as_ref(), &OpenOptions::new())?;
//! if let Some(table) = db.table("entities") {
//!     let name = table.column("name").unwrap_or(0);
//!     for row in db.rows(table) {
//!         if let Value::Text(text) = row?.get(name)? {
//!             println!("{}", text.to_str()?);
//!         }
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it reads
//!
//! Every page size (512 to 65536) with reserved bytes, schema formats 1 to 4, UTF-8 and both
//! UTF-16 encodings, rowid tables and `WITHOUT ROWID` tables, overflow pages, auto-vacuum
//! files, columns added by `ALTER TABLE` with their `DEFAULT`, stored generated columns.
//!
//! # What it is not
//!
//! It runs no SQL, reads no index, computes no `VIRTUAL` column (they are left out of
//! [`Table::columns`]), and opens neither views nor virtual tables.
//!
//! # Damaged files
//!
//! No input makes it panic, loop, or take more memory than the file's size and
//! [`OpenOptions::max_memory`] allow. Where SQLite calls a file or a table malformed, so does
//! this module, with the page and the reason ([`SqliteError`]); a damaged table leaves the
//! others readable. Where SQLite reads a damaged file without noticing, the rows are the same.
//! A row's columns are decoded when they are asked for, so damage inside a row shows up in
//! [`Row::get`], and damage to the b-tree in [`Rows`].
//!
//! [`Salvage`] goes further: it gives every row that is still whole, of files that SQLite refuses
//! too.
//!
//! # Live files
//!
//! See [`Database::open`] for what protects a read while another process writes.

mod bytes;
mod database;
mod error;
mod guess;
mod header;
mod image;
mod journal;
mod lock;
mod open;
mod page;
mod pages;
mod payload;
mod reach;
mod record;
mod row;
mod rows;
mod salvage;
mod schema;
mod seek;
mod sql;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod value;
mod wal;
pub mod writer;

pub use database::Database;
pub use error::SqliteError;
pub use open::{OpenError, OpenOptions};
pub use row::Row;
pub use rows::Rows;
pub use salvage::{Lost, Salvage, SalvagedRows};
pub use table::{Affinity, Column, Table};
pub use value::{Encoding, Text, Value};
