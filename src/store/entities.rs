//! Entities and the indexes that find them, in the tables of a store.

use std::borrow::Cow;

use crate::engine::EngineError;
use crate::engine::{
    EngineResult, RowBytes, Rows, RowsMut, Table, View, append_entity, decoded, get, owned_by,
    owner,
};
use crate::record::{AccountNo, PeerKey, TextKey, encode};
use crate::session::entities::{self, EntityRows, EntityView, Index};
use crate::session::merge::Completeness;
use crate::types::{Entity, PeerId};

/// How many of these entities, from the first on, would change nothing.
pub(super) fn known(
    view: &View,
    account: AccountNo,
    seen: &[Entity],
    completeness: Completeness,
) -> EngineResult<usize> {
    let rows = EntityReader { rows: view, account };
    for (count, entity) in seen.iter().enumerate() {
        if rows.change_of(entity, completeness)?.is_some() {
            return Ok(count);
        }
    }
    Ok(seen.len())
}

/// The entity tables of one account, for reading.
struct EntityReader<'a, R: ?Sized> {
    rows: &'a R,
    account: AccountNo,
}

/// The changes of an entity that is seen.
struct EntityChange<'a> {
    old: Option<Entity>,
    new: Cow<'a, Entity>,
}

impl<R: Rows + ?Sized> EntityReader<'_, R> {
    /// The changes if this entity is seen, or `None` if there are none.
    fn change_of<'a>(
        &self,
        seen: &'a Entity,
        completeness: Completeness,
    ) -> EngineResult<Option<EntityChange<'a>>> {
        let key = PeerKey::of(self.account, seen.id);
        let stored = self.rows.get(Table::Entities, &key)?;
        // Most are seen as they are stored, which can be told without decoding them.
        if let Some(stored) = &stored
            && is_record_of(stored, seen)
        {
            return Ok(None);
        }
        let stored = stored.map(|record| decoded(Table::Entities, &key, seen.id, &record));
        let old = stored.transpose()?;
        let new = entities::change_of(self, old.as_ref(), seen, completeness)?;
        Ok(new.map(|new| EntityChange { old, new }))
    }
}

fn is_record_of(stored: &RowBytes, entity: &Entity) -> bool {
    encode(entity).is_some_and(|record| *record == **stored)
}

impl<R: Rows + ?Sized> EntityView for EntityReader<'_, R> {
    type Error = EngineError;

    fn entity(&self, id: PeerId) -> EngineResult<Option<Entity>> {
        get(self.rows, Table::Entities, &PeerKey::of(self.account, id), id)
    }

    fn holder(&self, index: Index, text: &str) -> EngineResult<Option<PeerId>> {
        let (table, key) = (table_of(index), TextKey::of(self.account, text));
        match self.rows.get(table, &key)? {
            Some(row) => Ok(Some(owner(table, &key, &row)?)),
            None => Ok(None),
        }
    }
}

fn table_of(index: Index) -> Table {
    match index {
        Index::Usernames => Table::Usernames,
        Index::Phones => Table::Phones,
    }
}

/// The entity tables of one account, for writing.
pub(super) struct EntityWriter<'a, R: ?Sized> {
    rows: &'a mut R,
    account: AccountNo,
    /// The last record that was encoded.
    record: Vec<u8>,
}

impl<'a, R: RowsMut + ?Sized> EntityWriter<'a, R> {
    pub(super) fn new(rows: &'a mut R, account: AccountNo) -> Self {
        Self { rows, account, record: Vec::new() }
    }

    fn reading(&self) -> EntityReader<'_, R> {
        EntityReader { rows: self.rows, account: self.account }
    }

    /// Takes one entity in; says whether that changed anything.
    pub(super) fn see(&mut self, seen: &Entity, completeness: Completeness) -> EngineResult<bool> {
        let Some(EntityChange { old, new }) = self.reading().change_of(seen, completeness)? else {
            return Ok(false);
        };
        entities::store(self, old.as_ref(), new)?;
        Ok(true)
    }

    /// Takes texts from the record of an entity that lost them; the index is not touched.
    pub(super) fn lose(
        &mut self,
        id: PeerId,
        index: Index,
        is_lost: &dyn Fn(&str) -> bool,
    ) -> EngineResult<()> {
        entities::lose(self, id, index, is_lost)
    }

    pub(super) fn remove(&mut self, id: PeerId) -> EngineResult<()> {
        entities::forget(self, id)
    }
}

impl<R: RowsMut + ?Sized> EntityView for EntityWriter<'_, R> {
    type Error = EngineError;

    fn entity(&self, id: PeerId) -> EngineResult<Option<Entity>> {
        self.reading().entity(id)
    }

    fn holder(&self, index: Index, text: &str) -> EngineResult<Option<PeerId>> {
        self.reading().holder(index, text)
    }
}

impl<R: RowsMut + ?Sized> EntityRows for EntityWriter<'_, R> {
    fn put_entity(&mut self, entity: Cow<'_, Entity>) -> EngineResult<()> {
        self.record.clear();
        append_entity(&entity, &mut self.record)?;
        self.rows.set(Table::Entities, &PeerKey::of(self.account, entity.id), &self.record)
    }

    fn drop_entity(&mut self, id: PeerId) -> EngineResult<()> {
        self.rows.remove(Table::Entities, &PeerKey::of(self.account, id))
    }

    fn set_holder(&mut self, index: Index, text: &str, holder: Option<PeerId>) -> EngineResult<()> {
        let (table, key) = (table_of(index), TextKey::of(self.account, text));
        match holder {
            Some(holder) => self.rows.set(table, &key, &owned_by(holder)),
            None => self.rows.remove(table, &key),
        }
    }
}
