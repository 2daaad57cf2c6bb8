//! The trait `Storage`, and the session over a storage.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use super::batch::{BatchRows, SessionBatch, index_key};
use super::entities::{self, EntityRows, EntityView, Index};
use super::merge::Completeness;
use super::{Commit, Session};
use crate::error::{Error, Result};
use crate::types::{
    Account, ChannelState, DcId, DcOption, Entity, Extra, FileKey, Login, PeerId, SentFile,
    UpdateState, fold_phone, fold_username,
};

pub use super::rows::{Change, Key, Row, Table};

/// The number of rows that are read at once.
const PAGE: usize = 1_000;

/// A place for the rows of one session: all that you write to keep sessions elsewhere.
///
/// A [`StorageSession`] makes a [`Session`] of it: the rules for entities that are seen again, the
/// owners of usernames and phones, look-ups and atomic changes are written there, once. So a
/// storage knows nothing of Telegram. It stores each [`Row`] under its [`Key`] and gives it back.
/// It may live in a file, a database or another machine.
///
/// Every call takes `&self`. The session makes its changes one after the other, and reads may come
/// from any thread at any time. The feature `conformance` has a suite of tests for storages.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// use tgsession::storage::{Change, Key, Row, Storage, StorageSession, Table};
/// use tgsession::{DcId, Result, Session};
///
/// #[derive(Default)]
/// struct Map(Mutex<BTreeMap<Key, Row>>);
///
/// impl Storage for Map {
///     fn name(&self) -> Result<String> {
///         Ok("map".into())
///     }
///
///     fn get(&self, key: &Key) -> Result<Option<Row>> {
///         Ok(self.0.lock().unwrap().get(key).cloned())
///     }
///
///     fn scan(&self, table: Table, after: Option<&Key>, limit: usize) -> Result<Vec<Row>> {
///         let rows = self.0.lock().unwrap();
///         let rows = rows.iter().filter(|(key, _)| key.table() == table && Some(*key) > after);
///         Ok(rows.take(limit).map(|(_, row)| row.clone()).collect())
///     }
///
///     fn apply(&self, changes: Vec<Change>, _durable: bool) -> Result<()> {
///         let mut rows = self.0.lock().unwrap();
///         for change in changes {
///             match change {
///                 Change::Put(row) => rows.insert(row.key(), row),
///                 Change::Remove(key) => rows.remove(&key),
///             };
///         }
///         Ok(())
///     }
/// }
///
/// let session = StorageSession::new(Map::default());
/// session.set_home_dc(DcId(2))?;
/// assert_eq!(session.login()?.home_dc, Some(DcId(2)));
/// # Ok::<(), tgsession::Error>(())
/// ```
pub trait Storage: Send + Sync {
    /// The name of the session.
    ///
    /// # Errors
    ///
    /// Those of the storage, here and below: see [`Error::other`].
    fn name(&self) -> Result<String>;

    /// The row of this key.
    fn get(&self, key: &Key) -> Result<Option<Row>>;

    /// Up to `limit` rows of a table in the order of their keys, from after `after` on.
    fn scan(&self, table: Table, after: Option<&Key>, limit: usize) -> Result<Vec<Row>>;

    /// Makes these changes, whose keys are distinct: all of them or, after an error,
    /// none. Every later call sees them, and none sees a part of them. If `durable` is set, a
    /// crash after this call loses none of them.
    fn apply(&self, changes: Vec<Change>, durable: bool) -> Result<()>;

    /// Makes everything that was applied durable.
    fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// How many rows a table has.
    fn count(&self, table: Table) -> Result<u64> {
        let mut count = 0;
        each(self, table, None, usize::MAX, &mut |_| {
            count += 1;
            false
        })?;
        Ok(count)
    }

    /// The names of all sessions in the same place, sorted.
    fn list_sessions(&self) -> Result<Vec<String>> {
        Ok(vec![self.name()?])
    }
}

/// Visits the rows of a table, until `visit` has enough or `limit` of them were visited.
fn each<S: Storage + ?Sized>(
    storage: &S,
    table: Table,
    after: Option<Key>,
    limit: usize,
    visit: &mut dyn FnMut(Row) -> bool,
) -> Result<()> {
    let (mut after, mut left) = (after, limit);
    while left > 0 {
        let most = left.min(PAGE);
        let rows = storage.scan(table, after.as_ref(), most)?;
        let is_last = rows.len() < most;
        left -= rows.len().min(left);
        let last = rows.last().map(Row::key);
        if last.is_some() && last <= after {
            return Err(Error::other("the storage lists rows that were not asked for"));
        }
        if rows.into_iter().any(&mut *visit) || is_last {
            return Ok(());
        }
        after = last;
    }
    Ok(())
}

/// The session that a [`Storage`] makes.
///
/// All who use one session share one of these: changes that read and write are atomic among them.
///
/// ```
/// # use tgsession::{DcId, MemoryStorage, Session, storage::StorageSession};
/// let session = std::sync::Arc::new(StorageSession::new(MemoryStorage::new("alice")));
/// let same = std::sync::Arc::clone(&session);
/// std::thread::spawn(move || same.set_home_dc(DcId(4))).join().unwrap()?;
/// assert_eq!(session.login()?.home_dc, Some(DcId(4)));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct StorageSession<S> {
    storage: S,
    /// Held while a change is made, so that it reads the rows after the change before. True if a
    /// buffered change of durable rows was applied and not flushed since by a durable call.
    unflushed: Mutex<bool>,
    /// Held while changes are applied, and shared by what reads several rows of one moment.
    applying: RwLock<()>,
    entities_off: AtomicBool,
}

impl<S: Storage> StorageSession<S> {
    /// The session in this storage.
    pub fn new(storage: S) -> Self {
        Self {
            storage,
            unflushed: Mutex::default(),
            applying: RwLock::default(),
            entities_off: AtomicBool::default(),
        }
    }

    /// The storage. The rules of a session do not apply to changes made there directly.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// The storage.
    pub fn into_storage(self) -> S {
        self.storage
    }

    fn value<T>(&self, key: &Key, value: impl FnOnce(Row) -> Option<T>) -> Result<Option<T>> {
        Ok(self.storage.get(key)?.and_then(value))
    }

    fn values<T>(&self, table: Table, value: impl Fn(Row) -> Option<T>) -> Result<Vec<T>> {
        self.at_one_moment(|| self.values_locked(table, value))
    }

    fn values_locked<T>(&self, table: Table, value: impl Fn(Row) -> Option<T>) -> Result<Vec<T>> {
        let mut values = Vec::new();
        each(&self.storage, table, None, usize::MAX, &mut |row| {
            values.extend(value(row));
            false
        })?;
        Ok(values)
    }

    fn at_one_moment<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let _still = self.applying.read().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    fn indexed(&self, key: &Key) -> Result<Option<Entity>> {
        self.at_one_moment(|| match self.value(key, Row::owner)? {
            Some(owner) => self.entity(owner),
            None => Ok(None),
        })
    }

    /// Makes changes; gives what `work` gives.
    pub(super) fn change<T>(
        &self,
        commit: Commit,
        work: impl FnOnce(&mut Overlay<'_, S>) -> Result<T>,
    ) -> Result<T> {
        let mut unflushed = self.unflushed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows =
            Overlay { below: &self.storage, changes: BTreeMap::new(), sets_durable: false };
        let done = work(&mut rows)?;
        let Overlay { changes, sets_durable, .. } = rows;
        let durable = sets_durable && commit == Commit::Durable;
        let change = |(key, row)| match row {
            Some(row) => Change::Put(row),
            None => Change::Remove(key),
        };
        if !changes.is_empty() {
            let _alone = self.applying.write().unwrap_or_else(PoisonError::into_inner);
            self.storage.apply(changes.into_iter().map(change).collect(), durable)?;
        }
        *unflushed |= sets_durable && !durable;
        if durable && *unflushed {
            // A value that is set again may be one whose buffered change could not be flushed.
            self.storage.flush()?;
            *unflushed = false;
        }
        Ok(done)
    }
}

/// Changes over the rows of a storage.
pub(super) struct Overlay<'a, S> {
    below: &'a S,
    changes: BTreeMap<Key, Option<Row>>,
    /// A row of a durable table is put or removed, even if that changes nothing.
    sets_durable: bool,
}

impl<S: Storage> BatchRows for Overlay<'_, S> {
    fn get(&self, key: &Key) -> Result<Option<Row>> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.below.get(key),
        }
    }

    fn channel_states(&self) -> Result<Vec<PeerId>> {
        let mut ids = BTreeSet::new();
        each(self.below, Table::ChannelStates, None, usize::MAX, &mut |row| {
            ids.extend(row.channel_state().map(|state| state.id));
            false
        })?;
        for (key, change) in &self.changes {
            match (key, change) {
                (Key::ChannelState(id), Some(_)) => ids.insert(*id),
                (Key::ChannelState(id), None) => ids.remove(id),
                _ => continue,
            };
        }
        Ok(ids.into_iter().collect())
    }

    fn extras(&self) -> Result<usize> {
        let mut names = BTreeSet::new();
        each(self.below, Table::Extras, None, usize::MAX, &mut |row| {
            names.extend(row.extra().map(|extra| extra.name().to_owned()));
            false
        })?;
        for (key, change) in &self.changes {
            match (key, change) {
                (Key::Extra(name), Some(_)) => names.insert(name.clone()),
                (Key::Extra(name), None) => names.remove(name),
                _ => continue,
            };
        }
        Ok(names.len())
    }

    /// Puts a row; an equal row is no change.
    fn put(&mut self, row: Row) -> Result<()> {
        let key = row.key();
        self.sets_durable |= key.table().is_durable();
        if self.get(&key)?.as_ref() != Some(&row) {
            self.changes.insert(key, Some(row));
        }
        Ok(())
    }

    fn remove(&mut self, key: &Key) -> Result<()> {
        self.sets_durable |= key.table().is_durable();
        if self.get(key)?.is_some() {
            self.changes.insert(key.clone(), None);
        }
        Ok(())
    }

    fn see(&mut self, seen: &[Entity], completeness: Completeness) -> Result<usize> {
        let mut changed = 0;
        for entity in seen {
            changed += usize::from(entities::see(self, entity, completeness)?);
        }
        Ok(changed)
    }

    fn forget(&mut self, id: PeerId) -> Result<()> {
        entities::forget(self, id)
    }
}

impl<S: Storage> EntityView for Overlay<'_, S> {
    type Error = Error;

    fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        Ok(self.get(&Key::Entity(id))?.and_then(Row::entity))
    }

    fn holder(&self, index: Index, text: &str) -> Result<Option<PeerId>> {
        Ok(self.get(&index_key(index, text))?.and_then(Row::owner))
    }
}

impl<S: Storage> EntityRows for Overlay<'_, S> {
    fn put_entity(&mut self, entity: Cow<'_, Entity>) -> Result<()> {
        self.changes.insert(Key::Entity(entity.id), Some(Row::Entity(entity.into_owned())));
        Ok(())
    }

    fn drop_entity(&mut self, id: PeerId) -> Result<()> {
        self.changes.insert(Key::Entity(id), None);
        Ok(())
    }

    fn set_holder(&mut self, index: Index, text: &str, holder: Option<PeerId>) -> Result<()> {
        let row = holder.map(|holder| match index {
            Index::Usernames => Row::Username(text.to_owned(), holder),
            Index::Phones => Row::Phone(text.to_owned(), holder),
        });
        self.changes.insert(index_key(index, text), row);
        Ok(())
    }
}

impl<S: Storage> Session for StorageSession<S> {
    fn name(&self) -> Result<String> {
        self.storage.name()
    }

    fn list_sessions(&self) -> Result<Vec<String>> {
        self.storage.list_sessions()
    }

    fn login(&self) -> Result<Login> {
        Ok(self.value(&Key::Login, Row::login)?.unwrap_or_default())
    }

    fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        self.value(&Key::Dc(id), Row::dc)
    }

    fn dcs(&self) -> Result<Vec<DcOption>> {
        self.values(Table::Dcs, Row::dc)
    }

    fn home_dc(&self) -> Result<Option<DcOption>> {
        self.at_one_moment(|| match self.login()?.home_dc {
            Some(id) => Ok(Some(self.dc(id)?.unwrap_or_else(|| DcOption::new(id)))),
            None => Ok(None),
        })
    }

    fn update_state(&self) -> Result<Option<UpdateState>> {
        self.value(&Key::UpdateState, Row::update_state)
    }

    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>> {
        self.value(&Key::ChannelState(id), Row::channel_state)
    }

    fn channel_states(&self) -> Result<Vec<ChannelState>> {
        self.values(Table::ChannelStates, Row::channel_state)
    }

    fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        self.value(&Key::Entity(id), Row::entity)
    }

    fn entity_by_username(&self, username: &str) -> Result<Option<Entity>> {
        self.indexed(&Key::Username(fold_username(username)))
    }

    fn entity_by_phone(&self, phone: &str) -> Result<Option<Entity>> {
        match fold_phone(phone) {
            Some(phone) => self.indexed(&Key::Phone(phone)),
            None => Ok(None),
        }
    }

    fn entity_by_name(&self, name: &str) -> Result<Option<Entity>> {
        self.at_one_moment(|| {
            let mut found = None;
            each(&self.storage, Table::Entities, None, usize::MAX, &mut |row| {
                found = row.entity().filter(|entity| entity.name.as_deref() == Some(name));
                found.is_some()
            })?;
            Ok(found)
        })
    }

    fn entities(&self, after: Option<PeerId>, limit: usize) -> Result<Vec<Entity>> {
        self.at_one_moment(|| {
            let (mut entities, after) = (Vec::new(), after.map(Key::Entity));
            each(&self.storage, Table::Entities, after, limit, &mut |row| {
                entities.extend(row.entity());
                false
            })?;
            Ok(entities)
        })
    }

    fn entity_count(&self) -> Result<u64> {
        self.at_one_moment(|| self.storage.count(Table::Entities))
    }

    fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>> {
        self.value(&Key::SentFile(key), Row::sent_file)
    }

    fn sent_files(&self) -> Result<Vec<SentFile>> {
        self.values(Table::SentFiles, Row::sent_file)
    }

    fn extra(&self, name: &str) -> Result<Option<Extra>> {
        self.value(&Key::Extra(name.to_owned()), Row::extra)
    }

    fn extras(&self) -> Result<Vec<Extra>> {
        self.values(Table::Extras, Row::extra)
    }

    fn transact(
        &self,
        commit: Commit,
        work: &mut dyn FnMut(&mut SessionBatch<'_>) -> Result<()>,
    ) -> Result<()> {
        self.change(commit, |rows| work(&mut SessionBatch::new(rows)))
    }

    fn account(&self) -> Result<Account> {
        self.at_one_moment(|| {
            Ok(Account {
                login: self.login()?,
                dcs: self.values_locked(Table::Dcs, Row::dc)?,
                update_state: self.update_state()?,
                channel_states: self.values_locked(Table::ChannelStates, Row::channel_state)?,
                sent_files: self.values_locked(Table::SentFiles, Row::sent_file)?,
                extras: self.values_locked(Table::Extras, Row::extra)?,
            })
        })
    }

    fn saves_entities(&self) -> Result<bool> {
        Ok(!self.entities_off.load(Ordering::Acquire))
    }

    fn set_save_entities(&self, save: bool) -> Result<()> {
        self.entities_off.store(!save, Ordering::Release);
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        self.storage.flush()
    }

    fn delete(&self) -> Result<()> {
        self.change(Commit::Durable, |rows| {
            rows.sets_durable = true;
            for table in Table::ALL {
                each(rows.below, table, None, usize::MAX, &mut |row| {
                    rows.changes.insert(row.key(), None);
                    false
                })?;
            }
            Ok(())
        })?;
        self.set_save_entities(true)
    }
}
