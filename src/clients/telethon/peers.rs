//! `entities`: users, groups and channels, by marked id.

use std::collections::BTreeSet;

use super::scope::{Scope, session_id};
use crate::format::sqlite_file::{PeerRows, touch};
use crate::format::{Notes, field};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{AccessHash, Entity, PeerId};

/// The columns in their order.
const COLUMNS: [&str; 6] = ["id", "hash", "username", "phone", "name", "date"];

#[derive(Debug)]
pub(in crate::clients) struct Peers<'a> {
    table: &'a Table,
    /// The session whose rows are read, if there are several.
    session: Option<String>,
    /// The sessions whose rows need no note.
    known: BTreeSet<String>,
    id: usize,
    hash: usize,
    username: Option<usize>,
    phone: Option<usize>,
    name: Option<usize>,
    date: Option<usize>,
}

impl<'a> Peers<'a> {
    /// The columns of `entities`; `None` if a needed one is missing.
    /// `known` are the sessions in the file, where it holds several.
    pub(in crate::clients) fn of(
        scope: Scope<'_>,
        table: &'a Table,
        known: Vec<String>,
    ) -> Option<Self> {
        let column = |name| scope.column(table, &COLUMNS, name);
        Some(Self {
            table,
            session: scope.session.map(str::to_owned),
            known: known.into_iter().collect(),
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

    fn in_order(&self) -> bool {
        self.session.is_none()
    }

    fn entity(&mut self, row: &Row<'a>, notes: &mut Notes) -> Result<Option<Entity>, SqliteError> {
        if self.session.is_some() && !self.is_meant(row, notes)? {
            return Ok(None);
        }
        entity(self, row, notes)
    }
}

impl Peers<'_> {
    /// Whether it is a row of the session that is read. A row of a session that the file does
    /// not list belongs to no session that is read, so it is noted.
    fn is_meant(&mut self, row: &Row<'_>, notes: &mut Notes) -> Result<bool, SqliteError> {
        let Some(id) = session_id(self.table, row)? else {
            notes.add("entities: session_id is not text, row skipped".into());
            return Ok(false);
        };
        let meant = self.session.as_deref() == Some(&*id);
        if !meant && !self.known.contains(&*id) {
            notes.add(format!("entities: there are rows of {id:?}, which is no session here"));
            self.known.insert(id.into_owned());
        }
        Ok(meant)
    }
}

/// The entity of a row; `None` if it has none. A note says so, except for row 0.
fn entity(
    columns: &Peers<'_>,
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
