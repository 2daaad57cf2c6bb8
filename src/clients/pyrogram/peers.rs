//! `peers`: users, groups and channels, by marked id; and `usernames`, where there is one.

use std::collections::HashSet;

use super::family::{self, KINDS, suits};
use crate::error::Result;
use crate::format::sqlite_file::{PeerRows, SqliteFile, touch};
use crate::format::{Notes, Tables, field};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{AccessHash, Entity, EntityKind, PeerId};

/// The columns of every release.
const COLUMNS: [&str; 5] = ["id", "access_hash", "type", "phone_number", "last_update_on"];
/// Kurigram has a table of usernames instead.
const COLUMNS_MORE: [&str; 1] = ["username"];

#[derive(Debug)]
pub(super) struct Peers<'a> {
    table: &'a Table,
    in_order: bool,
    id: usize,
    access_hash: Option<usize>,
    kind: Option<usize>,
    username: Option<usize>,
    phone: Option<usize>,
    date: Option<usize>,
    more: Usernames,
}

impl<'a> Peers<'a> {
    /// `None` if it is not a table of peers. Usernames are read at once.
    pub(super) fn of(
        file: &SqliteFile,
        table: &'a Table,
        notes: &mut Notes,
    ) -> Result<Option<Self>> {
        let column = |name| family::column(file.db(), table, &COLUMNS, &COLUMNS_MORE, name);
        let Some(id) = column("id") else { return Ok(None) };
        let more = Usernames::read(file, notes)?;
        more.note_lonely(file.db(), table, id, notes);
        Ok(Some(Self {
            table,
            in_order: table.columns().get(id).is_some_and(crate::sqlite::Column::is_rowid),
            id,
            access_hash: column("access_hash"),
            kind: column("type"),
            username: column("username"),
            phone: column("phone_number"),
            date: column("last_update_on"),
            more,
        }))
    }
}

impl<'a> PeerRows<'a> for Peers<'a> {
    fn table(&self) -> &'a Table {
        self.table
    }

    fn in_order(&self) -> bool {
        self.in_order
    }

    fn entity(&mut self, row: &Row<'a>, notes: &mut Notes) -> Result<Option<Entity>, SqliteError> {
        let id = match field::integer(row.get(self.id)?) {
            Ok(id) => id,
            Err(why) => {
                touch(self.table, row)?;
                notes.add(format!("peers: id is {why}, row skipped"));
                return Ok(None);
            }
        };
        let Some(peer) = PeerId::from_marked(id) else {
            touch(self.table, row)?;
            notes.add("peers row 0: not a valid id, skipped".into());
            return Ok(None);
        };
        let mut columns = Columns { row, id, notes };
        let mut entity = Entity::new(peer);
        entity.access_hash = columns.take(self.access_hash, "access_hash", access_hash)?;
        entity.kind = columns.take(self.kind, "type", |value| kind(value, peer))?;
        entity.usernames.extend(columns.take(self.username, "username", field::text)?);
        entity.phone = columns.take(self.phone, "phone_number", field::phone)?;
        entity.date = columns.take(self.date, "last_update_on", date)?;
        for name in self.more.of(id) {
            // The first is in both places.
            if !entity.usernames.iter().any(|there| there == name) {
                entity.usernames.push(name.to_owned());
            }
        }
        Ok(Some(entity))
    }
}

/// The columns of one row, with notes for unexpected values.
struct Columns<'a, 'r> {
    row: &'a Row<'r>,
    id: i64,
    notes: &'a mut Notes,
}

impl Columns<'_, '_> {
    fn take<T>(
        &mut self,
        column: Option<usize>,
        name: &str,
        read: impl Fn(Value<'_>) -> Result<Option<T>, field::Unfit>,
    ) -> Result<Option<T>, SqliteError> {
        let Some(column) = column else { return Ok(None) };
        Ok(read(self.row.get(column)?).unwrap_or_else(|why| {
            self.notes.add(format!("peers row {}: {name} is {why}, not kept", self.id));
            None
        }))
    }
}

fn access_hash(value: Value<'_>) -> Result<Option<AccessHash>, field::Unfit> {
    match value {
        Value::Null => Ok(None),
        value => field::integer(value).map(|hash| Some(AccessHash(hash))),
    }
}

/// The column is declared an integer, and holds text.
fn kind(value: Value<'_>, id: PeerId) -> Result<Option<EntityKind>, field::Unfit> {
    let Some(name) = field::text(value)? else { return Ok(None) };
    match KINDS.iter().find(|(known, _)| *known == name) {
        Some((_, kind)) if suits(*kind, id.kind()) => Ok(Some(*kind)),
        Some(_) => Err("of another kind than the id"),
        None => Err("unknown"),
    }
}

/// The column may not be NULL, so 0 means an unknown time.
fn date(value: Value<'_>) -> Result<Option<i64>, field::Unfit> {
    field::seconds(value).map(|date| date.filter(|date| *date != 0))
}

/// The rows of `usernames`, sorted by their peers, else in their order.
#[derive(Debug, Default)]
struct Usernames(Vec<(i64, Box<str>)>);

impl Usernames {
    fn read(file: &SqliteFile, notes: &mut Notes) -> Result<Self> {
        let mut all = Vec::new();
        let mut dated = 0_u64;
        file.each_row("usernames", |table, row| {
            let by_name = table.column("peer_id");
            let columns = match by_name {
                Some(owner) => table.column("id").map(|name| (owner, name)),
                None => table.column("id").zip(table.column("username")),
            };
            let Some((owner, name)) = columns else { return touch(table, row).map(Ok) };
            match (field::integer(row.get(owner)?), field::text(row.get(name)?)) {
                (Ok(owner), Ok(Some(name))) => {
                    all.push((owner, name.into_boxed_str()));
                    dated += u64::from(by_name.is_some());
                }
                (_, Ok(None)) => {}
                (Err(why), _) => {
                    notes.add(format!("usernames: whose it is is {why}, row skipped"));
                }
                (_, Err(why)) => notes.add(format!("usernames: a name is {why}, row skipped")),
            }
            Ok(Ok(()))
        })?;
        if dated > 0 {
            notes.add(format!("usernames: when {dated} of them were seen is not kept"));
        }
        all.sort_by_key(|(owner, _)| *owner);
        Ok(Self(all))
    }

    fn of(&self, id: i64) -> impl Iterator<Item = &str> {
        let start = self.0.partition_point(|(owner, _)| *owner < id);
        let rest = self.0.get(start..).unwrap_or_default().iter();
        rest.take_while(move |(owner, _)| *owner == id).map(|(_, name)| name.as_ref())
    }

    /// Notes how many belong to no row of `peers`. Damage there is found again when the rows are
    /// read, and said then.
    fn note_lonely(&self, db: &Tables, peers: &Table, id: usize, notes: &mut Notes) {
        if self.0.is_empty() {
            return;
        }
        let mut lonely: HashSet<i64> = self.0.iter().map(|(owner, _)| *owner).collect();
        for row in db.rows(peers).map_while(Result::ok) {
            if let Ok(Value::Integer(id)) = row.get(id) {
                lonely.remove(&id);
            }
        }
        let count = self.0.iter().filter(|(owner, _)| lonely.contains(owner)).count();
        if count > 0 {
            notes.add(format!("usernames: {count} belong to no peer that is there, not kept"));
        }
    }
}
