//! The rows of one session while a batch changes them.

use std::path::Path;

use zeroize::Zeroizing;

use super::entities::EntityWriter;
use crate::engine::{
    Batch, Durability, EngineError, EngineResult, Rows, RowsMut, Table, encoded, get, owned_by,
    owner,
};
use crate::error::Result;
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, Record, TextKey};
use crate::session::BatchRows;
use crate::session::merge::Completeness;
use crate::session::storage::{self, Key, Row};
use crate::types::{Entity, PeerId};

pub(super) struct StoreBatch<'a, 'b> {
    batch: &'a mut Batch<'b>,
    account: AccountNo,
    path: &'a Path,
    durability: Durability,
}

impl<'a, 'b> StoreBatch<'a, 'b> {
    pub(super) fn new(batch: &'a mut Batch<'b>, account: AccountNo, path: &'a Path) -> Self {
        Self { batch, account, path, durability: Durability::Buffered }
    }

    /// When the changes are to be durable.
    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    fn outside<T>(&self, done: EngineResult<T>) -> Result<T> {
        done.map_err(|error: EngineError| error.at(self.path))
    }

    fn changes(&mut self, table: storage::Table) {
        if table.is_durable() {
            self.durability = Durability::Synced;
        }
    }

    fn read(&self, key: &Key) -> EngineResult<Option<Row>> {
        let (rows, no) = (&*self.batch, self.account);
        Ok(match key {
            Key::Login => get(rows, Table::Logins, &no.key(), ())?.map(Row::Login),
            Key::Dc(id) => get(rows, Table::Dcs, &DcKey::of(no, *id), *id)?.map(Row::Dc),
            Key::UpdateState => {
                get(rows, Table::States, &PeerKey::of_account(no), ())?.map(Row::UpdateState)
            }
            Key::ChannelState(id) => {
                get(rows, Table::States, &PeerKey::of(no, *id), *id)?.map(Row::ChannelState)
            }
            Key::Entity(id) => {
                get(rows, Table::Entities, &PeerKey::of(no, *id), *id)?.map(Row::Entity)
            }
            Key::Username(text) => {
                self.holder(Table::Usernames, text)?.map(|id| Row::Username(text.clone(), id))
            }
            Key::Phone(text) => {
                self.holder(Table::Phones, text)?.map(|id| Row::Phone(text.clone(), id))
            }
            Key::SentFile(key) => {
                get(rows, Table::SentFiles, &FileRow::of(no, *key), *key)?.map(Row::SentFile)
            }
            Key::Extra(name) => {
                get(rows, Table::Extras, &TextKey::of(no, name), name.clone())?.map(Row::Extra)
            }
        })
    }

    fn holder(&self, index: Table, text: &str) -> EngineResult<Option<PeerId>> {
        let key = TextKey::of(self.account, text);
        match self.batch.get(index, &key)? {
            Some(row) => Ok(Some(owner(index, &key, &row)?)),
            None => Ok(None),
        }
    }

    /// Puts one record. Its bytes are wiped, as they may be a key's.
    fn record<R: Record>(
        &mut self,
        table: Table,
        key: &[u8],
        what: &'static str,
        value: &R,
    ) -> EngineResult<()> {
        let record = Zeroizing::new(encoded(what, value)?);
        self.batch.put(table, key, &record)
    }

    fn write(&mut self, row: &Row) -> EngineResult<()> {
        const STATE: &str = "an update state";
        let no = self.account;
        match row {
            Row::Login(login) => self.record(Table::Logins, &no.key(), "a login", login),
            Row::Dc(dc) => self.record(Table::Dcs, &DcKey::of(no, dc.id), "a DC", dc),
            Row::UpdateState(state) => {
                self.record(Table::States, &PeerKey::of_account(no), STATE, state)
            }
            Row::ChannelState(state) => {
                self.record(Table::States, &PeerKey::of(no, state.id), STATE, state)
            }
            Row::Entity(entity) => {
                let key = PeerKey::of(no, entity.id);
                self.record(Table::Entities, &key, "an entity", entity)
            }
            Row::Username(text, id) => {
                self.batch.put(Table::Usernames, &TextKey::of(no, text), &owned_by(*id))
            }
            Row::Phone(text, id) => {
                self.batch.put(Table::Phones, &TextKey::of(no, text), &owned_by(*id))
            }
            Row::SentFile(file) => {
                self.record(Table::SentFiles, &FileRow::of(no, file.key), "a sent file", file)
            }
            Row::Extra(extra) => {
                let key = TextKey::of(no, extra.name());
                self.record(Table::Extras, &key, "an extra", extra)
            }
        }
    }

    fn take(&mut self, key: &Key) -> EngineResult<()> {
        let no = self.account;
        match key {
            Key::Login => self.batch.remove(Table::Logins, &no.key()),
            Key::Dc(id) => self.batch.remove(Table::Dcs, &DcKey::of(no, *id)),
            Key::UpdateState => self.batch.remove(Table::States, &PeerKey::of_account(no)),
            Key::ChannelState(id) => self.batch.remove(Table::States, &PeerKey::of(no, *id)),
            Key::Entity(id) => self.batch.remove(Table::Entities, &PeerKey::of(no, *id)),
            Key::Username(text) => self.batch.remove(Table::Usernames, &TextKey::of(no, text)),
            Key::Phone(text) => self.batch.remove(Table::Phones, &TextKey::of(no, text)),
            Key::SentFile(key) => self.batch.remove(Table::SentFiles, &FileRow::of(no, *key)),
            Key::Extra(name) => self.batch.remove(Table::Extras, &TextKey::of(no, name)),
        }
    }
}

impl BatchRows for StoreBatch<'_, '_> {
    fn get(&self, key: &Key) -> Result<Option<Row>> {
        self.outside(self.read(key))
    }

    fn channel_states(&self) -> Result<Vec<PeerId>> {
        let (table, mut ids) = (Table::States, Vec::new());
        let walked =
            self.batch.each(table, &table.span(self.account), usize::MAX, &mut |key, _| {
                ids.extend(key.try_into().ok().and_then(PeerKey::peer));
                Ok(true)
            });
        self.outside(walked)?;
        Ok(ids)
    }

    fn extras(&self) -> Result<usize> {
        let (table, mut count) = (Table::Extras, 0);
        let walked = self.batch.each(table, &table.span(self.account), usize::MAX, &mut |_, _| {
            count += 1;
            Ok(true)
        });
        self.outside(walked)?;
        Ok(count)
    }

    fn put(&mut self, row: Row) -> Result<()> {
        self.changes(row.key().table());
        let done = self.write(&row);
        self.outside(done)
    }

    fn remove(&mut self, key: &Key) -> Result<()> {
        self.changes(key.table());
        let done = self.take(key);
        self.outside(done)
    }

    fn see(&mut self, seen: &[Entity], completeness: Completeness) -> Result<usize> {
        let mut tables = EntityWriter::new(self.batch, self.account);
        let mut changed = 0;
        for entity in seen {
            let done = tables.see(entity, completeness).map_err(|error| error.at(self.path));
            changed += usize::from(done?);
        }
        Ok(changed)
    }

    fn forget(&mut self, id: PeerId) -> Result<()> {
        let done = EntityWriter::new(self.batch, self.account).remove(id);
        self.outside(done)
    }
}
