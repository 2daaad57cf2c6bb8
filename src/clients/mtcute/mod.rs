//! mtcute's SQLite sessions, schema of the peers 1 and 2.
//!
//! ```text
//! mtcute_migrations (repo, version)           auth_keys 1, kv 1, ref_messages 1, peers 2
//! auth_keys         (dc, key)
//! temp_auth_keys    (dc, idx, key, expires)   not kept: keys of a day
//! key_value         (key, value)              all that is not a table of its own: bytes
//! message_refs      (peer_id, chat_id, msg_id)
//! peers             (id, hash, usernames, updated, phone, complete [, isMin])
//! ```

mod complete;
mod key_value;
mod keys;
mod peers;
#[cfg(test)]
mod tests;
mod tl;
mod values;

use crate::error::Result;
use crate::format::sqlite_file::{PeerTable, SqliteFile, SqliteFormat, column, rows_or_note};
use crate::format::{Address, Need, OtherDcs, unwritten};
use crate::format::{Capabilities, Notes, Tables, Target, Writing, field};
use crate::format::{FormatSpec, Reader};
use crate::sqlite::Value;
use crate::sqlite::writer::{DatabaseWriter, Index, TableWriter, WriterOptions};
use crate::types::Account;

pub(crate) mod string;

/// The readers of mtcute.
pub(super) const READERS: &[Reader] =
    &[Reader::Sqlite(&Mtcute), Reader::String { versioned: false, decode: string::decode }];

pub(super) const FILE: FormatSpec = FormatSpec::file(key_value::FORMAT, &Mtcute);

pub(super) const STRING: FormatSpec =
    FormatSpec::string("mtcute-string", &string::CAPABILITIES, string::encode);

const MIGRATIONS_SQL: &str = "CREATE TABLE mtcute_migrations (
    repo text not null primary key,
    version integer not null
)";

const REFS_SQL: &str = "CREATE TABLE message_refs (
                    peer_id integer not null,
                    chat_id integer not null,
                    msg_id integer not null
                )";

const REFS_INDEXES: [(&str, &[usize]); 2] = [
    ("CREATE INDEX idx_message_refs_peer on message_refs (peer_id)", &[0]),
    ("CREATE INDEX idx_message_refs on message_refs (chat_id, msg_id)", &[1, 2]),
];

/// Each group of tables with the newest version of it that is known.
const VERSIONS: [(&str, i64, &str); 4] = [
    ("auth_keys", 1, "mtcute schema of auth_keys"),
    ("kv", 1, "mtcute schema of key_value"),
    ("ref_messages", 1, "mtcute schema of message_refs"),
    (PEERS_GROUP, 2, "mtcute schema of peers"),
];

const PEERS_GROUP: &str = "peers";

/// The tables that a damaged file should have.
const EXPECTED: [&str; 6] =
    [MIGRATIONS_SQL, keys::SQL, keys::TEMPORARY_SQL, key_value::SQL, REFS_SQL, peers::SQL];

/// The tables, each with a column by which it is known.
const OWN: [(&str, &str); 6] = [
    ("mtcute_migrations", "repo"),
    ("key_value", "value"),
    ("auth_keys", "dc"),
    ("temp_auth_keys", "idx"),
    ("message_refs", "msg_id"),
    ("peers", "usernames"),
];

const CAPABILITIES: Capabilities = Capabilities {
    other_dcs: OtherDcs::WithKey,
    address: Address::One,
    test_mode: Need::Needed,
    user: Need::Kept,
    bot: Need::Needed,
    auth_key: Need::Kept,
    update_state: true,
    channel_states: true,
    entities: Some(peers::PEERS),
    ..Capabilities::MINIMAL
};

/// mtcute with a SQLite storage.
pub(crate) struct Mtcute;

impl SqliteFormat for Mtcute {
    fn described(&self) -> &'static str {
        "a mtcute session"
    }

    fn recognises(&self, db: &Tables) -> bool {
        match db {
            Tables::Whole(_) => db.count(OWN.iter().take(2)) == 2,
            // Others may well have a `key_value`.
            Tables::Saved(_) => db.count(OWN.iter().filter(|(table, _)| *table != "key_value")) > 0,
        }
    }

    fn expected(&self) -> &'static [&'static str] {
        &EXPECTED
    }

    fn format(&self, file: &SqliteFile, notes: &mut Notes) -> Result<String> {
        let mut peers = None;
        file.each_row("mtcute_migrations", |table, row| {
            let group = field::text(column(table, row, "repo")?).ok().flatten();
            let version = field::integer(column(table, row, "version")?);
            let known = VERSIONS.iter().find(|(known, ..)| Some(*known) == group.as_deref());
            let (Some(known), Ok(found)) = (known, version) else { return Ok(Ok(())) };
            let (group, newest, what) = *known;
            if group == PEERS_GROUP {
                peers = Some(found);
            }
            file.note_newer(found, (newest, what), notes);
            Ok(Ok(()))
        })?;
        Ok(peers.map_or("mtcute-sqlite".into(), |version| format!("mtcute-sqlite v{version}")))
    }

    fn account(&self, file: &SqliteFile, _: &str, notes: &mut Notes) -> Result<Account> {
        let mut account = key_value::read(file, notes)?;
        keys::read(file, &mut account, notes)?;
        count(file, "temp_auth_keys", "temporary auth keys", notes)?;
        count(file, "message_refs", "messages in which peers were met", notes)?;
        peers::note_complete(file, notes)?;
        Ok(account)
    }

    fn peers<'a>(&self, file: &'a SqliteFile, _: &str, notes: &mut Notes) -> Result<PeerTable<'a>> {
        let Some(table) = file.table_or_note("peers", notes) else { return Ok(None) };
        Ok(rows_or_note(table, peers::Peers::of(table), "columns id and hash", notes))
    }

    fn owns(&self, table: &str) -> bool {
        OWN.iter().any(|(known, _)| table.eq_ignore_ascii_case(known))
    }
}

/// Notes how many rows there are in a table that is not kept.
fn count(file: &SqliteFile, table: &str, what: &str, notes: &mut Notes) -> Result<()> {
    let mut rows = 0_u64;
    file.each_row(table, |_, _| {
        rows += 1;
        Ok(Ok(()))
    })?;
    if rows > 0 {
        notes.add(format!("{table}: {rows} {what} are not kept"));
    }
    Ok(())
}

impl Target for Mtcute {
    fn name(&self) -> &'static str {
        key_value::FORMAT
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let Writing { sessions, lost, out } = work;
        let mut db = DatabaseWriter::new(out, &WriterOptions::new()).map_err(unwritten)?;
        for session in sessions {
            let index = Index::automatic(&[0]);
            let mut table = db.table(MIGRATIONS_SQL, &[index]).map_err(unwritten)?;
            for (rowid, (group, version, _)) in (1..).zip(VERSIONS) {
                let row = [Value::from(group), Value::Integer(version)];
                table.row(rowid, &row).map_err(unwritten)?;
            }
            table.finish().map_err(unwritten)?;
            keys::write(&session.account, lost, &mut db)?;
            key_value::write(session, lost, &mut db)?;
            let indexes = REFS_INDEXES.map(|(sql, columns)| Index::explicit(sql, columns));
            db.table(REFS_SQL, &indexes).and_then(TableWriter::finish).map_err(unwritten)?;
            peers::write(session, lost, &mut db)?;
        }
        db.finish().map_err(unwritten)?;
        Ok(())
    }
}
