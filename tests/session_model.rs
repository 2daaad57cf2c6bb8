//! The store does what the plain session in memory does, whatever is asked of both.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use support::key;
use tgsession::{
    AccessHash, Account, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind, FileKey,
    FileKind, ImportSession, Login, Md5, MemorySession, PeerId, Result, SelfUser, SentFile,
    Session, Store, UpdateState,
};

/// One call that changes something, or opens the store anew.
#[derive(Clone, Debug)]
enum Step {
    See(Vec<Entity>),
    Remove(PeerId),
    SaveEntities(bool),
    SetLogin(Login),
    SetDc(DcOption),
    SetKey(DcId, Option<u8>),
    RemoveDc(DcId),
    SetState(Option<UpdateState>),
    SetChannels(Vec<ChannelState>),
    RemoveChannel(PeerId),
    SaveFile(SentFile),
    Reopen,
    /// Everything into one piece.
    Compact,
    /// A neighbour comes, with what the session has, or goes.
    Neighbour,
}

const USERNAMES: [&str; 7] = ["alice", "Alice", "@bob", "carol", "DAVE", "\u{d6}zil", "eve"];
const PHONES: [&str; 5] = ["15550001", "+1 555 0002", "0015550001", "000", "15550003"];
const NAMES: [&str; 4] = ["Alice", "alice", "", "\u{1f98a}"];

fn id() -> impl Strategy<Value = PeerId> {
    select(vec![1, 2, 3, -1, -2, -1_000_000_000_001, -1_000_000_000_002, i64::MIN, i64::MAX])
        .prop_map(|marked| PeerId::from_marked(marked).unwrap())
}

fn entity() -> impl Strategy<Value = Entity> {
    let text =
        |from: &'static [&'static str]| prop::option::of(select(from).prop_map(str::to_owned));
    let usernames = prop::collection::vec(select(&USERNAMES[..]).prop_map(str::to_owned), 0..3);
    let kind = prop::option::of(select(&EntityKind::ALL[..]));
    let hash = prop::option::of(any::<i64>().prop_map(AccessHash));
    let date = prop::option::of(select(vec![0, 1_000, 80_000, 90_000, 200_000, i64::MAX]));
    (id(), kind, hash, prop::bool::weighted(0.3), usernames, text(&PHONES), text(&NAMES), date)
        .prop_map(|(id, kind, access_hash, min, usernames, phone, name, date)| {
            let mut entity = Entity::new(id);
            entity.kind = kind;
            entity.access_hash = access_hash;
            entity.min = min;
            entity.usernames = usernames;
            entity.phone = phone;
            entity.name = name;
            entity.date = date;
            entity
        })
}

fn dc_id() -> impl Strategy<Value = DcId> {
    select(vec![-1, 0, 2, 4, i32::MAX]).prop_map(DcId)
}

fn dc() -> impl Strategy<Value = DcOption> {
    (dc_id(), any::<bool>(), any::<u16>(), prop::option::of(any::<u8>())).prop_map(
        |(id, v6, port, seed)| {
            let host = if v6 { "2001:db8::1" } else { "149.154.167.51" };
            let mut dc = DcOption::new(id).at(Endpoint::new(host, port));
            dc.auth_key = seed.map(key);
            dc
        },
    )
}

fn login() -> impl Strategy<Value = Login> {
    let user = prop::option::of((any::<i64>(), prop::option::of(any::<bool>())));
    (
        prop::option::of(dc_id()),
        user,
        any::<Option<i32>>(),
        any::<Option<bool>>(),
        any::<Option<i64>>(),
    )
        .prop_map(|(home_dc, user, api_id, test_mode, takeout_id)| {
            let mut login = Login::default();
            login.home_dc = home_dc;
            login.user = user.map(|(id, bot)| SelfUser { id, bot });
            login.api_id = api_id;
            login.test_mode = test_mode;
            login.takeout_id = takeout_id;
            login
        })
}

fn state() -> impl Strategy<Value = UpdateState> {
    (any::<i32>(), any::<i32>(), any::<i64>(), any::<i32>())
        .prop_map(|(pts, qts, date, seq)| UpdateState { pts, qts, date, seq })
}

fn file() -> impl Strategy<Value = SentFile> {
    (0..3u8, 0..3i64, any::<bool>(), any::<i64>(), any::<i64>()).prop_map(
        |(md5, size, photo, id, hash)| SentFile {
            key: FileKey {
                md5: Md5([md5; 16]),
                size,
                kind: if photo { FileKind::Photo } else { FileKind::Document },
            },
            id,
            access_hash: AccessHash(hash),
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let channel = (id(), any::<i32>()).prop_map(|(id, pts)| ChannelState { id, pts });
    prop_oneof![
        8 => prop::collection::vec(entity(), 0..4).prop_map(Step::See),
        1 => id().prop_map(Step::Remove),
        1 => prop::bool::weighted(0.8).prop_map(Step::SaveEntities),
        1 => login().prop_map(Step::SetLogin),
        1 => dc().prop_map(Step::SetDc),
        1 => (dc_id(), any::<Option<u8>>()).prop_map(|(id, key)| Step::SetKey(id, key)),
        1 => dc_id().prop_map(Step::RemoveDc),
        1 => prop::option::of(state()).prop_map(Step::SetState),
        1 => prop::collection::vec(channel, 0..3).prop_map(Step::SetChannels),
        1 => id().prop_map(Step::RemoveChannel),
        1 => file().prop_map(Step::SaveFile),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
        1 => Just(Step::Neighbour),
    ]
}

/// The answer of the call, as text.
fn apply(session: &dyn Session, step: &Step) -> Result<String> {
    Ok(match step {
        Step::See(entities) => format!("{}", session.process_entities(entities)?),
        Step::Remove(id) => format!("{:?}", session.remove_entity(*id)?),
        Step::SaveEntities(save) => format!("{:?}", session.set_save_entities(*save)?),
        Step::SetLogin(login) => format!("{:?}", session.set_login(login)?),
        Step::SetDc(dc) => format!("{:?}", session.set_dc(dc)?),
        Step::SetKey(id, seed) => format!("{:?}", session.set_auth_key(*id, seed.map(key))?),
        Step::RemoveDc(id) => format!("{:?}", session.remove_dc(*id)?),
        Step::SetState(state) => format!("{:?}", session.set_update_state(*state)?),
        Step::SetChannels(states) => format!("{:?}", session.set_channel_states(states)?),
        Step::RemoveChannel(id) => format!("{:?}", session.remove_channel_state(*id)?),
        Step::SaveFile(file) => format!("{:?}", session.save_sent_file(file)?),
        Step::Reopen | Step::Compact | Step::Neighbour => String::new(),
    })
}

/// Every answer that the session can give about itself.
fn everything(session: &dyn Session) -> Result<Vec<String>> {
    let mut all = vec![
        format!("{:?} {:?}", session.login()?, session.dcs()?),
        format!("{:?} {:?}", session.home_dc()?, session.auth_key()?),
        format!("{:?} {:?}", session.update_state()?, session.channel_states()?),
        format!("{:?} {:?}", session.sent_files()?, session.entity_count()?),
        format!("{:?}", session.entities(None, usize::MAX)?),
    ];
    let first = session.entities(None, 2)?;
    all.push(format!("{:?}", session.entities(first.last().map(|entity| entity.id), 3)?));
    for username in USERNAMES {
        all.push(format!("{username} {:?}", session.entity_by_username(username)?));
        all.push(format!("{username} {:?}", session.find(username)?));
    }
    for phone in PHONES {
        all.push(format!(
            "{phone} {:?} {:?}",
            session.entity_by_phone(phone)?,
            session.find(phone)?
        ));
    }
    for name in NAMES {
        all.push(format!("{name} {:?}", session.entity_by_name(name)?));
    }
    for bare in [1, 2, 3] {
        all.push(format!("{bare} {:?}", session.entity_by_bare_id(bare)?));
    }
    Ok(all)
}

proptest! {
    // 48 x 210 is more than ten thousand operations.
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_store_answers_as_a_session_in_memory_does(
        steps in prop::collection::vec(step(), 210..240),
        interval in select(vec![Duration::ZERO, Duration::from_secs(1)]),
        // With no buffer at all, each call that writes makes a run.
        buffer in select(vec![4 << 20, 0]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.tgsession");
        let memory = MemorySession::new("one");
        let options = Store::options().flush_interval(interval).buffer_size(buffer);
        let mut store = options.create(&path).unwrap();
        // A neighbour on each side, to see that nothing leaks across accounts.
        for neighbour in ["before", "one", "other"] {
            store.session(neighbour).unwrap();
        }
        let mut session = store.session("one").unwrap();
        let mut saving = true;
        for step in &steps {
            prop_assert_eq!(apply(&session, step).unwrap(), apply(&memory, step).unwrap());
            match step {
                Step::SaveEntities(save) => saving = *save,
                Step::Reopen => {
                    drop(session);
                    drop(store);
                    store = options.open(&path).unwrap();
                    session = store.open_session("one").unwrap();
                    session.set_save_entities(saving).unwrap();
                }
                Step::Compact => store.compact().unwrap(),
                Step::Neighbour => neighbour(&store, &memory),
                _ => {}
            }
            prop_assert_eq!(everything(&session).unwrap(), everything(&memory).unwrap());
        }
        prop_assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
        for neighbour in ["before", "other"] {
            let neighbour = store.session(neighbour).unwrap();
            prop_assert_eq!(neighbour.entity_count().unwrap(), 0);
            prop_assert_eq!(neighbour.dcs().unwrap(), vec![]);
        }
    }
}

/// A session that knows whom the one in memory knows is imported, or removed if it is there.
fn neighbour(store: &Store, memory: &MemorySession) {
    const NAME: &str = "passing";
    let entities = memory.entities(None, usize::MAX).unwrap();
    match store.open_session(NAME) {
        Ok(there) => {
            store.remove(NAME).unwrap();
            for entity in &entities {
                assert_eq!(there.entity(entity.id).unwrap(), None, "it was removed");
            }
            assert_eq!(there.entity_count().unwrap(), 0);
        }
        Err(_) => {
            let account = Account::default();
            store
                .import(NAME, ImportSession::new(&account, entities.clone().into_iter().map(Ok)))
                .unwrap();
            let there = store.open_session(NAME).unwrap();
            assert_eq!(there.entities(None, usize::MAX).unwrap(), entities);
        }
    }
}

/// Each thread has a session of its own in one store, whose flusher runs all the time.
#[test]
fn sessions_in_many_threads_do_not_disturb_each_other() {
    for interval in [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(1)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.tgsession");
        let store = Store::options().flush_interval(interval).create(&path).unwrap();
        let threads: Vec<MemorySession> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let session = store.session(&format!("account {thread}")).unwrap();
                    scope.spawn(move || live(&session))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        drop(store);
        let store = Store::open(&path).unwrap();
        for (thread, memory) in threads.iter().enumerate() {
            let session = store.open_session(&format!("account {thread}")).unwrap();
            assert_eq!(everything(&session).unwrap(), everything(memory).unwrap());
        }
        assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    }
}

/// A hundred and fifty calls; each is seen at once, whatever the other threads do.
fn live(session: &dyn Session) -> MemorySession {
    let memory = MemorySession::new(&session.name().unwrap());
    let mut runner = TestRunner::default();
    for _ in 0..150 {
        let step = step().new_tree(&mut runner).unwrap().current();
        assert_eq!(apply(session, &step).unwrap(), apply(&memory, &step).unwrap());
        assert_eq!(everything(session).unwrap(), everything(&memory).unwrap());
    }
    session.set_save_entities(true).unwrap();
    memory
}
