//! Atomic changes of one session, the same for every storage.

use std::collections::BTreeSet;

use super::entities::Index;
use super::merge::Completeness;
use super::rows::{Key, Row};
use crate::error::{Error, Result};
use crate::types::{
    AuthKey, ChannelState, DcId, DcOption, Entity, Extra, FileKey, Login, PeerId, SentFile,
    UpdateChange, UpdateState,
};

/// The most bytes that all texts of one value may have, in every storage.
pub(super) const MOST_TEXT: usize = 1 << 20;

/// The rows of one session while changes of them are made. Nothing is visible to others yet.
pub(crate) trait BatchRows {
    fn get(&self, key: &Key) -> Result<Option<Row>>;

    /// The channels whose update states are known.
    fn channel_states(&self) -> Result<Vec<PeerId>>;

    /// How many extras there are.
    fn extras(&self) -> Result<usize>;

    fn put(&mut self, row: Row) -> Result<()>;

    fn remove(&mut self, key: &Key) -> Result<()>;

    /// Takes entities in; says how many of them changed something.
    fn see(&mut self, seen: &[Entity], completeness: Completeness) -> Result<usize>;

    fn forget(&mut self, id: PeerId) -> Result<()>;
}

/// Several changes of one session that [`Session::update`](super::Session::update) makes all at
/// once. It sees its own changes.
///
/// Errors are those of reading and writing the storage, and [`Error::TooLarge`] of a value of more
/// than 1 MiB.
///
/// ```
/// use tgsession::{AuthKey, DcId, MemorySession, Session, SessionBatch};
///
/// fn log_in(batch: &mut SessionBatch<'_>, key: &AuthKey) -> tgsession::Result<()> {
///     batch.set_auth_key(DcId(4), Some(key.clone()))?;
///     batch.set_home_dc(DcId(4))?;
///     // The updates of the login before have no meaning for this one.
///     batch.set_update_state(None)
/// }
///
/// let (session, key) = (MemorySession::new("alice"), AuthKey::new(&[7; 256]));
/// session.update(|batch| log_in(batch, &key))?;
/// assert_eq!(session.auth_key()?, Some(key));
/// # Ok::<(), tgsession::Error>(())
/// ```
pub struct SessionBatch<'a> {
    rows: &'a mut dyn BatchRows,
}

impl std::fmt::Debug for SessionBatch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionBatch").finish_non_exhaustive()
    }
}

impl<'a> SessionBatch<'a> {
    pub(crate) fn new(rows: &'a mut dyn BatchRows) -> Self {
        Self { rows }
    }

    fn value<T>(&self, key: &Key, value: impl FnOnce(Row) -> Option<T>) -> Result<Option<T>> {
        Ok(self.rows.get(key)?.and_then(value))
    }

    /// The login; empty if nothing is known.
    ///
    /// # Errors
    ///
    /// As said [above](Self), here and below.
    pub fn login(&self) -> Result<Login> {
        Ok(self.value(&Key::Login, Row::login)?.unwrap_or_default())
    }

    /// Replaces the login.
    pub fn set_login(&mut self, login: &Login) -> Result<()> {
        self.rows.put(Row::Login(login.clone()))
    }

    /// Makes this the DC that the account lives on.
    pub fn set_home_dc(&mut self, id: DcId) -> Result<()> {
        let mut login = self.login()?;
        login.home_dc = Some(id);
        self.set_login(&login)
    }

    /// Addresses and key of a DC.
    pub fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        self.value(&Key::Dc(id), Row::dc)
    }

    /// Replaces addresses and key of a DC.
    pub fn set_dc(&mut self, dc: &DcOption) -> Result<()> {
        let hosts = [&dc.ipv4, &dc.ipv6].into_iter().flatten().map(|at| at.host.len());
        check_size("a DC", hosts.sum())?;
        self.rows.put(Row::Dc(dc.clone()))
    }

    /// Saves a key for a DC, or removes the one it has; its addresses stay.
    pub fn set_auth_key(&mut self, id: DcId, key: Option<AuthKey>) -> Result<()> {
        let mut dc = self.dc(id)?.unwrap_or_else(|| DcOption::new(id));
        dc.auth_key = key;
        self.set_dc(&dc)
    }

    /// Removes a DC, its key too. Unknown DCs are no error.
    pub fn remove_dc(&mut self, id: DcId) -> Result<()> {
        self.rows.remove(&Key::Dc(id))
    }

    /// The update state of the account, or `None` if it is not known.
    pub fn update_state(&self) -> Result<Option<UpdateState>> {
        self.value(&Key::UpdateState, Row::update_state)
    }

    /// Saves the update state of the account; `None` removes it.
    pub fn set_update_state(&mut self, state: Option<UpdateState>) -> Result<()> {
        match state {
            Some(state) => self.rows.put(Row::UpdateState(state)),
            None => self.rows.remove(&Key::UpdateState),
        }
    }

    /// Changes some counters of the update state of the account and keeps the others. Before the
    /// first state is stored, the others are 0.
    pub fn change_update_state(&mut self, change: UpdateChange) -> Result<()> {
        let state = self.update_state()?.unwrap_or_default();
        self.set_update_state(Some(change.of(state)))
    }

    /// Saves the update states of these channels.
    pub fn set_channel_states(&mut self, states: &[ChannelState]) -> Result<()> {
        states.iter().try_for_each(|state| self.rows.put(Row::ChannelState(*state)))
    }

    /// Saves the update states of these channels, and forgets those of all others.
    pub fn replace_channel_states(&mut self, states: &[ChannelState]) -> Result<()> {
        let kept: BTreeSet<PeerId> = states.iter().map(|state| state.id).collect();
        for old in self.rows.channel_states()? {
            if !kept.contains(&old) {
                self.remove_channel_state(old)?;
            }
        }
        self.set_channel_states(states)
    }

    /// Removes the update state of a channel. An unknown one is no error.
    pub fn remove_channel_state(&mut self, id: PeerId) -> Result<()> {
        self.rows.remove(&Key::ChannelState(id))
    }

    /// The entity of this id.
    pub fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        self.value(&Key::Entity(id), Row::entity)
    }

    /// Stores entities, by the rules of
    /// [`Session::process_entities`](super::Session::process_entities). Gives how many of them
    /// changed something.
    pub fn process_entities(&mut self, entities: &[Entity]) -> Result<usize> {
        entities.iter().try_for_each(check_entity)?;
        self.rows.see(entities, Completeness::Full)
    }

    /// Merges partial entities into the stored ones, by the rules of
    /// [`Session::merge_entities`](super::Session::merge_entities). Gives how many of them changed
    /// something.
    pub fn merge_entities(&mut self, entities: &[Entity]) -> Result<usize> {
        entities.iter().try_for_each(check_entity)?;
        self.rows.see(entities, Completeness::Partial)
    }

    /// Removes an entity, its usernames and its phone. An unknown one is no error.
    pub fn remove_entity(&mut self, id: PeerId) -> Result<()> {
        self.rows.forget(id)
    }

    /// A file sent before.
    pub fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>> {
        self.value(&Key::SentFile(key), Row::sent_file)
    }

    /// Saves a sent file; one with the same key is replaced.
    pub fn save_sent_file(&mut self, file: &SentFile) -> Result<()> {
        self.rows.put(Row::SentFile(*file))
    }

    /// A small value of a client's own.
    pub fn extra(&self, name: &str) -> Result<Option<Extra>> {
        self.value(&Key::Extra(name.to_owned()), Row::extra)
    }

    /// Saves a small value of a client's own; `None` removes it. The bounds are those of
    /// [`Extra`], else the error is [`Error::BadExtra`].
    pub fn set_extra(&mut self, name: &str, value: Option<&[u8]>) -> Result<()> {
        let key = Key::Extra(name.to_owned());
        let Some(value) = value else { return self.rows.remove(&key) };
        let bad = |why| Error::BadExtra { name: name.chars().take(80).collect(), why };
        let extra = Extra::new(name, value).ok_or_else(|| {
            bad("a name has 1 to 64 bytes without control characters, a value at most 4,096 bytes")
        })?;
        if self.rows.get(&key)?.is_none() && self.rows.extras()? >= Extra::MOST {
            return Err(bad("a session has at most 64 of them; remove another first"));
        }
        self.rows.put(Row::Extra(extra))
    }
}

fn check_entity(entity: &Entity) -> Result<()> {
    let names = entity.usernames.iter().map(String::len);
    let texts = [&entity.phone, &entity.name].into_iter().flatten().map(String::len);
    check_size("an entity", names.chain(texts).sum())
}

fn check_size(what: &'static str, bytes: usize) -> Result<()> {
    if bytes <= MOST_TEXT { Ok(()) } else { Err(Error::TooLarge { what, most: MOST_TEXT }) }
}

/// The key of the row that an index has for a text.
pub(crate) fn index_key(index: Index, text: &str) -> Key {
    match index {
        Index::Usernames => Key::Username(text.to_owned()),
        Index::Phones => Key::Phone(text.to_owned()),
    }
}
