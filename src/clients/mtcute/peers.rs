//! `peers`: users, groups and channels, by marked id.
//!
//! The names and kinds are in `complete` only.

use super::complete;
use crate::error::Result;
use crate::format::database::Writer;
use crate::format::sqlite_file::{PeerRows, SqliteFile, column, marked_id};
use crate::format::unwritten;
use crate::format::{EntityCapabilities, Losses, Notes, Outgoing, Output, field};
use crate::sqlite::writer::{Index, TableWriter};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{AccessHash, Entity, PeerId, PeerKind};

pub(super) const PEERS: EntityCapabilities = EntityCapabilities {
    holds: is_inside,
    kinds: &[],
    min: true,
    no_hash: false,
    usernames: usize::MAX,
    phone: true,
    name: false,
    date: true,
};

/// Why an id is left out: mtcute throws when it meets one.
pub(super) const OUTSIDE: &str = "mtcute has no ids beyond the Bot API's ranges";

pub(super) const SQL: &str = "CREATE TABLE peers (
                    id integer primary key,
                    hash text not null,
                    usernames json not null,
                    updated integer not null,
                    phone text,
                    complete blob
                , isMin integer not null default false)";

const INDEXES: [(&str, &[usize]); 2] = [
    ("CREATE INDEX idx_peers_usernames on peers (usernames)", &[2]),
    ("CREATE INDEX idx_peers_phone on peers (phone)", &[4]),
];

/// Whether mtcute takes the id: beyond these its own parser throws, or a number loses digits.
pub(super) fn is_inside(peer: PeerId) -> bool {
    match peer.kind() {
        PeerKind::User => peer.bare() <= MOST_USER,
        PeerKind::Group => peer.bare() <= MOST_GROUP,
        PeerKind::Channel => peer.marked() >= -MOST_EXACT,
    }
}

const MOST_USER: i64 = 0xff_ffff_ffff;
const MOST_GROUP: i64 = 999_999_999_999;
/// The greatest integer that a JavaScript number surely holds.
const MOST_EXACT: i64 = (1 << 53) - 1;

/// Says of how many objects not all is kept.
pub(super) fn note_complete(file: &SqliteFile, notes: &mut Notes) -> Result<()> {
    let (mut read, mut unread) = (0_u64, 0_u64);
    file.each_row("peers", |table, row| {
        let object = column(table, row, "complete")?;
        if field::is_blank(object) {
            return Ok(Ok(()));
        }
        let id = field::integer(column(table, row, "id")?).ok().and_then(PeerId::from_marked);
        let hash = hash(column(table, row, "hash")?).ok().flatten();
        match id.and_then(|id| head(object, id, hash)) {
            Some(_) => read += 1,
            None => unread += 1,
        }
        Ok(Ok(()))
    })?;
    if read > 0 {
        let what = "of the complete objects no more than names and kinds is kept";
        notes.add(format!("peers: {what}, in {read} rows"));
    }
    if unread > 0 {
        let what = "complete objects have an unknown layout, their names are not kept";
        notes.add(format!("peers: {unread} {what}"));
    }
    Ok(())
}

fn head(object: Value<'_>, id: PeerId, hash: Option<AccessHash>) -> Option<complete::Head> {
    let Value::Blob(bytes) = object else { return None };
    complete::head(bytes, id, hash)
}

/// The columns of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peers<'a> {
    table: &'a Table,
    id: usize,
    hash: usize,
}

impl<'a> Peers<'a> {
    pub(super) fn of(table: &'a Table) -> Option<Self> {
        Some(Self { table, id: table.column("id")?, hash: table.column("hash")? })
    }
}

impl<'a> PeerRows<'a> for Peers<'a> {
    fn table(&self) -> &'a Table {
        self.table
    }

    fn entity(&mut self, row: &Row<'a>, notes: &mut Notes) -> Result<Option<Entity>, SqliteError> {
        let Some(id) = marked_id(self.table, row, (self.id, "id"), notes)? else {
            return Ok(None);
        };
        let mut unkept =
            |name, why| notes.add(format!("peers row {id}: {name} is {why}, not kept"));
        let value = |name| column(self.table, row, name);
        let mut entity = Entity::new(id);
        match hash(row.get(self.hash)?) {
            Ok(hash) => entity.access_hash = hash,
            Err(why) => unkept("hash", why),
        }
        if let Some(head) = head(value("complete")?, id, entity.access_hash) {
            (entity.name, entity.kind) = (head.name, head.kind);
        }
        match usernames(value("usernames")?) {
            Ok(usernames) => entity.usernames = usernames,
            Err(why) => unkept("usernames", why),
        }
        match field::phone(value("phone")?) {
            Ok(phone) => entity.phone = phone,
            Err(why) => unkept("phone", why),
        }
        match updated(value("updated")?) {
            Ok(date) => entity.date = date,
            Err(why) => unkept("updated", why),
        }
        match value("isMin")? {
            Value::Null | Value::Integer(0) => {}
            Value::Integer(1) => entity.min = true,
            _ => unkept("isMin", "neither 0 nor 1"),
        }
        Ok(Some(entity))
    }
}

/// `LOW|HIGH`, both 32 bits with a sign; basic groups have no hash.
fn hash(value: Value<'_>) -> Result<Option<AccessHash>, field::Unfit> {
    let Some(text) = field::text(value)? else { return Ok(None) };
    let halves = text.split_once('|').and_then(|(low, high)| {
        let (low, high): (i32, i32) = (low.parse().ok()?, high.parse().ok()?);
        Some((i64::from(high) << 32) | i64::from(low.cast_unsigned()))
    });
    halves.map(|hash| Some(AccessHash(hash))).ok_or("not two numbers")
}

fn hash_text(hash: AccessHash) -> String {
    let (low, high) = (hash.0 as i32, (hash.0 >> 32) as i32);
    format!("{low}|{high}")
}

/// A JSON array.
fn usernames(value: Value<'_>) -> Result<Vec<String>, field::Unfit> {
    let Some(text) = field::text(value)? else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|_| "no JSON array of texts")
}

/// mtcute compares with lower-case letters.
fn usernames_text(usernames: &[String]) -> String {
    let lower = usernames.iter().map(|name| name.to_lowercase().into());
    serde_json::Value::Array(lower.collect()).to_string()
}

/// Milliseconds since 1970; 0 is not known.
fn updated(value: Value<'_>) -> Result<Option<i64>, field::Unfit> {
    let date = field::seconds(value)?.filter(|milliseconds| *milliseconds != 0);
    Ok(date.map(|milliseconds| milliseconds.div_euclid(1000)))
}

fn milliseconds(date: i64) -> Option<i64> {
    date.checked_mul(1000).filter(|date| (-MOST_EXACT..=MOST_EXACT).contains(date))
}

pub(super) fn write(
    session: &mut Outgoing<'_>,
    lost: &mut Losses,
    db: &mut Writer<'_>,
) -> Result<()> {
    let indexes = INDEXES.map(|(sql, columns)| Index::explicit(sql, columns));
    let mut table = db.table(SQL, &indexes).map_err(unwritten)?;
    while let Some(entity) = session.entity(&PEERS, lost) {
        put(&mut table, &entity?, lost)?;
    }
    table.finish().map_err(unwritten)
}

/// `complete` is left NULL: mtcute then fetches the object when it is asked for, and finds the
/// peer all the same.
fn put(
    table: &mut TableWriter<'_, &mut dyn Output>,
    entity: &Entity,
    lost: &mut Losses,
) -> Result<()> {
    let id = entity.id;
    if !is_inside(id) {
        lost.add("entities", OUTSIDE, id);
        return Ok(());
    }
    let hash = entity.access_hash.map(hash_text).unwrap_or_default();
    let usernames = usernames_text(&entity.usernames);
    let updated = entity.date.map_or(Some(0), milliseconds).unwrap_or_else(|| {
        lost.add("entities.date", "mtcute has no dates so far off", id);
        0
    });
    let phone = entity.phone.as_deref().map_or(Value::Null, Value::from);
    let row = [
        Value::Null,
        Value::from(&*hash),
        Value::from(&*usernames),
        Value::Integer(updated),
        phone,
        Value::Null,
        Value::Integer(entity.min.into()),
    ];
    table.row(id.marked(), &row).map_err(unwritten)
}
