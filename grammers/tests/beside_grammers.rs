//! Random lives on sessions of tgsession and on grammers' own `MemorySession`. All answer the same,
//! through the type erasure that a client uses, and with a new handle at the end.
//!
//! This is to the trait of grammers what `tgsession::conformance` is to that of tgsession. Of the
//! suite's cases, those about logins, DCs, update states and entities have a counterpart here and in
//! `exercise.rs`. grammers has no calls for files, extras, usernames, phones, names, pages, batches
//! and deleting: the suite tests them on the session below the adapter.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::sync::Arc;

use grammers_session::storages::{self, ErasedSession, erase};
use grammers_session::types::{
    ChannelKind, ChannelState, DcOption, PeerAuth, PeerId, PeerInfo, UpdateState, UpdatesState,
};
use grammers_session::{BoxFuture, SessionData};
use tgsession::{MemorySession, Store};
use tgsession_grammers::GrammersSession;

const LIVES: u64 = 30;
const STEPS: usize = 300;
/// The account's own user.
const OWN: i64 = 1;

fn wait<T>(work: BoxFuture<'_, Result<T, Box<dyn std::error::Error + Send + Sync>>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(work).unwrap()
}

/// A xorshift generator: the lives are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn number(&mut self, most: u64) -> i32 {
        i32::try_from(self.below(most)).unwrap()
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| value(self))
    }

    fn id(&mut self) -> i64 {
        i64::from(self.number(6)) + 1
    }

    fn auth(&mut self) -> Option<PeerAuth> {
        self.maybe(|random| PeerAuth::from_hash(i64::from(random.number(9)) - 4))
    }

    fn kind(&mut self) -> ChannelKind {
        match self.below(4) {
            0 => ChannelKind::Broadcast,
            1 => ChannelKind::Megagroup,
            2 => ChannelKind::Gigagroup,
            _ => ChannelKind::Community,
        }
    }

    fn peer(&mut self) -> PeerInfo {
        let id = self.id();
        match self.below(3) {
            0 => {
                let auth = self.auth();
                let bot = self.maybe(|random| random.below(2) == 0);
                PeerInfo::User { id, auth, bot, is_self: Some(id == OWN) }
            }
            1 => PeerInfo::Chat { id },
            _ => PeerInfo::Channel { id, auth: self.auth(), kind: self.maybe(Self::kind) },
        }
    }

    fn channel(&mut self) -> ChannelState {
        ChannelState { id: self.id(), pts: self.number(100) }
    }

    fn update(&mut self) -> UpdateState {
        match self.below(4) {
            0 => {
                // Telegram has one state a channel.
                let mut channels: Vec<_> = (0..self.below(4)).map(|_| self.channel()).collect();
                channels.sort_by_key(|state| state.id);
                channels.dedup_by_key(|state| state.id);
                let (pts, qts, date, seq) = (1, 2, 3, self.number(9));
                UpdateState::All(UpdatesState { pts, qts, date, seq, channels })
            }
            1 => UpdateState::Primary {
                pts: self.number(99),
                date: self.number(99),
                seq: self.number(99),
            },
            2 => UpdateState::Secondary { qts: self.number(99) },
            _ => {
                let ChannelState { id, pts } = self.channel();
                UpdateState::Channel { id, pts }
            }
        }
    }

    fn dc(&mut self) -> DcOption {
        let known = SessionData::default().dc_options;
        let mut dc = known.get(&(self.number(5) + 1)).unwrap().clone();
        dc.auth_key = self.maybe(|random| [u8::try_from(random.below(4)).unwrap(); 256]);
        dc.ipv4.set_port(443 + u16::try_from(self.below(3)).unwrap());
        dc
    }
}

/// One call of each session.
fn step(random: &mut Random, sessions: &[&ErasedSession]) {
    match random.below(5) {
        0 => {
            let dc = random.number(5) + 1;
            sessions.iter().for_each(|session| wait(session.set_home_dc_id(dc)));
        }
        1 => {
            let dc = random.dc();
            sessions.iter().for_each(|session| wait(session.set_dc_option(&dc)));
        }
        2 => {
            let peer = random.peer();
            sessions.iter().for_each(|session| wait(session.cache_peer(peer.clone())));
        }
        3 => {
            let peers: Vec<_> = (0..random.below(4)).map(|_| random.peer()).collect();
            sessions.iter().for_each(|session| wait(session.cache_peers(peers.clone())));
        }
        _ => {
            // An update state cannot be cloned: each session gets its own, of the same numbers.
            let before = random.0;
            for session in sessions {
                random.0 = before;
                wait(session.set_update_state(random.update()));
            }
        }
    }
}

/// Everything that grammers can ask for.
fn answers(session: &ErasedSession) -> String {
    let mut state = wait(session.updates_state());
    state.channels.sort_by_key(|state| state.id);
    let dcs: Vec<_> = (1..=5).map(|dc| session.dc_option(dc).unwrap()).collect();
    let ids = (1..=6).flat_map(|id| {
        [PeerId::user(id).unwrap(), PeerId::chat(id).unwrap(), PeerId::channel(id).unwrap()]
    });
    let peers: Vec<_> = ids.map(|id| wait(session.peer(id))).collect();
    format!("{:?}\n{dcs:?}\n{peers:?}\n{state:?}", session.home_dc_id().unwrap())
}

#[test]
fn grammers_own_storage_and_ours_answer_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s")).unwrap();
    for life in 1..=LIVES {
        let theirs = erase(Arc::new(storages::MemorySession::default()));
        let of_store = || {
            let session = store.session(&life.to_string()).unwrap();
            erase(Arc::new(GrammersSession::new(session).unwrap()))
        };
        let in_memory = Arc::new(MemorySession::new("m"));
        let of_memory = || erase(Arc::new(GrammersSession::new(Arc::clone(&in_memory)).unwrap()));
        let (stored, kept) = (of_store(), of_memory());
        // Whether another user is the account's own is known once the own is.
        let own = PeerInfo::User { id: OWN, auth: None, bot: None, is_self: Some(true) };
        for session in [&theirs, &stored, &kept] {
            wait(session.cache_peer(own.clone()));
        }
        let mut random = Random(life.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for number in 0..STEPS {
            step(&mut random, &[&*theirs, &*stored, &*kept]);
            let expected = answers(&*theirs);
            assert_eq!(answers(&*stored), expected, "store, life {life}, step {number}");
            assert_eq!(answers(&*kept), expected, "memory, life {life}, step {number}");
        }
        let expected = answers(&*theirs);
        assert_eq!(answers(&*of_store()), expected, "store, anew, life {life}");
        assert_eq!(answers(&*of_memory()), expected, "memory, anew, life {life}");
    }
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
}

/// A copy of the file of a store in use is what a power cut would leave, but for writes that the
/// system has not made yet.
#[test]
fn what_a_future_that_is_done_has_promised_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.tgsession");
    let store = Store::create(&path).unwrap();
    let session = erase(Arc::new(GrammersSession::new(store.session("a").unwrap()).unwrap()));
    let dc = DcOption { auth_key: Some([7; 256]), ..session.dc_option(4).unwrap().unwrap() };
    let own = PeerInfo::User { id: OWN, auth: None, bot: Some(false), is_self: Some(true) };
    wait(session.set_home_dc_id(4));
    wait(session.set_dc_option(&dc));
    wait(session.cache_peer(own.clone()));
    let copy = folder.path().join("copy.tgsession");
    std::fs::copy(&path, &copy).unwrap();
    let copy = Store::open(copy).unwrap();
    let again = erase(Arc::new(GrammersSession::new(copy.session("a").unwrap()).unwrap()));
    assert_eq!(again.home_dc_id().unwrap(), 4);
    assert_eq!(again.dc_option(4).unwrap(), Some(dc));
    assert_eq!(wait(again.peer(PeerId::self_user())).map(|peer| peer.id()), Some(own.id()));
}
