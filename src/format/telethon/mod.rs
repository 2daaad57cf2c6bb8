//! Telethon's `.session` files: every schema from release 0.16 to 1.45 (versions 1 to 8).
//!
//! ```text
//! version      (version)
//! sessions     (dc_id, server_address, port, auth_key [, takeout_id [, tmp_auth_key]])
//! entities     (id, hash, username, phone, name [, date])
//! sent_files   (md5_digest, file_size, type, id, hash)       before version 3: file_id, part_count
//! update_state (id, pts, qts, date, seq)                      from version 4
//! ```
//!
//! Tables and columns are taken by name and not by the version: files upgraded half-way carry
//! an old number on new columns, and old releases stamped theirs on newer files.

mod account;
mod entities;
mod field;

use std::path::{Path, PathBuf};

use super::{Notes, Tables};
use crate::error::{Damaged, Error, Result};
use crate::sqlite::{SqliteError, Table, Value};
use crate::types::Account;

pub(crate) use self::entities::Entities;

/// The newest schema that is known.
const NEWEST: i64 = 8;

/// The tables that are Telethon's own.
const TABLES: [&str; 5] = ["version", "sessions", "entities", "sent_files", "update_state"];

/// What a damaged file should have: the columns of the newest schema, which begin with those of
/// every older one.
pub(crate) const EXPECTED: [&str; 4] = [
    "create table sessions (dc_id integer primary key, server_address text, port integer, \
     auth_key blob, takeout_id integer, tmp_auth_key blob)",
    "create table entities (id integer primary key, hash integer not null, username text, \
     phone integer, name text, date integer)",
    "create table sent_files (md5_digest blob, file_size integer, type integer, id integer, \
     hash integer, primary key (md5_digest, file_size, type))",
    "create table update_state (id integer primary key, pts integer, qts integer, date integer, \
     seq integer)",
];

/// A Telethon session file.
#[derive(Debug)]
pub(crate) struct TelethonFile {
    path: PathBuf,
    db: Tables,
    version: Option<i64>,
}

impl TelethonFile {
    /// Takes a database for a Telethon session if it is one.
    pub(crate) fn new(path: &Path, db: Tables) -> Result<Self> {
        if let Some(found) = stranger(&db) {
            let hint = "this release imports Telethon sessions";
            return Err(Error::WrongKind { path: path.to_owned(), found, hint });
        }
        let mut file = Self { path: path.to_owned(), db, version: None };
        file.version = file.read_version()?;
        match file.version {
            Some(found) if found > NEWEST && matches!(file.db, Tables::Whole(_)) => {
                let what = "Telethon schema";
                Err(Error::Newer { path: file.path, what, found, newest: NEWEST })
            }
            _ => Ok(file),
        }
    }

    /// The form as dumps name it.
    pub(crate) fn form(&self) -> String {
        match self.version {
            Some(version) => format!("telethon-sqlite v{version}"),
            None => "telethon-sqlite".to_owned(),
        }
    }

    pub(crate) fn db(&self) -> &Tables {
        &self.db
    }

    /// Everything but the entities, with a note for what is not in it.
    pub(crate) fn account(&self) -> Result<(Account, Notes)> {
        let mut notes = Notes::default();
        if self.version.is_none() {
            notes.add("version: there is no schema version; the columns say what they are".into());
        }
        if let Tables::Saved(salvage) = &self.db {
            let lost = salvage.lost();
            notes.add(format!(
                "salvaged from a damaged file: {} pages and {} rows could not be saved",
                lost.pages, lost.rows
            ));
        }
        let account = account::read(self, &mut notes)?;
        for table in self.db.all() {
            let name = table.name();
            let known = TABLES.iter().any(|known| name.eq_ignore_ascii_case(known));
            if !known && !name.starts_with("sqlite_") {
                notes.add(format!("table {name:?} is not Telethon's and was not read"));
            }
        }
        if self.db.named("entities").is_none() {
            notes.add("entities: there is no such table".into());
        }
        Ok((account, notes))
    }

    /// The entities in the order of their ids, as they are read.
    pub(crate) fn entities(&self, notes: Notes) -> Entities<'_> {
        Entities::new(self, notes)
    }

    fn read_version(&self) -> Result<Option<i64>> {
        let Some(table) = self.db.named("version") else { return Ok(None) };
        let Some(column) = table.column("version") else { return Ok(None) };
        match self.db.rows(table).next() {
            None => Ok(None),
            Some(row) => {
                let damaged = |error| self.damaged(table, error);
                match row.map_err(damaged)?.get(column).map_err(damaged)? {
                    Value::Integer(version) => Ok(Some(version)),
                    _ => Ok(None),
                }
            }
        }
    }

    /// A column by name. Where the schema of a damaged file has lost the name, the column that
    /// stands in its place, if that has no other of Telethon's names.
    fn column(&self, table: &Table, names: &[&str], name: &str) -> Option<usize> {
        let in_its_place = || {
            let place = names.iter().position(|known| *known == name)?;
            let there = table.columns().get(place)?.name();
            let known = names.iter().any(|known| known.eq_ignore_ascii_case(there));
            (matches!(self.db, Tables::Saved(_)) && !known).then_some(place)
        };
        table.column(name).or_else(in_its_place)
    }

    fn damaged(&self, table: &Table, error: SqliteError) -> Error {
        let table = Some(table.name().to_owned());
        Error::damaged(&self.path, Damaged::Sqlite { table, error })
    }
}

/// What a database is when it is no Telethon session, as in "it is ...".
fn stranger(db: &Tables) -> Option<String> {
    let has = |table: &str, columns: &[&str]| {
        let table = db.named(table);
        table.is_some_and(|table| columns.iter().all(|name| table.column(name).is_some()))
    };
    let found = if has("sessions", &["session_id", "auth_key"]) {
        "a telethon-session-sqlalchemy database"
    } else if is_telethon(db) && !has("version", &["number"]) {
        return None;
    } else if has("version", &["number"]) || has("peers", &["access_hash"]) {
        "a session of Pyrogram or one of its forks"
    } else if has("datacenter", &["id"]) {
        "a session of Telethon's v2 branch"
    } else if has("dc_home", &[]) && has("dc_option", &[]) {
        "a grammers session"
    } else if has("mtcute_migrations", &[]) || has("key_value", &["key", "value"]) {
        "a mtcute session"
    } else if names(db).is_empty() {
        "a SQLite database without tables"
    } else {
        return Some(format!(
            "a SQLite database without Telethon's `sessions`, with {}",
            names(db)
        ));
    };
    Some(found.to_owned())
}

/// The columns of `sessions` without which it is none.
const LOGIN: [&str; 3] = ["dc_id", "server_address", "auth_key"];

/// Whether `sessions` is Telethon's. Of a damaged file, at least one table of Telethon's must be in
/// the schema and not only hoped for.
fn is_telethon(db: &Tables) -> bool {
    let Some(sessions) = db.named("sessions") else { return false };
    let Tables::Saved(salvage) = db else {
        return LOGIN.iter().all(|name| sessions.column(name).is_some());
    };
    let own = [
        ("sessions", "server_address"),
        ("entities", "hash"),
        ("sent_files", "md5_digest"),
        ("update_state", "qts"),
    ];
    own.iter()
        .filter_map(|(table, column)| Some((salvage.table(table)?, column)))
        .any(|(table, column)| salvage.is_in_schema(table) && table.column(column).is_some())
}

/// The names of the first few tables, but not of those that were only hoped for.
fn names(db: &Tables) -> String {
    let there = |table: &&Table| match db {
        Tables::Whole(_) => true,
        Tables::Saved(salvage) => salvage.is_in_schema(table),
    };
    let mut names: Vec<&str> = db.all().iter().filter(there).map(Table::name).collect();
    if names.len() > MOST_NAMES {
        names.truncate(MOST_NAMES);
        names.push("...");
    }
    names.join(", ")
}

const MOST_NAMES: usize = 6;
