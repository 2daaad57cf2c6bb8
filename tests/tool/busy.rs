//! A store that somebody has open: reading goes on beside it, writing says who is in the way.

use crate::support::{Folder, Result};
use tgsession::{Entity, PeerId, Session, Store};

#[test]
fn a_store_that_is_open_for_writing_is_busy() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let held = Store::open(folder.path("store.tgsession"))?;
    let commands: [&[&str]; 3] = [
        &["import", "plain_1.45.0", "--into", "store"],
        &["rename", "store", "two_dc", "x"],
        &["remove", "store", "two_dc"],
    ];
    for command in commands {
        folder.run(command)?.refused(4, &["store.tgsession"]);
    }
    drop(held);
    assert_eq!(folder.results(&["list", "store"])?, "two_dc\n");
    folder.results(&["rename", "store", "two_dc", "x"])?;
    Ok(())
}

#[test]
fn a_store_in_use_is_read_as_it_stands() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let store = Store::open(folder.path("store.tgsession"))?;
    let session = store.open_session("two_dc")?;
    let mut seen = Entity::new(PeerId::user(4242).ok_or("no user")?);
    seen.name = Some("Just seen".to_owned());
    session.process_entities(&[seen])?;
    session.flush()?;
    assert_eq!(folder.json(&["get", "store", "--id", "4242"])?["name"], "Just seen");
    folder.results(&["dump", "store"])?;
    folder.results(&["info", "store"])?;
    folder.results(&["check", "store"])?;
    assert_eq!(folder.results(&["list", "store"])?, "two_dc\n");
    drop(store);
    Ok(())
}

#[test]
fn a_store_in_use_is_copied_as_it_is_and_over_nothing() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let held = Store::open(folder.path("store.tgsession"))?;
    folder.results(&["backup", "store", "copy"])?;
    let dump = |name: &str| folder.results(&["dump", name, "--secrets"]);
    assert_eq!(dump("copy")?, dump("store")?);
    folder.run(&["backup", "store", "copy"])?.refused(1, &["copy.tgsession", "already"]);
    folder.run(&["compact", "store"])?.refused(4, &["store.tgsession"]);
    drop(held);
    let before = dump("store")?;
    folder.results(&["compact", "store"])?;
    assert_eq!(dump("store")?, before);
    Ok(())
}
