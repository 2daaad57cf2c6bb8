//! Telethon's own schema on SQLite: a rollback journal, no index but the primary keys, statements
//! run in one open transaction until the client saves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row};
use tgsession::{AccessHash, AuthKey, Entity, PeerId, UpdateState};

use super::{Kind, Peer};
use crate::telethon;

pub(super) const KIND: Kind = Kind {
    name: "telethon_sqlite",
    title: "Telethon's schema on SQLite",
    create,
    open,
    volatile: false,
};

struct Telethon {
    db: Connection,
    path: PathBuf,
}

fn create(folder: &Path, key: &AuthKey) -> Box<dyn Peer> {
    let path = path(folder);
    Box::new(Telethon { db: telethon::create(&path, key), path })
}

fn open(folder: &Path) -> Box<dyn Peer> {
    Box::new(Telethon::at(path(folder)))
}

fn path(folder: &Path) -> PathBuf {
    folder.join("anon.session")
}

impl Telethon {
    fn at(path: PathBuf) -> Self {
        let db = Connection::open(&path).unwrap();
        db.busy_timeout(Duration::from_secs(10)).unwrap();
        Self { db, path }
    }

    /// Python's sqlite3 begins a transaction before the first statement that writes.
    fn begin(&self) {
        if self.db.is_autocommit() {
            self.db.execute_batch("begin").unwrap();
        }
    }

    fn save(&self) {
        self.db.execute_batch("commit").unwrap();
    }
}

impl Peer for Telethon {
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
        self.begin();
        telethon::put_entities(&self.db, seen);
        self.save();
    }

    fn set_state(&self, state: UpdateState) {
        self.begin();
        telethon::put_state(&self.db, state);
        self.save();
    }

    fn note_state(&self, state: UpdateState) -> bool {
        self.begin();
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

pub(super) fn auth_key(db: &Connection) -> AuthKey {
    let mut read = db.prepare_cached("select auth_key from sessions").unwrap();
    let key: Vec<u8> = read.query_row([], |row| row.get(0)).unwrap();
    AuthKey::from_slice(&key).unwrap()
}

pub(super) fn state(db: &Connection) -> UpdateState {
    let sql = "select pts, qts, date, seq from update_state where id = 0";
    let mut read = db.prepare_cached(sql).unwrap();
    read.query_row([], |row| {
        Ok(UpdateState { pts: row.get(0)?, qts: row.get(1)?, date: row.get(2)?, seq: row.get(3)? })
    })
    .unwrap()
}

pub(super) fn find(db: &Connection, sql: &str, by: impl rusqlite::ToSql) -> Option<Entity> {
    let mut read = db.prepare_cached(sql).unwrap();
    read.query_row([by], entity).optional().unwrap()
}

fn entity(row: &Row<'_>) -> rusqlite::Result<Entity> {
    let mut entity = Entity::new(PeerId::from_marked(row.get(0)?).unwrap());
    entity.access_hash = Some(AccessHash(row.get(1)?));
    entity.usernames.extend(row.get::<_, Option<String>>(2)?);
    entity.phone = row.get::<_, Option<i64>>(3)?.map(|phone| phone.to_string());
    entity.name = row.get(4)?;
    entity.date = row.get(5)?;
    Ok(entity)
}
