//! SQLite, set up in two ways: as Telethon has it, and as one would have it today.
//!
//! `telethon_sqlite` has a rollback journal, no index but the primary keys, and statements run in
//! one open transaction until the client saves. `sqlite_wal` has a write-ahead log, and indexes on
//! username and phone. Durable calls run with `synchronous=FULL` there, since a commit in a WAL
//! with `NORMAL` is not synced; buffered calls run with `NORMAL`.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row};
use tgsession::{AccessHash, AuthKey, Entity, PeerId, UpdateState};

use super::{Kind, Peer};
use crate::telethon;

pub(super) const TELETHON: Kind = Kind {
    name: "telethon_sqlite",
    title: "Telethon's schema on SQLite",
    create: |folder, key| Box::new(Sqlite::create(folder, key, Journal::Rollback)),
    open: |folder| Box::new(Sqlite::open(folder.join(FILE), Journal::Rollback)),
    volatile: false,
};

pub(super) const WAL: Kind = Kind {
    name: "sqlite_wal",
    title: "SQLite, WAL, indexes",
    create: |folder, key| Box::new(Sqlite::create(folder, key, Journal::WriteAhead)),
    open: |folder| Box::new(Sqlite::open(folder.join(FILE), Journal::WriteAhead)),
    volatile: false,
};

const FILE: &str = "anon.session";

const INDEXES: &str = "
    create index by_username on entities (username) where username is not null;
    create index by_phone on entities (phone) where phone is not null;";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Journal {
    Rollback,
    WriteAhead,
}

struct Sqlite {
    db: Connection,
    path: PathBuf,
    journal: Journal,
    synced: Cell<bool>,
}

impl Sqlite {
    fn create(folder: &Path, key: &AuthKey, journal: Journal) -> Self {
        let made = Self::open(folder.join(FILE), journal);
        telethon::fill(&made.db, key);
        if journal == Journal::WriteAhead {
            made.db.execute_batch(INDEXES).unwrap();
        }
        made
    }

    fn open(path: PathBuf, journal: Journal) -> Self {
        let db = Connection::open(&path).unwrap();
        db.busy_timeout(Duration::from_secs(10)).unwrap();
        if journal == Journal::WriteAhead {
            db.execute_batch("pragma journal_mode = wal; pragma synchronous = full;").unwrap();
        }
        Self { db, path, journal, synced: Cell::new(true) }
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

    /// Not within a transaction. With a rollback journal every commit is synced.
    fn sync(&self, full: bool) {
        if self.synced.replace(full) != full {
            let mode = if full { "full" } else { "normal" };
            self.db.execute_batch(&format!("pragma synchronous = {mode}")).unwrap();
        }
    }

    fn find(&self, sql: &str, by: impl rusqlite::ToSql) -> Option<Entity> {
        let mut read = self.db.prepare_cached(sql).unwrap();
        read.query_row([by], entity).optional().unwrap()
    }
}

impl Peer for Sqlite {
    fn auth_key(&self) -> AuthKey {
        let mut read = self.db.prepare_cached("select auth_key from sessions").unwrap();
        let key: Vec<u8> = read.query_row([], |row| row.get(0)).unwrap();
        AuthKey::from_slice(&key).unwrap()
    }

    fn by_id(&self, id: PeerId) -> Option<Entity> {
        self.find("select * from entities where id = ?", id.marked())
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        self.find("select * from entities where username = ?", username)
    }

    fn by_phone(&self, phone: &str) -> Option<Entity> {
        self.find("select * from entities where phone = ?", phone)
    }

    fn state(&self) -> UpdateState {
        let sql = "select pts, qts, date, seq from update_state where id = 0";
        let mut read = self.db.prepare_cached(sql).unwrap();
        let state = read.query_row([], |row| {
            let (pts, qts) = (row.get(0)?, row.get(1)?);
            Ok(UpdateState { pts, qts, date: row.get(2)?, seq: row.get(3)? })
        });
        state.unwrap()
    }

    fn see(&self, seen: &[Entity]) {
        self.sync(true);
        self.begin();
        telethon::put_entities(&self.db, seen);
        self.save();
    }

    fn set_state(&self, state: UpdateState) {
        self.sync(true);
        self.begin();
        telethon::put_state(&self.db, state);
        self.save();
    }

    fn note_state(&self, state: UpdateState) -> bool {
        match self.journal {
            Journal::Rollback => self.begin(),
            Journal::WriteAhead => self.sync(false),
        }
        telethon::put_state(&self.db, state);
        true
    }

    fn load(&mut self, entities: Vec<Entity>) {
        self.see(&entities);
    }

    fn another(&self) -> Box<dyn Peer> {
        Box::new(Self::open(self.path.clone(), self.journal))
    }
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
