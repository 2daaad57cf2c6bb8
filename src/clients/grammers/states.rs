//! `update_state` and `channel_state`: where updates stand.

use super::peers::{OUTSIDE, is_inside};
use crate::error::Result;
use crate::format::database::Writer;
use crate::format::sqlite_file::{SqliteFile, column};
use crate::format::unwritten;
use crate::format::{Losses, Notes, field};
use crate::sqlite::Value;
use crate::types::{Account, ChannelState, PeerId, PeerKind, UpdateState};

pub(super) const ACCOUNT_SQL: &str = "CREATE TABLE update_state (
                pts INTEGER NOT NULL,
                qts INTEGER NOT NULL,
                date INTEGER NOT NULL,
                seq INTEGER NOT NULL)";

pub(super) const CHANNEL_SQL: &str = "CREATE TABLE channel_state (
                peer_id INTEGER NOT NULL,
                pts INTEGER NOT NULL,
                PRIMARY KEY (peer_id))";

/// The first row, as grammers has it.
pub(super) fn read_account(file: &SqliteFile, notes: &mut Notes) -> Result<Option<UpdateState>> {
    let mut state = None;
    let mut more = 0_u64;
    file.each_row("update_state", |table, row| {
        let pts = field::counter(column(table, row, "pts")?);
        let qts = field::counter(column(table, row, "qts")?);
        let date = field::seconds(column(table, row, "date")?);
        let seq = field::counter(column(table, row, "seq")?);
        match (pts, qts, date, seq) {
            (Ok(pts), Ok(qts), Ok(Some(date)), Ok(seq)) => {
                more += u64::from(state.is_some());
                state.get_or_insert(UpdateState { pts, qts, date, seq });
            }
            _ => notes.add("update_state: a counter is no integer, row skipped".into()),
        }
        Ok(Ok(()))
    })?;
    if more > 0 {
        notes.add(format!("update_state: {more} rows after the first are not kept"));
    }
    Ok(state)
}

pub(super) fn read_channels(file: &SqliteFile, notes: &mut Notes) -> Result<Vec<ChannelState>> {
    let mut states = Vec::new();
    file.each_row("channel_state", |table, row| {
        let id = field::integer(column(table, row, "peer_id")?);
        let pts = field::counter(column(table, row, "pts")?);
        match (id.ok().and_then(channel), pts) {
            (Some(id), Ok(pts)) => states.push(ChannelState { id, pts }),
            (None, _) => notes.add("channel_state: peer_id is no channel, row skipped".into()),
            (Some(id), Err(why)) => {
                notes.add(format!("channel_state row {}: pts is {why}, skipped", id.bare()));
            }
        }
        Ok(Ok(()))
    })?;
    Ok(states)
}

/// Ids are bare here; one that is marked already is taken as it is.
fn channel(id: i64) -> Option<PeerId> {
    let marked = PeerId::from_marked(id).filter(|id| id.kind() == PeerKind::Channel);
    marked.or_else(|| PeerId::channel(id))
}

pub(super) fn write(account: &Account, lost: &mut Losses, db: &mut Writer<'_>) -> Result<()> {
    let mut table = db.table(ACCOUNT_SQL, &[]).map_err(unwritten)?;
    if let Some(UpdateState { pts, qts, date, seq }) = account.update_state {
        match i32::try_from(date) {
            Ok(date) => {
                table
                    .row(1, &[pts, qts, date, seq].map(|n| Value::Integer(n.into())))
                    .map_err(unwritten)?;
            }
            Err(_) => lost.add_one("state", "grammers has 32-bit dates"),
        }
    }
    table.finish().map_err(unwritten)?;
    let mut table = db.table(CHANNEL_SQL, &[]).map_err(unwritten)?;
    // Marked ids go down as bare ids go up.
    for state in account.channel_states.iter().rev() {
        if state.id.kind() == PeerKind::Channel && is_inside(state.id) {
            let pts = Value::Integer(state.pts.into());
            table.row(state.id.bare(), &[Value::Null, pts]).map_err(unwritten)?;
        } else {
            lost.add("channel_states", OUTSIDE, state.id);
        }
    }
    table.finish().map_err(unwritten)
}
