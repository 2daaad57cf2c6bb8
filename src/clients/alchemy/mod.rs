//! telethon-session-sqlalchemy: Telethon's tables with a `session_id` in each, so that one
//! database holds many sessions (releases 0.1 to 0.2.16, versions 1 and 2).
//!
//! ```text
//! version      (version)
//! sessions     (session_id, dc_id, server_address, port, auth_key)
//! entities     (session_id, id, hash, username, phone, name)
//! sent_files   (session_id, md5_digest, file_size, type, id, hash)
//! update_state (session_id, entity_id, pts, qts, date, seq [, unread_count])     from version 2
//! ```
//!
//! All names may begin with a prefix, which the application chose. Values are Telethon's; only the
//! ids of channels in `update_state` occur marked as well as bare.

mod write;

use std::collections::BTreeSet;

pub(crate) use self::write::AlchemyFile;

use crate::clients::telethon::{Peers, Scope, read_account, session_id};
use crate::error::Result;
#[cfg(feature = "convert")]
use crate::format::FormatSpec;
use crate::format::Reader;
use crate::format::sqlite_file::{PeerTable, SqliteFile, SqliteFormat, rows_or_note};
use crate::format::{Notes, Tables};
use crate::sqlite::Table;
use crate::types::Account;

/// The readers of telethon-session-sqlalchemy.
pub(super) const READERS: &[Reader] = &[Reader::Sqlite(&Alchemy)];

#[cfg(feature = "convert")]
pub(super) const FILE: FormatSpec = FormatSpec {
    ending: ".sqlite",
    holds_many: true,
    ..FormatSpec::file("sqlalchemy", &AlchemyFile)
};

/// The newest schema; version 3 has the tables of 2.
const NEWEST: i64 = 3;

/// The tables. Each has a column that other clients' tables of the same name lack.
const TABLES: [(&str, &str); 5] = [
    ("version", "version"),
    ("sessions", "server_address"),
    ("entities", "hash"),
    ("sent_files", "md5_digest"),
    ("update_state", "entity_id"),
];

/// The tables that a damaged file should have. Their prefix is not known beforehand.
const EXPECTED: [&str; 4] = [
    "create table sessions (session_id varchar not null, dc_id integer not null, \
     server_address varchar, port integer, auth_key blob, primary key (session_id, dc_id))",
    "create table entities (session_id varchar not null, id bigint not null, \
     hash bigint not null, username varchar, phone bigint, name varchar, \
     primary key (session_id, id))",
    "create table sent_files (session_id varchar not null, md5_digest blob not null, \
     file_size integer not null, type integer not null, id bigint, hash bigint, \
     primary key (session_id, md5_digest, file_size, type))",
    "create table update_state (session_id varchar not null, entity_id bigint not null, \
     pts bigint, qts bigint, date bigint, seq bigint, unread_count integer, \
     primary key (session_id, entity_id))",
];

/// telethon-session-sqlalchemy.
pub(crate) struct Alchemy;

impl SqliteFormat for Alchemy {
    fn described(&self) -> &'static str {
        "a telethon-session-sqlalchemy database"
    }

    fn recognises(&self, db: &Tables) -> bool {
        prefix(db).is_some()
    }

    fn expected(&self) -> &'static [&'static str] {
        &EXPECTED
    }

    fn format(&self, file: &SqliteFile, notes: &mut Notes) -> Result<String> {
        let table = format!("{}version", prefix(file.db()).unwrap_or_default());
        let newest = (NEWEST, "telethon-session-sqlalchemy schema");
        file.versioned_format("sqlalchemy", (&table, "version"), newest, notes)
    }

    fn sessions(&self, file: &SqliteFile) -> Result<Option<Vec<String>>> {
        sessions(file).map(Some)
    }

    fn account(&self, file: &SqliteFile, session: &str, notes: &mut Notes) -> Result<Account> {
        let prefix = prefix(file.db()).unwrap_or_default();
        for table in file.db().all() {
            if let Some(other) = prefix_of(table)
                && !other.eq_ignore_ascii_case(prefix)
            {
                let name = table.name();
                notes.add(format!("table {name:?} has another prefix and was not read"));
            }
        }
        read_account(Scope { file, prefix, session: Some(session) }, notes)
    }

    fn peers<'a>(
        &self,
        file: &'a SqliteFile,
        session: &str,
        notes: &mut Notes,
    ) -> Result<PeerTable<'a>> {
        let prefix = prefix(file.db()).unwrap_or_default();
        let name = format!("{prefix}entities");
        let Some(table) = file.table_or_note(&name, notes) else { return Ok(None) };
        let scope = Scope { file, prefix, session: Some(session) };
        let peers = Peers::of(scope, table, sessions(file)?);
        Ok(rows_or_note(table, peers, "columns id and hash", notes))
    }

    fn owns(&self, table: &str) -> bool {
        let table = table.to_ascii_lowercase();
        TABLES.iter().any(|(known, _)| table.ends_with(known))
    }
}

/// The sessions by id. If a damaged file has lost rows of `sessions`, other tables may still name
/// them.
fn sessions(file: &SqliteFile) -> Result<Vec<String>> {
    let prefix = prefix(file.db()).unwrap_or_default();
    let mut found = BTreeSet::new();
    for (table, _) in TABLES {
        if table == "sessions" || matches!(file.db(), Tables::Saved(_)) {
            file.each_row(&format!("{prefix}{table}"), |table, row| {
                if let Some(id) = session_id(table, row)?
                    && !found.contains(&*id)
                {
                    found.insert(id.into_owned());
                }
                Ok(Ok(()))
            })?;
        }
    }
    Ok(found.into_iter().collect())
}

/// The prefix of the table names; `None` if the tables are not this client's. Of several prefixes
/// the first is taken. In a damaged file, one table is enough.
fn prefix(db: &Tables) -> Option<&str> {
    let of_sessions = |table: &Table| {
        let needed = ["dc_id", "auth_key"];
        table.name().to_ascii_lowercase().ends_with("sessions")
            && needed.iter().all(|name| table.column(name).is_some())
    };
    let whole = matches!(db, Tables::Whole(_));
    let mut tables = db.all().iter().filter(|table| !whole || of_sessions(table));
    tables.find_map(prefix_of)
}

/// The prefix of the name of one of this client's tables.
fn prefix_of(table: &Table) -> Option<&str> {
    table.column("session_id")?;
    let (name, _) = TABLES.iter().find(|(name, column)| {
        table.name().to_ascii_lowercase().ends_with(name) && table.column(column).is_some()
    })?;
    table.name().get(..table.name().len() - name.len())
}

#[cfg(test)]
pub(super) mod tests;
