//! What encryption costs: a plain store, an encrypted store and SQLCipher do the same work in turns.
//!
//! Every figure is the median of the turns. SQLCipher has its defaults with a raw key, a write-ahead
//! log with `synchronous = full`, and indexes on username and phone.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use tgsession::{
    AccessHash, Account, AuthKey, DcId, DcOption, Entity, ImportSession, PeerId, Session, Store,
    StoreKey, StoreOptions, StoreSession,
};
use tgsession_benches::clock::{median, timed};
use tgsession_benches::people::{Dice, World, auth_key, state};

const KEY: [u8; 32] = [0x42; 32];

/// The figures of a peer, in the order of [`WORKS`].
const WORKS: [&str; 8] = [
    "import, us an entity",
    "bytes an entity",
    "open and read the key, us",
    "the same after 400 durable writes, us",
    "by id, cold, us",
    "by id, warm, us",
    "by username, warm, us",
    "state, durable, us",
];

/// An open store of one account.
trait Peer {
    fn by_id(&self, id: PeerId) -> Option<Entity>;
    fn by_username(&self, username: &str) -> Option<Entity>;
    fn auth_key(&self) -> Vec<u8>;
    fn set_state(&self, pts: i32);
}

/// How a peer is made and opened.
struct Kind {
    name: &'static str,
    import: fn(&Path, &[Entity]),
    open: fn(&Path) -> Box<dyn Peer>,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "plain",
        import: |path, all| import(Store::options(), path, all),
        open: |path| Box::new(Ours::open(&Store::options(), path)),
    },
    Kind {
        name: "encrypted",
        import: |path, all| import(encrypted(), path, all),
        open: |path| Box::new(Ours::open(&encrypted(), path)),
    },
    Kind { name: "SQLCipher", import: fill, open: |path| Box::new(Cipher::open(path)) },
];

fn encrypted() -> StoreOptions {
    Store::options().key(&StoreKey::raw(KEY))
}

struct Ours {
    session: StoreSession,
    _store: Store,
}

impl Ours {
    fn open(options: &StoreOptions, path: &Path) -> Self {
        let store = options.open(path).unwrap();
        Self { session: store.open_session("a").unwrap(), _store: store }
    }
}

fn import(options: StoreOptions, path: &Path, entities: &[Entity]) {
    let dcs = vec![DcOption::new(DcId(2)).with_key(auth_key())];
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(2));
    account.dcs = dcs;
    let entities = entities.iter().cloned().map(Ok);
    let fill = |store: &Store| store.import("a", ImportSession::new(&account, entities));
    options.create_with(path, fill).unwrap();
}

impl Peer for Ours {
    fn by_id(&self, id: PeerId) -> Option<Entity> {
        self.session.entity(id).unwrap()
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        self.session.entity_by_username(username).unwrap()
    }

    fn auth_key(&self) -> Vec<u8> {
        self.session.auth_key().unwrap().unwrap().as_bytes().to_vec()
    }

    fn set_state(&self, pts: i32) {
        self.session.set_update_state(Some(state(pts))).unwrap();
        self.session.flush().unwrap();
    }
}

struct Cipher(Connection);

const SCHEMA: &str = "
    create table sessions (auth_key blob);
    create table entities (id integer primary key, hash integer, username text, phone integer,
        name text, date integer);
    create table update_state (id integer primary key, pts integer, qts integer, date integer,
        seq integer);
    create index by_username on entities (username) where username is not null;
    create index by_phone on entities (phone) where phone is not null;";

fn connect(path: &Path) -> Connection {
    let db = Connection::open(path).unwrap();
    let key: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    db.execute_batch(&format!("pragma key = \"x'{key}'\";")).unwrap();
    db.execute_batch("pragma journal_mode = wal; pragma synchronous = full;").unwrap();
    db
}

fn fill(path: &Path, entities: &[Entity]) {
    let mut db = connect(path);
    let filling = db.transaction().unwrap();
    filling.execute_batch(SCHEMA).unwrap();
    let key: &AuthKey = &auth_key();
    filling.execute("insert into sessions values (?)", [key.as_bytes().as_slice()]).unwrap();
    {
        let sql = "insert into entities values (?, ?, ?, ?, ?, ?)";
        let mut put = filling.prepare(sql).unwrap();
        for entity in entities {
            let hash = entity.access_hash.map_or(0, |hash| hash.0);
            let phone: Option<i64> = entity.phone.as_ref().map(|phone| phone.parse().unwrap());
            let (username, name) = (entity.usernames.first(), &entity.name);
            put.execute((entity.id.marked(), hash, username, phone, name, entity.date)).unwrap();
        }
    }
    filling.commit().unwrap();
}

impl Cipher {
    fn open(path: &Path) -> Self {
        Self(connect(path))
    }

    fn find(&self, sql: &str, by: impl rusqlite::ToSql) -> Option<Entity> {
        let mut read = self.0.prepare_cached(sql).unwrap();
        let found = read.query_row([by], |row| {
            let mut entity = Entity::new(PeerId::from_marked(row.get(0)?).unwrap());
            entity.access_hash = Some(AccessHash(row.get(1)?));
            entity.usernames.extend(row.get::<_, Option<String>>(2)?);
            entity.phone = row.get::<_, Option<i64>>(3)?.map(|phone| phone.to_string());
            entity.name = row.get(4)?;
            entity.date = row.get(5)?;
            Ok(entity)
        });
        found.optional().unwrap()
    }
}

impl Peer for Cipher {
    fn by_id(&self, id: PeerId) -> Option<Entity> {
        self.find("select * from entities where id = ?", id.marked())
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        self.find("select * from entities where username = ?", username)
    }

    fn auth_key(&self) -> Vec<u8> {
        self.0.query_row("select auth_key from sessions", [], |row| row.get(0)).unwrap()
    }

    fn set_state(&self, pts: i32) {
        let state = state(pts);
        let sql = "insert or replace into update_state values (0, ?, ?, ?, ?)";
        let mut put = self.0.prepare_cached(sql).unwrap();
        put.execute((state.pts, state.qts, state.date, state.seq)).unwrap();
    }
}

/// Opens and reads the key. Closing is not timed.
fn open(kind: &Kind, path: &Path) -> f64 {
    let opens = (0..20).map(|_| {
        let (took, (peer, key)) = timed(|| {
            let peer = (kind.open)(path);
            let key = peer.auth_key();
            (peer, key)
        });
        assert_eq!(key, auth_key().as_bytes());
        drop(peer);
        took
    });
    median(opens.collect())
}

/// One turn of a peer: every figure but those of the import and of opening.
fn turn(kind: &Kind, path: &Path, world: World, round: usize) -> [f64; 4] {
    let mut dice = Dice::new(round as u64);
    // A handle that has read nothing yet; the system's page cache is warm.
    let cold: Vec<f64> = (0..10)
        .map(|_| {
            let peer = (kind.open)(path);
            peer.auth_key();
            let at = dice.below(world.count());
            let (cold, found) = timed(|| peer.by_id(world.id(at)));
            assert_eq!(found, Some(world.entity(at)));
            cold
        })
        .collect();
    let peer = (kind.open)(path);
    let count = 10_000;
    let ids: Vec<PeerId> = (0..count).map(|_| world.id(dice.below(world.count()))).collect();
    let names: Vec<String> = (0..2 * count)
        .filter_map(|_| world.username(dice.below(world.count())))
        .take(count)
        .collect();
    // Every unit is decrypted, or every page in the cache, as far as the cache goes.
    ids.iter().for_each(|id| assert!(peer.by_id(*id).is_some()));
    let (id, _) = timed(|| ids.iter().for_each(|id| assert!(peer.by_id(*id).is_some())));
    names.iter().for_each(|name| assert!(peer.by_username(name).is_some()));
    let (username, _) =
        timed(|| names.iter().for_each(|name| assert!(peer.by_username(name).is_some())));
    let (durable, _) = timed(|| (0..50).for_each(|pts| peer.set_state(pts + round as i32 * 100)));
    [median(cold), id / ids.len() as f64, username / names.len() as f64, durable / 50.0]
}

fn main() {
    let sizes: Vec<u64> = std::env::args().skip(1).map(|size| size.parse().unwrap()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 100_000, 1_000_000] } else { sizes };
    for size in sizes {
        let world = World::new(size);
        let entities = world.sorted();
        let folder = tempfile::SegmentBuilder::new().prefix(".bench-").tempdir_in(".").unwrap();
        let mut figures: Vec<Vec<f64>> = Vec::new();
        let mut paths: Vec<PathBuf> = Vec::new();
        let imports = if size > 500_000 { 3 } else { 5 };
        for kind in &KINDS {
            figures.push(Vec::new());
            paths.push(folder.path().join(format!("{}-0.tgsession", kind.name)));
        }
        let mut took = vec![Vec::new(); KINDS.len()];
        for round in 0..imports {
            for (at, kind) in KINDS.iter().enumerate() {
                let path = folder.path().join(format!("{}-{round}.tgsession", kind.name));
                took[at].push(timed(|| (kind.import)(&path, &entities)).0 / size as f64);
                if round > 0 {
                    std::fs::remove_file(&path).unwrap();
                }
            }
        }
        for (at, path) in paths.iter().enumerate() {
            let bytes = std::fs::metadata(path).unwrap().len();
            figures[at].extend([median(took[at].clone()), bytes as f64 / size as f64]);
        }
        let opened: Vec<[f64; 9]> = KINDS
            .iter()
            .zip(&paths)
            .map(|(kind, path)| std::array::from_fn(|_| open(kind, path)))
            .collect();
        let mut turns = vec![vec![Vec::new(); 4]; KINDS.len()];
        for round in 0..9 {
            for (at, kind) in KINDS.iter().enumerate() {
                for (work, figure) in turn(kind, &paths[at], world, round).into_iter().enumerate() {
                    turns[at][work].push(figure);
                }
            }
        }
        for (at, of_peer) in turns.into_iter().enumerate() {
            let later = (0..9).map(|_| open(&KINDS[at], &paths[at]));
            figures[at].extend([median(opened[at].to_vec()), median(later.collect())]);
            figures[at].extend(of_peer.into_iter().map(median));
        }
        show(size, &figures);
    }
}

fn show(size: u64, figures: &[Vec<f64>]) {
    println!("\n### {size} entities\n");
    println!("| | plain | encrypted | SQLCipher | encrypted / plain | encrypted / SQLCipher |");
    println!("|---|---|---|---|---|---|");
    for (work, name) in WORKS.iter().enumerate() {
        let of = |peer: usize| figures[peer][work];
        let (plain, ours, theirs) = (of(0), of(1), of(2));
        let (price, gain) = (ours / plain, ours / theirs);
        println!("| {name} | {plain:.2} | {ours:.2} | {theirs:.2} | {price:.2} | {gain:.2} |");
    }
}
