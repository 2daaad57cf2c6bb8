//! One session of a store.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::batch::StoreBatch;
use super::entities::known;
use super::rows::SessionRows;
use super::view::SessionView;
use super::{catalog, remove};
use crate::engine::{Durability, Engine, EngineResult, Rows, Table, View};
use crate::error::Result;
use crate::record::AccountNo;
use crate::session::merge::Completeness;
use crate::session::{Commit, Session, SessionBatch, Ticket};
use crate::types::{
    Account, AuthKey, ChannelState, DcId, DcOption, Entity, Extra, FileKey, Login, PeerId,
    SentFile, UpdateState,
};

/// One session of a [`Store`](crate::Store).
///
/// A handle is cheap to clone, and any number of threads may use it and its clones at once. It
/// keeps the store open. [`Store`](crate::Store) says what is durable when a call returns.
///
/// ```
/// use tgsession::{Session, Store, UpdateState};
///
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let session = Store::open_or_create(path)?.session("alice")?;
/// let state = UpdateState { pts: 7, ..UpdateState::default() };
/// session.set_update_state(Some(state))?; // durable within a second
/// session.flush()?; // durable now
///
/// // A view does not show later writes.
/// let view = session.read_view()?;
/// session.set_update_state(None)?;
/// assert_eq!(view.update_state()?, Some(state));
/// # Ok(())
/// # }
/// ```
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

    fn reading<T>(
        &self,
        view: &View,
        work: impl FnOnce(SessionRows<'_>) -> EngineResult<T>,
    ) -> EngineResult<T> {
        work(SessionRows {
            view,
            account: self.account,
            path: self.engine.path(),
            opened_as: &self.opened_as,
        })
    }

    /// Reads several rows of one moment.
    fn read<T>(&self, work: impl FnOnce(SessionRows<'_>) -> EngineResult<T>) -> Result<T> {
        self.engine.read(|view| self.reading(view, work))
    }

    /// Reads a single row.
    fn look_up<T>(&self, work: impl FnOnce(SessionRows<'_>) -> EngineResult<T>) -> Result<T> {
        self.engine.look_up(|view| self.reading(view, work))
    }

    /// Skips the entities at the start of the list that would change nothing, and returns the others. Most
    /// entities are known, and this check needs no write lock.
    fn unknown<'e>(
        &self,
        entities: &'e [Entity],
        completeness: Completeness,
    ) -> Result<&'e [Entity]> {
        if self.entities_off.load(Ordering::Acquire) {
            return Ok(&[]);
        }
        let account = self.account;
        let known = self.engine.read(|view| known(view, account, entities, completeness))?;
        Ok(entities.get(known..).unwrap_or_default())
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

    fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        self.look_up(|rows| rows.dc(id))
    }

    fn dcs(&self) -> Result<Vec<DcOption>> {
        self.read(|rows| rows.dcs())
    }

    fn update_state(&self) -> Result<Option<UpdateState>> {
        self.look_up(|rows| rows.update_state())
    }

    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>> {
        self.look_up(|rows| rows.channel_state(id))
    }

    fn channel_states(&self) -> Result<Vec<ChannelState>> {
        self.read(|rows| rows.channel_states())
    }

    fn transact(
        &self,
        commit: Commit,
        work: &mut dyn FnMut(&mut SessionBatch<'_>) -> Result<()>,
    ) -> Result<()> {
        let path = self.engine.path();
        self.engine.write(|batch| {
            // A handle that outlives its session must not leave rows without an owner behind.
            if batch.get(Table::Logins, &self.account.key())?.is_none() {
                return Err(catalog::no_session(path, &self.opened_as).into());
            }
            let mut rows = StoreBatch::new(batch, self.account, path);
            work(&mut SessionBatch::new(&mut rows))?;
            let durability = match commit {
                Commit::Durable => rows.durability(),
                Commit::Buffered => Durability::Buffered,
            };
            Ok(((), durability))
        })
    }

    fn process_entities(&self, entities: &[Entity]) -> Result<usize> {
        match self.unknown(entities, Completeness::Full)? {
            [] => Ok(0),
            rest => self.update(|batch| batch.process_entities(rest)),
        }
    }

    fn merge_entities(&self, entities: &[Entity]) -> Result<usize> {
        match self.unknown(entities, Completeness::Partial)? {
            [] => Ok(0),
            rest => self.update(|batch| batch.merge_entities(rest)),
        }
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

    fn account(&self) -> Result<Account> {
        self.read_view()?.account()
    }

    fn saves_entities(&self) -> Result<bool> {
        Ok(!self.entities_off.load(Ordering::Acquire))
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

    fn extra(&self, name: &str) -> Result<Option<Extra>> {
        self.look_up(|rows| rows.extra(name))
    }

    fn extras(&self) -> Result<Vec<Extra>> {
        self.read(|rows| rows.extras())
    }

    fn flush(&self) -> Result<()> {
        self.engine.flush()
    }

    fn flush_ticket(&self) -> Ticket {
        let engine = Arc::clone(&self.engine);
        Ticket::spawn(move || engine.flush())
    }

    fn delete(&self) -> Result<()> {
        remove(&self.engine, &self.name()?)
    }

    fn home_dc(&self) -> Result<Option<DcOption>> {
        self.read(|rows| rows.home_dc())
    }

    fn auth_key(&self) -> Result<Option<AuthKey>> {
        Ok(self.home_dc()?.and_then(|dc| dc.auth_key))
    }
}
