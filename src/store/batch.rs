//! Changes of one session that are made all at once.

use std::path::Path;

use zeroize::Zeroizing;

use super::catalog;
use super::entities::EntityTables;
use crate::engine::{Batch, Durability, Fault, RowsMut, Step, Table, encoded, get};
use crate::error::Result;
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, Record};
use crate::types::{
    AuthKey, ChannelState, DcId, DcOption, Entity, Login, PeerId, SentFile, UpdateState,
};

/// Changes of one session that [`StoreSession::update`](crate::StoreSession::update) makes all at
/// once. It sees its own changes.
pub struct SessionBatch<'a, 'b> {
    batch: &'a mut Batch<'b>,
    account: AccountNo,
    path: &'a Path,
    opened_as: &'a str,
    durability: Durability,
}

impl std::fmt::Debug for SessionBatch<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionBatch").field("account", &self.account.0).finish_non_exhaustive()
    }
}

/// Errors are those of reading the file, [`Error::TooLarge`](crate::Error::TooLarge) of a value of
/// more than 1 MiB, and [`Error::Damaged`](crate::Error::Damaged) of a row that cannot be read.
impl<'a, 'b> SessionBatch<'a, 'b> {
    pub(super) fn new(
        batch: &'a mut Batch<'b>,
        account: AccountNo,
        path: &'a Path,
        opened_as: &'a str,
    ) -> Self {
        Self { batch, account, path, opened_as, durability: Durability::Buffered }
    }

    /// When the changes are to be durable.
    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    fn outside<T>(&self, done: Step<T>) -> Result<T> {
        done.map_err(|fault: Fault| fault.at(self.path))
    }

    /// The login.
    pub fn login(&self) -> Result<Login> {
        self.outside(self.get_login())
    }

    /// Replaces the login.
    pub fn set_login(&mut self, login: &Login) -> Result<()> {
        let done = self.put_login(login);
        self.outside(done)
    }

    /// Makes this the DC that the account lives on.
    pub fn set_home_dc(&mut self, id: DcId) -> Result<()> {
        let done = self.put_home_dc(id);
        self.outside(done)
    }

    /// Address and key of a DC.
    pub fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        self.outside(self.get_dc(id))
    }

    /// Replaces addresses and key of a DC.
    pub fn set_dc(&mut self, dc: &DcOption) -> Result<()> {
        let done = self.put_dc(dc);
        self.outside(done)
    }

    /// Saves a key for a DC, or removes the one it has; its addresses stay.
    pub fn set_auth_key(&mut self, id: DcId, key: Option<AuthKey>) -> Result<()> {
        let done = self.put_auth_key(id, key);
        self.outside(done)
    }

    /// Removes a DC, its key too. Unknown DCs are no error.
    pub fn remove_dc(&mut self, id: DcId) -> Result<()> {
        let done = self.take_dc(id);
        self.outside(done)
    }

    /// The update state of the account, or `None` if it is not known.
    pub fn update_state(&self) -> Result<Option<UpdateState>> {
        let key = PeerKey::of_account(self.account);
        self.outside(get(self.batch, Table::States, &key, ()))
    }

    /// Saves the update state of the account; `None` removes it.
    pub fn set_update_state(&mut self, state: Option<UpdateState>) -> Result<()> {
        let done = self.put_update_state(state);
        self.outside(done)
    }

    /// Saves the update states of these channels.
    pub fn set_channel_states(&mut self, states: &[ChannelState]) -> Result<()> {
        let done = self.put_channel_states(states);
        self.outside(done)
    }

    /// Removes the update state of a channel. An unknown one is no error.
    pub fn remove_channel_state(&mut self, id: PeerId) -> Result<()> {
        let done = self.take_channel_state(id);
        self.outside(done)
    }

    /// The entity of this id.
    pub fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        self.outside(get(self.batch, Table::Entities, &PeerKey::of(self.account, id), id))
    }

    /// Takes in entities, by the rules of
    /// [`Session::process_entities`](crate::Session::process_entities). Gives how many of them
    /// changed something.
    pub fn process_entities(&mut self, entities: &[Entity]) -> Result<usize> {
        let done = self.take_in_entities(entities);
        self.outside(done)
    }

    /// Removes an entity, its usernames and its phone. An unknown one is no error.
    pub fn remove_entity(&mut self, id: PeerId) -> Result<()> {
        let done = self.take_entity(id);
        self.outside(done)
    }

    /// Saves a sent file; one with the same key is replaced.
    pub fn save_sent_file(&mut self, file: &SentFile) -> Result<()> {
        let done = self.put_sent_file(file);
        self.outside(done)
    }
}

impl SessionBatch<'_, '_> {
    fn get_login(&self) -> Step<Login> {
        let login = get(self.batch, Table::Logins, &self.account.key(), ())?;
        Ok(login.ok_or_else(|| catalog::no_session(self.path, self.opened_as))?)
    }

    fn get_dc(&self, id: DcId) -> Step<Option<DcOption>> {
        get(self.batch, Table::Dcs, &DcKey::of(self.account, id), id)
    }

    /// Puts one record. Its bytes are wiped, as they may be a key's.
    fn put<R: Record>(
        &mut self,
        table: Table,
        key: &[u8],
        what: &'static str,
        value: &R,
    ) -> Step<()> {
        let record = Zeroizing::new(encoded(what, value)?);
        self.batch.put(table, key, &record)
    }

    pub(super) fn put_login(&mut self, login: &Login) -> Step<()> {
        self.durability = Durability::Synced;
        self.put(Table::Logins, &self.account.key(), "a login", login)
    }

    pub(super) fn put_home_dc(&mut self, id: DcId) -> Step<()> {
        let mut login = self.get_login()?;
        login.home_dc = Some(id);
        self.put_login(&login)
    }

    pub(super) fn put_dc(&mut self, dc: &DcOption) -> Step<()> {
        self.durability = Durability::Synced;
        self.put(Table::Dcs, &DcKey::of(self.account, dc.id), "a DC", dc)
    }

    pub(super) fn put_auth_key(&mut self, id: DcId, key: Option<AuthKey>) -> Step<()> {
        let mut dc = self.get_dc(id)?.unwrap_or_else(|| DcOption::new(id));
        dc.auth_key = key;
        self.put_dc(&dc)
    }

    pub(super) fn take_dc(&mut self, id: DcId) -> Step<()> {
        self.durability = Durability::Synced;
        self.batch.remove(Table::Dcs, &DcKey::of(self.account, id))
    }

    pub(super) fn put_update_state(&mut self, state: Option<UpdateState>) -> Step<()> {
        let key = PeerKey::of_account(self.account);
        match state {
            Some(state) => self.put(Table::States, &key, "an update state", &state),
            None => self.batch.remove(Table::States, &key),
        }
    }

    pub(super) fn put_channel_states(&mut self, states: &[ChannelState]) -> Step<()> {
        states.iter().try_for_each(|state| {
            let key = PeerKey::of(self.account, state.id);
            self.put(Table::States, &key, "an update state", state)
        })
    }

    pub(super) fn take_channel_state(&mut self, id: PeerId) -> Step<()> {
        self.batch.remove(Table::States, &PeerKey::of(self.account, id))
    }

    pub(super) fn take_in_entities(&mut self, entities: &[Entity]) -> Step<usize> {
        let mut tables = EntityTables::new(self.batch, self.account);
        let mut changed = 0;
        for entity in entities {
            changed += usize::from(tables.see(entity)?);
        }
        Ok(changed)
    }

    pub(super) fn take_entity(&mut self, id: PeerId) -> Step<()> {
        EntityTables::new(self.batch, self.account).remove(id)
    }

    pub(super) fn put_sent_file(&mut self, file: &SentFile) -> Step<()> {
        let key = FileRow::of(self.account, file.key);
        self.put(Table::SentFiles, &key, "a sent file", file)
    }
}
