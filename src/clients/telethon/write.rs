//! Telethon's `.session` files, written: the schema of releases 1.43 on (version 8), and that of
//! 1.17 to 1.42 (version 7), which refuse the newer one.

use super::rows::{EntityRow, StateRow, for_each_entity, state_rows};
use crate::error::{Error, Result};
use crate::format::database::{Writer, integer, one_row, text};
use crate::format::{Address, EntityCapabilities, Need, unwritten};
use crate::format::{Capabilities, Losses, Outgoing, Target, Writing};
use crate::sqlite::Value;
use crate::sqlite::writer::{DatabaseWriter, Index, WriterOptions};
use crate::types::{Account, DcOption, FileKind, SentFile};

/// A schema to write; its text is Telethon's to the last blank, as SQLite keeps it.
pub(crate) struct TelethonFile {
    name: &'static str,
    version: i64,
    sessions: &'static str,
    /// Whether there is a column `tmp_auth_key`.
    temporary_key: bool,
}

/// The newest schema.
pub(crate) const TELETHON: TelethonFile = TelethonFile {
    name: "telethon",
    version: 8,
    sessions: "CREATE TABLE sessions (
                    dc_id integer primary key,
                    server_address text,
                    port integer,
                    auth_key blob,
                    takeout_id integer,
                    tmp_auth_key blob
                )",
    temporary_key: true,
};

/// The schema of releases 1.17 to 1.42.
pub(crate) const TELETHON_V7: TelethonFile = TelethonFile {
    name: "telethon-v7",
    version: 7,
    sessions: "CREATE TABLE sessions (
                    dc_id integer primary key,
                    server_address text,
                    port integer,
                    auth_key blob,
                    takeout_id integer
                )",
    temporary_key: false,
};

const VERSION: &str = "CREATE TABLE version (version integer primary key)";

const ENTITIES: &str = "CREATE TABLE entities (
                    id integer primary key,
                    hash integer not null,
                    username text,
                    phone integer,
                    name text,
                    date integer
                )";

const SENT_FILES: &str = "CREATE TABLE sent_files (
                    md5_digest blob,
                    file_size integer,
                    type integer,
                    id integer,
                    hash integer,
                    primary key(md5_digest, file_size, type)
                )";

const UPDATE_STATE: &str = "CREATE TABLE update_state (
                    id integer primary key,
                    pts integer,
                    qts integer,
                    date integer,
                    seq integer
                )";

const CAPABILITIES: Capabilities = Capabilities {
    address: Address::One,
    user: Need::Kept,
    auth_key: Need::Kept,
    takeout_id: true,
    update_state: true,
    channel_states: true,
    sent_files: true,
    entities: Some(EntityCapabilities::TELETHON),
    ..Capabilities::MINIMAL
};

impl Target for TelethonFile {
    fn name(&self) -> &'static str {
        self.name
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let (session, lost, out) = work.of_one(self.name)?;
        let mut db = DatabaseWriter::new(out, &WriterOptions::new()).map_err(unwritten)?;
        self.write_login(session, &mut db)?;
        write_entities(session, &mut db, lost)?;
        write_sent_files(&session.account.sent_files, &mut db)?;
        write_states(&session.account, &mut db, lost)?;
        db.finish().map_err(unwritten)?;
        Ok(())
    }
}

impl TelethonFile {
    /// `version` and `sessions`, a row each. Telethon writes no temporary key unless it is told
    /// to, but empty bytes.
    fn write_login(&self, session: &Outgoing<'_>, db: &mut Writer<'_>) -> Result<()> {
        one_row(db, VERSION, self.version, &[Value::Integer(self.version)]).map_err(unwritten)?;
        let missing = || Error::Lacks { format: self.name, what: "the home DC" };
        let home = session.home().ok_or_else(missing)?;
        let (id, host, port, key) = sessions_row(home);
        let takeout_id = integer(session.account.login.takeout_id);
        let row = [Value::Integer(id), host, port, key, takeout_id, Value::Blob(&[])];
        let columns = if self.temporary_key { row.len() } else { row.len() - 1 };
        let row = row.get(..columns).unwrap_or_default();
        one_row(db, self.sessions, id, row).map_err(unwritten)
    }
}

/// The columns of `sessions` from `dc_id` to `auth_key`; no key is empty bytes.
pub(in crate::clients) fn sessions_row(home: &DcOption) -> (i64, Value<'_>, Value<'_>, Value<'_>) {
    let end = home.ipv4.as_ref().or(home.ipv6.as_ref());
    let key = home.auth_key.as_ref().map_or(&[][..], |key| key.as_bytes());
    (
        i64::from(home.id.0),
        text(end.map(|end| end.host.as_str())),
        integer(end.map(|end| end.port)),
        Value::Blob(key),
    )
}

fn write_entities(
    session: &mut Outgoing<'_>,
    db: &mut Writer<'_>,
    lost: &mut Losses,
) -> Result<()> {
    let Some(capabilities) = &CAPABILITIES.entities else { return Ok(()) };
    let mut table = db.table(ENTITIES, &[]).map_err(unwritten)?;
    for_each_entity(session, capabilities, lost, |row| {
        let EntityRow { id, hash, username, phone, name, date } = row;
        let (username, name) = (text(username.as_deref()), text(name.as_deref()));
        let hash = Value::Integer(hash);
        let row = [Value::Integer(id), hash, username, integer(phone), name, integer(date)];
        table.row(id, &row).map_err(unwritten)
    })?;
    table.finish().map_err(unwritten)
}

fn write_sent_files(files: &[SentFile], db: &mut Writer<'_>) -> Result<()> {
    let mut table = db.table(SENT_FILES, &[Index::automatic(&[0, 1, 2])]).map_err(unwritten)?;
    for (rowid, file) in (1..).zip(files) {
        table.row(rowid, &sent_files_row(file)).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)
}

/// The columns of `sent_files`.
pub(in crate::clients) fn sent_files_row(file: &SentFile) -> [Value<'_>; 5] {
    let kind = match file.key.kind {
        FileKind::Document => 0,
        FileKind::Photo => 1,
    };
    [
        Value::Blob(&file.key.md5.0),
        Value::Integer(file.key.size),
        Value::Integer(kind),
        Value::Integer(file.id),
        Value::Integer(file.access_hash.0),
    ]
}

fn write_states(account: &Account, db: &mut Writer<'_>, lost: &mut Losses) -> Result<()> {
    let mut table = db.table(UPDATE_STATE, &[]).map_err(unwritten)?;
    for StateRow { id, pts, qts, date, seq } in state_rows(account, lost) {
        table.row(id, &[id, pts, qts, date, seq].map(Value::Integer)).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)
}

#[cfg(test)]
pub(in crate::clients) mod tests;
