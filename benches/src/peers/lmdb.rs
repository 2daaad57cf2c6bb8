//! LMDB by way of heed: one environment, a transaction a call, synced at every commit.
//!
//! `lmdb_append` differs in the bulk load alone: its index rows are sorted first, and all rows are
//! put with `MDB_APPEND`, which is the fastest that LMDB offers.

use std::path::Path;

use heed::types::Bytes;
use heed::{Database, Env, EnvOpenOptions, PutFlags, RoTxn, RwTxn, WithoutTls};
use tgsession::{AuthKey, Entity, PeerId, UpdateState};

use super::plain::{decode, decode_state, encode, encode_state, key, owner, phone, username};
use super::{Kind, Peer};

pub(super) const KIND: Kind = Kind {
    name: "lmdb",
    title: "LMDB",
    create: |folder, key| create(folder, key, false),
    open: |folder| open(folder, false),
    volatile: false,
};

pub(super) const APPENDED: Kind = Kind {
    name: "lmdb_append",
    title: "LMDB, loaded by append",
    create: |folder, key| create(folder, key, true),
    open: |folder| open(folder, true),
    volatile: false,
};

/// Room for the file to grow into.
const MAP: usize = 4 << 30;

type Rows = Database<Bytes, Bytes>;

#[derive(Clone)]
struct Lmdb {
    env: Env<WithoutTls>,
    meta: Rows,
    entities: Rows,
    usernames: Rows,
    phones: Rows,
    append: bool,
}

fn environment(folder: &Path) -> Env<WithoutTls> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(MAP).max_dbs(4);
    // SAFETY: nobody but this process has the file, and it opens it once at a time.
    unsafe { options.open(folder) }.unwrap()
}

fn create(folder: &Path, key: &AuthKey, append: bool) -> Box<dyn Peer> {
    let env = environment(folder);
    let mut write = env.write_txn().unwrap();
    let [meta, entities, usernames, phones] = ["meta", "entities", "usernames", "phones"]
        .map(|name| env.create_database(&mut write, Some(name)).unwrap());
    write.commit().unwrap();
    let made = Lmdb { env, meta, entities, usernames, phones, append };
    made.put(b"auth_key", key.as_bytes());
    Box::new(made)
}

fn open(folder: &Path, append: bool) -> Box<dyn Peer> {
    let env = environment(folder);
    let read = env.read_txn().unwrap();
    let [meta, entities, usernames, phones] = ["meta", "entities", "usernames", "phones"]
        .map(|name| env.open_database(&read, Some(name)).unwrap().unwrap());
    // So the handles outlive the transaction.
    read.commit().unwrap();
    Box::new(Lmdb { env, meta, entities, usernames, phones, append })
}

impl Lmdb {
    fn put(&self, name: &[u8], value: &[u8]) {
        let mut write = self.env.write_txn().unwrap();
        self.meta.put(&mut write, name, value).unwrap();
        write.commit().unwrap();
    }

    fn read(&self) -> RoTxn<'_, WithoutTls> {
        self.env.read_txn().unwrap()
    }

    fn indexed(&self, index: Rows, text: &str) -> Option<Entity> {
        let read = self.read();
        let id = owner(index.get(&read, text.as_bytes()).unwrap()?);
        Some(decode(id, self.entities.get(&read, &key(id)).unwrap()?))
    }

    fn take_in(&self, write: &mut RwTxn<'_>, entity: &Entity) {
        let (at, new) = (key(entity.id), encode(entity));
        let old = self.entities.get(write, &at).unwrap().map(<[u8]>::to_vec);
        self.entities.put(write, &at, &new).unwrap();
        let old = old.as_deref();
        index(write, self.usernames, entity.id, old.map(username), username(&new));
        index(write, self.phones, entity.id, old.map(phone), phone(&new));
    }

    fn append(&self, entities: &[Entity]) {
        let mut write = self.env.write_txn().unwrap();
        let append = PutFlags::APPEND;
        for entity in entities {
            let (at, new) = (key(entity.id), encode(entity));
            self.entities.put_with_flags(&mut write, append, &at, &new).unwrap();
        }
        for (rows, mut texts) in [
            (self.usernames, texts(entities, |entity| entity.usernames.first())),
            (self.phones, texts(entities, |entity| entity.phone.as_ref())),
        ] {
            texts.sort_unstable();
            for (text, id) in texts {
                let id = id.marked().to_le_bytes();
                rows.put_with_flags(&mut write, append, text.as_bytes(), &id).unwrap();
            }
        }
        write.commit().unwrap();
    }
}

fn texts(entities: &[Entity], of: fn(&Entity) -> Option<&String>) -> Vec<(&str, PeerId)> {
    entities.iter().filter_map(|entity| Some((of(entity)?.as_str(), entity.id))).collect()
}

fn index(write: &mut RwTxn<'_>, rows: Rows, id: PeerId, old: Option<&[u8]>, new: &[u8]) {
    if let Some(old) = old.filter(|old| !old.is_empty() && *old != new) {
        rows.delete(write, old).unwrap();
    }
    if !new.is_empty() {
        rows.put(write, new, &id.marked().to_le_bytes()).unwrap();
    }
}

impl Peer for Lmdb {
    fn auth_key(&self) -> AuthKey {
        let read = self.read();
        AuthKey::from_slice(self.meta.get(&read, b"auth_key").unwrap().unwrap()).unwrap()
    }

    fn by_id(&self, id: PeerId) -> Option<Entity> {
        let read = self.read();
        Some(decode(id, self.entities.get(&read, &key(id)).unwrap()?))
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        self.indexed(self.usernames, username)
    }

    fn by_phone(&self, phone: &str) -> Option<Entity> {
        self.indexed(self.phones, phone)
    }

    fn state(&self) -> UpdateState {
        decode_state(self.meta.get(&self.read(), b"state").unwrap().unwrap())
    }

    fn see(&self, seen: &[Entity]) {
        let mut write = self.env.write_txn().unwrap();
        for entity in seen {
            self.take_in(&mut write, entity);
        }
        write.commit().unwrap();
    }

    fn set_state(&self, state: UpdateState) {
        self.put(b"state", &encode_state(state));
    }

    fn note_state(&self, _: UpdateState) -> bool {
        false
    }

    fn load(&mut self, entities: Vec<Entity>) {
        if self.append { self.append(&entities) } else { self.see(&entities) }
    }

    fn another(&self) -> Box<dyn Peer> {
        Box::new(self.clone())
    }
}
