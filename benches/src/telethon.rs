//! Telethon's file, schema version 7, as its own releases write it.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};
use tgsession::{AuthKey, Entity, UpdateState};

/// The tables, as Telethon makes them.
pub const SCHEMA: &str = "
    CREATE TABLE version (version integer primary key);
    CREATE TABLE sessions (
        dc_id integer primary key, server_address text, port integer, auth_key blob,
        takeout_id integer);
    CREATE TABLE entities (
        id integer primary key, hash integer not null, username text, phone integer, name text,
        date integer);
    CREATE TABLE sent_files (
        md5_digest blob, file_size integer, type integer, id integer, hash integer,
        primary key(md5_digest, file_size, type));
    CREATE TABLE update_state (
        id integer primary key, pts integer, qts integer, date integer, seq integer);";

/// The statement that stores an entity.
pub const PUT_ENTITY: &str = "insert or replace into entities values (?, ?, ?, ?, ?, ?)";

/// The statement that stores a state.
pub const PUT_STATE: &str = "insert or replace into update_state values (?, ?, ?, ?, ?)";

/// A new file with this key in it.
#[must_use]
pub fn create(path: &Path, key: &AuthKey) -> Connection {
    let db = Connection::open(path).unwrap();
    fill(&db, key);
    db
}

/// Makes the tables and the account in an empty database.
pub fn fill(db: &Connection, key: &AuthKey) {
    db.execute_batch(&format!("begin; {SCHEMA} insert into version values (7);")).unwrap();
    let server = "149.154.167.51";
    let put = "insert into sessions values (2, ?, 443, ?, null)";
    db.execute(put, params![server, key.as_bytes().as_slice()]).unwrap();
    db.execute_batch("commit").unwrap();
}

/// Stores entities within a transaction.
pub fn put_entities(db: &Connection, entities: &[Entity]) {
    let mut put = db.prepare_cached(PUT_ENTITY).unwrap();
    for entity in entities {
        let hash = entity.access_hash.map(|hash| hash.0);
        let username = entity.usernames.first();
        let values =
            params![entity.id.marked(), hash, username, entity.phone, entity.name, entity.date];
        put.execute(values).unwrap();
    }
}

/// Stores where the account's updates stand.
pub fn put_state(db: &Connection, state: UpdateState) {
    let mut put = db.prepare_cached(PUT_STATE).unwrap();
    put.execute(params![0, state.pts, state.qts, state.date, state.seq]).unwrap();
}

/// Stores what a client has sent.
pub fn put_files(write: &Transaction<'_>, count: u8) {
    let mut put = write.prepare("insert into sent_files values (?, ?, ?, ?, ?)").unwrap();
    for at in 0..count {
        put.execute(params![[at; 16].as_slice(), 1000 + i64::from(at), at % 2, 77, 88]).unwrap();
    }
}
