use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Session;
use super::merge::{merge, tidy};
use crate::error::Result;
use crate::types::{
    Account, ChannelState, DcId, DcOption, Entity, FileKey, Login, PeerId, SentFile, Snapshot,
    UpdateState, fold_phone, fold_username,
};

/// A session that lives in memory and is gone with the process.
///
/// It is the plainest thing that keeps the promises of [`Session`]: nothing is indexed, so a
/// lookup by username, phone or name looks at every entity. Stores are tested against it.
#[derive(Debug, Default)]
pub struct MemorySession {
    name: String,
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    login: Login,
    dcs: BTreeMap<DcId, DcOption>,
    update_state: Option<UpdateState>,
    channel_states: BTreeMap<PeerId, ChannelState>,
    entities: BTreeMap<PeerId, Entity>,
    sent_files: BTreeMap<FileKey, SentFile>,
    entities_off: bool,
}

impl MemorySession {
    /// An empty session of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), content: Mutex::default() }
    }

    /// A session that holds this. Where several entities show one username or phone, the last
    /// one has it, as if they had been seen in this order.
    #[must_use]
    pub fn from_snapshot(name: &str, snapshot: &Snapshot) -> Self {
        let session = Self::new(name);
        let Account { login, dcs, update_state, channel_states, sent_files } = &snapshot.account;
        let mut content = session.content();
        content.login = login.clone();
        content.dcs = dcs.iter().map(|dc| (dc.id, dc.clone())).collect();
        content.update_state = *update_state;
        content.channel_states = channel_states.iter().map(|state| (state.id, *state)).collect();
        content.sent_files = sent_files.iter().map(|file| (file.key, *file)).collect();
        for entity in &snapshot.entities {
            content.see(entity);
        }
        drop(content);
        session
    }

    /// Everything that the session holds.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let content = self.content();
        Snapshot {
            account: Account {
                login: content.login.clone(),
                dcs: content.dcs.values().cloned().collect(),
                update_state: content.update_state,
                channel_states: content.channel_states.values().copied().collect(),
                sent_files: content.sent_files.values().copied().collect(),
            },
            entities: content.entities.values().cloned().collect(),
        }
    }

    /// No invariant spans two statements under this lock, so one left by a panic is sound.
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entity_where(&self, fits: impl Fn(&Entity) -> bool) -> Option<Entity> {
        self.content().entities.values().find(|entity| fits(entity)).cloned()
    }
}

impl Content {
    /// Takes one entity in; says whether that changed anything.
    fn see(&mut self, seen: &Entity) -> bool {
        let mut seen = tidy(seen.clone());
        if seen.min {
            self.drop_what_others_hold(&mut seen);
        }
        let Some(new) = merge(self.entities.get(&seen.id), &seen) else { return false };
        if !seen.min {
            self.take_from_others(&new);
        }
        self.entities.insert(new.id, new);
        true
    }

    fn drop_what_others_hold(&self, seen: &mut Entity) {
        let id = seen.id;
        let others = || self.entities.values().filter(move |other| other.id != id);
        seen.usernames.retain(|name| !others().any(|other| holds_username(other, name)));
        seen.phone.take_if(|phone| others().any(|other| holds_phone(other, phone)));
    }

    fn take_from_others(&mut self, new: &Entity) {
        for other in self.entities.values_mut().filter(|other| other.id != new.id) {
            for name in &new.usernames {
                let taken = fold_username(name);
                other.usernames.retain(|name| fold_username(name) != taken);
            }
            if new.phone.as_deref().is_some_and(|phone| holds_phone(other, phone)) {
                other.phone = None;
            }
        }
    }
}

fn holds_username(entity: &Entity, username: &str) -> bool {
    let folded = fold_username(username);
    entity.usernames.iter().any(|name| fold_username(name) == folded)
}

fn holds_phone(entity: &Entity, phone: &str) -> bool {
    let folded = fold_phone(phone);
    folded.is_some() && entity.phone.as_deref().and_then(fold_phone) == folded
}

impl Session for MemorySession {
    fn name(&self) -> Result<String> {
        Ok(self.name.clone())
    }

    fn list_sessions(&self) -> Result<Vec<String>> {
        Ok(vec![self.name.clone()])
    }

    fn login(&self) -> Result<Login> {
        Ok(self.content().login.clone())
    }

    fn set_login(&self, login: &Login) -> Result<()> {
        self.content().login = login.clone();
        Ok(())
    }

    fn dc(&self, id: DcId) -> Result<Option<DcOption>> {
        Ok(self.content().dcs.get(&id).cloned())
    }

    fn dcs(&self) -> Result<Vec<DcOption>> {
        Ok(self.content().dcs.values().cloned().collect())
    }

    fn set_dc(&self, dc: &DcOption) -> Result<()> {
        self.content().dcs.insert(dc.id, dc.clone());
        Ok(())
    }

    fn remove_dc(&self, id: DcId) -> Result<()> {
        self.content().dcs.remove(&id);
        Ok(())
    }

    fn update_state(&self) -> Result<Option<UpdateState>> {
        Ok(self.content().update_state)
    }

    fn set_update_state(&self, state: Option<UpdateState>) -> Result<()> {
        self.content().update_state = state;
        Ok(())
    }

    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>> {
        Ok(self.content().channel_states.get(&id).copied())
    }

    fn channel_states(&self) -> Result<Vec<ChannelState>> {
        Ok(self.content().channel_states.values().copied().collect())
    }

    fn set_channel_states(&self, states: &[ChannelState]) -> Result<()> {
        self.content().channel_states.extend(states.iter().map(|state| (state.id, *state)));
        Ok(())
    }

    fn remove_channel_state(&self, id: PeerId) -> Result<()> {
        self.content().channel_states.remove(&id);
        Ok(())
    }

    fn process_entities(&self, entities: &[Entity]) -> Result<usize> {
        let mut content = self.content();
        if content.entities_off {
            return Ok(0);
        }
        Ok(entities.iter().filter(|entity| content.see(entity)).count())
    }

    fn entity(&self, id: PeerId) -> Result<Option<Entity>> {
        Ok(self.content().entities.get(&id).cloned())
    }

    fn entity_by_username(&self, username: &str) -> Result<Option<Entity>> {
        Ok(self.entity_where(|entity| holds_username(entity, username)))
    }

    fn entity_by_phone(&self, phone: &str) -> Result<Option<Entity>> {
        Ok(self.entity_where(|entity| holds_phone(entity, phone)))
    }

    fn entity_by_name(&self, name: &str) -> Result<Option<Entity>> {
        Ok(self.entity_where(|entity| entity.name.as_deref() == Some(name)))
    }

    fn entities(&self, after: Option<PeerId>, limit: usize) -> Result<Vec<Entity>> {
        let behind = |id: &PeerId| after.is_none_or(|after| *id > after);
        let content = self.content();
        let rows = content.entities.iter().filter(|(id, _)| behind(id));
        Ok(rows.take(limit).map(|(_, entity)| entity.clone()).collect())
    }

    fn entity_count(&self) -> Result<u64> {
        Ok(self.content().entities.len() as u64)
    }

    fn remove_entity(&self, id: PeerId) -> Result<()> {
        self.content().entities.remove(&id);
        Ok(())
    }

    fn set_save_entities(&self, save: bool) -> Result<()> {
        self.content().entities_off = !save;
        Ok(())
    }

    fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>> {
        Ok(self.content().sent_files.get(&key).copied())
    }

    fn sent_files(&self) -> Result<Vec<SentFile>> {
        Ok(self.content().sent_files.values().copied().collect())
    }

    fn save_sent_file(&self, file: &SentFile) -> Result<()> {
        self.content().sent_files.insert(file.key, *file);
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn delete(&self) -> Result<()> {
        *self.content() = Content::default();
        Ok(())
    }
}
