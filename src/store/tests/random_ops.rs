//! A random run of a store, decided by a seed, and the model that says what it must hold.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
#[cfg(test)]
use std::time::Instant;

use super::sim_disk::{Random, SimDisk};
use crate::cipher::Cipher;
use crate::engine::{self, Engine};
use crate::error::{Error, Result};
use crate::file::{Access, Disk, FileSeal, KeySlots};
use crate::session::Session;
use crate::store::{ImportSession, ReadView, Store, StoreOptions};
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Entity, Login, PeerId, UpdateState,
};

pub(super) const FILE_ID: [u8; 16] = *b"0123456789abcdef";

/// The master key of the encrypted stores here.
pub(super) const MASTER: [u8; 32] = [0x5a; 32];

/// The place of the cipher in the identity.
const CIPHER_AT: u64 = 24;

/// The seal of the store on a disk, whatever is damaged on it.
pub(super) fn seal_of(disk: &dyn Disk) -> FileSeal {
    let mut cipher = [0; 4];
    let read = disk.read(CIPHER_AT, &mut cipher);
    seal(read.is_ok() && cipher != [0; 4])
}

fn seal(is_encrypted: bool) -> FileSeal {
    match Cipher::new(&MASTER) {
        Some(cipher) if is_encrypted => FileSeal::encrypted(FILE_ID, Arc::new(cipher)),
        _ => FileSeal::plain(FILE_ID),
    }
}

/// Everything that a store holds, as text: session, row, content.
pub(super) type State = BTreeMap<(String, String), String>;

/// Opens the store on a disk as the tool would: without a thread of its own, so that the same seed
/// gives the same calls.
pub(super) fn open(disk: SimDisk, access: Access, buffer: usize) -> Result<Store> {
    let options = StoreOptions { thread: false, buffer_size: buffer, ..StoreOptions::default() };
    let options = options.flush_interval(Duration::from_secs(3600));
    let seal = disk.aside(|| seal_of(&disk));
    open_with(Arc::new(disk), &seal, access, options)
}

pub(super) fn open_with(
    disk: Arc<dyn Disk>,
    seal: &FileSeal,
    access: Access,
    options: StoreOptions,
) -> Result<Store> {
    let engine = Engine::open(Path::new("sim"), disk, seal.clone(), access, options.engine())?;
    Ok(Store::on(engine, None, &options))
}

/// Opens the store on a disk for writing.
#[cfg(test)]
pub(super) fn open_writer(sim: &SimDisk, options: StoreOptions) -> Store {
    open_with(Arc::new(sim.handle()), &seal_of(sim), Access::Write, options).unwrap()
}

/// Waits until `is_met` returns true, for ten seconds at most. Returns whether it did.
#[cfg(test)]
pub(super) fn becomes_true(mut is_met: impl FnMut() -> bool) -> bool {
    let (start, mut pause) = (Instant::now(), Duration::from_micros(100));
    while start.elapsed() < Duration::from_secs(10) {
        if is_met() {
            return true;
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(10));
    }
    false
}

/// The bytes of another encrypted store with the same master key, as a backup has it, after these
/// operations.
#[cfg(all(test, feature = "encryption"))]
pub(super) fn with_another_file_id(ops: impl FnOnce(&Store)) -> Vec<u8> {
    let cipher = Arc::new(Cipher::new(&MASTER).unwrap());
    let seal = FileSeal::encrypted(*b"another file id.", cipher);
    let disk = SimDisk::new(Vec::new());
    let created = engine::create(&disk, &seal, &KeySlots::default());
    created.map_err(|fault| fault.at(Path::new("sim"))).unwrap();
    let options = StoreOptions { thread: false, ..StoreOptions::default() };
    let store = open_with(Arc::new(disk.handle()), &seal, Access::Write, options).unwrap();
    ops(&store);
    store.engine.flush().unwrap();
    disk.killed()
}

/// The bytes of a new store.
pub(super) fn new_store() -> Vec<u8> {
    new_store_with(false)
}

/// The bytes of a new store, which may be encrypted.
pub(super) fn new_store_with(is_encrypted: bool) -> Vec<u8> {
    let disk = SimDisk::new(Vec::new());
    create(&disk, is_encrypted).unwrap();
    disk.killed()
}

/// Makes a store on an empty disk.
pub(super) fn create(disk: &SimDisk, is_encrypted: bool) -> Result<()> {
    let created = engine::create(disk, &seal(is_encrypted), &KeySlots::default());
    created.map_err(|fault| fault.at(Path::new("sim")))
}

/// Everything that a store holds, all of one moment.
pub(super) fn state_of(store: &Store) -> Result<State> {
    state_in(&store.read_view()?)
}

/// Everything that a view shows.
pub(super) fn state_in(view: &ReadView) -> Result<State> {
    let mut state = State::new();
    for name in view.list()? {
        let session = view.session(&name)?;
        let mut put = |row: String, content: String| state.insert((name.clone(), row), content);
        put("login".into(), format!("{:?}", session.login()?));
        for dc in session.dcs()? {
            let key = dc.auth_key.as_ref().map(|key| key.as_bytes().to_vec());
            put(format!("dc {}", dc.id), format!("{:?}", key.map(|key| key[0])));
        }
        put("state".into(), format!("{:?}", session.update_state()?));
        for channel in session.channel_states()? {
            put(format!("channel {}", channel.id), channel.pts.to_string());
        }
        for entity in session.entities(None, usize::MAX)? {
            assert_eq!(session.entity(entity.id)?.as_ref(), Some(&entity));
            for username in &entity.usernames {
                let found = session.entity_by_username(username)?;
                assert_eq!(found.as_ref(), Some(&entity), "by {username}");
            }
            put(format!("entity {}", entity.id), format!("{entity:?}"));
        }
    }
    Ok(state)
}

/// One operation of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Makes the session if it is not there.
    Session(usize),
    /// Durable: the home DC and its key together.
    LogIn(usize, u8),
    /// Buffered.
    State(usize, i32),
    /// Buffered.
    See(usize, i64, usize),
    Forget(usize, i64),
    Flush,
    Import(usize, i64, usize),
    Remove(usize),
    Compact,
    Scrub,
    /// Closes and opens.
    Reopen,
    /// Another handle reads, and is kept for a while.
    Read,
    /// Segments are merged, and this operation is done meanwhile if the merge takes long enough, else
    /// after it. No compaction, which waits for the merge.
    Merge(Box<Self>),
}

const SESSIONS: [&str; 3] = ["a", "b", "c"];

impl Op {
    pub(super) fn random(random: &mut Random) -> Self {
        let session = random.below(SESSIONS.len());
        let number = random.below(1_000) as i64 + 1;
        match random.below(31) {
            29.. => Self::Merge(Box::new(Self::beside_merge(random))),
            0..2 => Self::Session(session),
            2..7 => Self::LogIn(session, number as u8),
            7..12 => Self::State(session, number as i32),
            12..17 => Self::See(session, number % 60 + 1, random.below(12) + 1),
            17 => Self::See(session, number, 60),
            18 => Self::Forget(session, number % 60 + 1),
            19..21 => Self::Flush,
            21 => Self::Import(session, number, random.below(80)),
            22 => Self::Remove(session),
            23 => Self::Compact,
            24 => Self::Reopen,
            25 => Self::Scrub,
            _ => Self::Read,
        }
    }
}

impl Op {
    fn beside_merge(random: &mut Random) -> Self {
        let session = random.below(SESSIONS.len());
        let number = random.below(1_000) as i64 + 1;
        match random.below(9) {
            0 => Self::LogIn(session, number as u8),
            1 => Self::State(session, number as i32),
            2 => Self::See(session, number % 60 + 1, random.below(12) + 1),
            3 | 4 => Self::See(session, number, 60),
            5 => Self::Forget(session, number % 60 + 1),
            6 => Self::Flush,
            7 => Self::Import(session, number, random.below(80)),
            _ => Self::Remove(session),
        }
    }

    /// The operation that changes what the store holds.
    fn change(&self) -> &Self {
        if let Self::Merge(beside) = self { beside } else { self }
    }

    /// Whether it is a login, which waits for nothing if it changes nothing.
    pub(super) fn logs_in(&self) -> bool {
        matches!(self.change(), Self::LogIn(..))
    }
}

/// How many merges succeeded during which an operation was done.
pub(super) static MERGED: AtomicUsize = AtomicUsize::new(0);

/// A merge that fails costs nothing, so its error is dropped. The flusher only logs it.
fn merge_beside(store: &Store, op: &Op) -> Result<bool> {
    let done = RefCell::new(None);
    let merged = store.engine.merge_segments(&|| {
        let is_first = done.borrow().is_none();
        if is_first {
            done.replace(Some(act(store, op)));
        }
    });
    if matches!(merged, Ok(true)) && done.borrow().is_some() {
        MERGED.fetch_add(1, Ordering::Relaxed);
    }
    done.take().unwrap_or_else(|| act(store, op))
}

fn entity(id: i64, salt: usize) -> Entity {
    let mut entity = Entity::new(PeerId::user(id).unwrap());
    entity.access_hash = Some(AccessHash(id * 1_000 + salt as i64));
    entity.usernames = vec![format!("user{}", id % 40)];
    entity.name = Some("n".repeat(20 + id as usize % 50));
    entity
}

fn login(number: u8) -> (DcOption, DcId) {
    let mut dc = DcOption::new(DcId(i32::from(number % 5) + 1));
    dc.auth_key = Some(AuthKey::new(&[number; 256]));
    let id = dc.id;
    (dc, id)
}

/// Does an operation of a store; says whether there was anything to do. `Reopen` and `Read` are the
/// caller's.
pub(super) fn act(store: &Store, op: &Op) -> Result<bool> {
    let session = |at: usize| store.open_session(SESSIONS[at]);
    let done = match op {
        Op::Session(at) => store.session(SESSIONS[*at]).map(drop),
        Op::LogIn(at, number) => session(*at).and_then(|session| {
            let (dc, home) = login(*number);
            session.update(|batch| {
                batch.set_dc(&dc)?;
                batch.set_home_dc(home)
            })
        }),
        Op::State(at, number) => session(*at).and_then(|session| {
            session.update(|batch| {
                let state = UpdateState { pts: *number, qts: 1, date: 2, seq: 3 };
                batch.set_update_state(Some(state))?;
                let channel = PeerId::channel(i64::from(*number) % 9 + 1).unwrap();
                batch.set_channel_states(&[ChannelState { id: channel, pts: *number }])
            })
        }),
        Op::See(at, first, count) => session(*at).and_then(|session| {
            let entities: Vec<_> =
                (0..*count as i64).map(|n| entity(first + n * 3, *count)).collect();
            session.process_entities(&entities).map(drop)
        }),
        Op::Forget(at, id) => {
            session(*at).and_then(|session| session.remove_entity(PeerId::user(*id).unwrap()))
        }
        Op::Flush => match store.list()?.first() {
            Some(name) => store.open_session(name).and_then(|session| session.flush()),
            None => return Ok(false),
        },
        Op::Import(at, first, count) => {
            let (dc, home) = login(*first as u8);
            let login = Login { home_dc: Some(home), ..Login::default() };
            let account = Account { login, dcs: vec![dc], ..Account::default() };
            let entities = (0..*count as i64).map(|n| Ok(entity(first + n, 7)));
            store.replace(SESSIONS[*at], ImportSession::new(&account, entities)).map(drop)
        }
        Op::Remove(at) => store.remove(SESSIONS[*at]),
        Op::Compact => store.compact(),
        Op::Scrub => store.scrub(),
        Op::Reopen | Op::Read => Ok(()),
        Op::Merge(op) => return merge_beside(store, op),
    };
    match done {
        // A reader that holds a view keeps compaction from moving what it reads.
        Err(Error::NoSession { .. } | Error::Busy { .. }) => Ok(false),
        done => done.map(|()| true),
    }
}

/// What a store may hold after a crash.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The states since the last that is known to be durable, which is the first.
    pub(super) allowed: Vec<State>,
}

impl Model {
    pub(super) fn new() -> Self {
        Self { allowed: vec![State::new()] }
    }

    /// An operation was done, and the store holds this in memory now.
    pub(super) fn holds(&mut self, state: State, durable: bool) {
        if durable {
            self.allowed.clear();
        }
        if self.allowed.last() != Some(&state) {
            self.allowed.push(state);
        }
    }
}

/// Whether this operation, if it succeeds, makes all operations before it durable.
pub(super) fn is_durable(op: &Op) -> bool {
    matches!(op.change(), Op::LogIn(..) | Op::Flush | Op::Import(..) | Op::Remove(_) | Op::Reopen)
}

/// A store on a disk that never fails, which does what the other one does.
pub(super) struct ShadowStore {
    disk: SimDisk,
    store: Store,
}

impl ShadowStore {
    pub(super) fn new() -> Self {
        Self::on(new_store())
    }

    fn on(image: Vec<u8>) -> Self {
        let disk = SimDisk::new(image);
        let store = open(disk.handle(), Access::Write, 4 << 20).unwrap();
        Self { disk, store }
    }

    pub(super) fn state(&self) -> State {
        state_of(&self.store).unwrap()
    }

    pub(super) fn act(&self, op: &Op) {
        act(&self.store, op).unwrap();
    }

    /// Goes on from this disk: the other store was closed, and what it had in memory is gone.
    pub(super) fn restart(&mut self, image: Vec<u8>) {
        *self = Self::on(image);
    }

    /// The state that this operation would make.
    pub(super) fn state_with(&self, op: &Op) -> State {
        self.store.engine.flush().unwrap();
        let fork = Self::on(self.disk.killed());
        fork.act(op);
        fork.state()
    }
}
