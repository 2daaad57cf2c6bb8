//! Every real file reads as SQLite reads it.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::super::{Database, OpenError, OpenOptions};
use super::{FOLDERS, lines, telethon};

/// What SQLite reads from a file: an error for all of it, or tables, each with its rows.
struct Expected {
    error: Option<String>,
    tables: Vec<(String, Option<Vec<String>>)>,
}

impl Expected {
    fn of_telethon(json: &Json) -> Self {
        let error = json["error"].as_str().map(str::to_owned);
        let mut tables = Vec::new();
        for name in ["sessions", "entities", "sent_files", "update_state"] {
            let failed = error.as_ref().is_some_and(|error| error.starts_with(&format!("{name}:")));
            match json[name].as_array() {
                Some(rows) => tables.push((name.to_owned(), Some(sorted(rows)))),
                None if failed => tables.push((name.to_owned(), None)),
                None => {}
            }
        }
        if let Some(version) = json["version"].as_i64() {
            let column = if json["source"].as_str().unwrap().contains("Pyrogram") {
                "number"
            } else {
                "version"
            };
            let line = json!({ column: version }).to_string();
            tables.push(("version".to_owned(), Some(vec![line])));
        }
        for (name, rows) in json["other_tables"].as_object().into_iter().flatten() {
            tables.push((name.clone(), Some(sorted(rows.as_array().unwrap()))));
        }
        let of_all = error.filter(|_| tables.is_empty());
        Self { error: of_all, tables }
    }

    fn of_others(json: &Json) -> Self {
        let mut tables = Vec::new();
        for (name, table) in json["tables"].as_object().into_iter().flatten() {
            let columns = table["columns"].as_array().unwrap();
            let object = |row: &Json| {
                let names = columns.iter().map(|name| name.as_str().unwrap().to_owned());
                Json::Object(names.zip(row.as_array().unwrap().iter().cloned()).collect())
            };
            let rows: Vec<_> = table["rows"].as_array().unwrap().iter().map(object).collect();
            tables.push((name.clone(), Some(sorted(&rows))));
        }
        Self { error: None, tables }
    }

    /// Every difference, in words.
    fn compare(&self, path: &Path) -> Vec<String> {
        match (Database::open(path, &OpenOptions::new()), &self.error) {
            (Ok(db), None) => {
                let differ = |(name, rows): &(String, Option<Vec<String>>)| {
                    let Some(table) = db.table(name) else {
                        return Some(format!("no {name}"));
                    };
                    let ours = lines(&db, table);
                    (ours.as_ref().ok() != rows.as_ref()).then(|| {
                        let ours = ours.map(|rows| rows.len());
                        format!("{name}: {ours:?}, not {:?}", rows.as_ref().map(Vec::len))
                    })
                };
                self.tables.iter().filter_map(differ).collect()
            }
            (Err(OpenError::NotSqlite | OpenError::Damaged(_)), Some(_)) => vec![],
            (ours, theirs) => vec![format!("{:?}, not {theirs:?}", ours.err())],
        }
    }
}

fn sorted(rows: &[Json]) -> Vec<String> {
    let mut lines: Vec<_> = rows.iter().map(Json::to_string).collect();
    lines.sort();
    lines
}

fn is_database(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("session" | "sqlite"))
}

/// Compares every file of a folder; how many there were.
fn compare_all(folder: &str, expected: fn(&Json) -> Expected, skip: &[&str]) -> usize {
    let mut count = 0;
    let mut differences = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !is_database(&path) || skip.iter().any(|skip| name.ends_with(skip)) {
            continue;
        }
        let json = fs::read_to_string(path.with_extension("json")).unwrap();
        let expected = expected(&serde_json::from_str(&json).unwrap());
        let found = expected.compare(&path);
        differences.extend(found.iter().map(|difference| format!("{name}: {difference}")));
        count += 1;
    }
    assert!(differences.is_empty(), "{differences:#?}");
    count
}

#[test]
fn every_telethon_file_reads_as_sqlite_reads_it() {
    assert!(compare_all(FOLDERS[0], Expected::of_telethon, &[]) > 100);
}

#[test]
fn every_file_of_other_clients_reads_as_sqlite_reads_it() {
    // Files with these endings are sessions, but not databases.
    let skip = ["_json", "_tl", "_tl_nouser", "_tl_two_dcs_ipv6", "wtelegram"];
    assert!(compare_all(FOLDERS[1], Expected::of_others, &skip) > 10);
}

#[test]
fn a_table_has_as_many_rows_as_are_counted() {
    let mut counted = 0;
    for entry in FOLDERS.iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
        let path = entry.unwrap().path();
        let Ok(db) = Database::open(&path, &OpenOptions::new()) else { continue };
        for table in db.tables() {
            let rows: Vec<_> = db.rows(table).collect();
            let (whole, count) = (rows.iter().all(Result::is_ok), db.row_count(table));
            // Rows after the first damaged one of a page are counted, and not read.
            let right =
                if whole { count == rows.len() as u64 } else { count + 1 >= rows.len() as u64 };
            assert!(right, "{}, {}: {count}, not {}", path.display(), table.name(), rows.len());
            counted += count;
        }
    }
    assert!(counted > 10_000, "{counted}");
}

#[test]
fn the_header_reads_as_sqlite_reads_it() {
    let mut count = 0;
    for entry in fs::read_dir(FOLDERS[0]).unwrap() {
        let path = entry.unwrap().path();
        let Ok(db) = Database::open(&path, &OpenOptions::new()) else {
            continue;
        };
        let Ok(json) = fs::read_to_string(path.with_extension("json")) else {
            continue;
        };
        let json: Json = serde_json::from_str(&json).unwrap();
        let expected = &json["sqlite"];
        if !is_database(&path) || expected.is_null() {
            continue;
        }
        assert_eq!(expected["page_size"], db.page_size(), "{}", path.display());
        assert_eq!(expected["page_count"], db.page_count(), "{}", path.display());
        assert_eq!(expected["freelist_count"], db.freelist_count(), "{}", path.display());
        assert_eq!(expected["user_version"], db.user_version(), "{}", path.display());
        assert_eq!(expected["application_id"], db.application_id(), "{}", path.display());
        count += 1;
    }
    assert!(count > 50);
}

#[test]
fn rows_are_found_by_their_key() {
    for name in ["overflow_norowid.session", "page_512.session", "page_512_norowid.session"] {
        let db = Database::open(&telethon(name), &OpenOptions::new()).unwrap();
        let table = db.table("entities").unwrap();
        let id = table.column("id").unwrap();
        for row in db.rows(table) {
            let row = row.unwrap();
            let super::Value::Integer(key) = row.get(id).unwrap() else { panic!("{row:?}") };
            let found = db.row(table, key).unwrap().unwrap();
            let json = |row| super::row_to_json(table, row).unwrap();
            assert_eq!(json(&found), json(&row), "{name}");
            assert!(db.row(table, key ^ (1 << 50)).unwrap().is_none(), "{name}");
        }
    }
}
