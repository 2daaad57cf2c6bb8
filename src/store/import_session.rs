//! The session that an import reads.

use std::borrow::Cow;
use std::{fmt, iter};

use super::{ImportReport, SessionView, StoreSession, catalog, import, remove_rows};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::session::{Entities, Session};
use crate::types::{Account, Entity};

/// A session that [`Store::import`](crate::Store::import) and [`Store::replace`](crate::Store::replace) bring in.
///
/// It is made of a session of a [`Source`](crate::Source), of one of another store, of any other
/// [`Session`], or of plain values.
///
/// ```
/// use tgsession::{Account, Entity, ImportSession, MemorySession, PeerId, Session, Store};
///
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let (old, new) = (folder.path().join("old"), folder.path().join("new"));
/// let (old, new) = (Store::create(old)?, Store::create(new)?);
/// // From store to store, with everything in it.
/// new.import("alice", &old.session("alice")?)?;
/// // From memory.
/// new.import("bob", ImportSession::of(&MemorySession::new("bob")))?;
/// // From values.
/// let seen = Entity::new(PeerId::user(1).expect("a positive id"));
/// let report = new.import("carol", ImportSession::new(&Account::default(), [Ok(seen)]))?;
/// assert_eq!(report.entities, 1);
/// # Ok(())
/// # }
/// ```
pub struct ImportSession<'a> {
    /// An error of reading the session, until it is imported.
    account: Result<Cow<'a, Account>>,
    entities: Box<dyn Iterator<Item = Result<Entity>> + 'a>,
}

impl<'a> ImportSession<'a> {
    /// A session of these values. Entities in the order of their marked ids are imported the
    /// fastest.
    #[must_use]
    pub fn new(
        account: &'a Account,
        entities: impl IntoIterator<Item = Result<Entity>, IntoIter: 'a>,
    ) -> Self {
        Self { account: Ok(Cow::Borrowed(account)), entities: Box::new(entities.into_iter()) }
    }

    /// A copy of any session. What others change meanwhile may or may not be in it. A session of a
    /// store can be given to [`Store::import`](crate::Store::import) itself, and is of one moment.
    #[must_use]
    pub fn of(session: &'a dyn Session) -> Self {
        let entities = Box::new(Entities::of(session));
        Self { account: session.account().map(Cow::Owned), entities }
    }
}

impl fmt::Debug for ImportSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportSession").finish_non_exhaustive()
    }
}

/// As it is at this moment.
impl From<&StoreSession> for ImportSession<'_> {
    fn from(session: &StoreSession) -> Self {
        session.read_view().map_or_else(Self::failed, Self::from)
    }
}

impl From<&SessionView> for ImportSession<'_> {
    fn from(view: &SessionView) -> Self {
        Self::from(view.clone())
    }
}

impl From<SessionView> for ImportSession<'_> {
    fn from(view: SessionView) -> Self {
        let account = view.account().map(Cow::Owned);
        Self { account, entities: Box::new(Entities::of(view)) }
    }
}

impl ImportSession<'_> {
    fn failed(error: Error) -> Self {
        Self { account: Err(error), entities: Box::new(iter::empty()) }
    }

    /// Writes it all in one transaction.
    pub(super) fn load(self, engine: &Engine, name: &str, replace: bool) -> Result<ImportReport> {
        let account = self.account?;
        let path = engine.path();
        engine.bulk_write(|rows| {
            if catalog::find(rows, name)?.is_some() {
                if !replace {
                    let (path, name) = (path.to_owned(), name.to_owned());
                    return Err(Error::SessionExists { path, name }.into());
                }
                remove_rows(rows, path, name)?;
            }
            let no = catalog::find_or_add(rows, name)?;
            import::load_account(rows, no, &account)?;
            import::load_entities(rows, no, self.entities)
        })
    }
}
