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
use super::client::{Client, PeerRows, SqliteFile};
use super::{Notes, Tables};
use crate::error::Result;
use crate::types::Account;

/// The newest schema that is known.
const NEWEST: i64 = 8;

/// The tables that are Telethon's own.
const TABLES: [&str; 5] = ["version", "sessions", "entities", "sent_files", "update_state"];

/// What a damaged file should have: the columns of the newest schema, which begin with those of
/// every older one.
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

impl Client for Telethon {
    fn described(&self) -> &'static str {
        "a Telethon session"
    }

    fn recognises(&self, db: &Tables) -> bool {
        is_telethon(db)
    }

    fn expected(&self) -> &'static [&'static str] {
        &EXPECTED
    }

    fn form(&self, file: &SqliteFile) -> Result<String> {
        let newest = (NEWEST, "Telethon schema");
        file.versioned_form("telethon-sqlite", ("version", "version"), newest)
    }

    fn account(&self, file: &SqliteFile, _: &str, notes: &mut Notes) -> Result<Account> {
        if file.number("version", "version")?.is_none() {
            let note = "version: there is no schema version; the columns say what they are";
            notes.add(note.into());
        }
        read_account(Scope::whole(file), notes)
    }

    fn peers<'a>(
        &self,
        file: &'a SqliteFile,
        _: &str,
        notes: &mut Notes,
    ) -> Result<Option<Box<dyn PeerRows<'a> + 'a>>> {
        let Some(table) = file.db().named("entities") else {
            notes.add("entities: there is no such table".into());
            return Ok(None);
        };
        let Some(peers) = Peers::of(Scope::whole(file), table, Vec::new()) else {
            notes.add("entities: the table has no columns id and hash, and was not read".into());
            return Ok(None);
        };
        Ok(Some(Box::new(peers)))
    }

    fn owns(&self, table: &str) -> bool {
        TABLES.iter().any(|known| table.eq_ignore_ascii_case(known))
    }
}

/// Whether a file begins as Python's pickles do, which Telethon wrote up to 0.10. Reading one means
/// running it, so it can only be named.
pub(crate) fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, ..])
}

/// The columns of `sessions` without which it is none.
const LOGIN: [&str; 3] = ["dc_id", "server_address", "auth_key"];

/// Whether the tables are Telethon's. Of a damaged file, at least one must still be in the schema,
/// and none of those by which its relatives are told.
fn is_telethon(db: &Tables) -> bool {
    let has = |table: &str, columns: &[&str]| {
        let table = db.named(table);
        table.is_some_and(|table| columns.iter().all(|name| table.column(name).is_some()))
    };
    if RELATIVES.iter().any(|(table, column)| has(table, &[column])) {
        return false;
    }
    match db {
        Tables::Whole(_) => has("sessions", &LOGIN),
        Tables::Saved(_) => OWN.iter().any(|(table, column)| has(table, &[column])),
    }
}

/// What Telethon's tables have and those of a relative have not.
const OWN: [(&str, &str); 4] = [
    ("sessions", "server_address"),
    ("entities", "hash"),
    ("sent_files", "md5_digest"),
    ("update_state", "id"),
];

/// What other clients' tables of the same names have: telethon-session-sqlalchemy, Pyrogram and its
/// forks, and grammers.
const RELATIVES: [(&str, &str); 7] = [
    ("sessions", "session_id"),
    ("sessions", "user_id"),
    ("entities", "session_id"),
    ("update_state", "session_id"),
    ("version", "number"),
    ("peers", "access_hash"),
    ("dc_option", "dc_id"),
];
