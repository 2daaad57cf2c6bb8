//! fjall, a log-structured store: four keyspaces, a batch a call.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use tgsession::{AuthKey, Entity, PeerId, UpdateState};

use super::plain::{decode, decode_state, encode, encode_state, key, owner, phone, username};
use super::{Kind, Peer};

pub(super) const KIND: Kind = Kind {
    name: "fjall",
    title: "fjall",
    create,
    open: |folder| Box::new(Fjall::at(folder)),
    volatile: false,
};

#[derive(Clone)]
struct Fjall {
    db: Database,
    meta: Keyspace,
    entities: Keyspace,
    usernames: Keyspace,
    phones: Keyspace,
}

fn create(folder: &Path, key: &AuthKey) -> Box<dyn Peer> {
    let made = Fjall::at(folder);
    made.meta.insert("auth_key", key.as_bytes()).unwrap();
    made.db.persist(PersistMode::SyncAll).unwrap();
    Box::new(made)
}

impl Fjall {
    fn at(folder: &Path) -> Self {
        let db = Database::builder(folder).open().unwrap();
        let [meta, entities, usernames, phones] = ["meta", "entities", "usernames", "phones"]
            .map(|name| db.keyspace(name, KeyspaceCreateOptions::default).unwrap());
        Self { db, meta, entities, usernames, phones }
    }

    fn indexed(&self, index: &Keyspace, text: &str) -> Option<Entity> {
        self.by_id(owner(&index.get(text).unwrap()?))
    }

    fn take_in(&self, batch: &mut OwnedWriteBatch, entity: &Entity) {
        let (at, new) = (key(entity.id), encode(entity));
        let old = self.entities.get(at).unwrap();
        let old = old.as_deref();
        index(batch, &self.usernames, entity.id, old.map(username), username(&new));
        index(batch, &self.phones, entity.id, old.map(phone), phone(&new));
        batch.insert(&self.entities, at, new);
    }
}

fn index(batch: &mut OwnedWriteBatch, rows: &Keyspace, id: PeerId, old: Option<&[u8]>, new: &[u8]) {
    if let Some(old) = old.filter(|old| !old.is_empty() && *old != new) {
        batch.remove(rows, old);
    }
    if !new.is_empty() {
        batch.insert(rows, new, id.marked().to_le_bytes());
    }
}

impl Peer for Fjall {
    fn auth_key(&self) -> AuthKey {
        AuthKey::from_slice(&self.meta.get("auth_key").unwrap().unwrap()).unwrap()
    }

    fn by_id(&self, id: PeerId) -> Option<Entity> {
        Some(decode(id, &self.entities.get(key(id)).unwrap()?))
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        self.indexed(&self.usernames, username)
    }

    fn by_phone(&self, phone: &str) -> Option<Entity> {
        self.indexed(&self.phones, phone)
    }

    fn state(&self) -> UpdateState {
        decode_state(&self.meta.get("state").unwrap().unwrap())
    }

    fn see(&self, seen: &[Entity]) {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for entity in seen {
            self.take_in(&mut batch, entity);
        }
        batch.commit().unwrap();
    }

    fn set_state(&self, state: UpdateState) {
        self.note_state(state);
        self.db.persist(PersistMode::SyncData).unwrap();
    }

    fn note_state(&self, state: UpdateState) -> bool {
        self.meta.insert("state", encode_state(state)).unwrap();
        true
    }

    fn load(&mut self, entities: Vec<Entity>) {
        for entity in entities {
            let (marked, new) = (entity.id.marked().to_le_bytes(), encode(&entity));
            for name in &entity.usernames {
                self.usernames.insert(name.as_str(), marked).unwrap();
            }
            for phone in entity.phone.iter() {
                self.phones.insert(phone.as_str(), marked).unwrap();
            }
            self.entities.insert(key(entity.id), new).unwrap();
        }
        self.db.persist(PersistMode::SyncAll).unwrap();
    }

    fn another(&self) -> Box<dyn Peer> {
        Box::new(self.clone())
    }
}
