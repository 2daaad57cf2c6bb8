//! redb as its own example uses it: typed tables, a transaction a call, every default.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, Durability, ReadableDatabase, Table, TableDefinition};
use tgsession::{AuthKey, Entity, PeerId, UpdateState};

use super::plain::{decode, decode_state, encode, encode_state, phone, username};
use super::{Kind, Peer};

pub(super) const KIND: Kind =
    Kind { name: "redb_plain", title: "redb, used plainly", create, open, volatile: false };

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const ENTITIES: TableDefinition<'_, i64, &[u8]> = TableDefinition::new("entities");
const USERNAMES: TableDefinition<'_, &[u8], i64> = TableDefinition::new("usernames");
const PHONES: TableDefinition<'_, &[u8], i64> = TableDefinition::new("phones");

#[derive(Clone)]
struct Plain(Arc<Database>);

fn create(folder: &Path, key: &AuthKey) -> Box<dyn Peer> {
    let made = Plain(Arc::new(Database::create(folder.join("plain.redb")).unwrap()));
    made.put("auth_key", key.as_bytes(), Durability::Immediate);
    made.see(&[]);
    Box::new(made)
}

fn open(folder: &Path) -> Box<dyn Peer> {
    Box::new(Plain(Arc::new(Database::open(folder.join("plain.redb")).unwrap())))
}

impl Plain {
    fn put(&self, name: &str, value: &[u8], durability: Durability) {
        let mut write = self.0.begin_write().unwrap();
        write.set_durability(durability).unwrap();
        write.open_table(META).unwrap().insert(name, value).unwrap();
        write.commit().unwrap();
    }

    fn meta<T>(&self, name: &str, read: impl FnOnce(&[u8]) -> T) -> T {
        let table = self.0.begin_read().unwrap().open_table(META).unwrap();
        let value = table.get(name).unwrap().unwrap();
        read(value.value())
    }

    fn indexed(&self, index: TableDefinition<'_, &[u8], i64>, text: &str) -> Option<Entity> {
        let read = self.0.begin_read().unwrap();
        let marked = read.open_table(index).unwrap().get(text.as_bytes()).unwrap()?.value();
        let record = read.open_table(ENTITIES).unwrap().get(marked).unwrap()?;
        Some(decode(PeerId::from_marked(marked).unwrap(), record.value()))
    }
}

impl Peer for Plain {
    fn auth_key(&self) -> AuthKey {
        self.meta("auth_key", |value| AuthKey::from_slice(value).unwrap())
    }

    fn by_id(&self, id: PeerId) -> Option<Entity> {
        let table = self.0.begin_read().unwrap().open_table(ENTITIES).unwrap();
        let record = table.get(id.marked()).unwrap()?;
        Some(decode(id, record.value()))
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        self.indexed(USERNAMES, username)
    }

    fn by_phone(&self, phone: &str) -> Option<Entity> {
        self.indexed(PHONES, phone)
    }

    fn state(&self) -> UpdateState {
        self.meta("state", decode_state)
    }

    fn see(&self, seen: &[Entity]) {
        let write = self.0.begin_write().unwrap();
        {
            let mut entities = write.open_table(ENTITIES).unwrap();
            let mut usernames = write.open_table(USERNAMES).unwrap();
            let mut phones = write.open_table(PHONES).unwrap();
            for entity in seen {
                let (marked, new) = (entity.id.marked(), encode(entity));
                let old = entities.insert(marked, new.as_slice()).unwrap();
                let old = old.map(|old| old.value().to_vec());
                index(&mut usernames, marked, old.as_deref().map(username), username(&new));
                index(&mut phones, marked, old.as_deref().map(phone), phone(&new));
            }
        }
        write.commit().unwrap();
    }

    fn set_state(&self, state: UpdateState) {
        self.put("state", &encode_state(state), Durability::Immediate);
    }

    fn note_state(&self, state: UpdateState) -> bool {
        self.put("state", &encode_state(state), Durability::None);
        true
    }

    fn load(&mut self, entities: Vec<Entity>) {
        self.see(&entities);
    }

    fn another(&self) -> Box<dyn Peer> {
        Box::new(self.clone())
    }
}

fn index(rows: &mut Table<'_, &[u8], i64>, marked: i64, old: Option<&[u8]>, new: &[u8]) {
    if let Some(old) = old.filter(|old| !old.is_empty() && *old != new) {
        rows.remove(old).unwrap();
    }
    if !new.is_empty() {
        rows.insert(new, marked).unwrap();
    }
}
