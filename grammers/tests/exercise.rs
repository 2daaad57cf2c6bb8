//! Every call that grammers makes to a storage, on a session of a store and on one in memory. The
//! calls go through the type erasure that a client uses, and are repeated with a new handle.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grammers_session::storages::{ErasedSession, erase};
use grammers_session::types::{
    ChannelKind, ChannelState, DcOption, PeerAuth, PeerId, PeerInfo, UpdateState, UpdatesState,
};
use grammers_session::{BoxFuture, SessionData};
use tgsession::storage::{Change, Key, Row, Storage, StorageSession, Table};
use tgsession::{DcId, Error, MemorySession, MemoryStorage, Session as _, Store};
use tgsession_grammers::GrammersSession;

/// Polls without a runtime: nothing here needs one.
fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Runs a test on a store and on memory. `anew` gives another handle to the same session.
fn on_both(test: fn(&dyn Fn() -> Arc<ErasedSession>)) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s")).unwrap();
    test(&|| erase(Arc::new(GrammersSession::new(store.session("a").unwrap()).unwrap())));
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    let memory = Arc::new(MemorySession::new("m"));
    test(&|| erase(Arc::new(GrammersSession::new(Arc::clone(&memory)).unwrap())));
}

fn ok<T>(work: BoxFuture<'_, Result<T, Box<dyn std::error::Error + Send + Sync>>>) -> T {
    wait(work).unwrap()
}

fn user(id: i64, auth: Option<i64>, bot: Option<bool>, is_self: Option<bool>) -> PeerInfo {
    PeerInfo::User { id, auth: auth.map(PeerAuth::from_hash), bot, is_self }
}

fn channel(id: i64, auth: Option<i64>, kind: Option<ChannelKind>) -> PeerInfo {
    PeerInfo::Channel { id, auth: auth.map(PeerAuth::from_hash), kind }
}

#[test]
fn a_new_session_says_what_grammers_knows_by_itself() {
    on_both(|anew| {
        let (session, built_in) = (anew(), SessionData::default());
        assert_eq!(session.home_dc_id().unwrap(), built_in.home_dc);
        for (id, dc) in built_in.dc_options {
            assert_eq!(session.dc_option(id).unwrap(), Some(dc));
        }
        for id in [0, 6, -1, i32::MAX] {
            assert_eq!(session.dc_option(id).unwrap(), None);
        }
        assert_eq!(ok(session.peer(PeerId::self_user())), None);
        assert_eq!(ok(session.peer_ref(PeerId::self_user())), None);
        assert_eq!(ok(session.updates_state()), UpdatesState::default());
    });
}

#[test]
fn the_home_dc_and_the_dcs_are_there_before_the_future_is_polled_and_stay() {
    on_both(|anew| {
        let session = anew();
        let moved = session.set_home_dc_id(4);
        // The erasure of grammers passes the call on only when it is polled.
        ok(moved);
        assert_eq!(session.home_dc_id().unwrap(), 4);
        let dcs = [
            DcOption {
                id: 6,
                ipv4: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 1),
                ipv6: SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 1, 0, 0),
                auth_key: Some([1; 256]),
            },
            DcOption {
                id: 2,
                ipv4: SocketAddrV4::new(Ipv4Addr::new(149, 154, 167, 51), 443),
                ipv6: SocketAddrV6::new(
                    Ipv4Addr::new(149, 154, 167, 51).to_ipv6_mapped(),
                    443,
                    0,
                    0,
                ),
                auth_key: None,
            },
        ];
        for dc in &dcs {
            ok(session.set_dc_option(dc));
            ok(session.set_dc_option(dc));
        }
        for session in [session, anew()] {
            assert_eq!(session.home_dc_id().unwrap(), 4);
            for dc in &dcs {
                assert_eq!(session.dc_option(dc.id).unwrap().as_ref(), Some(dc));
            }
        }
    });
}

#[test]
fn memory_has_what_was_set_before_anybody_polls() {
    use grammers_session::Session;
    let session = GrammersSession::new(MemorySession::new("m")).unwrap();
    let dc = DcOption { auth_key: Some([3; 256]), ..session.dc_option(1).unwrap().unwrap() };
    let state = session.set_update_state(UpdateState::Secondary { qts: 3 });
    let unpolled = (session.set_home_dc_id(5), session.set_dc_option(&dc), state);
    assert_eq!(session.home_dc_id().unwrap(), 5);
    assert_eq!(session.dc_option(1).unwrap(), Some(dc));
    drop(unpolled);
    assert_eq!(session.session().login().unwrap().home_dc.unwrap().0, 5, "and it is written");
    assert_eq!(session.session().update_state().unwrap().unwrap().qts, 3);
}

#[test]
fn peers_of_every_kind_come_back() {
    on_both(|anew| {
        let session = anew();
        ok(session.cache_peer(user(1, None, Some(true), Some(true))));
        let peers = [
            user(2, Some(-2), Some(false), Some(false)),
            user(0xff_ffff_ffff, Some(i64::MIN), Some(true), Some(false)),
            PeerInfo::Chat { id: 3 },
            PeerInfo::Chat { id: 999_999_999_999 },
            channel(4, Some(4), Some(ChannelKind::Broadcast)),
            channel(5, Some(0), Some(ChannelKind::Megagroup)),
            channel(6, None, Some(ChannelKind::Gigagroup)),
            channel(7, Some(7), Some(ChannelKind::Community)),
            channel(997_852_516_352, Some(8), None),
            channel(1_002_147_483_649, Some(9), Some(ChannelKind::Megagroup)),
            channel(3_000_000_000_000, Some(9), None),
        ];
        ok(session.cache_peers(peers.to_vec()));
        let own = user(1, None, Some(true), Some(true));
        for session in [session, anew()] {
            for peer in peers.iter().chain([&own]) {
                assert_eq!(ok(session.peer(peer.id())).as_ref(), Some(peer));
                let auth = ok(session.peer_ref(peer.id())).map(|peer| peer.auth);
                let ambient = (*peer == own).then(PeerAuth::default);
                assert_eq!(auth, peer.auth().or(ambient));
            }
            assert_eq!(ok(session.peer(PeerId::self_user())), Some(own.clone()));
            assert_eq!(ok(session.peer(PeerId::user(77).unwrap())), None);
        }
    });
}

#[test]
fn what_a_peer_does_not_say_stays() {
    on_both(|anew| {
        let session = anew();
        ok(session.cache_peers(vec![
            channel(2, Some(-2), Some(ChannelKind::Megagroup)),
            channel(3, Some(-3), None),
            user(9, Some(9), Some(true), Some(true)),
        ]));
        ok(session.cache_peers(vec![
            channel(2, None, Some(ChannelKind::Broadcast)),
            channel(3, Some(-30), None),
            user(9, None, None, None),
        ]));
        let broadcast = channel(2, Some(-2), Some(ChannelKind::Broadcast));
        for peer in
            [broadcast, channel(3, Some(-30), None), user(9, Some(9), Some(true), Some(true))]
        {
            assert_eq!(ok(session.peer(peer.id())), Some(peer));
        }
    });
}

#[test]
fn each_form_of_an_update_state_changes_its_own_part() {
    on_both(|anew| {
        let session = anew();
        let channels = |list: &[(i64, i32)]| {
            list.iter().map(|&(id, pts)| ChannelState { id, pts }).collect::<Vec<_>>()
        };
        let all = |channels| UpdatesState { pts: 1, qts: 2, date: 3, seq: 4, channels };
        ok(session.set_update_state(UpdateState::All(all(channels(&[(1, 1), (5, 6), (7, 8)])))));
        ok(session.set_update_state(UpdateState::All(all(channels(&[(5, 6), (7, 8)])))));
        ok(session.set_update_state(UpdateState::Primary { pts: 2, date: 4, seq: 5 }));
        ok(session.set_update_state(UpdateState::Secondary { qts: 3 }));
        ok(session.set_update_state(UpdateState::Channel { id: 7, pts: 9 }));
        let channels = channels(&[(5, 6), (7, 9)]);
        let expected = UpdatesState { pts: 2, qts: 3, date: 4, seq: 5, channels };
        assert_eq!(ok(session.updates_state()), expected);
        assert_eq!(ok(anew().updates_state()), expected);
        let none = wait(session.set_update_state(UpdateState::Channel { id: 0, pts: 1 }));
        assert!(none.unwrap_err().to_string().contains("storage failed"), "0 is no channel");
    });
}

#[test]
fn session_data_goes_in_and_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s")).unwrap();
    let mut data = SessionData { home_dc: 4, ..SessionData::default() };
    data.dc_options.get_mut(&4).unwrap().auth_key = Some([9; 256]);
    for peer in [
        user(1, Some(5), Some(false), Some(true)),
        user(2, Some(6), Some(true), Some(false)),
        PeerInfo::Chat { id: 3 },
        channel(4, Some(4), Some(ChannelKind::Community)),
    ] {
        data.peer_infos.insert(peer.id(), peer);
    }
    data.updates_state.pts = 7;
    data.updates_state.channels = vec![ChannelState { id: 4, pts: 8 }];
    let session = GrammersSession::new(store.session("a").unwrap()).unwrap();
    session.import_data(&data).unwrap();
    // And as grammers itself brings one into a storage.
    let by_grammers = GrammersSession::new(store.session("b").unwrap()).unwrap();
    wait(data.import_to(&by_grammers)).unwrap();
    for session in [session, by_grammers] {
        let back = session.to_data().unwrap();
        assert_eq!((back.home_dc, &back.dc_options), (data.home_dc, &data.dc_options));
        assert_eq!(back.peer_infos, data.peer_infos);
        assert_eq!(back.updates_state, data.updates_state);
    }
}

#[test]
fn a_session_that_is_gone_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s")).unwrap();
    let session = erase(Arc::new(GrammersSession::new(store.session("a").unwrap()).unwrap()));
    store.remove("a").unwrap();
    let refused = wait(session.cache_peer(user(1, Some(1), None, None))).unwrap_err();
    assert!(refused.to_string().contains("there is no session named \"a\""), "{refused}");
    wait(session.set_home_dc_id(3)).unwrap_err();
    // Memory is right, and the write is tried again.
    assert_eq!(session.home_dc_id().unwrap(), 3);
    wait(session.set_home_dc_id(3)).unwrap_err();
}

/// A storage in memory that refuses changes while the flag is set.
struct Refusing(MemoryStorage, Arc<AtomicBool>);

impl Storage for Refusing {
    fn name(&self) -> tgsession::Result<String> {
        self.0.name()
    }

    fn get(&self, key: &Key) -> tgsession::Result<Option<Row>> {
        self.0.get(key)
    }

    fn scan(&self, table: Table, after: Option<&Key>, limit: usize) -> tgsession::Result<Vec<Row>> {
        self.0.scan(table, after, limit)
    }

    fn apply(&self, changes: Vec<Change>, durable: bool) -> tgsession::Result<()> {
        if self.1.load(Ordering::Relaxed) {
            return Err(Error::other("no network"));
        }
        self.0.apply(changes, durable)
    }
}

#[test]
fn a_value_whose_write_failed_is_written_again_even_after_another_value_was_written() {
    use grammers_session::Session;
    let refuses = Arc::new(AtomicBool::new(true));
    let storage = Refusing(MemoryStorage::new("m"), Arc::clone(&refuses));
    let session = GrammersSession::new(StorageSession::new(storage)).unwrap();
    wait(session.set_home_dc_id(4)).unwrap_err();
    refuses.store(false, Ordering::Relaxed);
    let dc = DcOption { auth_key: Some([3; 256]), ..session.dc_option(1).unwrap().unwrap() };
    wait(session.set_dc_option(&dc)).unwrap();
    wait(session.set_home_dc_id(4)).unwrap();
    assert_eq!(session.session().login().unwrap().home_dc, Some(DcId(4)));
}
