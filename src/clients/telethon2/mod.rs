//! Telethon's second version: files of its two development branches, neither of which was ever
//! released.
//!
//! ```text
//! v2, version 10
//!   datacenter   (id, ipv4_addr, ipv6_addr, auth)       until 2023-10-13: addr in their place
//!   user         (id, dc, bot, username)                until 2023-09-17 without username
//!   state        (pts, qts, date, seq)
//!   channelstate (id, pts)
//! v2-stale2, version 8
//!   datacenter   (id, ipv4, ipv6, port, auth)
//!   session      (user_id, dc_id, bot, pts, qts, date, seq, takeout_id)
//!   channel      (channel_id, pts)
//!   entity       (id, hash, ty)
//! ```
//!
//! Both have a table `version (version)`. All ids are bare. Addresses of version 10 are
//! `HOST:PORT`, an IPv6 host without brackets; several DCs can have keys.
//!
//! A file of version 7 that v2-stale2 took over has its one address in both columns. Its user is 0,
//! and zeros stand for the state that it did not have.

mod account;
mod peers;
mod write;

use self::peers::Peers;
pub(crate) use self::write::Telethon2File;
use crate::error::Result;
#[cfg(feature = "convert")]
use crate::format::FormatSpec;
use crate::format::Reader;
use crate::format::sqlite_file::{PeerTable, SqliteFile, SqliteFormat, rows_or_note};
use crate::format::{Notes, Tables};
use crate::types::Account;

/// The readers of Telethon's v2 branch.
pub(super) const READERS: &[Reader] = &[Reader::Sqlite(&Telethon2)];

#[cfg(feature = "convert")]
pub(super) const FILE: FormatSpec = FormatSpec::file("telethon2", &Telethon2File);

/// The newest schema that is known.
const NEWEST: i64 = 10;

/// Every table of either branch.
const TABLES: [&str; 8] =
    ["version", "datacenter", "user", "state", "channelstate", "session", "channel", "entity"];

/// The tables that a damaged file of either branch should have; `datacenter` in its newer layout.
const EXPECTED: [&str; 7] = [
    "create table datacenter (id integer primary key, ipv4_addr text, ipv6_addr text, auth blob)",
    "create table user (id integer primary key, dc integer not null, bot integer not null, \
     username text)",
    "create table state (pts integer not null, qts integer not null, date integer not null, \
     seq integer not null)",
    "create table channelstate (id integer primary key, pts integer not null)",
    "create table session (user_id integer primary key, dc_id integer not null, \
     bot integer not null, pts integer not null, qts integer not null, date integer not null, \
     seq integer not null, takeout_id integer)",
    "create table channel (channel_id integer primary key, pts integer not null)",
    "create table entity (id integer primary key, hash integer not null, ty integer not null)",
];

/// Telethon 2.
pub(crate) struct Telethon2;

impl SqliteFormat for Telethon2 {
    fn described(&self) -> &'static str {
        "a Telethon 2 session"
    }

    fn recognises(&self, db: &Tables) -> bool {
        let logins = db.has("user", &["dc", "bot"]) || db.has("session", &["user_id", "dc_id"]);
        match db {
            Tables::Whole(_) => db.has("datacenter", &["id", "auth"]) && logins,
            Tables::Saved(_) => db.has("datacenter", &["auth"]) || logins,
        }
    }

    fn expected(&self) -> &'static [&'static str] {
        &EXPECTED
    }

    fn format(&self, file: &SqliteFile, notes: &mut Notes) -> Result<String> {
        let newest = (NEWEST, "Telethon 2 schema");
        file.versioned_format("telethon2", ("version", "version"), newest, notes)
    }

    fn account(&self, file: &SqliteFile, _: &str, notes: &mut Notes) -> Result<Account> {
        account::read(file, notes)
    }

    fn peers<'a>(&self, file: &'a SqliteFile, _: &str, notes: &mut Notes) -> Result<PeerTable<'a>> {
        let Some(table) = file.db().named("entity") else { return Ok(None) };
        Ok(rows_or_note(table, Peers::of(table), "columns id, hash and ty", notes))
    }

    fn owns(&self, table: &str) -> bool {
        TABLES.iter().any(|known| table.eq_ignore_ascii_case(known))
    }
}

#[cfg(test)]
mod tests;
