use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};
use zeroize::Zeroizing;

use super::catalog;
use super::engine::Engine;
use super::entities::{EntityTables, would_change};
use super::fault::{Fault, Step};
use super::snapshot::Snapshot;
use super::tables::{
    DCS, ENTITIES, Index, LOGINS, PHONES, Records, SENT_FILES, STATES, USERNAMES, decoded, encoded,
    get, owner,
};
use crate::error::{Error, Result};
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, Record, TextKey};
use crate::session::Session;
use crate::session::merge::{fold_phone, fold_username};
use crate::types::{
    ChannelState, DcId, DcOption, Entity, FileKey, Login, PeerId, SentFile, UpdateState,
};

/// One session of a [`Store`](crate::Store).
///
/// A handle is cheap to clone, and any number of threads may use it and its clones at once. It
/// keeps the store open. When a call that writes returns, its data is on disk.
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

    fn read<T>(&self, work: impl FnOnce(&Snapshot) -> Step<T>) -> Result<T> {
        self.engine.read(work)
    }

    /// Writes to this session, which must still be there: a handle that outlives its session must
    /// not leave rows of nobody behind.
    fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Step<T>) -> Result<T> {
        self.engine.write(|transaction| {
            let logins = transaction.open_table(LOGINS.definition())?;
            if logins.get(&self.account.key())?.is_none() {
                return Err(self.gone().into());
            }
            drop(logins);
            work(transaction)
        })
    }

    fn gone(&self) -> Error {
        let name = format!("number {}", self.account.0);
        Error::NoSession { path: self.engine.path().to_owned(), name }
    }

    /// One record, or `None` where the table or the row is not there.
    fn record<const N: usize, R: Record>(
        &self,
        table: Records<N>,
        key: &[u8; N],
        says: R::Key,
    ) -> Result<Option<R>> {
        self.read(|snapshot| match snapshot.open(table)? {
            Some(rows) => get(rows, table, key, says),
            None => Ok(None),
        })
    }

    /// Every record of this account in a table, with `says` telling what each key says.
    fn records<const N: usize, R: Record>(
        &self,
        table: Records<N>,
        says: impl Fn(&[u8; N]) -> Step<Option<R::Key>>,
    ) -> Result<Vec<R>> {
        self.read(|snapshot| {
            let Some(rows) = snapshot.open(table)? else { return Ok(Vec::new()) };
            let mut records = Vec::new();
            for row in rows.range::<&[u8; N]>(&self.account.first()..=&self.account.last())? {
                let (key, record) = row?;
                if let Some(says) = says(key.value())? {
                    records.push(decoded(table, key.value(), says, record.value())?);
                }
            }
            Ok(records)
        })
    }

    /// Puts one record, `what`, under `key`. Its bytes are wiped, as they may be a key's.
    fn put<const N: usize, R: Record>(
        &self,
        table: Records<N>,
        key: &[u8; N],
        what: &'static str,
        value: &R,
    ) -> Result<()> {
        self.write(|transaction| {
            let record = Zeroizing::new(encoded(what, value)?);
            transaction.open_table(table.definition())?.insert(key, record.as_slice())?;
            Ok(())
        })
    }

    fn take<const N: usize>(&self, table: Records<N>, key: &[u8; N]) -> Result<()> {
        self.write(|transaction| {
            transaction.open_table(table.definition())?.remove(key)?;
            Ok(())
        })
    }

    /// The entity that an index finds under this text.
    fn indexed(&self, index: Index, text: &str) -> Result<Option<Entity>> {
        let key = TextKey::of(self.account, text);
        self.read(|snapshot| {
            let Some(rows) = snapshot.open(index)? else { return Ok(None) };
            let Some(row) = rows.get(key.as_slice())? else { return Ok(None) };
            let id = owner(index, &key, row.value())?;
            let Some(entities) = snapshot.open(ENTITIES)? else {
                return Err(Fault::index(index.name, &key, "there are no entities"));
            };
            let entity = get(entities, ENTITIES, &PeerKey::of(self.account, id), id)?;
            entity
                .map(Some)
                .ok_or_else(|| Fault::index(index.name, &key, "its entity is not there"))
        })
    }

    /// Runs over the entities behind `after` until `visit` says that it has enough.
    fn walk(&self, after: Option<PeerId>, mut visit: impl FnMut(Entity) -> bool) -> Result<()> {
        let from = after.map_or(self.account.first(), |id| PeerKey::of(self.account, id));
        self.read(|snapshot| {
            let Some(rows) = snapshot.open(ENTITIES)? else { return Ok(()) };
            for row in rows.range::<&[u8; 12]>(&from..=&self.account.last())? {
                let (key, record) = row?;
                let Some(id) = PeerKey::peer(key.value()) else {
                    return Err(Fault::index(ENTITIES.name, key.value(), "it names nobody"));
                };
                if Some(id) != after && visit(decoded(ENTITIES, key.value(), id, record.value())?) {
                    break;
                }
            }
            Ok(())
        })
    }
}

impl Session for StoreSession {
    fn name(&self) -> Result<String> {
        let name = self.read(|snapshot| catalog::name_of(snapshot, self.account))?;
        name.ok_or_else(|| self.gone())
    }

    fn list_sessions(&self) -> Result<Vec<String>> {
        self.read(catalog::names)
    }

    fn login(&self) -> Result<Login> {
        let login = self.record(LOGINS, &self.account.key(), ())?;
        login.ok_or_else(|| self.gone())
    }

    fn set_login(&self, login: &Login) -> Result<()> {
        self.put(LOGINS, &self.account.key(), "a login", login)
    }

    fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        self.record(DCS, &DcKey::of(self.account, id), id)
    }

    fn dcs(&self) -> Result<Vec<DcOption>> {
        self.records(DCS, |key| Ok(Some(DcKey::dc(key))))
    }

    fn set_dc(&self, dc: &DcOption) -> Result<()> {
        self.put(DCS, &DcKey::of(self.account, dc.id), "a DC", dc)
    }

    fn remove_dc(&self, id: DcId) -> Result<()> {
        self.take(DCS, &DcKey::of(self.account, id))
    }

    fn update_state(&self) -> Result<Option<UpdateState>> {
        self.record(STATES, &PeerKey::of_account(self.account), ())
    }

    fn set_update_state(&self, state: Option<UpdateState>) -> Result<()> {
        let key = PeerKey::of_account(self.account);
        match state {
            Some(state) => self.put(STATES, &key, "a state", &state),
            None => self.take(STATES, &key),
        }
    }

    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>> {
        self.record(STATES, &PeerKey::of(self.account, id), id)
    }

    fn channel_states(&self) -> Result<Vec<ChannelState>> {
        self.records(STATES, |key| Ok(PeerKey::peer(key)))
    }

    fn set_channel_states(&self, states: &[ChannelState]) -> Result<()> {
        self.write(|transaction| {
            let mut table = transaction.open_table(STATES.definition())?;
            for state in states {
                let record = encoded("a state", state)?;
                table.insert(&PeerKey::of(self.account, state.id), record.as_slice())?;
            }
            Ok(())
        })
    }

    fn remove_channel_state(&self, id: PeerId) -> Result<()> {
        self.take(STATES, &PeerKey::of(self.account, id))
    }

    fn process_entities(&self, entities: &[Entity]) -> Result<usize> {
        if self.entities_off.load(Ordering::Acquire) {
            return Ok(0);
        }
        // Most entities have been seen before: finding that out costs no commit.
        let news = self.read(|snapshot| match snapshot.open(ENTITIES)? {
            Some(rows) => would_change(rows, self.account, entities),
            None => Ok(!entities.is_empty()),
        })?;
        if !news {
            return Ok(0);
        }
        self.write(|transaction| {
            let mut tables = EntityTables::open(transaction, self.account)?;
            let mut changed = 0;
            for entity in entities {
                changed += usize::from(tables.see(entity)?);
            }
            Ok(changed)
        })
    }

    fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        self.record(ENTITIES, &PeerKey::of(self.account, id), id)
    }

    fn entity_by_username(&self, username: &str) -> Result<Option<Entity>> {
        self.indexed(USERNAMES, &fold_username(username))
    }

    fn entity_by_phone(&self, phone: &str) -> Result<Option<Entity>> {
        match fold_phone(phone) {
            Some(phone) => self.indexed(PHONES, &phone),
            None => Ok(None),
        }
    }

    fn entity_by_name(&self, name: &str) -> Result<Option<Entity>> {
        let mut found = None;
        self.walk(None, |entity| {
            found = (entity.name.as_deref() == Some(name)).then_some(entity);
            found.is_some()
        })?;
        Ok(found)
    }

    fn entities(&self, after: Option<PeerId>, limit: usize) -> Result<Vec<Entity>> {
        let mut entities = Vec::new();
        if limit > 0 {
            self.walk(after, |entity| {
                entities.push(entity);
                entities.len() == limit
            })?;
        }
        Ok(entities)
    }

    fn entity_count(&self) -> Result<u64> {
        self.read(|snapshot| {
            let Some(table) = snapshot.open(ENTITIES)? else { return Ok(0) };
            if catalog::names(snapshot)?.len() == 1 {
                return Ok(table.len()?);
            }
            let rows = table.range::<&[u8; 12]>(&self.account.first()..=&self.account.last())?;
            rows.map(|row| Ok(row.map(|_| 1)?)).sum()
        })
    }

    fn remove_entity(&self, id: PeerId) -> Result<()> {
        self.write(|transaction| EntityTables::open(transaction, self.account)?.remove(id))
    }

    fn set_save_entities(&self, save: bool) -> Result<()> {
        self.entities_off.store(!save, Ordering::Release);
        Ok(())
    }

    fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>> {
        self.record(SENT_FILES, &FileRow::of(self.account, key), key)
    }

    fn sent_files(&self) -> Result<Vec<SentFile>> {
        self.records(SENT_FILES, |key| {
            FileRow::file(key).map(Some).map_err(|error| Fault::record(SENT_FILES.name, key, error))
        })
    }

    fn save_sent_file(&self, file: &SentFile) -> Result<()> {
        self.put(SENT_FILES, &FileRow::of(self.account, file.key), "a sent file", file)
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn delete(&self) -> Result<()> {
        let name = self.name()?;
        let path = self.engine.path();
        self.engine.write(|txn| catalog::remove(txn, path, &name))
    }
}
