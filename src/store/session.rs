//! One session of a store.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::batch::SessionBatch;
use super::entities::known;
use super::rows::SessionRows;
use super::view::SessionView;
use super::{catalog, remove};
use crate::engine::{Batch, Durability, Engine, Rows, Step, Table, View};
use crate::error::Result;
use crate::record::AccountNo;
use crate::session::Session;
use crate::types::{
    AuthKey, ChannelState, DcId, DcOption, Entity, FileKey, Login, PeerId, SentFile, UpdateState,
};

/// One session of a [`Store`](crate::Store).
///
/// A handle is cheap to clone, and any number of threads may use it and its clones at once. It
/// keeps the store open. [`Store`](crate::Store) says what is durable when a call returns.
#[derive(Clone)]
pub struct StoreSession {
    engine: Arc<Engine>,
    account: AccountNo,
    /// The name that it was opened by.
    opened_as: Arc<str>,
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
    pub(super) fn new(engine: Arc<Engine>, account: AccountNo, name: &str) -> Self {
        Self { engine, account, opened_as: name.into(), entities_off: Arc::default() }
    }

    /// The session as it is now, whatever is written from now on.
    ///
    /// A view costs about a microsecond to make. As long as it lives, the file keeps the pages
    /// that it reads.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`](crate::Error::NoSession) if the session was deleted; those of reading
    /// the file.
    pub fn read_view(&self) -> Result<SessionView> {
        SessionView::open(
            &self.engine,
            Arc::new(self.engine.view()?),
            self.account,
            &self.opened_as,
        )
    }

    /// Makes several changes all at once: after an error of `change`, or a crash, none of them.
    ///
    /// `change` sees its own changes. Other calls that write wait until it is done, so it should
    /// not do I/O. If it changes logins or DCs, everything is durable when the call returns; else
    /// within the [flush interval](crate::StoreOptions::flush_interval).
    ///
    /// # Errors
    ///
    /// Those of `change`, and those of writing.
    ///
    /// ```
    /// # use tgsession::{DcId, DcOption, Session, Store, UpdateState};
    /// # fn main() -> tgsession::Result<()> {
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let store = Store::create(directory.path().join("accounts"))?;
    /// let session = store.session("alice")?;
    /// session.update(|batch| {
    ///     batch.set_dc(&DcOption::new(DcId(4)))?;
    ///     batch.set_home_dc(DcId(4))?;
    ///     batch.set_update_state(None)
    /// })?;
    /// assert_eq!(session.login()?.home_dc, Some(DcId(4)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn update<T>(
        &self,
        change: impl FnOnce(&mut SessionBatch<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        self.write_with(|batch| {
            let mut batch =
                SessionBatch::new(batch, self.account, self.engine.path(), &self.opened_as);
            let done = change(&mut batch)?;
            Ok((done, batch.durability()))
        })
    }

    fn reading<T>(&self, view: &View, work: impl FnOnce(SessionRows<'_>) -> Step<T>) -> Step<T> {
        work(SessionRows {
            view,
            account: self.account,
            path: self.engine.path(),
            opened_as: &self.opened_as,
        })
    }

    /// Reads several rows of one moment.
    fn read<T>(&self, work: impl FnOnce(SessionRows<'_>) -> Step<T>) -> Result<T> {
        self.engine.read(|view| self.reading(view, work))
    }

    /// Reads a single row.
    fn look_up<T>(&self, work: impl FnOnce(SessionRows<'_>) -> Step<T>) -> Result<T> {
        self.engine.look_up(|view| self.reading(view, work))
    }

    /// Writes to this session, which must still be there: a handle that outlives its session must
    /// not leave rows without an owner behind.
    fn write_with<T>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> Step<(T, Durability)>,
    ) -> Result<T> {
        self.engine.write(|batch| {
            if batch.get(Table::Logins, &self.account.key())?.is_none() {
                return Err(catalog::no_session(self.engine.path(), &self.opened_as).into());
            }
            work(batch)
        })
    }

    fn write<T>(&self, change: impl FnOnce(&mut SessionBatch<'_, '_>) -> Step<T>) -> Result<T> {
        self.write_with(|batch| {
            let mut batch =
                SessionBatch::new(batch, self.account, self.engine.path(), &self.opened_as);
            let done = change(&mut batch)?;
            Ok((done, batch.durability()))
        })
    }
}

impl Session for StoreSession {
    fn name(&self) -> Result<String> {
        self.read(|rows| rows.name())
    }

    fn list_sessions(&self) -> Result<Vec<String>> {
        self.engine.read(catalog::names)
    }

    fn login(&self) -> Result<Login> {
        self.look_up(|rows| rows.login())
    }

    fn set_login(&self, login: &Login) -> Result<()> {
        self.write(|batch| batch.put_login(login))
    }

    fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        self.look_up(|rows| rows.dc(id))
    }

    fn dcs(&self) -> Result<Vec<DcOption>> {
        self.read(|rows| rows.dcs())
    }

    fn set_dc(&self, dc: &DcOption) -> Result<()> {
        self.write(|batch| batch.put_dc(dc))
    }

    fn remove_dc(&self, id: DcId) -> Result<()> {
        self.write(|batch| batch.take_dc(id))
    }

    fn update_state(&self) -> Result<Option<UpdateState>> {
        self.look_up(|rows| rows.update_state())
    }

    fn set_update_state(&self, state: Option<UpdateState>) -> Result<()> {
        self.write(|batch| batch.put_update_state(state))
    }

    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>> {
        self.look_up(|rows| rows.channel_state(id))
    }

    fn channel_states(&self) -> Result<Vec<ChannelState>> {
        self.read(|rows| rows.channel_states())
    }

    fn set_channel_states(&self, states: &[ChannelState]) -> Result<()> {
        self.write(|batch| batch.put_channel_states(states))
    }

    fn remove_channel_state(&self, id: PeerId) -> Result<()> {
        self.write(|batch| batch.take_channel_state(id))
    }

    fn process_entities(&self, entities: &[Entity]) -> Result<usize> {
        if self.entities_off.load(Ordering::Acquire) {
            return Ok(0);
        }
        // Most entities have been seen before: finding that out is no write.
        let account = self.account;
        let known = self.engine.read(|view| known(view, account, entities))?;
        let (_, rest) = entities.split_at(known.min(entities.len()));
        if rest.is_empty() {
            return Ok(0);
        }
        self.write(|batch| batch.take_in_entities(rest))
    }

    fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        self.look_up(|rows| rows.entity(id))
    }

    fn entity_by_username(&self, username: &str) -> Result<Option<Entity>> {
        self.read(|rows| rows.entity_by_username(username))
    }

    fn entity_by_phone(&self, phone: &str) -> Result<Option<Entity>> {
        self.read(|rows| rows.entity_by_phone(phone))
    }

    fn entity_by_name(&self, name: &str) -> Result<Option<Entity>> {
        self.read(|rows| rows.entity_by_name(name))
    }

    fn entities(&self, after: Option<PeerId>, limit: usize) -> Result<Vec<Entity>> {
        self.read(|rows| rows.entities(after, limit))
    }

    fn entity_count(&self) -> Result<u64> {
        self.read(|rows| rows.entity_count())
    }

    fn remove_entity(&self, id: PeerId) -> Result<()> {
        self.write(|batch| batch.take_entity(id))
    }

    fn set_save_entities(&self, save: bool) -> Result<()> {
        self.entities_off.store(!save, Ordering::Release);
        Ok(())
    }

    fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>> {
        self.look_up(|rows| rows.sent_file(key))
    }

    fn sent_files(&self) -> Result<Vec<SentFile>> {
        self.read(|rows| rows.sent_files())
    }

    fn save_sent_file(&self, file: &SentFile) -> Result<()> {
        self.write(|batch| batch.put_sent_file(file))
    }

    fn flush(&self) -> Result<()> {
        self.engine.flush()
    }

    fn delete(&self) -> Result<()> {
        remove(&self.engine, &self.name()?)
    }

    fn home_dc(&self) -> Result<Option<DcOption>> {
        self.read(|rows| rows.home_dc())
    }

    fn set_home_dc(&self, id: DcId) -> Result<()> {
        self.write(|batch| batch.put_home_dc(id))
    }

    fn auth_key(&self) -> Result<Option<AuthKey>> {
        Ok(self.home_dc()?.and_then(|dc| dc.auth_key))
    }

    fn set_auth_key(&self, id: DcId, key: Option<AuthKey>) -> Result<()> {
        self.write(|batch| batch.put_auth_key(id, key))
    }
}
