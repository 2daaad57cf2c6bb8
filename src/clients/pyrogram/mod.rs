//! The `.session` files of Pyrogram and of its forks: Hydrogram, Pyrofork and Kurigram.
//!
//! ```text
//! version      (number)
//! sessions     (dc_id, test_mode, auth_key, date, user_id, is_bot)
//!              from version 3 with api_id; Kurigram from 7 with server_address and port
//! peers        (id, access_hash, type, username, phone_number, last_update_on)
//!              Kurigram from 6 without username
//! usernames    (id, peer_id, last_update_on)   Pyrofork: id is the username
//!              (id, username)                  Kurigram: id is the peer
//! update_state (id, pts, qts, date, seq)       Pyrofork and electrogram from 4, Kurigram from 5
//! channel_pts  (channel_id, pts)               pylogram from 4, by bare id; row 1 of update_state is
//!                                              the account there
//! ```
//!
//! Forks use the same numbers for different tables, and an upgrade in place appends its columns
//! and leaves the old ones filled. So forks are recognised by columns, and usernames are read from
//! every place. Hydrogram's tables are exactly Pyrogram's.

mod account;
mod family;
mod peers;
mod schema;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use self::family::Pyrogram;
use self::peers::Peers;
pub(crate) use self::write::{HYDROGRAM, KURIGRAM, PYROFORK, PYROGRAM};
use crate::clients::telethon::{LOGIN, missing};
use crate::error::Result;
#[cfg(feature = "convert")]
use crate::format::FormatSpec;
use crate::format::Reader;
use crate::format::sqlite_file::{PeerTable, SqliteFile, SqliteFormat, rows_or_note};
use crate::format::{Notes, Tables};
use crate::types::Account;

#[cfg(feature = "convert")]
mod json;
#[cfg(feature = "convert")]
pub(crate) mod string;

/// The readers of Pyrogram and its forks.
pub(super) const READERS: &[Reader] = &[
    Reader::Sqlite(&Pyrogram::Original),
    Reader::Sqlite(&Pyrogram::Pyrofork),
    Reader::Sqlite(&Pyrogram::Kurigram),
    #[cfg(feature = "convert")]
    Reader::String { versioned: false, decode: string::decode },
    #[cfg(feature = "convert")]
    Reader::Json { name: "Pyrogram", looks_like: json::looks_like, read: json::read },
];

#[cfg(feature = "convert")]
pub(super) const FILE: FormatSpec = FormatSpec::file("pyrogram", &PYROGRAM);

#[cfg(feature = "convert")]
pub(super) const KURIGRAM_FILE: FormatSpec = FormatSpec::file("kurigram", &KURIGRAM);

#[cfg(feature = "convert")]
pub(super) const PYROFORK_FILE: FormatSpec = FormatSpec::file("pyrofork", &PYROFORK);

#[cfg(feature = "convert")]
pub(super) const HYDROGRAM_FILE: FormatSpec = FormatSpec::file("hydrogram", &HYDROGRAM);

#[cfg(feature = "convert")]
pub(super) const STRING: FormatSpec =
    FormatSpec::string("pyrogram-string", &string::CAPABILITIES, string::encode);

/// The tables that are the family's own.
const TABLES: [&str; 6] =
    ["version", "sessions", "peers", "usernames", "update_state", "channel_pts"];

/// Columns that the family's tables have, and those of other clients have not.
const OWN: [(&str, &str); 4] = [
    ("sessions", "test_mode"),
    ("peers", "last_update_on"),
    ("version", "number"),
    ("usernames", "peer_id"),
];

impl Pyrogram {
    fn of(db: &Tables) -> Option<Self> {
        let has = |table: &str, column: &str| db.has(table, &[column]);
        let known = match db {
            Tables::Whole(_) => Self::looks_like(db) && missing(db, &LOGIN).is_none(),
            Tables::Saved(_) => db.count(&OWN) > 0,
        };
        if !known {
            None
        } else if has("usernames", "peer_id") {
            Some(Self::Pyrofork)
        } else if has("usernames", "username") || has("sessions", "server_address") {
            Some(Self::Kurigram)
        } else {
            Some(Self::Original)
        }
    }

    /// Whether a whole file is of the family, by the tables that every release has.
    fn looks_like(db: &Tables) -> bool {
        let has = |table: &str, column: &str| db.has(table, &[column]);
        let own = [("sessions", "test_mode"), ("sessions", "is_bot"), ("version", "number")];
        db.count(&own) > 0 && !has("version", "version") && !has("sessions", "session_id")
    }

    /// As formats are called.
    fn name(self) -> &'static str {
        match self {
            Self::Original => "pyrogram",
            Self::Pyrofork => "pyrofork",
            Self::Kurigram => "kurigram",
        }
    }

    /// The newest schema that is known, and what it is.
    fn newest(self) -> (i64, &'static str) {
        match self {
            Self::Original => (3, "Pyrogram schema"),
            Self::Pyrofork => (4, "Pyrofork schema"),
            Self::Kurigram => (7, "Kurigram schema"),
        }
    }
}

impl SqliteFormat for Pyrogram {
    fn described(&self) -> &'static str {
        match self {
            Self::Original => "a Pyrogram session",
            Self::Pyrofork => "a Pyrofork session",
            Self::Kurigram => "a Kurigram session",
        }
    }

    fn recognises(&self, db: &Tables) -> bool {
        Self::of(db) == Some(*self)
    }

    fn lacks(&self, db: &Tables) -> Option<String> {
        let original = *self == Self::Original && Self::looks_like(db);
        missing(db, &LOGIN).filter(|_| original)
    }

    fn expected(&self) -> &'static [&'static str] {
        match self {
            Self::Original => &EXPECTED,
            Self::Pyrofork => &EXPECTED_PYROFORK,
            Self::Kurigram => &EXPECTED_KURIGRAM,
        }
    }

    fn format(&self, file: &SqliteFile, notes: &mut Notes) -> Result<String> {
        let name = format!("{}-sqlite", self.name());
        let (newest, what) = self.newest();
        // Forks without a table of usernames number theirs 4: electrogram and pylogram.
        let newest = newest.max(4);
        file.versioned_format(&name, ("version", "number"), (newest, what), notes)
    }

    fn account(&self, file: &SqliteFile, _: &str, notes: &mut Notes) -> Result<Account> {
        if file.number("version", "number")?.is_none() {
            let note = "version: there is no schema version; the columns say what they are";
            notes.add(note.into());
        }
        account::read(file, notes)
    }

    fn peers<'a>(&self, file: &'a SqliteFile, _: &str, notes: &mut Notes) -> Result<PeerTable<'a>> {
        let Some(table) = file.table_or_note("peers", notes) else { return Ok(None) };
        let peers = Peers::of(file, table, notes)?;
        Ok(rows_or_note(table, peers, "column id", notes))
    }

    fn owns(&self, table: &str) -> bool {
        TABLES.iter().any(|known| table.eq_ignore_ascii_case(known))
    }
}

/// The tables that a damaged file should have.
const EXPECTED: [&str; 2] = [
    "create table sessions (dc_id integer primary key, api_id integer, test_mode integer, \
     auth_key blob, date integer not null, user_id integer, is_bot integer)",
    EXPECTED_PEERS,
];
const EXPECTED_PYROFORK: [&str; 4] = [
    EXPECTED[0],
    EXPECTED_PEERS,
    "create table usernames (id text primary key, peer_id integer not null, \
     last_update_on integer not null)",
    EXPECTED_STATES,
];
const EXPECTED_KURIGRAM: [&str; 4] = [
    "create table sessions (dc_id integer primary key, server_address text, port integer, \
     api_id integer, test_mode integer, auth_key blob, date integer not null, user_id integer, \
     is_bot integer)",
    "create table peers (id integer primary key, access_hash integer, type integer not null, \
     phone_number text, last_update_on integer not null)",
    "create table usernames (id integer, username text)",
    EXPECTED_STATES,
];
const EXPECTED_PEERS: &str = "create table peers (id integer primary key, access_hash integer, \
     type integer not null, username text, phone_number text, last_update_on integer not null)";
const EXPECTED_STATES: &str = "create table update_state (id integer primary key, pts integer, \
     qts integer, date integer, seq integer)";
