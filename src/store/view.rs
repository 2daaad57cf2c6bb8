//! Read views: a store, or one session of it, as it was at one moment.

use std::fmt;
use std::sync::Arc;

use super::catalog;
use super::rows::SessionRows;
use crate::engine::{Engine, EngineResult, Rows, Table, View};
use crate::error::{Error, Result};
use crate::record::AccountNo;
use crate::session::{Commit, Session, SessionBatch};
use crate::types::{
    AuthKey, ChannelState, DcId, DcOption, Entity, Extra, FileKey, Login, PeerId, SentFile,
    UpdateState,
};

/// A store as it was at one moment: [`Store::read_view`](crate::Store::read_view).
///
/// ```
/// # use tgsession::Store;
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let store = Store::create(path)?;
/// store.session("alice")?;
/// let view = store.read_view()?;
/// store.remove("alice")?;
/// assert_eq!(view.list()?, ["alice"]);
/// assert!(view.session("alice").is_ok());
/// assert!(store.read_view()?.sequence() > view.sequence());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ReadView {
    pub(super) engine: Arc<Engine>,
    pub(super) view: Arc<View>,
}

impl fmt::Debug for ReadView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadView")
            .field("store", &self.engine.path())
            .field("sequence", &self.sequence())
            .finish_non_exhaustive()
    }
}

impl ReadView {
    /// The number of the last batch that the view sees. Every call that changes rows makes one
    /// batch, and each batch has the next number. In another process the number is that of the
    /// last batch of the record that was read last.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.view.sequence()
    }

    /// The names of all sessions, sorted.
    ///
    /// # Errors
    ///
    /// Only those of reading the file.
    pub fn list(&self) -> Result<Vec<String>> {
        let names = catalog::names(self.view.as_ref());
        names.map_err(|error| error.at(self.engine.path()))
    }

    /// The session of this name.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`] if there is none.
    pub fn session(&self, name: &str) -> Result<SessionView> {
        let path = self.engine.path();
        let found = catalog::find(self.view.as_ref(), name).map_err(|error| error.at(path))?;
        let account = found.ok_or_else(|| catalog::no_session(path, name))?;
        SessionView::open(&self.engine, Arc::clone(&self.view), account, name)
    }
}

/// One session as it was at one moment. It can be read as any [`Session`]; calls that write give
/// [`Error::ReadOnly`].
///
/// ```
/// use tgsession::{DcId, ErrorKind, Session, Store};
///
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let session = Store::create(path)?.session("alice")?;
/// session.set_home_dc(DcId(2))?;
/// let view = session.read_view()?;
/// session.set_home_dc(DcId(4))?;
/// assert_eq!(view.login()?.home_dc, Some(DcId(2)));
/// let refused = view.set_home_dc(DcId(5)).unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::Refused);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SessionView {
    engine: Arc<Engine>,
    view: Arc<View>,
    account: AccountNo,
    /// The name that it was opened by.
    opened_as: Arc<str>,
}

impl fmt::Debug for SessionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView")
            .field("store", &self.engine.path())
            .field("account", &self.account.0)
            .field("sequence", &self.sequence())
            .finish_non_exhaustive()
    }
}

impl SessionView {
    pub(super) fn open(
        engine: &Arc<Engine>,
        view: Arc<View>,
        account: AccountNo,
        name: &str,
    ) -> Result<Self> {
        let path = engine.path();
        let login = view.get(Table::Logins, &account.key()).map_err(|error| error.at(path))?;
        if login.is_none() {
            return Err(catalog::no_session(path, name));
        }
        Ok(Self { engine: Arc::clone(engine), view, account, opened_as: name.into() })
    }

    /// The number of the last batch that the view sees.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.view.sequence()
    }

    fn read<T>(&self, work: impl FnOnce(SessionRows<'_>) -> EngineResult<T>) -> Result<T> {
        let path = self.engine.path();
        let rows = SessionRows {
            view: &self.view,
            account: self.account,
            path,
            opened_as: &self.opened_as,
        };
        work(rows).map_err(|error| error.at(path))
    }

    fn refuse<T>(&self) -> Result<T> {
        Err(Error::ReadOnly { path: self.engine.path().to_owned() })
    }
}

impl Session for SessionView {
    fn name(&self) -> Result<String> {
        self.read(|rows| rows.name())
    }

    fn list_sessions(&self) -> Result<Vec<String>> {
        self.read(|rows| catalog::names(rows.view))
    }

    fn login(&self) -> Result<Login> {
        self.read(|rows| rows.login())
    }

    fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        self.read(|rows| rows.dc(id))
    }

    fn dcs(&self) -> Result<Vec<DcOption>> {
        self.read(|rows| rows.dcs())
    }

    fn update_state(&self) -> Result<Option<UpdateState>> {
        self.read(|rows| rows.update_state())
    }

    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>> {
        self.read(|rows| rows.channel_state(id))
    }

    fn channel_states(&self) -> Result<Vec<ChannelState>> {
        self.read(|rows| rows.channel_states())
    }

    fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        self.read(|rows| rows.entity(id))
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

    fn transact(
        &self,
        _: Commit,
        _: &mut dyn FnMut(&mut SessionBatch<'_>) -> Result<()>,
    ) -> Result<()> {
        self.refuse()
    }

    fn saves_entities(&self) -> Result<bool> {
        Ok(true)
    }

    fn set_save_entities(&self, _: bool) -> Result<()> {
        self.refuse()
    }

    fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>> {
        self.read(|rows| rows.sent_file(key))
    }

    fn sent_files(&self) -> Result<Vec<SentFile>> {
        self.read(|rows| rows.sent_files())
    }

    fn extra(&self, name: &str) -> Result<Option<Extra>> {
        self.read(|rows| rows.extra(name))
    }

    fn extras(&self) -> Result<Vec<Extra>> {
        self.read(|rows| rows.extras())
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn delete(&self) -> Result<()> {
        self.refuse()
    }

    fn home_dc(&self) -> Result<Option<DcOption>> {
        self.read(|rows| rows.home_dc())
    }

    fn auth_key(&self) -> Result<Option<AuthKey>> {
        Ok(self.home_dc()?.and_then(|dc| dc.auth_key))
    }
}
