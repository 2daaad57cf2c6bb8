//! Stores that somebody wrote on purpose, opened in every way.

use std::path::Path;
use std::sync::Arc;

use super::random_ops::{open, seal_of};
use super::sim_disk::SimDisk;
use crate::file::{Access, Disk};
use crate::session::Session;
use crate::store::Store;
use crate::store::repair::salvaged_on;
use crate::types::{DcId, Progress};

/// Reads everything that there is; errors are answers.
pub(super) fn walk(store: &Store) {
    let _ = store.check();
    for name in store.list().unwrap_or_default() {
        let Ok(session) = store.open_session(&name) else { continue };
        let _ = (session.login(), session.dcs(), session.update_state(), session.channel_states());
        for entity in session.entities(None, 1_000).unwrap_or_default() {
            let _ = session.entity(entity.id);
            for username in &entity.usernames {
                let _ = session.entity_by_username(username);
            }
        }
    }
}

/// Opens such a store in every way. A writer that opens it can go on.
pub(crate) fn forged_log(file: &[u8]) {
    let disk = SimDisk::new(file.to_vec());
    let reader = open(disk.handle(), Access::Read, 20_000);
    if let Ok(reader) = &reader {
        walk(reader);
    }
    let salvaged: Arc<dyn Disk> = Arc::new(disk.handle());
    let _ = salvaged_on(Path::new("fuzz"), &salvaged, &seal_of(&disk), &Progress::default());
    assert!(disk.killed() == file, "reading has changed the file");
    let Ok(writer) = open(disk.handle(), Access::Write, 20_000) else { return };
    assert!(reader.is_ok(), "a writer opens what no reader can");
    drop(reader);
    walk(&writer);
    let made = writer.session("made here").and_then(|made| made.set_home_dc(DcId(2)));
    let _ = writer.remove("other");
    let _ = writer.compact();
    let listed = writer.list();
    let closed = writer.close();
    if made.is_ok() && closed.is_ok() {
        let again = open(disk.handle(), Access::Write, 20_000);
        let again = again.unwrap_or_else(|error| panic!("cannot be opened again: {error:?}"));
        assert!(again.open_session("made here").is_ok());
        // A name that is not text is an error of the list, and of nothing else.
        let is_listed = |names: Vec<String>| names.contains(&"made here".to_owned());
        assert!(again.list().map_or(listed.is_err(), is_listed));
    }
}
