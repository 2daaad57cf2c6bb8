//! A file that somebody else still has open, as a forked child has it.

use std::sync::Arc;

use crate::engine::Engine;
use crate::file::{Access, FileDisk, FileSeal, StoreFile};
use crate::store::{Store, StoreOptions};

#[test]
fn a_closed_store_is_free_though_a_forked_child_has_its_file_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.tgsession");
    Store::create(&path).unwrap().session("a").unwrap();
    let StoreFile { file, identity, .. } =
        StoreFile::open(&path, Access::Write).map_err(|_| "cannot open").unwrap();
    // As after a fork, both names of the open file have the lock.
    let inherited = file.try_clone().unwrap();
    let disk = Arc::new(FileDisk::new(file, &path).unwrap());
    let options = StoreOptions::default().engine();
    let seal = FileSeal::plain(identity.file_id);
    let engine = Engine::open(&path, disk, seal, Access::Write, options).unwrap();
    let store = Store::on(engine, None, &StoreOptions::default());
    store.session("b").unwrap();
    store.close().unwrap();

    assert_eq!(Store::open(&path).unwrap().list().unwrap(), ["a", "b"]);
    drop(inherited);
}
