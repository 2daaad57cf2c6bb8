//! `peer_info`: users, groups and channels, and which of them the account itself is.

use std::ops::RangeInclusive;

use crate::error::Result;
use crate::format::database::Writer;
use crate::format::sqlite_file::{PeerRows, SqliteFile, column, marked_id};
use crate::format::unwritten;
use crate::format::{EntityCapabilities, Losses, Notes, Outgoing, Output, field};
use crate::sqlite::writer::TableWriter;
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{AccessHash, Entity, EntityKind, PeerId, PeerKind, SelfUser};

pub(super) const PEERS: EntityCapabilities = EntityCapabilities {
    holds: is_inside,
    kinds: &[
        EntityKind::User,
        EntityKind::Bot,
        EntityKind::Group,
        EntityKind::Supergroup,
        EntityKind::Channel,
        EntityKind::Gigagroup,
        EntityKind::Community,
    ],
    min: false,
    no_hash: true,
    usernames: 0,
    phone: false,
    name: false,
    date: false,
};

/// A loss of an id with which grammers 0.8 panics and which later releases never look for.
pub(super) const OUTSIDE: &str = "grammers has no ids beyond the Bot API's ranges";

pub(super) const SQL: &str = "CREATE TABLE peer_info (
                peer_id INTEGER NOT NULL,
                hash INTEGER,
                subtype INTEGER,
                PRIMARY KEY (peer_id))";

/// Bits of `subtype`, of users and of channels. NULL has none of them.
const SELF: i64 = 1;
const BOT: i64 = 2;
const MEGAGROUP: i64 = 4;
const BROADCAST: i64 = 8;
/// Both bits, so it is looked for before them.
const GIGAGROUP: i64 = 12;
/// Written by 0.11, which itself does not read it back.
const COMMUNITY: i64 = 16;

/// The kind that a subtype says. A user without a bit is a person: grammers caches users as
/// Telegram sends them, and knows of each whether it is a bot.
fn kind(peer: PeerId, subtype: i64) -> Option<EntityKind> {
    let has = |bits| subtype & bits == bits;
    match peer.kind() {
        PeerKind::User if has(BOT) => Some(EntityKind::Bot),
        PeerKind::User => Some(EntityKind::User),
        PeerKind::Group => Some(EntityKind::Group),
        PeerKind::Channel if has(GIGAGROUP) => Some(EntityKind::Gigagroup),
        PeerKind::Channel if has(BROADCAST) => Some(EntityKind::Channel),
        PeerKind::Channel if has(MEGAGROUP) => Some(EntityKind::Supergroup),
        PeerKind::Channel if has(COMMUNITY) => Some(EntityKind::Community),
        PeerKind::Channel => None,
    }
}

/// The subtype that says a kind; 0 where there is nothing to say, `None` where the id says
/// otherwise.
fn subtype(peer: PeerId, kind: Option<EntityKind>) -> Option<i64> {
    match (peer.kind(), kind) {
        (_, None)
        | (PeerKind::User, Some(EntityKind::User))
        | (PeerKind::Group, Some(EntityKind::Group)) => Some(0),
        (PeerKind::User, Some(EntityKind::Bot)) => Some(BOT),
        (PeerKind::Channel, Some(EntityKind::Supergroup)) => Some(MEGAGROUP),
        (PeerKind::Channel, Some(EntityKind::Channel)) => Some(BROADCAST),
        (PeerKind::Channel, Some(EntityKind::Gigagroup)) => Some(GIGAGROUP),
        (PeerKind::Channel, Some(EntityKind::Community)) => Some(COMMUNITY),
        _ => None,
    }
}

/// Bare ids that grammers takes: those of the Bot API, <https://core.telegram.org/api/bots/ids>.
const USERS: RangeInclusive<i64> = 1..=0xff_ffff_ffff;
const GROUPS: RangeInclusive<i64> = 1..=999_999_999_999;
const CHANNELS: RangeInclusive<i64> = 1..=997_852_516_352;
const MONOFORUMS: RangeInclusive<i64> = 1_002_147_483_649..=3_000_000_000_000;

/// Whether grammers takes the id.
pub(super) fn is_inside(peer: PeerId) -> bool {
    match peer.kind() {
        PeerKind::User => USERS.contains(&peer.bare()),
        PeerKind::Group => GROUPS.contains(&peer.bare()),
        PeerKind::Channel => CHANNELS.contains(&peer.bare()) || MONOFORUMS.contains(&peer.bare()),
    }
}

/// The own user is the first with its bit, as grammers looks for it.
pub(super) fn read_user(file: &SqliteFile, notes: &mut Notes) -> Result<Option<SelfUser>> {
    let mut user = None;
    let mut more = 0_u64;
    file.each_row("peer_info", |table, row| {
        let subtype = field::integer(column(table, row, "subtype")?);
        let Ok(subtype) = subtype.map(|bits| bits & (SELF | BOT)) else { return Ok(Ok(())) };
        let id = field::integer(column(table, row, "peer_id")?);
        match id.ok().and_then(PeerId::from_marked) {
            Some(id) if subtype & SELF != 0 && id.kind() == PeerKind::User => {
                more += u64::from(user.is_some());
                let bot = Some(subtype & BOT != 0);
                user.get_or_insert(SelfUser { id: id.bare(), bot });
            }
            _ => {}
        }
        Ok(Ok(()))
    })?;
    if more > 0 {
        notes.add(format!(
            "peer_info: {} rows say that they are the own user; the first is taken, as grammers \
             does",
            more + 1
        ));
    }
    Ok(user)
}

/// The columns of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peers<'a> {
    table: &'a Table,
    id: usize,
    hash: Option<usize>,
    subtype: Option<usize>,
}

impl<'a> Peers<'a> {
    pub(super) fn of(table: &'a Table) -> Option<Self> {
        let column = |name| table.column(name);
        Some(Self {
            table,
            id: column("peer_id")?,
            hash: column("hash"),
            subtype: column("subtype"),
        })
    }
}

impl<'a> PeerRows<'a> for Peers<'a> {
    fn table(&self) -> &'a Table {
        self.table
    }

    fn entity(&mut self, row: &Row<'a>, notes: &mut Notes) -> Result<Option<Entity>, SqliteError> {
        let Some(id) = marked_id(self.table, row, (self.id, "peer_id"), notes)? else {
            return Ok(None);
        };
        let mut number = |column: Option<usize>, name| -> Result<_, SqliteError> {
            let value = column.map_or(Ok(Value::Null), |column| row.get(column))?;
            if value.is_null() {
                return Ok(None);
            }
            let number = field::integer(value);
            if let Err(why) = number {
                notes.add(format!("peer_info row {id}: {name} is {why}, not kept"));
            }
            Ok(number.ok())
        };
        let mut entity = Entity::new(id);
        entity.access_hash = number(self.hash, "hash")?.map(AccessHash);
        let bits = number(self.subtype, "subtype")?.unwrap_or_default();
        entity.kind = kind(id, bits);
        let own = if id.kind() == PeerKind::User { bits & SELF } else { 0 };
        if subtype(id, entity.kind) != Some(bits - own) {
            notes.add(format!("peer_info row {id}: subtype {bits} has unknown bits"));
        }
        Ok(Some(entity))
    }
}

/// Writes the entities, and the own user among them, whether or not it is one of them.
pub(super) fn write(
    session: &mut Outgoing<'_>,
    lost: &mut Losses,
    db: &mut Writer<'_>,
) -> Result<()> {
    let mut own = own_user(session, lost);
    let mut table = db.table(SQL, &[]).map_err(unwritten)?;
    while let Some(entity) = session.entity(&PEERS, lost) {
        let entity = entity?;
        if let Some((user, bits)) = own.take_if(|(user, _)| user.id < entity.id) {
            put(&mut table, &user, bits, lost)?;
        }
        let bits = own.take_if(|(user, _)| user.id == entity.id).map_or(0, |(_, bits)| bits);
        put(&mut table, &entity, bits, lost)?;
    }
    if let Some((user, bits)) = own {
        put(&mut table, &user, bits, lost)?;
    }
    table.finish().map_err(unwritten)
}

/// The own user as far as the account knows it, and its bits.
fn own_user(session: &Outgoing<'_>, lost: &mut Losses) -> Option<(Entity, i64)> {
    let user = session.account.login.user?;
    let Some(id) = PeerId::user(user.id).filter(|id| is_inside(*id)) else {
        lost.add("user", OUTSIDE, user.id);
        return None;
    };
    Some((Entity::new(id), if user.bot == Some(true) { SELF | BOT } else { SELF }))
}

fn put(
    table: &mut TableWriter<'_, &mut dyn Output>,
    entity: &Entity,
    own: i64,
    lost: &mut Losses,
) -> Result<()> {
    let id = entity.id;
    if !is_inside(id) {
        lost.add("entities", OUTSIDE, id);
        return Ok(());
    }
    let bits = subtype(id, entity.kind).unwrap_or_else(|| {
        lost.add("entities.kind", "the range of its id says otherwise", id);
        0
    });
    let hash = entity.access_hash.map_or(Value::Null, |hash| Value::Integer(hash.0));
    let bits = match bits | own {
        0 => Value::Null,
        bits => Value::Integer(bits),
    };
    let row = [Value::Null, hash, bits];
    table.row(id.marked(), &row).map_err(unwritten)
}
