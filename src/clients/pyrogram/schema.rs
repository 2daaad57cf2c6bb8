//! The tables of new files, letter for letter as the libraries' statements leave them in
//! `sqlite_schema`: Pyrogram 2.0.106, Pyrofork 2.3.69 and Kurigram 2.2.26.

use crate::sqlite::writer::Index;

pub(super) const SESSIONS: &str = "CREATE TABLE sessions
(
    dc_id     INTEGER PRIMARY KEY,
    api_id    INTEGER,
    test_mode INTEGER,
    auth_key  BLOB,
    date      INTEGER NOT NULL,
    user_id   INTEGER,
    is_bot    INTEGER
)";

pub(super) const SESSIONS_KURIGRAM: &str = "CREATE TABLE sessions
(
    dc_id          INTEGER PRIMARY KEY,
    server_address TEXT,
    port           INTEGER,
    api_id         INTEGER,
    test_mode      INTEGER,
    auth_key       BLOB,
    date           INTEGER NOT NULL,
    user_id        INTEGER,
    is_bot         INTEGER
)";

pub(super) const PEERS: &str = "CREATE TABLE peers
(
    id             INTEGER PRIMARY KEY,
    access_hash    INTEGER,
    type           INTEGER NOT NULL,
    username       TEXT,
    phone_number   TEXT,
    last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER))
)";

pub(super) const PEERS_KURIGRAM: &str = "CREATE TABLE peers
(
    id             INTEGER PRIMARY KEY,
    access_hash    INTEGER,
    type           INTEGER NOT NULL,
    phone_number   TEXT,
    last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER))
)";

pub(super) const USERNAMES_PYROFORK: &str = "CREATE TABLE usernames
(
    id             TEXT PRIMARY KEY,
    peer_id        INTEGER NOT NULL,
    last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER))
)";

pub(super) const USERNAMES_KURIGRAM: &str = "CREATE TABLE usernames
(
    id       INTEGER,
    username TEXT,
    FOREIGN KEY (id) REFERENCES peers(id)
)";

pub(super) const UPDATE_STATE: &str = "CREATE TABLE update_state
(
    id   INTEGER PRIMARY KEY,
    pts  INTEGER,
    qts  INTEGER,
    date INTEGER,
    seq  INTEGER
)";

pub(super) const VERSION: &str = "CREATE TABLE version
(
    number INTEGER PRIMARY KEY
)";

pub(super) const PEERS_TRIGGER: &str = "CREATE TRIGGER trg_peers_last_update_on
    AFTER UPDATE
    ON peers
BEGIN
    UPDATE peers
    SET last_update_on = CAST(STRFTIME('%s', 'now') AS INTEGER)
    WHERE id = NEW.id;
END";

pub(super) const USERNAMES_TRIGGER: &str = "CREATE TRIGGER trg_usernames_last_update_on
    AFTER UPDATE
    ON usernames
BEGIN
    UPDATE usernames
    SET last_update_on = CAST(STRFTIME('%s', 'now') AS INTEGER)
    WHERE id = NEW.id;
END";

/// Indexes: the statement of each, and the places of its columns.
type Indexes<const N: usize> = [(&'static str, &'static [usize]); N];

pub(super) const PEERS_INDEXES: Indexes<3> = [
    ("CREATE INDEX idx_peers_id ON peers (id)", &[0]),
    ("CREATE INDEX idx_peers_username ON peers (username)", &[3]),
    ("CREATE INDEX idx_peers_phone_number ON peers (phone_number)", &[4]),
];

pub(super) const PEERS_INDEXES_KURIGRAM: Indexes<2> = [
    ("CREATE INDEX idx_peers_id ON peers (id)", &[0]),
    ("CREATE INDEX idx_peers_phone_number ON peers (phone_number)", &[3]),
];

pub(super) const USERNAMES_INDEXES_KURIGRAM: Indexes<2> = [
    ("CREATE INDEX idx_usernames_id ON usernames (id)", &[0]),
    ("CREATE INDEX idx_usernames_username ON usernames (username)", &[1]),
];

/// The indexes as the writer takes them.
pub(super) fn indexes<const N: usize>(indexes: &Indexes<N>) -> [Index<'static>; N] {
    indexes.map(|(sql, columns)| Index::explicit(sql, columns))
}
