//! The rows of `entities` and `update_state` as Telethon writes them, in whichever file.

use crate::error::Result;
use crate::format::EntityCapabilities;
use crate::format::{Losses, Outgoing};
use crate::types::{Account, Entity, PeerKind, SelfUser};

/// A row of `entities`.
#[derive(Debug)]
pub(in crate::clients) struct EntityRow {
    /// Marked.
    pub(in crate::clients) id: i64,
    pub(in crate::clients) hash: i64,
    pub(in crate::clients) username: Option<String>,
    pub(in crate::clients) phone: Option<i64>,
    pub(in crate::clients) name: Option<String>,
    pub(in crate::clients) date: Option<i64>,
}

/// A row of `update_state`.
#[derive(Debug)]
pub(in crate::clients) struct StateRow {
    /// 0 for the account, else the bare id of a channel.
    pub(in crate::clients) id: i64,
    pub(in crate::clients) pts: i64,
    pub(in crate::clients) qts: i64,
    pub(in crate::clients) date: i64,
    pub(in crate::clients) seq: i64,
}

impl EntityRow {
    /// Groups have the hash 0, and usernames are looked up in lower case.
    fn of(entity: Entity, lost: &mut Losses) -> Self {
        let id = entity.id.marked();
        let phone = entity.phone.and_then(|phone| number(&phone, id, lost));
        let username = entity.usernames.into_iter().next();
        Self {
            id,
            hash: entity.access_hash.map_or(0, |hash| hash.0),
            username: username.map(|name| name.to_lowercase()).filter(|name| !name.is_empty()),
            phone,
            name: entity.name.filter(|name| !name.is_empty()),
            date: entity.date,
        }
    }

    /// Telethon keeps the account's own id as the hash of an entity 0.
    fn own(user: SelfUser) -> Self {
        Self { id: 0, hash: user.id, username: None, phone: None, name: None, date: None }
    }
}

/// The column is one of integers: SQLite turns digits into a number when Telethon stores them and
/// when it looks for them.
fn number(phone: &str, whose: i64, lost: &mut Losses) -> Option<i64> {
    let digits = !phone.is_empty() && phone.bytes().all(|c| c.is_ascii_digit());
    let Some(number) = phone.parse().ok().filter(|_| digits) else {
        lost.add("entities.phone", "it is no number of 64 bits", whose);
        return None;
    };
    if phone.len() > 1 && phone.starts_with('0') {
        lost.add("entities.phone", "it is kept as a number, without its leading zeros", whose);
    }
    Some(number)
}

/// Runs over the rows of a session in the order of their ids, the account's own among them.
pub(in crate::clients) fn for_each_entity(
    session: &mut Outgoing<'_>,
    capabilities: &EntityCapabilities,
    lost: &mut Losses,
    mut visit: impl FnMut(EntityRow) -> Result<()>,
) -> Result<()> {
    let mut own = session.account.login.user.map(EntityRow::own);
    while let Some(entity) = session.entity(capabilities, lost) {
        let row = EntityRow::of(entity?, lost);
        if row.id > 0
            && let Some(own) = own.take()
        {
            visit(own)?;
        }
        visit(row)?;
    }
    own.map_or(Ok(()), visit)
}

/// The states in the order of their ids.
///
/// A channel's row has Telethon's zeros for qts and seq, and for its date, which says when it was
/// saved: nothing reads it, but Telethon makes a `datetime` of every one and cannot start without.
pub(in crate::clients) fn state_rows(account: &Account, lost: &mut Losses) -> Vec<StateRow> {
    let mut rows = Vec::with_capacity(account.channel_states.len() + 1);
    if let Some(state) = account.update_state {
        if DATETIME.contains(&state.date) {
            let [pts, qts, seq] = [state.pts, state.qts, state.seq].map(i64::from);
            rows.push(StateRow { id: 0, pts, qts, date: state.date, seq });
        } else {
            lost.add_one("state", "Python has no such date, and the client then cannot start");
        }
    }
    for state in &account.channel_states {
        if state.id.kind() == PeerKind::Channel {
            let (id, pts) = (state.id.bare(), i64::from(state.pts));
            rows.push(StateRow { id, pts, qts: 0, date: 0, seq: 0 });
        } else {
            lost.add("channel_states", "it is not a channel's", state.id);
        }
    }
    rows.sort_by_key(|row| row.id);
    rows
}

/// What `datetime.fromtimestamp` takes on every system: 1970 to 9999.
const DATETIME: std::ops::RangeInclusive<i64> = 0..=253_402_300_799;
