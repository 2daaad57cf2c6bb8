//! Databases of telethon-session-sqlalchemy, written: the schema of release 0.2.16 (version 2)
//! without a prefix, as SQLAlchemy creates it on SQLite.

use crate::clients::telethon::{
    EntityRow, StateRow, for_each_entity, sent_files_row, sessions_row, state_rows,
};
use crate::error::{Error, Result};
use crate::format::database::{Writer, integer, one_row, text};
use crate::format::{Address, EntityCapabilities, Need, unwritten};
use crate::format::{Capabilities, Losses, Outgoing, Target, Writing};
use crate::sqlite::Value;
use crate::sqlite::writer::{DatabaseWriter, Index, WriterOptions};

/// The format; it holds every session that it is given, by name.
pub(crate) struct AlchemyFile;

const FORMAT: &str = "sqlalchemy";

const CAPABILITIES: Capabilities = Capabilities {
    many: true,
    address: Address::One,
    user: Need::Kept,
    auth_key: Need::Kept,
    update_state: true,
    channel_states: true,
    sent_files: true,
    entities: Some(EntityCapabilities { date: false, ..EntityCapabilities::TELETHON }),
    ..Capabilities::MINIMAL
};

/// With tabs and a blank after each comma, as SQLAlchemy writes them.
const VERSION: &str = "CREATE TABLE version (\n\tversion INTEGER NOT NULL, \n\
     \tPRIMARY KEY (version)\n)";

const SESSIONS: &str = "CREATE TABLE sessions (\n\tsession_id VARCHAR(255) NOT NULL, \n\
     \tdc_id INTEGER NOT NULL, \n\
     \tserver_address VARCHAR(255), \n\
     \tport INTEGER, \n\
     \tauth_key BLOB, \n\
     \tPRIMARY KEY (session_id, dc_id)\n)";

const ENTITIES: &str = "CREATE TABLE entities (\n\tsession_id VARCHAR(255) NOT NULL, \n\
     \tid BIGINT NOT NULL, \n\
     \thash BIGINT NOT NULL, \n\
     \tusername VARCHAR(32), \n\
     \tphone BIGINT, \n\
     \tname VARCHAR(255), \n\
     \tPRIMARY KEY (session_id, id)\n)";

const SENT_FILES: &str = "CREATE TABLE sent_files (\n\tsession_id VARCHAR(255) NOT NULL, \n\
     \tmd5_digest BLOB NOT NULL, \n\
     \tfile_size INTEGER NOT NULL, \n\
     \ttype INTEGER NOT NULL, \n\
     \tid BIGINT, \n\
     \thash BIGINT, \n\
     \tPRIMARY KEY (session_id, md5_digest, file_size, type)\n)";

const UPDATE_STATE: &str = "CREATE TABLE update_state (\n\tsession_id VARCHAR(255) NOT NULL, \n\
     \tentity_id BIGINT NOT NULL, \n\
     \tpts BIGINT, \n\
     \tqts BIGINT, \n\
     \tdate BIGINT, \n\
     \tseq BIGINT, \n\
     \tunread_count INTEGER, \n\
     \tPRIMARY KEY (session_id, entity_id)\n)";

impl Target for AlchemyFile {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let Writing { sessions, lost, out } = work;
        check_names(sessions)?;
        let mut db = DatabaseWriter::new(out, &WriterOptions::new()).map_err(unwritten)?;
        one_row(&mut db, VERSION, 2, &[Value::Integer(2)]).map_err(unwritten)?;
        write_sessions(sessions, &mut db)?;
        write_entities(sessions, &mut db, lost)?;
        write_sent_files(sessions, &mut db)?;
        write_states(sessions, &mut db, lost)?;
        db.finish().map_err(unwritten)?;
        Ok(())
    }
}

/// The name is the key: of two sessions of one name only one could be kept.
fn check_names(sessions: &[Outgoing<'_>]) -> Result<()> {
    let mut names: Vec<_> = sessions.iter().map(|session| session.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    });
    twice.map_or(Ok(()), |name| {
        Err(Error::Unfit { format: FORMAT, why: format!("two sessions are called {name:?}") })
    })
}

fn write_sessions(sessions: &[Outgoing<'_>], db: &mut Writer<'_>) -> Result<()> {
    let mut table = db.table(SESSIONS, &[Index::automatic(&[0, 1])]).map_err(unwritten)?;
    for (rowid, session) in (1..).zip(sessions) {
        let home = session.home().ok_or(Error::Lacks { format: FORMAT, what: "the home DC" })?;
        let (id, host, port, key) = sessions_row(home);
        let row = [text(Some(&session.name)), Value::Integer(id), host, port, key];
        table.row(rowid, &row).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)
}

fn write_entities(
    sessions: &mut [Outgoing<'_>],
    db: &mut Writer<'_>,
    lost: &mut Losses,
) -> Result<()> {
    let Some(capabilities) = &CAPABILITIES.entities else { return Ok(()) };
    let mut table = db.table(ENTITIES, &[Index::automatic(&[0, 1])]).map_err(unwritten)?;
    let mut rowid = 0;
    for session in sessions {
        let session_id = session.name.clone();
        for_each_entity(session, capabilities, lost, |row| {
            let EntityRow { id, hash, username, phone, name, .. } = row;
            let (id, hash) = (Value::Integer(id), Value::Integer(hash));
            let (username, name) = (text(username.as_deref()), text(name.as_deref()));
            let row = [text(Some(&session_id)), id, hash, username, integer(phone), name];
            rowid += 1;
            table.row(rowid, &row).map_err(unwritten)
        })?;
    }
    table.finish().map_err(unwritten)
}

fn write_sent_files(sessions: &[Outgoing<'_>], db: &mut Writer<'_>) -> Result<()> {
    let index = Index::automatic(&[0, 1, 2, 3]);
    let mut table = db.table(SENT_FILES, &[index]).map_err(unwritten)?;
    let mut rowid = 0;
    for session in sessions {
        for file in &session.account.sent_files {
            let [md5, size, kind, id, hash] = sent_files_row(file);
            rowid += 1;
            let row = [text(Some(&session.name)), md5, size, kind, id, hash];
            table.row(rowid, &row).map_err(unwritten)?;
        }
    }
    table.finish().map_err(unwritten)
}

/// Channels are stored by their bare ids: those are the ids that Telethon passes to the store.
fn write_states(sessions: &[Outgoing<'_>], db: &mut Writer<'_>, lost: &mut Losses) -> Result<()> {
    let mut table = db.table(UPDATE_STATE, &[Index::automatic(&[0, 1])]).map_err(unwritten)?;
    let mut rowid = 0;
    for session in sessions {
        for StateRow { id, pts, qts, date, seq } in state_rows(&session.account, lost) {
            let [id, pts, qts, date, seq] = [id, pts, qts, date, seq].map(Value::Integer);
            let unread = Value::Integer(0);
            rowid += 1;
            let row = [text(Some(&session.name)), id, pts, qts, date, seq, unread];
            table.row(rowid, &row).map_err(unwritten)?;
        }
    }
    table.finish().map_err(unwritten)
}
