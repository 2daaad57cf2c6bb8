//! The entities of a SQLite session, one after the other.

use super::database::Rows;
use super::sqlite_file::{PeerRows, SqliteFile};
use super::{Notes, Tables};
use crate::error::Result;
use crate::types::Entity;

/// The entities of a file, in the order of their ids. Rows that are no entities are skipped with
/// a note; a damaged table ends in an error.
pub(crate) struct Entities<'a> {
    file: &'a SqliteFile,
    rows: Option<(Box<dyn PeerRows<'a> + 'a>, Rows<'a>)>,
    /// Entities that had to be sorted first.
    sorted: std::vec::IntoIter<Result<Entity>>,
    notes: Notes,
}

impl std::fmt::Debug for Entities<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entities").field("file", &self.file.path()).finish_non_exhaustive()
    }
}

impl<'a> Entities<'a> {
    /// The entities of one session. `notes` are the notes so far.
    pub(crate) fn of(file: &'a SqliteFile, session: &str, mut notes: Notes) -> Result<Self> {
        let peers = file.peers(session, &mut notes)?;
        let saved = matches!(file.db(), Tables::Saved(_));
        let sort = saved || peers.as_ref().is_some_and(|peers| !peers.in_order());
        let rows = peers.map(|peers| {
            let rows = file.db().rows(peers.table());
            (peers, rows)
        });
        let mut entities = Self { file, rows, sorted: Vec::new().into_iter(), notes };
        if sort {
            entities.sort(saved);
        }
        Ok(entities)
    }

    /// Rows that come in any order must be held to be sorted. Of rows with one id the first is
    /// kept: in a damaged file it is the one that the table's root leads to. There, rows that
    /// cannot be read are counted as lost already.
    fn sort(&mut self, saved: bool) {
        let mut held = Vec::new();
        let mut error = None;
        while let Some(entity) = self.next_row() {
            match entity {
                Ok(entity) => held.push(entity),
                Err(_) if saved => {}
                Err(stop) => error = Some(stop),
            }
        }
        held.sort_by_key(|entity| entity.id);
        let count = held.len();
        held.dedup_by_key(|entity| entity.id);
        if count > held.len() {
            let twice = count - held.len();
            self.notes.add(format!("entities: {twice} rows were there twice"));
        }
        let all: Vec<_> = held.into_iter().map(Ok).chain(error.map(Err)).collect();
        self.sorted = all.into_iter();
        self.rows = None;
    }

    /// The number of rows in the table of entities. Reads every page of the table and decodes no row,
    /// so rows that are not entities count too.
    pub(crate) fn row_count(&self) -> u64 {
        let rows = self.rows.as_ref();
        let rows = rows.map_or(0, |(peers, _)| self.file.db().row_count(peers.table()));
        rows + self.sorted.len() as u64
    }

    /// Notes on the rows skipped so far.
    pub(crate) fn notes(&self) -> Notes {
        self.notes.clone()
    }

    fn next_row(&mut self) -> Option<Result<Entity>> {
        let saved = matches!(self.file.db(), Tables::Saved(_));
        let (peers, rows) = self.rows.as_mut()?;
        loop {
            match rows.next()?.and_then(|row| peers.entity(&row, &mut self.notes)) {
                Ok(Some(entity)) => return Some(Ok(entity)),
                Ok(None) => {}
                Err(error) => {
                    let error = self.file.damaged(peers.table(), error);
                    if !saved {
                        self.rows = None;
                    }
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Iterator for Entities<'_> {
    type Item = Result<Entity>;

    fn next(&mut self) -> Option<Self::Item> {
        self.sorted.next().or_else(|| self.next_row())
    }
}
