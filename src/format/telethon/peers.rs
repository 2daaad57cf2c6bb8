//! `entities`: users, groups and channels, by marked id.

use super::super::client::{PeerRows, SqliteFile, touch};
use super::super::{Notes, field};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{AccessHash, Entity, PeerId};

/// The columns in their order.
const COLUMNS: [&str; 6] = ["id", "hash", "username", "phone", "name", "date"];

#[derive(Clone, Copy, Debug)]
pub(super) struct Peers<'a> {
    table: &'a Table,
    id: usize,
    hash: usize,
    username: Option<usize>,
    phone: Option<usize>,
    name: Option<usize>,
    date: Option<usize>,
}

impl<'a> Peers<'a> {
    pub(super) fn of(file: &SqliteFile, table: &'a Table) -> Option<Self> {
        let column = |name| super::column(file.db(), table, &COLUMNS, name);
        Some(Self {
            table,
            id: column("id")?,
            hash: column("hash")?,
            username: column("username"),
            phone: column("phone"),
            name: column("name"),
            date: column("date"),
        })
    }
}

impl<'a> PeerRows<'a> for Peers<'a> {
    fn table(&self) -> &'a Table {
        self.table
    }

    fn entity(&mut self, row: &Row<'a>, notes: &mut Notes) -> Result<Option<Entity>, SqliteError> {
        entity(*self, row, notes)
    }
}

/// The entity of a row; `None` for a row that is none, which is noted unless it is row 0.
fn entity(
    columns: Peers<'_>,
    row: &Row<'_>,
    notes: &mut Notes,
) -> Result<Option<Entity>, SqliteError> {
    let id = match field::integer(row.get(columns.id)?) {
        // Row 0 is the account's own id and no entity.
        Ok(0) => return Ok(None),
        Ok(id) => id,
        Err(why) => {
            touch(columns.table, row)?;
            notes.add(format!("entities: id is {why}, row skipped"));
            return Ok(None);
        }
    };
    let hash = match field::integer(row.get(columns.hash)?) {
        Ok(hash) => hash,
        Err(why) => {
            touch(columns.table, row)?;
            notes.add(format!("entities row {id}: hash is {why}, skipped"));
            return Ok(None);
        }
    };
    let Some(peer) = PeerId::from_marked(id) else { return Ok(None) };
    let mut field = |column: Option<usize>, name, read: Read| -> Result<_, SqliteError> {
        let Some(column) = column else { return Ok(None) };
        Ok(read(row.get(column)?).unwrap_or_else(|why| {
            notes.add(format!("entities row {id}: {name} is {why}, not kept"));
            None
        }))
    };
    let mut entity = Entity::new(peer);
    entity.access_hash = Some(AccessHash(hash));
    entity.usernames.extend(field(columns.username, "username", field::text)?);
    entity.phone = field(columns.phone, "phone", field::phone)?;
    entity.name = field(columns.name, "name", field::text)?;
    if let Some(column) = columns.date {
        entity.date = field::seconds(row.get(column)?).unwrap_or_else(|why| {
            notes.add(format!("entities row {id}: date is {why}, not kept"));
            None
        });
    }
    Ok(Some(entity))
}

type Read = fn(Value<'_>) -> Result<Option<String>, field::Unfit>;
