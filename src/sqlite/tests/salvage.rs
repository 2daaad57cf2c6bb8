//! Rows out of files that SQLite reads in part, or not at all.

use std::fs;

use super::super::{Database, Lost, OpenOptions, Row, Salvage, Table};
use super::{row_to_json, telethon};

fn lines<'a>(table: &Table, rows: impl Iterator<Item = Row<'a>>) -> Vec<String> {
    let mut lines: Vec<_> = rows.map(|row| row_to_json(table, &row).unwrap().to_string()).collect();
    lines.sort();
    lines
}

/// The entities of a damaged file, and of the file it was made from.
fn salvaged(name: &str) -> (Vec<String>, Vec<String>, Lost) {
    let options = OpenOptions::new();
    let whole = Database::open(&telethon("bad_enc.session"), &options).unwrap();
    let table = whole.table("entities").unwrap();
    let all = lines(table, whole.rows(table).map(Result::unwrap));
    let salvage = Salvage::open(&telethon(name), &options).unwrap();
    let table = salvage.table("entities").unwrap();
    let found = lines(table, salvage.rows(table));
    let range = found.len() as u64..=found.len() as u64 + salvage.lost().rows;
    assert!(range.contains(&salvage.row_count(table)), "{name}: {range:?}");
    (found, all, salvage.lost())
}

#[test]
fn a_whole_file_loses_nothing() {
    let (found, all, lost) = salvaged("bad_extra_tail.session");
    assert_eq!((found, lost), (all, Lost::default()));
}

#[test]
fn rows_under_a_broken_root_are_found_without_it() {
    for name in ["bad_cells_root_65535", "bad_cells_root_0", "bad_cycle_right", "bad_pagetype"] {
        let (found, all, _) = salvaged(&format!("{name}.session"));
        assert!(found.len() >= all.len() * 3 / 4, "{name}: {}", found.len());
        assert!(found.iter().all(|row| all.contains(row)), "{name}");
    }
}

#[test]
fn a_count_that_lies_hides_no_row() {
    // In a page: the number of cells. In the header: the number of pages.
    for name in ["bad_cells_child_65535", "bad_hdr_31_1"] {
        let (found, all, _) = salvaged(&format!("{name}.session"));
        assert_eq!(found, all, "{name}");
    }
}

#[test]
fn rows_of_a_table_that_the_schema_lost_are_found_if_it_is_expected() {
    let whole = Database::open(&telethon("bad_enc.session"), &OpenOptions::new()).unwrap();
    let entities = whole.table("entities").unwrap();
    let all = lines(entities, whole.rows(entities).map(Result::unwrap));
    for name in ["bad_rootpage", "bad_master_sql", "bad_flip_10"] {
        let path = telethon(&format!("{name}.session"));
        let lost = Salvage::open(&path, &OpenOptions::new()).unwrap();
        assert!(lost.table("entities").is_none(), "{name}");
        let options = OpenOptions::new().expect_table(entities.sql());
        let salvage = Salvage::open(&path, &options).unwrap();
        let table = salvage.table("entities").unwrap();
        assert!(!salvage.is_in_schema(table));
        let found = lines(table, salvage.rows(table));
        assert!(found.len() + 3 >= all.len(), "{name}: {} of {}", found.len(), all.len());
        assert!(name == "bad_flip_10" || found.iter().all(|row| all.contains(row)), "{name}");
    }
}

#[test]
fn a_broken_row_is_lost_alone() {
    for name in ["bad_record_header", "bad_payload_len", "bad_overflow_short"] {
        let (found, all, lost) = salvaged(&format!("{name}.session"));
        assert!(found.len() + 2 >= all.len(), "{name}: {}", found.len());
        assert!(found.iter().all(|row| all.contains(row)), "{name}");
        assert!(lost.rows > 0, "{name}: {lost:?}");
    }
}

#[test]
fn a_broken_header_is_guessed() {
    for name in ["bad_hdr_0_1", "bad_hdr_16_1", "bad_hdr_19_1", "bad_hdr_28_1"] {
        let (found, all, _) = salvaged(&format!("{name}.session"));
        assert_eq!(found, all, "{name}");
    }
}

#[test]
fn a_file_cut_short_gives_what_it_has() {
    let (found, all, lost) = salvaged("bad_trunc_25600.session");
    assert!(found.len() > all.len() / 4, "{}", found.len());
    assert!(found.iter().all(|row| all.contains(row)));
    assert!(lost.pages > 0);
}

/// No deleted row comes back, and no page of the schema, of an index or of an overflow chain is
/// taken for rows.
#[test]
fn a_whole_file_gives_no_more_and_no_less_than_its_rows() {
    let names = [
        "freelist_trunks",
        "bad_enc", // a schema of two pages
        "autovacuum_full",
        "foreign_objects",
        "overflow_norowid",
        "utf16le",
        "hot_spilled",
        "wal",
    ];
    for name in names {
        let (path, options) = (telethon(&format!("{name}.session")), OpenOptions::new());
        let db = Database::open(&path, &options).unwrap();
        let salvage = Salvage::open(&path, &options).unwrap();
        assert_eq!(salvage.tables().len(), db.tables().len());
        for table in db.tables() {
            let ours = salvage.rows(salvage.table(table.name()).unwrap());
            let all = lines(table, db.rows(table).map(Result::unwrap));
            assert_eq!(lines(table, ours), all, "{name}");
        }
    }
}

#[test]
fn no_byte_can_do_harm() {
    let mut bytes = fs::read(telethon("wal_ps512.session")).unwrap();
    for at in (0..bytes.len()).step_by(7).chain(0..112) {
        bytes[at] ^= 0xff;
        let salvage = Salvage::from_bytes(bytes.clone(), None, None, &OpenOptions::new());
        let rows = |table| salvage.rows(table).count();
        let _ = salvage.tables().iter().map(rows).sum::<usize>();
        bytes[at] ^= 0xff;
    }
}
