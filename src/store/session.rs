use std::fmt;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use super::engine::{Engine, Keep};
use super::entities::{EntityTables, news_over};
use super::fault::{Fault, Step};
use super::rows::{Rows, RowsMut};
use super::tables::{Table, decoded, encoded, get};
use super::view::{Batch, View};
use super::{catalog, remove};
use crate::error::{Error, Result};
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, Record, RecordError, TextKey};
use crate::run::Index;
use crate::session::Session;
use crate::types::{
    ChannelState, DcId, DcOption, Entity, FileKey, Login, PeerId, SentFile, UpdateState,
    fold_phone, fold_username,
};

/// One session of a [`Store`](crate::Store).
///
/// A handle is cheap to clone, and any number of threads may use it and its clones at once. It
/// keeps the store open. What is on disk when a call returns, [`Store`](crate::Store) says.
#[derive(Clone)]
pub struct StoreSession {
    engine: Arc<Engine>,
    account: AccountNo,
    entities_off: Arc<AtomicBool>,
}

impl fmt::Debug for StoreSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSession")
            .field("store", &self.engine.path())
            .field("account", &self.account.0)
            .finish_non_exhaustive()
    }
}

impl StoreSession {
    pub(super) fn new(engine: Arc<Engine>, account: AccountNo) -> Self {
        Self { engine, account, entities_off: Arc::default() }
    }

    fn read<T>(&self, work: impl FnOnce(&View<'_>) -> Step<T>) -> Result<T> {
        self.engine.read(work)
    }

    /// Writes to this session, which must still be there: a handle that outlives its session must
    /// not leave rows of nobody behind.
    fn write<T>(&self, keep: Keep, work: impl FnOnce(&mut Batch<'_>) -> Step<T>) -> Result<T> {
        self.engine.write(keep, |batch| {
            if batch.get(Table::Logins, &self.account.key())?.is_none() {
                return Err(self.gone().into());
            }
            work(batch)
        })
    }

    fn gone(&self) -> Error {
        let name = format!("number {}", self.account.0);
        Error::NoSession { path: self.engine.path().to_owned(), name }
    }

    /// One record, or `None` where the row is not there.
    fn record<R: Record>(&self, table: Table, key: &[u8], says: R::Key) -> Result<Option<R>> {
        self.read(|view| get(view, table, key, says))
    }

    /// Every record of this account in a table, with `says` telling what each key says.
    fn records<R: Record>(
        &self,
        table: Table,
        says: impl Fn(&[u8]) -> Step<Option<R::Key>>,
    ) -> Result<Vec<R>> {
        self.read(|view| {
            let mut records = Vec::new();
            view.each(table, &table.span(self.account), usize::MAX, &mut |key, record| {
                if let Some(says) = says(key)? {
                    records.push(decoded(table, key, says, record)?);
                }
                Ok(true)
            })?;
            Ok(records)
        })
    }

    /// Puts one record, `what`, under `key`. Its bytes are wiped, as they may be a key's.
    fn put<R: Record>(
        &self,
        keep: Keep,
        table: Table,
        key: &[u8],
        what: &'static str,
        value: &R,
    ) -> Result<()> {
        self.write(keep, |batch| {
            let record = Zeroizing::new(encoded(what, value)?);
            batch.put(table, key, &record)
        })
    }

    fn take(&self, keep: Keep, table: Table, key: &[u8]) -> Result<()> {
        self.write(keep, |batch| batch.remove(table, key))
    }

    /// The entity that an index finds under this text, which is folded.
    fn indexed(&self, index: Index, text: &str) -> Result<Option<Entity>> {
        self.engine.read_together(|view| {
            let Some((id, record)) = view.find(index, self.account, text)? else {
                return Ok(None);
            };
            let missing = || {
                let key = TextKey::of(self.account, text);
                Fault::index(index.table().name(), &key, "its entity is not there")
            };
            let key = PeerKey::of(self.account, id);
            decoded(Table::Entities, &key, id, &record.ok_or_else(missing)?).map(Some)
        })
    }

    /// Runs over the entities behind `after` until `visit` says that it has enough, which it will
    /// after `most` of them.
    fn walk(
        &self,
        after: Option<PeerId>,
        most: usize,
        mut visit: impl FnMut(Entity) -> bool,
    ) -> Result<()> {
        let table = Table::Entities;
        let mut span = table.span(self.account);
        if let Some(id) = after {
            span.from = Bound::Excluded(PeerKey::of(self.account, id).to_vec());
        }
        self.read(|view| {
            view.each(table, &span, most, &mut |key, record| {
                let id = key.try_into().ok().and_then(PeerKey::peer);
                let nobody = || Fault::index(table.name(), key, "it names nobody");
                Ok(!visit(decoded(table, key, id.ok_or_else(nobody)?, record)?))
            })
        })
    }

    /// A key of the file's as an array, which its table has seen to.
    fn key<const N: usize, T>(
        table: Table,
        key: &[u8],
        says: impl FnOnce(&[u8; N]) -> Result<T, RecordError>,
    ) -> Step<T> {
        let said = key.try_into().map_err(|_| RecordError::Key).and_then(says);
        said.map_err(|error| Fault::record(table.name(), key, error))
    }
}

impl Session for StoreSession {
    fn name(&self) -> Result<String> {
        let name = self.read(|view| catalog::name_of(view, self.account))?;
        name.ok_or_else(|| self.gone())
    }

    fn list_sessions(&self) -> Result<Vec<String>> {
        self.read(|view| catalog::names(view))
    }

    fn login(&self) -> Result<Login> {
        let login = self.record(Table::Logins, &self.account.key(), ())?;
        login.ok_or_else(|| self.gone())
    }

    fn set_login(&self, login: &Login) -> Result<()> {
        self.put(Keep::Now, Table::Logins, &self.account.key(), "a login", login)
    }

    fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        self.record(Table::Dcs, &DcKey::of(self.account, id), id)
    }

    fn dcs(&self) -> Result<Vec<DcOption>> {
        self.records(Table::Dcs, |key| Self::key(Table::Dcs, key, |key| Ok(Some(DcKey::dc(key)))))
    }

    fn set_dc(&self, dc: &DcOption) -> Result<()> {
        self.put(Keep::Now, Table::Dcs, &DcKey::of(self.account, dc.id), "a DC", dc)
    }

    fn remove_dc(&self, id: DcId) -> Result<()> {
        self.take(Keep::Now, Table::Dcs, &DcKey::of(self.account, id))
    }

    fn update_state(&self) -> Result<Option<UpdateState>> {
        self.record(Table::States, &PeerKey::of_account(self.account), ())
    }

    fn set_update_state(&self, state: Option<UpdateState>) -> Result<()> {
        let key = PeerKey::of_account(self.account);
        match state {
            Some(state) => self.put(Keep::Soon, Table::States, &key, "a state", &state),
            None => self.take(Keep::Soon, Table::States, &key),
        }
    }

    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>> {
        self.record(Table::States, &PeerKey::of(self.account, id), id)
    }

    fn channel_states(&self) -> Result<Vec<ChannelState>> {
        self.records(Table::States, |key| {
            Self::key(Table::States, key, |key| Ok(PeerKey::peer(key)))
        })
    }

    fn set_channel_states(&self, states: &[ChannelState]) -> Result<()> {
        self.write(Keep::Soon, |batch| {
            for state in states {
                let record = encoded("a state", state)?;
                batch.put(Table::States, &PeerKey::of(self.account, state.id), &record)?;
            }
            Ok(())
        })
    }

    fn remove_channel_state(&self, id: PeerId) -> Result<()> {
        self.take(Keep::Soon, Table::States, &PeerKey::of(self.account, id))
    }

    fn process_entities(&self, entities: &[Entity]) -> Result<usize> {
        if self.entities_off.load(Ordering::Acquire) {
            return Ok(0);
        }
        // Most entities have been seen before: finding that out is no write.
        let keys: Vec<_> = entities.iter().map(|e| PeerKey::of(self.account, e.id)).collect();
        let known = self.engine.read_together(|view| {
            let (mut known, mut seen) = (0, entities.iter());
            view.entities(keys.iter(), &mut |stored| {
                let Some(entity) = seen.next() else { return Ok(false) };
                let is_known = news_over(view, self.account, entity, stored)?.is_none();
                known += usize::from(is_known);
                Ok(is_known)
            })?;
            Ok(known)
        })?;
        let (_, rest) = entities.split_at(known.min(entities.len()));
        if rest.is_empty() {
            return Ok(0);
        }
        self.write(Keep::Soon, |batch| {
            let mut tables = EntityTables::new(batch, self.account);
            let mut changed = 0;
            for entity in rest {
                changed += usize::from(tables.see(entity)?);
            }
            Ok(changed)
        })
    }

    fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        self.record(Table::Entities, &PeerKey::of(self.account, id), id)
    }

    fn entity_by_username(&self, username: &str) -> Result<Option<Entity>> {
        self.indexed(Index::Usernames, &fold_username(username))
    }

    fn entity_by_phone(&self, phone: &str) -> Result<Option<Entity>> {
        match fold_phone(phone) {
            Some(phone) => self.indexed(Index::Phones, &phone),
            None => Ok(None),
        }
    }

    fn entity_by_name(&self, name: &str) -> Result<Option<Entity>> {
        let mut found = None;
        self.walk(None, usize::MAX, |entity| {
            found = (entity.name.as_deref() == Some(name)).then_some(entity);
            found.is_some()
        })?;
        Ok(found)
    }

    fn entities(&self, after: Option<PeerId>, limit: usize) -> Result<Vec<Entity>> {
        let mut entities = Vec::new();
        if limit > 0 {
            self.walk(after, limit, |entity| {
                entities.push(entity);
                entities.len() == limit
            })?;
        }
        Ok(entities)
    }

    fn entity_count(&self) -> Result<u64> {
        self.read(|view| {
            if let Some(count) = view.entity_count(self.account)? {
                return Ok(count);
            }
            let (mut count, span) = (0, Table::Entities.span(self.account));
            view.each(Table::Entities, &span, usize::MAX, &mut |_, _| {
                count += 1;
                Ok(true)
            })?;
            Ok(count)
        })
    }

    fn remove_entity(&self, id: PeerId) -> Result<()> {
        self.write(Keep::Soon, |batch| EntityTables::new(batch, self.account).remove(id))
    }

    fn set_save_entities(&self, save: bool) -> Result<()> {
        self.entities_off.store(!save, Ordering::Release);
        Ok(())
    }

    fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>> {
        self.record(Table::SentFiles, &FileRow::of(self.account, key), key)
    }

    fn sent_files(&self) -> Result<Vec<SentFile>> {
        self.records(Table::SentFiles, |key| {
            Self::key(Table::SentFiles, key, |key| FileRow::file(key).map(Some))
        })
    }

    fn save_sent_file(&self, file: &SentFile) -> Result<()> {
        self.put(
            Keep::Soon,
            Table::SentFiles,
            &FileRow::of(self.account, file.key),
            "a sent file",
            file,
        )
    }

    fn flush(&self) -> Result<()> {
        self.engine.flush()
    }

    fn delete(&self) -> Result<()> {
        remove(&self.engine, &self.name()?)
    }
}
