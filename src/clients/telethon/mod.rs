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
mod peers;
mod rows;
mod scope;
mod write;

pub(super) use self::account::read as read_account;
pub(super) use self::peers::Peers;
pub(super) use self::rows::{EntityRow, StateRow, for_each_entity, state_rows};
pub(super) use self::scope::{Scope, session_id};
#[cfg(test)]
pub(super) use self::write::tests::as_kept;
pub(crate) use self::write::{TELETHON, TELETHON_V7};
pub(super) use self::write::{sent_files_row, sessions_row};
#[cfg(feature = "convert")]
use crate::error::Error;
use crate::error::Result;
use crate::format::Reader;
use crate::format::sqlite_file::{PeerTable, SqliteFile, SqliteFormat, rows_or_note};
#[cfg(feature = "convert")]
use crate::format::{FormatSpec, Known, Parsed};
use crate::format::{Notes, Tables};
use crate::types::Account;
#[cfg(feature = "convert")]
use std::path::Path;

#[cfg(feature = "convert")]
mod json;
#[cfg(feature = "convert")]
pub(crate) mod string;

/// The readers of Telethon.
pub(super) const READERS: &[Reader] = &[
    Reader::Sqlite(&Telethon),
    #[cfg(feature = "convert")]
    Reader::File { has_magic: false, looks_like: is_pickle, read: refuse_pickle },
    #[cfg(feature = "convert")]
    Reader::String { versioned: true, decode: string::decode },
    #[cfg(feature = "convert")]
    Reader::Json { name: "Telethon", looks_like: json::looks_like, read: json::read },
];

#[cfg(feature = "convert")]
pub(super) const FILE: FormatSpec = FormatSpec::file("telethon", &TELETHON);

#[cfg(feature = "convert")]
pub(super) const FILE_V7: FormatSpec = FormatSpec::file("telethon-v7", &TELETHON_V7);

#[cfg(feature = "convert")]
pub(super) const STRING: FormatSpec =
    FormatSpec::string(string::FORMAT, &string::CAPABILITIES, string::encode);

/// The newest schema that is known.
const NEWEST: i64 = 8;

/// The tables that are Telethon's own.
const TABLES: [&str; 5] = ["version", "sessions", "entities", "sent_files", "update_state"];

/// The tables that a damaged file should have, with the columns of the newest schema. These begin
/// with those of every older one.
const EXPECTED: [&str; 4] = [
    "create table sessions (dc_id integer primary key, server_address text, port integer, \
     auth_key blob, takeout_id integer, tmp_auth_key blob)",
    "create table entities (id integer primary key, hash integer not null, username text, \
     phone integer, name text, date integer)",
    "create table sent_files (md5_digest blob, file_size integer, type integer, id integer, \
     hash integer, primary key (md5_digest, file_size, type))",
    "create table update_state (id integer primary key, pts integer, qts integer, date integer, \
     seq integer)",
];

/// Telethon 1.
pub(crate) struct Telethon;

impl SqliteFormat for Telethon {
    fn described(&self) -> &'static str {
        "a Telethon session"
    }

    fn recognises(&self, db: &Tables) -> bool {
        is_telethon(db)
    }

    fn lacks(&self, db: &Tables) -> Option<String> {
        missing(db, &LOGIN).filter(|_| looks_like(db))
    }

    fn expected(&self) -> &'static [&'static str] {
        &EXPECTED
    }

    fn format(&self, file: &SqliteFile, notes: &mut Notes) -> Result<String> {
        let newest = (NEWEST, "Telethon schema");
        file.versioned_format("telethon-sqlite", ("version", "version"), newest, notes)
    }

    fn account(&self, file: &SqliteFile, _: &str, notes: &mut Notes) -> Result<Account> {
        if file.number("version", "version")?.is_none() {
            let note = "version: there is no schema version; the columns say what they are";
            notes.add(note.into());
        }
        read_account(Scope::whole(file), notes)
    }

    fn peers<'a>(&self, file: &'a SqliteFile, _: &str, notes: &mut Notes) -> Result<PeerTable<'a>> {
        let Some(table) = file.table_or_note("entities", notes) else { return Ok(None) };
        let peers = Peers::of(Scope::whole(file), table, Vec::new());
        Ok(rows_or_note(table, peers, "columns id and hash", notes))
    }

    fn owns(&self, table: &str) -> bool {
        TABLES.iter().any(|known| table.eq_ignore_ascii_case(known))
    }
}

/// Whether a file begins as Python's pickles do, which Telethon wrote up to 0.10. Reading one means
/// running it, so it can only be named.
#[cfg(feature = "convert")]
fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, ..])
}

/// The columns of `sessions` without which there is no login.
pub(super) const LOGIN: [&str; 2] = ["dc_id", "auth_key"];

/// Whether the tables are Telethon's. A whole file is recognised by two tables that no application
/// makes for itself; other tables do not count. In a damaged file, at least one table must be left
/// in the schema, and no table of a relative.
fn is_telethon(db: &Tables) -> bool {
    match db {
        Tables::Whole(_) => looks_like(db) && missing(db, &LOGIN).is_none(),
        Tables::Saved(_) => db.count(&RELATIVES) == 0 && db.count(&OWN) > 0,
    }
}

fn looks_like(db: &Tables) -> bool {
    let own = [("sessions", "server_address"), ("version", "version"), ("entities", "hash")];
    db.count(RELATIVES.iter().take(CORE)) == 0
        && (db.count(&own) >= 2 || db.has("sessions", &["server_address"]))
}

#[cfg(feature = "convert")]
fn refuse_pickle(path: &Path, _: &[u8], _: Known<'_>) -> Result<Parsed> {
    let found = "a Python pickle, as Telethon wrote sessions before 0.11".to_owned();
    let hint = "reading a pickle runs the code in it, so it is not read; log in again";
    Err(Error::WrongKind { path: path.to_owned(), found, hint })
}

/// The first of these columns that `sessions` has not, or that there is no such table.
pub(super) fn missing(db: &Tables, columns: &[&str]) -> Option<String> {
    let Some(table) = db.named("sessions") else { return Some("table sessions".to_owned()) };
    let column = columns.iter().find(|name| table.column(name).is_none())?;
    Some(format!("column {column} in its table sessions"))
}

/// Columns that Telethon's tables have, and those of a relative have not.
const OWN: [(&str, &str); 4] = [
    ("sessions", "server_address"),
    ("entities", "hash"),
    ("sent_files", "md5_digest"),
    ("update_state", "id"),
];

/// How many entries of `RELATIVES`, from the first, are tables that Telethon has too.
const CORE: usize = 4;

/// Columns that only other clients' tables of the same names have: telethon-session-sqlalchemy,
/// Pyrogram and its forks, and grammers.
const RELATIVES: [(&str, &str); 7] = [
    ("sessions", "session_id"),
    ("sessions", "user_id"),
    ("version", "number"),
    ("entities", "session_id"),
    ("update_state", "session_id"),
    ("peers", "access_hash"),
    ("dc_option", "dc_id"),
];
