//! gotgproto (Go): gotd's session in a SQLite file, with peers beside it, or in a string.
//!
//! ```text
//! sessions (version integer primary key, data blob)         data: gotd's JSON
//! peers    (id integer primary key, access_hash, type, username)
//! ```
//!
//! `id` is bare; `type` is 1 for a user, 2 for a group, 3 for a channel; 0 stands for no hash and
//! empty text for no username. The string is base64 of `{"Version": 1, "Data": base64 of gotd's
//! JSON}`. The layout is that of `storage/session.go`, `storage/peers.go` and
//! `functions/sessionHelpers.go` in celestix/gotgproto.

mod string;
#[cfg(test)]
mod tests;
mod types;
mod write;

use serde_json::Value as Json;

pub(crate) use self::string::{looks_like_json, read_json, read_text};
use self::types::{CHANNEL, GROUP, USER};
use self::write::{FORMAT, GotgprotoFile};
use crate::clients::gotd;
use crate::error::{DamagedPart, Error, Result};
use crate::format::sqlite_file::{
    PeerRows, PeerTable, SqliteFile, SqliteFormat, column, rows_or_note, touch,
};
use crate::format::{FormatSpec, Reader, Writer, damaged};
use crate::format::{Notes, Tables, field};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{AccessHash, Account, Entity, PeerId};

/// The readers of gotgproto.
pub(super) const READERS: &[Reader] = &[
    Reader::Sqlite(&Gotgproto),
    Reader::Text(|path, text, _| Some(read_text(text)?.map_err(|why| damaged(path, why)))),
    Reader::Json { name: "gotgproto", looks_like: looks_like_json, read: read_json },
];

pub(super) const FILE: FormatSpec = FormatSpec::file(FORMAT, &GotgprotoFile);

pub(super) const STRING: FormatSpec =
    FormatSpec::text("gotgproto-string", Writer::File(&string::TARGET));

/// gotgproto.
pub(crate) struct Gotgproto;

impl SqliteFormat for Gotgproto {
    fn described(&self) -> &'static str {
        "a gotgproto session"
    }

    fn recognises(&self, db: &Tables) -> bool {
        db.has("sessions", &["version", "data"])
    }

    fn expected(&self) -> &'static [&'static str] {
        &EXPECTED
    }

    fn format(&self, _: &SqliteFile, _: &mut Notes) -> Result<String> {
        Ok("gotgproto".to_owned())
    }

    fn account(&self, file: &SqliteFile, _: &str, notes: &mut Notes) -> Result<Account> {
        let mut account = None;
        file.each_row("sessions", |table, row| {
            let json = match column(table, row, "data")? {
                Value::Blob(bytes) => serde_json::from_slice::<Json>(bytes).ok(),
                Value::Text(text) => serde_json::from_slice(text.as_bytes()).ok(),
                _ => None,
            };
            let Some(json) = json else {
                notes.add("sessions: data is not gotd's JSON, row skipped".into());
                return Ok(Ok(()));
            };
            if account.is_some() {
                notes.add("sessions: there is more than one row; the first is taken".into());
                return Ok(Ok(()));
            }
            let mut said = Vec::new();
            let read = gotd::account(&json, &mut said);
            said.into_iter().for_each(|note| notes.add(note));
            match read {
                Ok(read) => account = Some(read),
                Err(why) => return Ok(Err(Error::damaged(file.path(), DamagedPart::Format(why)))),
            }
            Ok(Ok(()))
        })?;
        if account.is_none() {
            notes.add("there is no session in it: the login never finished".into());
        }
        Ok(account.unwrap_or_default())
    }

    fn peers<'a>(&self, file: &'a SqliteFile, _: &str, notes: &mut Notes) -> Result<PeerTable<'a>> {
        let Some(table) = file.db().named("peers") else { return Ok(None) };
        Ok(rows_or_note(table, Peers::of(table), "columns id and type", notes))
    }

    fn owns(&self, table: &str) -> bool {
        ["sessions", "peers"].iter().any(|known| table.eq_ignore_ascii_case(known))
    }
}

/// The tables that a damaged file should have.
const EXPECTED: [&str; 2] = [
    "create table sessions (version integer, data blob, primary key (version))",
    "create table peers (id integer, access_hash integer, type integer, username text, \
     primary key (id))",
];

/// The rows of `peers`.
#[derive(Clone, Copy, Debug)]
struct Peers<'a> {
    table: &'a Table,
    id: usize,
    kind: usize,
}

impl<'a> Peers<'a> {
    fn of(table: &'a Table) -> Option<Self> {
        Some(Self { table, id: table.column("id")?, kind: table.column("type")? })
    }
}

impl<'a> PeerRows<'a> for Peers<'a> {
    fn table(&self) -> &'a Table {
        self.table
    }

    fn in_order(&self) -> bool {
        false
    }

    fn entity(&mut self, row: &Row<'a>, notes: &mut Notes) -> Result<Option<Entity>, SqliteError> {
        let (id, kind) = (field::integer(row.get(self.id)?), field::integer(row.get(self.kind)?));
        let (Ok(id), Ok(kind)) = (id, kind) else {
            touch(self.table, row)?;
            notes.add("peers: id or type is not an integer, row skipped".into());
            return Ok(None);
        };
        let peer = match kind {
            USER => PeerId::user(id),
            GROUP => PeerId::group(id),
            CHANNEL => PeerId::channel(id),
            _ => None,
        };
        let Some(peer) = peer else {
            touch(self.table, row)?;
            notes.add(format!("peers row {id}: there is no peer of type {kind}, skipped"));
            return Ok(None);
        };
        let mut entity = Entity::new(peer);
        match field::integer(column(self.table, row, "access_hash")?) {
            // The client's default for what it does not know.
            Ok(0) => {}
            Ok(hash) => entity.access_hash = Some(AccessHash(hash)),
            Err(why) => notes.add(format!("peers row {id}: access_hash is {why}, not kept")),
        }
        match field::text(column(self.table, row, "username")?) {
            Ok(name) => entity.usernames.extend(name),
            Err(why) => notes.add(format!("peers row {id}: username is {why}, not kept")),
        }
        Ok(Some(entity))
    }
}
