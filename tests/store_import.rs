//! Whole sessions taken into a store: from another store, from the same one, from memory.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

mod support;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::slice::from_ref;

use proptest::prelude::*;
use support::{Outcome, account, entities, entity, key};
use tgsession::{
    AccessHash, Account, DcId, Entities, Entity, Error, Extra, ImportSession, MemorySession,
    PeerId, Session, Store,
};

fn full_account() -> Account {
    let mut account = account();
    account.extras = vec![Extra::new("client.value", &[1, 2]).unwrap()];
    account
}

fn whole(session: &dyn Session) -> tgsession::Result<(Account, Vec<Entity>)> {
    Ok((session.account()?, Entities::of(session).collect::<Result<_, _>>()?))
}

#[test]
fn a_session_goes_from_store_to_store_with_everything_in_it() -> Outcome {
    let folder = tempfile::tempdir()?;
    let old = Store::create(folder.path().join("old"))?;
    let new = Store::create(folder.path().join("new"))?;
    // More entities than one page.
    let entities = entities(2_500).into_iter().map(Ok);
    old.import("a", ImportSession::new(&full_account(), entities))?;
    let session = old.session("a")?;

    let report = new.import("b", &session)?;
    assert_eq!((report.entities, report.notes), (2_500, vec![]));
    assert_eq!(whole(&new.open_session("b")?)?, whole(&session)?);
    assert_eq!(new.open_session("b")?.account()?.extras, full_account().extras);
    assert!(new.open_session("b")?.entity_by_username("user_4")?.is_some());

    // In the same store, and of a moment that is gone.
    let before = session.read_view()?;
    session.set_auth_key(DcId(2), Some(key(9)))?;
    session.process_entities(&[entity(3_000)])?;
    old.import("as it was", &before)?;
    old.import("as it is", &session)?;
    assert_eq!(whole(&old.open_session("as it was")?)?, whole(&before)?);
    assert_eq!(whole(&old.open_session("as it is")?)?, whole(&session)?);
    for store in [old, new] {
        assert_eq!(store.check()?.problems, Vec::<String>::new());
    }
    Ok(())
}

#[test]
fn a_session_is_replaced_by_itself_and_by_one_in_memory() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Store::create(folder.path().join("s"))?;
    store.import("a", ImportSession::new(&full_account(), entities(50).into_iter().map(Ok)))?;
    let session = store.session("a")?;
    let before = whole(&session)?;
    store.replace("a", &session)?;
    assert_eq!(whole(&store.open_session("a")?)?, before);
    // The handle is of the session that is gone.
    assert!(matches!(session.login(), Err(Error::NoSession { .. })));
    assert!(matches!(store.replace("a", &session), Err(Error::NoSession { .. })));
    assert_eq!(whole(&store.open_session("a")?)?, before, "after an error nothing is changed");

    let memory = MemorySession::new("m");
    memory.set_auth_key(DcId(5), Some(key(5)))?;
    memory.set_home_dc(DcId(5))?;
    memory.process_entities(&[entity(7)])?;
    store.replace("a", ImportSession::of(&memory))?;
    assert_eq!(whole(&store.open_session("a")?)?, whole(&memory)?);
    assert_eq!(store.replace("new", ImportSession::of(&memory))?.entities, 1, "none was there");
    Ok(())
}

/// Few ids, names and phones, so that many are the same.
fn any_entity() -> impl Strategy<Value = Entity> {
    let texts = (prop::collection::vec(0..5u8, 0..3), prop::option::of(0..3u8));
    (1..12i64, texts, prop::option::of(0..4i64), any::<bool>()).prop_map(
        |(id, (usernames, phone), days, min)| {
            let mut entity = Entity::new(PeerId::user(id).unwrap());
            entity.usernames = usernames.iter().map(|name| format!("Name_{name}")).collect();
            entity.phone = phone.map(|phone| format!("+1 55{phone}"));
            entity.date = days.map(|days| days * 200_000);
            entity.min = min;
            entity.access_hash = Some(AccessHash(id));
            entity
        },
    )
}

/// Each entity as a session of its own merges it. A text that several show belongs to a full view
/// rather than to a reduced one, then to the latest, then to the smallest id.
fn imported(entities: &[Entity]) -> tgsession::Result<BTreeMap<PeerId, Entity>> {
    let mut merged = BTreeMap::new();
    for entity in entities {
        let alone = MemorySession::new("alone");
        let same = entities.iter().filter(|other| other.id == entity.id);
        same.into_iter().try_for_each(|seen| alone.process_entities(from_ref(seen)).map(drop))?;
        merged.insert(entity.id, alone.entity(entity.id)?.unwrap());
    }
    let owner_of = |shows: &dyn Fn(&Entity) -> bool| {
        let claimants = merged.values().filter(|entity| shows(entity));
        claimants.min_by_key(|one| (one.min, Reverse(one.date), one.id)).map(|one| one.id)
    };
    let owned = merged.values().map(|entity| {
        let (id, mut entity) = (entity.id, entity.clone());
        entity
            .usernames
            .retain(|name| owner_of(&|other| other.usernames.contains(name)) == Some(id));
        entity
            .phone
            .take_if(|phone| owner_of(&|other| other.phone.as_ref() == Some(phone)) != Some(id));
        (id, entity)
    });
    Ok(owned.collect())
}

proptest! {
    #[test]
    fn an_import_in_any_order_follows_one_rule(
        mut sorted in prop::collection::vec(any_entity(), 0..12),
        others in prop::collection::vec(any_entity(), 0..12),
    ) {
        sorted.sort_by_key(|entity| entity.id);
        let entities = [sorted, others].concat();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().join("store")).unwrap();
        let account = Account::default();
        let import = ImportSession::new(&account, entities.clone().into_iter().map(Ok));
        let report = store.import("a", import).unwrap();
        let session = store.open_session("a").unwrap();
        let expected = imported(&entities).unwrap();
        let stored: BTreeMap<_, _> =
            session.entities(None, 100).unwrap().into_iter().map(|one| (one.id, one)).collect();
        prop_assert_eq!(&stored, &expected);
        for entity in expected.values() {
            for name in &entity.usernames {
                prop_assert_eq!(session.entity_by_username(name).unwrap(), Some(entity.clone()));
            }
            if let Some(phone) = &entity.phone {
                prop_assert_eq!(session.entity_by_phone(phone).unwrap(), Some(entity.clone()));
            }
        }
        let usernames = expected.values().map(|entity| entity.usernames.len()).sum::<usize>();
        let phones = expected.values().filter(|entity| entity.phone.is_some()).count();
        let counted = (report.entities, report.usernames, report.phones);
        prop_assert_eq!(counted, (expected.len() as u64, usernames as u64, phones as u64));
        prop_assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    }
}
