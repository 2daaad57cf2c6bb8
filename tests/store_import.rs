//! Whole sessions taken into a store: from another store, from the same one, from memory.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

mod support;

use support::{Outcome, account, entities, entity, key};
use tgsession::{
    Account, DcId, Entities, Entity, Error, Extra, ImportSession, MemorySession, Session, Store,
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
