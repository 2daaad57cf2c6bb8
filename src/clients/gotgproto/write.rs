//! The SQLite file, written.

use super::types::{CHANNEL, GROUP, USER};
use crate::clients::gotd;
use crate::error::Result;
use crate::format::database::one_row;
use crate::format::{
    Capabilities, EntityCapabilities, Losses, Outgoing, Target, Writing, unwritten,
};
use crate::sqlite::Value;
use crate::sqlite::writer::{DatabaseWriter, WriterOptions};
use crate::types::PeerKind;

/// The file.
pub(super) struct GotgprotoFile;

pub(super) const FORMAT: &str = "gotgproto";

const SESSIONS: &str =
    "CREATE TABLE `sessions` (`version` integer,`data` blob,PRIMARY KEY (`version`))";

const PEERS: &str = "CREATE TABLE `peers` (`id` integer,`access_hash` integer,`type` integer,\
                     `username` text,PRIMARY KEY (`id`))";

/// The version that the client writes and looks for.
const VERSION: i64 = 1;

const ENTITIES: EntityCapabilities = EntityCapabilities {
    holds: |_| true,
    kinds: &[],
    min: false,
    no_hash: true,
    usernames: 1,
    phone: false,
    name: false,
    date: false,
};

impl Target for GotgprotoFile {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn capabilities(&self) -> &'static Capabilities {
        const CAPABILITIES: Capabilities =
            Capabilities { entities: Some(ENTITIES), ..gotd::CAPABILITIES };
        &CAPABILITIES
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let (session, lost, out) = work.of_one(FORMAT)?;
        let mut db = DatabaseWriter::new(out, &WriterOptions::new()).map_err(unwritten)?;
        let data = gotd::text(&session.account)?;
        let row = [Value::Integer(VERSION), Value::Blob(data.as_bytes())];
        one_row(&mut db, SESSIONS, VERSION, &row).map_err(unwritten)?;
        let mut table = db.table(PEERS, &[]).map_err(unwritten)?;
        for (id, hash, kind, name) in peers(session, lost)? {
            let [key, hash, kind] = [id, hash, kind].map(Value::Integer);
            table.row(id, &[key, hash, kind, Value::from(&*name)]).map_err(unwritten)?;
        }
        table.finish().map_err(unwritten)?;
        db.finish().map_err(unwritten)?;
        Ok(())
    }
}

/// The rows by their bare ids, which are the key: of two peers with one bare id one is left out.
fn peers(session: &mut Outgoing<'_>, lost: &mut Losses) -> Result<Vec<(i64, i64, i64, String)>> {
    let mut rows = Vec::new();
    while let Some(entity) = session.entity(&ENTITIES, lost) {
        let entity = entity?;
        let id = entity.id;
        let kind = match id.kind() {
            PeerKind::User => USER,
            PeerKind::Group => GROUP,
            PeerKind::Channel => CHANNEL,
        };
        let hash = entity.access_hash.filter(|_| kind != GROUP).map(|hash| hash.0);
        if hash == Some(0) {
            lost.add("entities.access_hash", "0 stands for an unknown one", id);
        }
        let name = entity.usernames.into_iter().next().unwrap_or_default();
        rows.push((id.bare(), hash.unwrap_or_default(), kind, name, id));
    }
    // A user is kept before a channel, and that before a group.
    let rank = |kind| [USER, CHANNEL, GROUP].iter().position(|known| *known == kind);
    rows.sort_by_key(|(bare, _, kind, ..)| (*bare, rank(*kind)));
    let mut kept: Vec<(i64, i64, i64, String)> = Vec::with_capacity(rows.len());
    for (bare, hash, kind, name, id) in rows {
        if kept.last().is_some_and(|(last, ..)| *last == bare) {
            lost.add("entities", "another peer has the same bare id, which is the key", id);
        } else {
            kept.push((bare, hash, kind, name));
        }
    }
    Ok(kept)
}
