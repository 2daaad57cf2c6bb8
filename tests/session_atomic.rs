//! A call that reads, changes and writes is atomic: no thread overwrites a change of another.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::key;

use tgsession::storage::{Change, Key, Row, Storage, StorageSession, Table};
use tgsession::{
    ChannelState, DcId, DcOption, Endpoint, Error, MemorySession, MemoryStorage, PeerId, Session,
    Store, UpdateChange, UpdateState,
};

/// One thread changes the first part of a value, another the second, and neither undoes the other.
fn nothing_is_lost(session: &dyn Session, rounds: i32) {
    let endpoint = |port: i32| Endpoint::new("149.154.167.51", u16::try_from(port).unwrap());
    let mut lost = 0;
    for round in 1..=rounds {
        session.set_login(&tgsession::Login::default()).unwrap();
        session.set_dc(&DcOption::new(DcId(2))).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| session.set_home_dc(DcId(round)).unwrap());
            scope.spawn(|| session.set_auth_key(DcId(2), Some(key(7))).unwrap());
            scope.spawn(|| {
                (&session)
                    .update(|batch| {
                        let mut login = batch.login()?;
                        login.api_id = Some(round);
                        batch.set_login(&login)?;
                        let dc = batch.dc(DcId(2))?.unwrap_or_else(|| DcOption::new(DcId(2)));
                        batch.set_dc(&dc.at(endpoint(round)))
                    })
                    .unwrap();
            });
        });
        let (login, dc) = (session.login().unwrap(), session.dc(DcId(2)).unwrap().unwrap());
        lost += usize::from(login.home_dc != Some(DcId(round)) || login.api_id != Some(round));
        lost += usize::from(dc.auth_key != Some(key(7)) || dc.ipv4 != Some(endpoint(round)));
    }
    assert_eq!(lost, 0, "changes of {rounds} rounds");
}

#[test]
fn threads_that_change_one_login_and_one_dc_of_a_memory_session_lose_nothing() {
    nothing_is_lost(&MemorySession::new("m"), 1_000);
}

#[test]
fn threads_that_change_one_login_and_one_dc_of_a_store_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s")).unwrap();
    nothing_is_lost(&store.session("a").unwrap(), 60);
}

/// Each counter has a thread of its own.
fn counters_move_alone(session: &dyn Session) {
    let change = |pts, qts| UpdateChange { pts, qts, ..UpdateChange::default() };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (1..=200).for_each(|pts| session.change_update_state(change(Some(pts), None)).unwrap());
        });
        (1..=200).for_each(|qts| session.change_update_state(change(None, Some(qts))).unwrap());
    });
    let state = UpdateState { pts: 200, qts: 200, date: 0, seq: 0 };
    assert_eq!(session.update_state().unwrap(), Some(state));
}

fn channels_are_replaced(session: &dyn Session) {
    let state = |id, pts| ChannelState { id: PeerId::channel(id).unwrap(), pts };
    session.set_channel_states(&[state(1, 1), state(2, 2), state(3, 3)]).unwrap();
    session.replace_channel_states(&[state(4, 4), state(2, 9)]).unwrap();
    assert_eq!(session.channel_states().unwrap(), [state(4, 4), state(2, 9)]);
    session.replace_channel_states(&[]).unwrap();
    assert_eq!(session.channel_states().unwrap(), []);
}

/// A change that replaces channels also sees the channels that it has set itself.
fn a_change_sees_its_own_channels(session: &dyn Session) {
    let state = |id| ChannelState { id: PeerId::channel(id).unwrap(), pts: 1 };
    let changed = (&session).update(|batch| {
        batch.set_channel_states(&[state(1), state(2)])?;
        batch.remove_channel_state(state(1).id)?;
        batch.replace_channel_states(&[state(3)])
    });
    changed.unwrap();
    assert_eq!(session.channel_states().unwrap(), [state(3)]);
}

#[test]
fn update_states_change_in_steps_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s")).unwrap();
    let memory: Arc<dyn Session> = Arc::new(MemorySession::new("m"));
    let boxed: Box<dyn Session> = Box::new(store.session("a").unwrap());
    for session in [&memory as &dyn Session, &boxed] {
        counters_move_alone(session);
        channels_are_replaced(session);
        a_change_sees_its_own_channels(session);
    }
}

#[test]
fn a_change_that_waits_for_no_disk_is_seen_at_once_and_its_ticket_says_when_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let hour = std::time::Duration::from_secs(3_600);
    let store = Store::options().flush_interval(hour).create(&path).unwrap();
    let session = store.session("a").unwrap();
    let ((), ticket) = session.update_later(|batch| batch.set_home_dc(DcId(4))).unwrap();
    assert_eq!(session.login().unwrap().home_dc, Some(DcId(4)));
    ticket.wait().unwrap();
    let beside = Store::open_read_only(&path).unwrap();
    assert_eq!(beside.session("a").unwrap().login().unwrap().home_dc, Some(DcId(4)));
}

/// A storage in memory whose first flush fails. It counts the flushes.
struct FirstFlushFails(MemoryStorage, AtomicUsize);

impl Storage for FirstFlushFails {
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
        self.0.apply(changes, durable)
    }

    fn flush(&self) -> tgsession::Result<()> {
        match self.1.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::other("no space on the disk")),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_durable_call_flushes_what_a_failed_flush_left_even_if_it_changes_nothing() {
    let storage = FirstFlushFails(MemoryStorage::new("m"), AtomicUsize::new(0));
    let session = StorageSession::new(storage);
    let flushes = || session.storage().1.load(Ordering::Relaxed);
    let ((), ticket) = session.update_later(|batch| batch.set_home_dc(DcId(4))).unwrap();
    ticket.wait().unwrap_err();
    session.set_update_state(None).unwrap();
    assert_eq!(flushes(), 1, "an update state need not be durable");
    session.set_home_dc(DcId(4)).unwrap();
    assert_eq!(flushes(), 2);
    session.set_home_dc(DcId(4)).unwrap();
    assert_eq!(flushes(), 2, "nothing is left to flush");
}

#[test]
fn two_handles_on_one_session_see_each_others_changes_and_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s")).unwrap();
    let (first, second) = (store.session("a").unwrap(), store.session("a").unwrap());
    first.set_home_dc(DcId(4)).unwrap();
    assert_eq!(second.login().unwrap().home_dc, Some(DcId(4)));
    second.set_auth_key(DcId(4), Some(key(4))).unwrap();
    assert!(first.auth_key().unwrap().is_some());
    store.rename("a", "b").unwrap();
    assert_eq!((first.name().unwrap(), second.name().unwrap()), ("b".into(), "b".into()));
    first.delete().unwrap();
    for gone in [first, second] {
        assert!(matches!(gone.login(), Err(Error::NoSession { name, .. }) if name == "a"));
        assert!(matches!(gone.set_home_dc(DcId(2)), Err(Error::NoSession { .. })));
    }
    assert_eq!(store.list().unwrap(), Vec::<String>::new());
}
