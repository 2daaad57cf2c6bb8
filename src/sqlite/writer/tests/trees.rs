//! Trees of every number of cells, deep ones, and the ways a tree ends.

use std::collections::BTreeSet;

use super::super::super::page::{Kind, Page};
use super::super::super::{Database, Value};
use super::super::Index;
use super::{Owned, finished, keys, rows, writer};

/// A table of this many rows with a text of this length, and an index on it; keys come downwards.
fn database(count: i64, length: usize) -> Database {
    let mut db = writer(512);
    let index = Index::explicit("CREATE INDEX i ON t (a)", &[0]);
    let mut table = db.table("CREATE TABLE t (a TEXT)", &[index]).unwrap();
    for rowid in 0..count {
        table.row(rowid, &[Value::from(text(count - rowid, length).as_str())]).unwrap();
    }
    table.finish().unwrap();
    finished(db)
}

fn text(number: i64, length: usize) -> String {
    format!("k{number:0length$}")
}

fn check(db: &Database, count: i64, length: usize) {
    let expected = |rowid| (rowid, vec![Owned::Text(text(count - rowid, length))]);
    assert_eq!(rows(db, "t"), (0..count).map(expected).collect::<Vec<_>>());
    let table = db.table("t").unwrap();
    for rowid in [0, count / 2, count - 1].into_iter().filter(|_| count > 0) {
        assert!(db.row(table, rowid).unwrap().is_some(), "{rowid} of {count}");
    }
    let keys = keys(db, "i");
    assert_eq!(keys.len(), usize::try_from(count).unwrap());
    for (number, key) in (1..).zip(keys) {
        let found = key.windows(length + 1).any(|part| part == text(number, length).as_bytes());
        assert!(found, "key {number} of {count}");
    }
}

#[test]
fn every_number_of_rows_reads_back() {
    for count in 0..260 {
        for length in [8, 90, 120] {
            check(&database(count, length), count, length);
        }
    }
}

#[test]
fn a_deep_tree_reads_back() {
    let db = database(9_000, 90); // four keys a page: seven levels
    check(&db, 9_000, 90);
    let db = database(40_000, 8);
    check(&db, 40_000, 8);
}

#[test]
fn every_length_of_a_row_reads_back() {
    for page_size in [512, 1024] {
        let mut db = writer(page_size);
        let index = Index::explicit("CREATE INDEX i ON t (a)", &[0]);
        let mut table = db.table("CREATE TABLE t (a)", &[index]).unwrap();
        for length in 0..2_200 {
            table.row(length, &[Value::Blob(&blob(length))]).unwrap();
        }
        table.finish().unwrap();
        let db = finished(db);
        let expected = (0..2_200).map(|length| (length, vec![Owned::Blob(blob(length))]));
        assert_eq!(rows(&db, "t"), expected.collect::<Vec<_>>());
        let lengths = keys(&db, "i").iter().map(Vec::len).collect::<BTreeSet<_>>();
        assert_eq!(lengths.len(), 2_200); // each row's key is longer than the one before
    }
}

fn blob(length: i64) -> Vec<u8> {
    let bytes = (0..length).map(|at| u8::try_from((at * 7 + length) % 256).unwrap());
    bytes.rev().collect()
}

/// A schema whose row in `sqlite_schema` has every length: it fits beside the header, fits only
/// without it, or overflows.
#[test]
fn a_schema_of_every_length_reads_back() {
    for length in 1..1_200 {
        let mut db = writer(512);
        let sql = format!("CREATE TABLE t (a /* {} */)", "c".repeat(length));
        let mut table = db.table(&sql, &[]).unwrap();
        table.row(1, &[Value::Integer(length as i64)]).unwrap();
        table.finish().unwrap();
        let db = finished(db);
        assert_eq!(db.table("t").unwrap().sql(), sql);
        assert_eq!(rows(&db, "t"), [(1, vec![Owned::Integer(length as i64)])]);
    }
}

#[test]
fn a_schema_of_any_number_of_tables_reads_back() {
    for count in (0..40).chain([1_000]) {
        let mut db = writer(512);
        let name = |number: i64| format!("t{number}{}", "x".repeat(number as usize % 7));
        for number in 0..count {
            let sql = format!("CREATE TABLE {} (a)", name(number));
            db.table(&sql, &[]).unwrap().finish().unwrap();
        }
        let db = finished(db);
        let names: Vec<_> = db.tables().iter().map(|table| table.name().to_owned()).collect();
        assert_eq!(names, (0..count).map(name).collect::<Vec<_>>());
    }
}

/// Leaves of a table tree: each but the last has no room for the first cell of the next.
#[test]
fn leaves_are_full() {
    let mut db = writer(4096);
    let mut table = db.table("CREATE TABLE t (a)", &[]).unwrap();
    for rowid in 0..1_000 {
        table.row(1_000_000 + rowid, &[Value::Blob(&[0; 40])]).unwrap(); // cells of 46 bytes
    }
    table.finish().unwrap();
    let db = finished(db);
    let leaves: Vec<_> = (2..=db.page_count())
        .filter_map(|no| Page::parse(no, db.pages.page(no).unwrap(), Kind::Table).ok())
        .filter(|page| page.leaf)
        .map(|page| page.count())
        .collect();
    assert_eq!(leaves[..11], [(4096 - 8) / (46 + 2); 11]);
    assert_eq!(leaves.iter().sum::<usize>(), 1_000);
}
