//! How fast all rows of a Telethon file are read, beside SQLite itself.
//!
//! Makes a file of entities, then reads every column of every row with both in turn.
//! `sqlite_rows [ROWS] [ours]`; with `ours`, SQLite only makes the file, so that a profiler sees this
//! reader alone.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tgsession::sqlite::{Database, OpenOptions, Value};
use tgsession_benches::args::Args;
use tgsession_benches::clock::{median, timed};
use tgsession_benches::disk;
use tgsession_benches::people::{World, auth_key};
use tgsession_benches::telethon;

const ROUNDS: usize = 5;

const COLUMNS: usize = 6;

fn main() {
    let args = Args::of_process();
    let rows = args.at(0).map_or(1_000_000, |rows| rows.parse().unwrap());
    let folder = disk::folder();
    let path = folder.path().join("rows.session");
    write(rows, &path);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (time, sum) = timed(|| read_ours(&path));
        ours.push(time);
        if args.at(1) != Some("ours") {
            let (time, same) = timed(|| read_theirs(&path));
            theirs.push(time);
            assert_eq!(sum, same, "both must see the same");
        }
    }
    report(rows, median(ours), median(theirs));
}

fn report(rows: u64, ours: f64, theirs: f64) {
    println!("| reader | us a row |\n|---|---:|");
    println!("| **tgsession** | {:.3} |", ours / rows as f64);
    println!("| SQLite | {:.3} |", theirs / rows as f64);
    println!("| ours / SQLite | {:.2}x |", ours / theirs);
}

fn write(rows: u64, path: &Path) {
    let mut db = telethon::create(path, &auth_key());
    db.execute_batch("pragma synchronous = off").unwrap();
    let write = db.transaction().unwrap();
    telethon::put_entities(&write, &World::new(rows).sorted());
    write.commit().unwrap();
}

fn read_ours(path: &Path) -> u64 {
    let db = Database::open(path, &OpenOptions::new()).unwrap();
    let table = db.table("entities").unwrap();
    let mut sum = 0_u64;
    for row in db.rows(table) {
        let row = row.unwrap();
        for column in 0..COLUMNS {
            sum = with(sum, seen(row.get(column).unwrap()));
        }
    }
    sum
}

fn read_theirs(path: &Path) -> u64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(path, flags).unwrap();
    let mut statement = db.prepare("select * from entities").unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut sum = 0_u64;
    while let Some(row) = rows.next().unwrap() {
        for column in 0..COLUMNS {
            sum = with(sum, seen_by_sqlite(row.get_ref(column).unwrap()));
        }
    }
    sum
}

fn with(sum: u64, value: u64) -> u64 {
    sum.wrapping_mul(31).wrapping_add(value)
}

fn seen(value: Value<'_>) -> u64 {
    match value {
        Value::Null => 1,
        Value::Integer(value) => value.cast_unsigned(),
        Value::Real(value) => value.to_bits(),
        Value::Text(text) => text.as_bytes().len() as u64,
        Value::Blob(bytes) => bytes.len() as u64,
    }
}

fn seen_by_sqlite(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Null => 1,
        ValueRef::Integer(value) => value.cast_unsigned(),
        ValueRef::Real(value) => value.to_bits(),
        ValueRef::Text(text) => text.len() as u64,
        ValueRef::Blob(bytes) => bytes.len() as u64,
    }
}
