//! Encrypted stores through the public API.

#![cfg(feature = "encryption")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tgsession::{
    AuthKey, DcId, Entity, Error, KeyError, KeyKind, PeerId, Session, Source, SourceOptions, Store,
    StoreKey,
};

const KEY: [u8; 32] = [0x42; 32];

/// Cheap to derive, as no release writes them.
fn passphrase(text: &str) -> StoreKey {
    StoreKey::passphrase(text).costs(8, 1)
}

fn raw() -> StoreKey {
    StoreKey::raw(KEY)
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.tgsession");
    (folder, path)
}

/// A store with one login and some people.
fn made(path: &Path, key: &StoreKey) {
    let store = Store::options().key(key).create(path).unwrap();
    let session = store.session("alice").unwrap();
    session.set_auth_key(DcId(2), Some(AuthKey::new(&[7; 256]))).unwrap();
    let people = (1..2_000).map(|id| {
        let mut entity = Entity::new(PeerId::user(id).unwrap());
        entity.usernames = vec![format!("person{id}")];
        entity
    });
    session.process_entities(&people.collect::<Vec<_>>()).unwrap();
    drop(session);
    store.close().unwrap();
}

fn check(store: &Store) {
    let session = store.open_session("alice").unwrap();
    assert!(session.dc(DcId(2)).unwrap().unwrap().auth_key.is_some());
    let found = session.entity_by_username("person1999").unwrap();
    assert_eq!(found.unwrap().id, PeerId::user(1_999).unwrap());
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
}

/// The reason why the key was refused.
fn refused<T>(result: tgsession::Result<T>) -> KeyError {
    match result.map(drop).unwrap_err() {
        Error::Key { why, .. } => why,
        other => panic!("{other}"),
    }
}

#[test]
fn a_store_opens_with_its_key_alone() {
    let (_folder, path) = folder();
    made(&path, &raw());
    let with = |key: &StoreKey| Store::options().key(key).open(&path);
    check(&with(&raw()).unwrap());
    assert_eq!(refused(Store::open(&path)), KeyError::Missing);
    assert_eq!(refused(Store::open_read_only(&path)), KeyError::Missing);
    assert_eq!(refused(with(&StoreKey::raw([1; 32]))), KeyError::Wrong);
    assert_eq!(refused(with(&passphrase("x"))), KeyError::Wrong);
    assert_eq!(refused(with(&StoreKey::passphrase(KEY))), KeyError::Wrong);
    assert_eq!(refused(with(&StoreKey::passphrase(""))), KeyError::Empty);
    let text = Store::open(&path).unwrap_err().to_string();
    assert!(text.contains("accounts.tgsession") && text.contains("encrypted"), "{text}");
}

#[test]
fn a_reader_beside_the_writer_sees_what_it_writes() {
    let (_folder, path) = folder();
    made(&path, &raw());
    let writer = Store::options().key(&raw()).open(&path).unwrap();
    let reader = Store::options().key(&raw()).open_read_only(&path).unwrap();
    for number in 1..60 {
        writer.session("alice").unwrap().set_home_dc(DcId(number % 5 + 1)).unwrap();
        let seen = reader.open_session("alice").unwrap().login().unwrap().home_dc;
        assert_eq!(seen, Some(DcId(number % 5 + 1)));
    }
    check(&reader);
    let busy = Store::options().key(&raw()).open(&path).unwrap_err();
    assert!(matches!(busy, Error::Busy { .. }));
}

#[test]
fn a_key_for_a_store_that_is_not_encrypted_is_refused() {
    let (_folder, path) = folder();
    Store::create(&path).unwrap().session("a").unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(refused(Store::options().key(&raw()).open(&path)), KeyError::NotEncrypted);
    assert_eq!(refused(Store::options().key(&raw()).open_or_create(&path)), KeyError::NotEncrypted);
    assert_eq!(refused(SourceOptions::new().key(&raw()).open(&path)), KeyError::NotEncrypted);
    let store = Store::open(&path).unwrap();
    assert_eq!(refused(store.add_key(&raw())), KeyError::NotEncrypted);
    assert_eq!(refused(store.remove_key(1)), KeyError::NotEncrypted);
    assert!(store.keys().unwrap().is_empty() && !store.is_encrypted());
    assert_eq!(Store::keys_of(&path).unwrap(), None);
    drop(store);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn keys_come_and_go() {
    let (_folder, path) = folder();
    made(&path, &passphrase("first"));
    let store = Store::options().key(&passphrase("first")).open(&path).unwrap();
    assert_eq!(refused(store.remove_key(1)), KeyError::LastSlot);
    assert_eq!(refused(store.add_key(&StoreKey::passphrase(""))), KeyError::Empty);
    assert_eq!(store.add_key(&raw()).unwrap(), 2);
    assert_eq!(store.add_key(&passphrase("third")).unwrap(), 3);
    assert_eq!(store.add_key(&passphrase("fourth").costs(16, 2)).unwrap(), 4);
    assert_eq!(refused(store.add_key(&passphrase("fifth"))), KeyError::SlotsFull);
    let kinds: Vec<_> = store.keys().unwrap().iter().map(|key| (key.slot, key.kind)).collect();
    let cheap = KeyKind::Passphrase { memory_kib: 8, passes: 1 };
    let last = KeyKind::Passphrase { memory_kib: 16, passes: 2 };
    assert_eq!(kinds, [(1, cheap), (2, KeyKind::Raw), (3, cheap), (4, last)]);
    store.remove_key(1).unwrap();
    assert_eq!(refused(store.remove_key(1)), KeyError::NoSlot { slot: 1 });
    for slot in [0, 5, usize::MAX] {
        assert_eq!(refused(store.remove_key(slot)), KeyError::NoSlot { slot });
    }
    drop(store);
    assert_eq!(Store::keys_of(&path).unwrap().unwrap().len(), 3);
    assert_eq!(refused(Store::options().key(&passphrase("first")).open(&path)), KeyError::Wrong);
    for key in [raw(), passphrase("third"), passphrase("fourth")] {
        check(&Store::options().key(&key).open(&path).unwrap());
    }
    let reader = Store::options().key(&raw()).open_read_only(&path).unwrap();
    assert!(matches!(reader.add_key(&passphrase("no")), Err(Error::ReadOnly { .. })));
}

#[test]
fn a_slot_that_cannot_be_read_is_not_written_over() {
    let (_folder, path) = folder();
    made(&path, &raw());
    let mut bytes = fs::read(&path).unwrap();
    bytes[1536..2048].fill(0xee);
    fs::write(&path, &bytes).unwrap();
    let store = Store::options().key(&raw()).open(&path).unwrap();
    let kinds: Vec<_> = store.keys().unwrap().iter().map(|key| (key.slot, key.kind)).collect();
    assert_eq!(kinds, [(1, KeyKind::Raw), (2, KeyKind::Unreadable)]);
    assert_eq!(refused(store.remove_key(1)), KeyError::LastSlot);
    assert_eq!(store.add_key(&passphrase("next")).unwrap(), 3);
    store.remove_key(2).unwrap();
    assert_eq!(store.add_key(&passphrase("after")).unwrap(), 2);
}

#[test]
fn a_copy_has_the_keys_that_the_store_has_now() {
    let (folder, path) = folder();
    made(&path, &raw());
    let store = Store::options().key(&raw()).open(&path).unwrap();
    store.add_key(&passphrase("later")).unwrap();
    let copy = folder.path().join("copy.tgsession");
    store.backup(&copy).unwrap();
    for key in [raw(), passphrase("later")] {
        check(&Store::options().key(&key).open_read_only(&copy).unwrap());
    }
    // Another file, so that no page of one passes for one of the other.
    let (one, other) = (fs::read(&path).unwrap(), fs::read(&copy).unwrap());
    assert_ne!(one[32..48], other[32..48]);
}

#[test]
fn a_store_is_encrypted_decrypted_and_gets_a_new_master_key() {
    let (folder, path) = folder();
    let at = |name: &str| folder.path().join(name);
    made(&path, &raw());
    let store = Store::options().key(&raw()).open(&path).unwrap();
    store.backup_decrypted(at("plain.tgsession")).unwrap();
    let plain = Store::open(at("plain.tgsession")).unwrap();
    check(&plain);
    plain.backup_encrypted(at("again.tgsession"), &passphrase("again")).unwrap();
    check(&Store::options().key(&passphrase("again")).open(at("again.tgsession")).unwrap());
    store.backup_encrypted(at("rekeyed.tgsession"), &passphrase("new")).unwrap();
    check(&Store::options().key(&passphrase("new")).open(at("rekeyed.tgsession")).unwrap());
    let old = Store::options().key(&raw()).open(at("rekeyed.tgsession"));
    assert_eq!(refused(old), KeyError::Wrong);
    let exists = store.backup_encrypted(at("plain.tgsession"), &raw()).unwrap_err();
    assert!(matches!(exists, Error::AlreadyExists { .. }));
}

#[test]
fn an_encrypted_store_is_a_source_with_its_key() {
    let (folder, path) = folder();
    made(&path, &passphrase("p"));
    assert_eq!(refused(Source::open(&path)), KeyError::Missing);
    let sources = [
        SourceOptions::new().key(&passphrase("p")).open(&path).unwrap(),
        SourceOptions::new().passphrase(b"p").open(&path).unwrap(),
    ];
    for (number, source) in sources.iter().enumerate() {
        let store = Store::create(folder.path().join(format!("{number}"))).unwrap();
        store.import("alice", &mut source.session("alice").unwrap()).unwrap();
        check(&store);
    }
    assert_eq!(refused(SourceOptions::new().passphrase(b"q").open(&path)), KeyError::Wrong);
}

#[test]
fn a_damaged_store_is_repaired_with_its_key() {
    let (folder, path) = folder();
    made(&path, &raw());
    let whole = fs::read(&path).unwrap();
    let out = |name: &str| folder.path().join(name);
    let repaired = |name: &str| {
        let report = Store::options().key(&raw()).repair(&path, out(name));
        let store = Store::options().key(&raw()).open(out(name)).unwrap();
        (report.unwrap(), store)
    };
    let (report, store) = repaired("whole.tgsession");
    assert!(report.lost.is_empty(), "{:?}", report.lost);
    check(&store);

    // Neither the identity nor a root, but for the copy of the file id.
    let mut damaged = whole.clone();
    damaged[40] ^= 1;
    damaged[2048 + 100] ^= 1;
    fs::write(&path, &damaged).unwrap();
    check(&repaired("identity.tgsession").1);
    assert_eq!(refused(tgsession::repair(&path, out("no key"))), KeyError::Missing);
    let wrong = Store::options().key(&StoreKey::raw([1; 32])).repair(&path, out("wrong"));
    assert_eq!(refused(wrong), KeyError::Wrong);

    // A byte in the middle of a segment costs a unit of it.
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let (report, store) = repaired("unit.tgsession");
    assert_eq!(report.lost.len(), 1, "{:?}", report.lost);
    assert!(report.entities > 1_500 && report.entities < 1_999, "{}", report.entities);
    let session = store.open_session("alice").unwrap();
    assert!(session.dc(DcId(2)).unwrap().unwrap().auth_key.is_some());

    // All key slots are gone: nothing can be read any more.
    let mut damaged = whole;
    damaged[1024 + 100] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let error = Store::options().key(&raw()).open(&path).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

/// Puts costs into the first key slot, with the checksum that belongs to them.
fn with_costs(path: &Path, costs: [u32; 3]) {
    let mut bytes = fs::read(path).unwrap();
    for (at, cost) in (1024 + 12..).step_by(4).zip(costs) {
        bytes[at..at + 4].copy_from_slice(&cost.to_le_bytes());
    }
    let sum = crc32fast::hash(&bytes[1024 + 8..1024 + 512]);
    bytes[1024 + 4..1024 + 8].copy_from_slice(&sum.to_le_bytes());
    fs::write(path, &bytes).unwrap();
}

#[test]
fn costs_that_no_release_writes_are_refused_before_anything_is_allocated() {
    let (_folder, path) = folder();
    made(&path, &passphrase("p"));
    let open = || Store::options().key(&passphrase("p")).open(&path);
    for costs in [[1 << 30, 1, 1], [8, u32::MAX, 1], [8, 1, u32::MAX], [0, 0, 0], [262_145, 3, 1]] {
        with_costs(&path, costs);
        let [memory_kib, passes, _] = costs;
        assert_eq!(refused(open()), KeyError::Costs { memory_kib, passes });
    }
    // Cheaper than they were: the key is another one.
    with_costs(&path, [9, 1, 1]);
    assert_eq!(refused(open()), KeyError::Wrong);
    with_costs(&path, [8, 1, 1]);
    check(&open().unwrap());
    let refused = refused(Store::options().key(&passphrase("p").costs(1 << 30, 1)).create("never"));
    assert_eq!(refused, KeyError::Costs { memory_kib: 1 << 30, passes: 1 });
}

#[test]
fn passphrases_are_bytes_of_a_bounded_length() {
    let (folder, path) = folder();
    let long = StoreKey::passphrase(vec![b'x'; 1 << 20]).costs(8, 1);
    let odd = StoreKey::passphrase(b"\xff\xfe\0 not text").costs(8, 1);
    for (number, key) in [long, odd].iter().enumerate() {
        let path = folder.path().join(format!("{number}.tgsession"));
        made(&path, key);
        check(&Store::options().key(key).open(&path).unwrap());
    }
    let longer = StoreKey::passphrase(vec![b'x'; (1 << 20) + 1]);
    let most = 1 << 20;
    assert_eq!(refused(Store::options().key(&longer).create(&path)), KeyError::TooLong { most });
    assert!(!path.exists());
}

#[test]
fn a_cipher_of_a_newer_release_is_named() {
    let (_folder, path) = folder();
    made(&path, &raw());
    let mut bytes = fs::read(&path).unwrap();
    bytes[24] = 2;
    let sum = crc32fast::hash(&bytes[..508]);
    bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let open = || Store::options().key(&raw()).open(&path);
    assert_eq!(refused(open()), KeyError::OtherCipher { found: 2 });
    // Said to be plain, it is refused with the key, and gives nothing without it.
    bytes[24] = 0;
    let sum = crc32fast::hash(&bytes[..508]);
    bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    assert_eq!(refused(open()), KeyError::NotEncrypted);
    assert!(matches!(Store::open(&path), Err(Error::Damaged { .. })));
}

#[test]
fn no_key_is_shown() {
    for key in [StoreKey::passphrase("secret"), StoreKey::raw([7; 32])] {
        let shown = format!("{key:?} {:?}", Store::options().key(&key));
        assert!(!shown.contains("secret") && !shown.contains("7, 7"), "{shown}");
    }
}
