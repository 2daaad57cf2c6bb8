//! `entities`: users, groups and channels, by marked id.

use super::super::database::Rows;
use super::super::{Notes, Tables};
use super::{TelethonFile, field};
use crate::error::Result;
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{AccessHash, Entity, PeerId};

/// The entities of a file, in the order of their ids. Rows that are none are noted and passed
/// over; a damaged table ends in an error.
pub(crate) struct Entities<'a> {
    file: &'a TelethonFile,
    rows: Option<(Columns<'a>, Rows<'a>)>,
    /// The entities of a damaged file.
    saved: std::vec::IntoIter<Entity>,
    notes: Notes,
}

impl std::fmt::Debug for Entities<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entities").field("file", &self.file.path).finish_non_exhaustive()
    }
}

/// The columns in their order.
const COLUMNS: [&str; 6] = ["id", "hash", "username", "phone", "name", "date"];

#[derive(Clone, Copy, Debug)]
struct Columns<'a> {
    table: &'a Table,
    id: usize,
    hash: usize,
    username: Option<usize>,
    phone: Option<usize>,
    name: Option<usize>,
    date: Option<usize>,
}

impl<'a> Columns<'a> {
    fn of(file: &TelethonFile, table: &'a Table) -> Option<Self> {
        let column = |name| file.column(table, &COLUMNS, name);
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

impl Columns<'_> {
    /// A row that is passed over must be a whole row all the same: a damaged one can look like
    /// anything.
    fn touch(&self, row: &Row<'_>) -> Result<(), SqliteError> {
        (0..self.table.columns().len()).try_for_each(|column| row.get(column).map(drop))
    }
}

impl<'a> Entities<'a> {
    pub(super) fn new(file: &'a TelethonFile, mut notes: Notes) -> Self {
        let table = file.db.named("entities");
        let columns = table.and_then(|table| Columns::of(file, table));
        if table.is_some() && columns.is_none() {
            notes.add("entities: the table has no columns id and hash, and was not read".into());
        }
        let rows = columns.map(|columns| (columns, file.db.rows(columns.table)));
        match file.db {
            Tables::Whole(_) => Self { file, rows, saved: Vec::new().into_iter(), notes },
            Tables::Saved(_) => Self::sorted(file, rows, notes),
        }
    }

    /// What is saved of a damaged table comes in any order and must be held to be sorted. Of rows
    /// with one id the first is kept: it is the one that the table's root leads to.
    fn sorted(
        file: &'a TelethonFile,
        rows: Option<(Columns<'a>, Rows<'a>)>,
        mut notes: Notes,
    ) -> Self {
        let mut saved = Vec::new();
        for (columns, row) in
            rows.into_iter().flat_map(|(columns, rows)| rows.map(move |row| (columns, row)))
        {
            let read = row.and_then(|row| entity(columns, &row, &mut notes));
            saved.extend(read.ok().flatten());
        }
        saved.sort_by_key(|entity| entity.id);
        let count = saved.len();
        saved.dedup_by_key(|entity| entity.id);
        if count > saved.len() {
            notes.add(format!("entities: {} rows were there twice", count - saved.len()));
        }
        Self { file, rows: None, saved: saved.into_iter(), notes }
    }

    /// What was not taken so far.
    pub(crate) fn notes(&self) -> Notes {
        self.notes.clone()
    }
}

impl Iterator for Entities<'_> {
    type Item = Result<Entity>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some((columns, rows)) = self.rows.as_mut() else {
            return self.saved.next().map(Ok);
        };
        loop {
            let row = rows.next()?;
            match row.and_then(|row| entity(*columns, &row, &mut self.notes)) {
                Ok(Some(entity)) => return Some(Ok(entity)),
                Ok(None) => {}
                Err(error) => {
                    let error = self.file.damaged(columns.table, error);
                    self.rows = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The entity of a row; `None` for a row that is none, which is noted unless it is row 0.
fn entity(
    columns: Columns<'_>,
    row: &Row<'_>,
    notes: &mut Notes,
) -> Result<Option<Entity>, SqliteError> {
    let id = match field::integer(row.get(columns.id)?) {
        // Row 0 is the account's own id and no entity.
        Ok(0) => return Ok(None),
        Ok(id) => id,
        Err(why) => {
            columns.touch(row)?;
            notes.add(format!("entities: id is {why}, row skipped"));
            return Ok(None);
        }
    };
    let hash = match field::integer(row.get(columns.hash)?) {
        Ok(hash) => hash,
        Err(why) => {
            columns.touch(row)?;
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
