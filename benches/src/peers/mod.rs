//! The peers: one small trait, one file each.

#[cfg(feature = "peers")]
mod fjall;
#[cfg(feature = "peers")]
mod limits;
#[cfg(feature = "peers")]
mod lmdb;
#[cfg(feature = "peers")]
mod ours;
#[cfg(feature = "peers")]
mod plain;
#[cfg(feature = "peers")]
mod redb_plain;
#[cfg(feature = "peers")]
mod sqlite;

use std::path::Path;

use tgsession::{AuthKey, Entity, PeerId, UpdateState};

/// A session store with one account in it, as a client holds it.
///
/// When a durable call returns, its data is synced to the disk.
pub trait Peer: Send {
    /// The key of the account's DC, read anew.
    fn auth_key(&self) -> AuthKey;

    /// The entity of this id.
    fn by_id(&self, id: PeerId) -> Option<Entity>;

    /// The entity with this username.
    fn by_username(&self, username: &str) -> Option<Entity>;

    /// The entity with this phone.
    fn by_phone(&self, phone: &str) -> Option<Entity>;

    /// Where the updates stand.
    fn state(&self) -> UpdateState;

    /// Stores entities just seen, durably.
    fn see(&self, seen: &[Entity]);

    /// Saves where the updates stand, durably.
    fn set_state(&self, state: UpdateState);

    /// Saves where the updates stand, to be durable later; false where that is not offered.
    fn note_state(&self, state: UpdateState) -> bool;

    /// Fills the empty store, durably. They come in the order of their ids.
    fn load(&mut self, entities: Vec<Entity>);

    /// Another handle to the same store, for another thread.
    fn another(&self) -> Box<dyn Peer>;

    /// Whether it keeps the id and the access hash of an entity, and nothing else.
    fn keeps_hashes_only(&self) -> bool {
        false
    }

    /// The entity that it returns for a stored one.
    fn kept(&self, given: &Entity) -> Entity {
        if !self.keeps_hashes_only() {
            return given.clone();
        }
        let mut kept = Entity::new(given.id);
        kept.access_hash = given.access_hash;
        kept
    }

    /// The size of the entities, if it differs from the size on the disk.
    fn payload(&self) -> Option<u64> {
        None
    }
}

/// How a peer is made and opened.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in the table.
    pub title: &'static str,
    /// Makes a store with a key in an empty folder.
    pub create: fn(&Path, &AuthKey) -> Box<dyn Peer>,
    /// Opens the store in the folder.
    pub open: fn(&Path) -> Box<dyn Peer>,
    /// Whether closing loses its content.
    pub volatile: bool,
}

/// Every peer of this crate: ours first, the limits last.
#[cfg(feature = "peers")]
pub const ALL: [Kind; 8] = [
    ours::KIND,
    sqlite::TELETHON,
    sqlite::WAL,
    redb_plain::KIND,
    lmdb::KIND,
    lmdb::APPENDED,
    fjall::KIND,
    limits::KIND,
];
