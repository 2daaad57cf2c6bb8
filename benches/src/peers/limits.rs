//! Limits that can hardly be beaten: `HashMap`s in memory; one write of 4 KiB and an `fdatasync`;
//! an
//! `open` and a `pread`. It survives nothing and is no store.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use tgsession::{AuthKey, Entity, PeerId, UpdateState};

use super::plain::{decode_state, encode, encode_state};
use super::{Kind, Peer};

pub(super) const KIND: Kind = Kind {
    name: "limits",
    title: "limit: HashMap; 4 KiB + fdatasync; pread",
    create,
    open: |folder| Box::new(Limits::at(folder.join("page"))),
    volatile: true,
};

#[derive(Default)]
struct Maps {
    entities: HashMap<PeerId, Entity>,
    usernames: HashMap<String, PeerId>,
    phones: HashMap<String, PeerId>,
    state: [u8; 20],
}

/// One page on the disk, all else in memory.
struct Limits {
    file: Arc<File>,
    path: PathBuf,
    maps: Arc<RwLock<Maps>>,
}

fn create(folder: &Path, key: &AuthKey) -> Box<dyn Peer> {
    let path = folder.join("page");
    File::create_new(&path).unwrap().write_all_at(key.as_bytes(), 0).unwrap();
    let made = Limits::at(path);
    made.sync();
    Box::new(made)
}

impl Limits {
    fn at(path: PathBuf) -> Self {
        let file = File::options().read(true).write(true).open(&path).unwrap();
        Self { file: Arc::new(file), path, maps: Arc::default() }
    }

    fn sync(&self) {
        self.file.write_all_at(&[7; 4096], 4096).unwrap();
        self.file.sync_data().unwrap();
    }
}

impl Peer for Limits {
    fn auth_key(&self) -> AuthKey {
        let mut key = [0; AuthKey::LEN];
        self.file.read_exact_at(&mut key, 0).unwrap();
        AuthKey::new(&key)
    }

    fn by_id(&self, id: PeerId) -> Option<Entity> {
        self.maps.read().unwrap().entities.get(&id).cloned()
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        let maps = self.maps.read().unwrap();
        maps.entities.get(maps.usernames.get(username)?).cloned()
    }

    fn by_phone(&self, phone: &str) -> Option<Entity> {
        let maps = self.maps.read().unwrap();
        maps.entities.get(maps.phones.get(phone)?).cloned()
    }

    fn state(&self) -> UpdateState {
        decode_state(&self.maps.read().unwrap().state)
    }

    fn see(&self, seen: &[Entity]) {
        let mut maps = self.maps.write().unwrap();
        let mut changed = false;
        for entity in seen {
            if maps.entities.get(&entity.id) != Some(entity) {
                maps.take_in(entity.clone());
                changed = true;
            }
        }
        drop(maps);
        if changed {
            self.sync();
        }
    }

    fn set_state(&self, state: UpdateState) {
        self.note_state(state);
        self.sync();
    }

    fn note_state(&self, state: UpdateState) -> bool {
        self.maps.write().unwrap().state = encode_state(state);
        true
    }

    fn load(&mut self, entities: Vec<Entity>) {
        let mut maps = self.maps.write().unwrap();
        entities.into_iter().for_each(|entity| maps.take_in(entity));
    }

    fn another(&self) -> Box<dyn Peer> {
        let (file, maps) = (Arc::clone(&self.file), Arc::clone(&self.maps));
        Box::new(Self { file, path: self.path.clone(), maps })
    }

    fn payload(&self) -> Option<u64> {
        let maps = self.maps.read().unwrap();
        Some(maps.entities.values().map(|entity| 8 + encode(entity).len() as u64).sum())
    }
}

impl Maps {
    fn take_in(&mut self, entity: Entity) {
        let old = self.entities.get(&entity.id);
        for name in old.iter().flat_map(|old| &old.usernames) {
            self.usernames.remove(name);
        }
        for name in &entity.usernames {
            self.usernames.insert(name.clone(), entity.id);
        }
        for phone in entity.phone.iter() {
            self.phones.insert(phone.clone(), entity.id);
        }
        self.entities.insert(entity.id, entity);
    }
}
