//! SQLite with a write-ahead log, and indexes on username and phone.
//!
//! Durable works run with `synchronous=FULL`, since a commit in a WAL with `NORMAL` is not synced;
//! what is noted for later runs with `NORMAL`.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use tgsession::{AuthKey, Entity, PeerId, UpdateState};

use super::telethon_sqlite::{auth_key, find, state};
use super::{Kind, Peer};
use crate::telethon;

pub(super) const KIND: Kind =
    Kind { name: "sqlite_wal", title: "SQLite, WAL, indexes", create, open, volatile: false };

struct Wal {
    db: Connection,
    path: PathBuf,
    synced: Cell<bool>,
}

fn create(folder: &Path, key: &AuthKey) -> Box<dyn Peer> {
    let made = Wal::at(path(folder));
    telethon::fill(&made.db, key);
    let indexes = "create index by_username on entities (username) where username is not null;
                   create index by_phone on entities (phone) where phone is not null;";
    made.db.execute_batch(indexes).unwrap();
    Box::new(made)
}

fn open(folder: &Path) -> Box<dyn Peer> {
    Box::new(Wal::at(path(folder)))
}

fn path(folder: &Path) -> PathBuf {
    folder.join("wal.db")
}

impl Wal {
    fn at(path: PathBuf) -> Self {
        let db = Connection::open(&path).unwrap();
        db.busy_timeout(Duration::from_secs(10)).unwrap();
        db.execute_batch("pragma journal_mode = wal; pragma synchronous = full;").unwrap();
        Self { db, path, synced: Cell::new(true) }
    }

    fn sync(&self, full: bool) {
        if self.synced.replace(full) != full {
            let mode = if full { "full" } else { "normal" };
            self.db.execute_batch(&format!("pragma synchronous = {mode}")).unwrap();
        }
    }
}

impl Peer for Wal {
    fn auth_key(&self) -> AuthKey {
        auth_key(&self.db)
    }

    fn by_id(&self, id: PeerId) -> Option<Entity> {
        find(&self.db, "select * from entities where id = ?", id.marked())
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        find(&self.db, "select * from entities where username = ?", username)
    }

    fn by_phone(&self, phone: &str) -> Option<Entity> {
        find(&self.db, "select * from entities where phone = ?", phone)
    }

    fn state(&self) -> UpdateState {
        state(&self.db)
    }

    fn see(&self, seen: &[Entity]) {
        self.sync(true);
        let write = self.db.unchecked_transaction().unwrap();
        telethon::put_entities(&write, seen);
        write.commit().unwrap();
    }

    fn set_state(&self, state: UpdateState) {
        self.sync(true);
        telethon::put_state(&self.db, state);
    }

    fn note_state(&self, state: UpdateState) -> bool {
        self.sync(false);
        telethon::put_state(&self.db, state);
        true
    }

    fn load(&mut self, entities: Vec<Entity>) {
        self.see(&entities);
    }

    fn another(&self) -> Box<dyn Peer> {
        Box::new(Self::at(self.path.clone()))
    }
}
