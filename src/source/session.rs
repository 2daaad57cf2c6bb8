//! One session of a source, read from wherever it lies.

use crate::error::Result;
use crate::format;
use crate::session::Session;
use crate::store::SessionView;
use crate::types::{Account, Entity, PeerId};

/// One session of a [`Source`](super::Source). Iterating it gives its entities in the order of their marked ids.
#[derive(Debug)]
pub struct SourceSession<'a> {
    pub(super) name: String,
    pub(super) account: Account,
    pub(super) entities: Entities<'a>,
    /// Of what was around it.
    pub(super) notes: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Entities<'a> {
    Store(Box<StoreEntities>),
    Sqlite(Box<format::Entities<'a>>),
    /// With the notes of the session.
    Parsed(std::slice::Iter<'a, Entity>, &'a [String]),
}

/// So many entities are taken out of a store at once.
const BATCH: usize = 1_000;

#[derive(Debug)]
pub(super) struct StoreEntities {
    session: SessionView,
    after: Option<PeerId>,
    batch: std::vec::IntoIter<Entity>,
    ended: bool,
}

impl SourceSession<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything but the entities.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How many entities there are, where that is known without reading them.
    #[must_use]
    pub fn entity_count(&self) -> Option<u64> {
        match &self.entities {
            Entities::Store(entities) => entities.session.entity_count().ok(),
            Entities::Sqlite(_) => None,
            Entities::Parsed(entities, _) => Some(entities.len() as u64),
        }
    }

    /// What was in the source and is not in the account or the entities read so far, one sentence
    /// each. Complete once the entities have been read to the end.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let inside = match &self.entities {
            Entities::Store(_) => Vec::new(),
            Entities::Sqlite(entities) => entities.notes().into_sentences(),
            Entities::Parsed(_, notes) => notes.to_vec(),
        };
        self.notes.iter().cloned().chain(inside).collect()
    }
}

impl Iterator for SourceSession<'_> {
    type Item = Result<Entity>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.entities {
            Entities::Store(entities) => entities.next().transpose(),
            Entities::Sqlite(entities) => entities.next(),
            Entities::Parsed(entities, _) => entities.next().cloned().map(Ok),
        }
    }
}

impl Entities<'_> {
    pub(super) fn of_store(session: SessionView) -> Self {
        let batch = Vec::new().into_iter();
        Self::Store(Box::new(StoreEntities { session, after: None, batch, ended: false }))
    }
}

impl StoreEntities {
    fn next(&mut self) -> Result<Option<Entity>> {
        if let Some(entity) = self.batch.next() {
            return Ok(Some(entity));
        }
        if self.ended {
            return Ok(None);
        }
        // An error is said once and ends it.
        self.ended = true;
        let batch = self.session.entities(self.after, BATCH)?;
        self.ended = batch.len() < BATCH;
        self.after = batch.last().map(|entity| entity.id);
        self.batch = batch.into_iter();
        Ok(self.batch.next())
    }
}
