//! A reader that was written from FORMAT.md alone finds in a store what the library finds.
//!
//! `TGSESSION_FORMAT_PYTHON` names a Python with PyNaCl and argon2-cffi. Without it nothing is tested;
//! `.ci/run interop` makes one.

#![cfg(all(feature = "convert", feature = "encryption"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails should say where"
)]

mod support;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Outcome, account, entities, entity, key};
use tgsession::{
    Account, DcId, Entity, ImportSession, PeerId, Session, Store, StoreKey, StoreOptions,
};

const ENTITIES: i64 = 3000;

/// The script, in the Python of the environment variable.
struct Reader {
    python: OsString,
    folder: tempfile::TempDir,
}

impl Reader {
    /// `None` unless a Python is named.
    fn new() -> Option<Self> {
        let python = std::env::var_os("TGSESSION_FORMAT_PYTHON")?;
        Some(Self { python, folder: tempfile::tempdir().unwrap() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format_reader").join(name);
        Command::new(&self.python).arg("-B").arg(script).args(arguments).output().unwrap()
    }

    /// What the script says of a store, which it opens with a key in a file.
    fn read(&self, store: &Path, key: Option<&(&str, PathBuf)>, question: &[&str]) -> Value {
        let key = key.map(|(option, file)| [*option, file.to_str().unwrap()]);
        let key = key.iter().flatten().copied();
        let arguments: Vec<_> = [store.to_str().unwrap()].into_iter().chain(key).collect();
        let output = self.script("read_store.py", &[&arguments, question].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{question:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A store with several segments, and changes of them in the log.
fn filled(path: &Path, options: &StoreOptions) -> tgsession::Result<Store> {
    let store = options.create(path)?;
    let account = account();
    let session = ImportSession::new(&account, entities(ENTITIES).into_iter().map(Ok));
    store.import("alice", session)?;
    let alice = store.session("alice")?;
    alice.remove_entity(entity(30).id)?;
    alice.process_entities(&[renamed(40, "moved_in_a_segment"), renamed(60, "moved_twice")])?;
    // An import writes a segment, with the changes before it. They hide rows of the older one.
    store.import("bob", ImportSession::new(&account, entities(40).into_iter().map(Ok)))?;
    drop((alice, store));
    let store = options.open(path)?;
    let alice = store.session("alice")?;
    alice.remove_entity(entity(50).id)?;
    alice.process_entities(&[renamed(60, "moved_in_the_log")])?;
    store.session("carol")?.set_auth_key(DcId(1), Some(key(3)))?;
    alice.flush()?;
    Ok(store)
}

fn renamed(n: i64, username: &str) -> Entity {
    let mut entity = entity(n);
    entity.usernames = vec![username.to_owned()];
    entity
}

#[test]
fn an_independent_reader_finds_what_the_library_finds() -> Outcome {
    let Some(reader) = Reader::new() else { return Ok(()) };
    let (passphrase, raw) = (reader.path("passphrase"), reader.path("raw"));
    std::fs::write(&passphrase, b"correct \xff horse")?;
    std::fs::write(&raw, [7; 32])?;
    let passphrase_key = StoreKey::passphrase(b"correct \xff horse").costs(64, 2);
    let raw_key = StoreKey::raw([7; 32]);
    let passphrase_file = ("--passphrase-file", passphrase);
    let raw_file = ("--key-file", raw);

    let plain = reader.path("plain.tgsession");
    let store = filled(&plain, &Store::options())?;
    assert_same(&reader, &store, &plain, None);
    drop(store);
    let encrypted = reader.path("encrypted.tgsession");
    let store = filled(&encrypted, &Store::options().key(&passphrase_key))?;
    assert_eq!(store.add_key(&raw_key)?, 2);
    for key in [&passphrase_file, &raw_file] {
        assert_same(&reader, &store, &encrypted, Some(key));
    }
    let backup = reader.path("backup.tgsession");
    store.backup(&backup)?;
    drop(store);
    for (path, key) in
        [(&plain, None), (&encrypted, Some(&raw_file)), (&backup, Some(&passphrase_file))]
    {
        let mut options = Store::options();
        if key.is_some() {
            options = options.key(&raw_key);
        }
        let store = options.open_read_only(path)?;
        assert_same(&reader, &store, path, key);
        let found = reader.read(path, key, &[]);
        assert_eq!(found["clean_end"], json!(true), "{}", path.display());
    }
    let key_slots = json!({
        "1": {"kind": "passphrase", "costs": [64, 2, 1]},
        "2": {"kind": "raw", "costs": [0, 0, 0]},
    });
    assert_eq!(reader.read(&backup, Some(&raw_file), &[])["key_slots"], key_slots);
    assert!(reader.read(&plain, None, &[])["segments"].as_u64().unwrap() > 1, "one hides another");
    Ok(())
}

fn assert_same(reader: &Reader, store: &Store, path: &Path, key: Option<&(&str, PathBuf)>) {
    let alice = store.session("alice").unwrap();
    let (mut question, mut entities) =
        (vec!["--session".to_owned(), "alice".to_owned()], json!({}));
    let mut ask = |option: &str, text: &str, entity: Option<Entity>| {
        question.extend([format!("--{option}"), text.to_owned()]);
        entities[option][text] = json_of(entity);
    };
    for n in [0, 1, 2, 30, 40, 50, 60, 70, 1234, 2999, 5000] {
        let id = entity(n).id;
        ask("id", &id.marked().to_string(), alice.entity(id).unwrap());
    }
    let usernames = ["user_0", "USER_2998", "second_70", "user_40", "user_30"];
    for username in usernames.into_iter().chain([
        "moved_in_a_segment",
        "moved_twice",
        "moved_in_the_log",
        "user_50",
        "user_60",
        "nobody",
    ]) {
        ask("username", username, alice.entity_by_username(username).unwrap());
    }
    for phone in ["15550000003", "15550002997", "1"] {
        ask("phone", phone, alice.entity_by_phone(phone).unwrap());
    }
    let question: Vec<_> = question.iter().map(String::as_str).collect();
    let found = reader.read(path, key, &question);
    assert_eq!(found["entities"], entities);
    assert_eq!(found["encrypted"], json!(key.is_some()));
    let names = store.list().unwrap();
    let sessions: Vec<_> = names.iter().map(|name| session_of(store, name)).collect();
    let found_sessions = found["sessions"].as_object().unwrap();
    assert_eq!(found_sessions.keys().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
    for (found, session) in found_sessions.values().zip(sessions) {
        let mut found = found.clone();
        found.as_object_mut().unwrap().remove("account");
        assert_eq!(found, session);
    }
}

fn session_of(store: &Store, name: &str) -> Value {
    let session = store.session(name).unwrap();
    let Account { login, dcs, update_state, channel_states, .. } = session.account().unwrap();
    let dcs: serde_json::Map<_, _> = dcs
        .iter()
        .map(|dc| {
            let address = |address: &Option<tgsession::Endpoint>| {
                address.as_ref().map(|address| json!([address.host, address.port]))
            };
            let key_hash =
                dc.auth_key.as_ref().map(|key| hex(&Sha256::digest(&key.as_bytes()[..16])));
            let value =
                json!({"ipv4": address(&dc.ipv4), "ipv6": address(&dc.ipv6), "key_hash": key_hash});
            (dc.id.0.to_string(), value)
        })
        .collect();
    let channels: serde_json::Map<_, _> = channel_states
        .iter()
        .map(|state| (state.id.marked().to_string(), json!(state.pts)))
        .collect();
    let mut found = json!({
        "login": {
            "home_dc": login.home_dc.map(|dc| dc.0),
            "user": login.user.map(|user| json!([user.id, user.bot])),
            "api_id": login.api_id,
            "test_mode": login.test_mode,
            "takeout_id": login.takeout_id,
        },
        "dcs": dcs,
        "channels": channels,
    });
    if let Some(state) = update_state {
        let state =
            json!({"pts": state.pts, "qts": state.qts, "date": state.date, "seq": state.seq});
        found["state"] = state;
    }
    found
}

fn json_of(entity: Option<Entity>) -> Value {
    let Some(entity) = entity else { return Value::Null };
    let kind = entity.kind.map(|kind| format!("{kind:?}").to_lowercase());
    json!({
        "id": entity.id.marked(),
        "kind": kind,
        "min": entity.min,
        "access_hash": entity.access_hash.map(|hash| hash.0),
        "usernames": entity.usernames,
        "phone": entity.phone,
        "name": entity.name,
        "date": entity.date,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_independent_reader_checks_a_base_and_says_that_it_does_not_read_its_rows() -> Outcome {
    let Some(reader) = Reader::new() else { return Ok(()) };
    let raw = reader.path("raw");
    std::fs::write(&raw, [7; 32])?;
    let raw_key = ("--key-file", raw);
    for key in [None, Some(&raw_key)] {
        let path = reader.path(if key.is_some() { "c.tgsession" } else { "p.tgsession" });
        let mut options = Store::options();
        if key.is_some() {
            options = options.key(&StoreKey::raw([7; 32]));
        }
        let account = account();
        options.create_with(&path, |store| {
            (1..=200).try_for_each(|n| {
                let user = Entity::new(PeerId::user(n).unwrap());
                let session = ImportSession::new(&account, [Ok(user)]);
                store.import(&format!("session {n}"), session).map(drop)
            })
        })?;
        let base = &reader.read(&path, key, &[])["base"];
        assert_eq!(base["rows"], json!("not read: the base is a redb database"));
        assert!(base["blocks"].as_u64().unwrap() > 20, "{base}");
    }
    Ok(())
}

#[test]
fn an_independent_reader_refuses_wrong_keys_and_changed_bytes() -> Outcome {
    let Some(reader) = Reader::new() else { return Ok(()) };
    let store = reader.path("s.tgsession");
    filled(&store, &Store::options().key(&StoreKey::raw([7; 32])))?;
    let key = reader.path("key");
    let refused = |key_bytes: &[u8], store: &Path, why: &str| {
        std::fs::write(&key, key_bytes).unwrap();
        let arguments = [store.to_str().unwrap(), "--key-file", key.to_str().unwrap()];
        let output = reader.script("read_store.py", &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{why}: {said}");
    };
    refused(&[8; 32], &store, "the key is wrong");
    refused(&[8; 31], &store, "has 31 bytes");
    let output = reader.script("read_store.py", &[store.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("the store is encrypted"));
    let bytes = std::fs::read(&store)?;
    for (at, why) in [(20, "identity"), (1024 + 80, "no key slot is whole")] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let path = reader.path("damaged");
        std::fs::write(&path, damaged)?;
        refused(&[7; 32], &path, why);
    }
    Ok(())
}

#[test]
fn an_independent_implementation_makes_the_vectors_of_encrypted_stores() {
    let Some(reader) = Reader::new() else { return };
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMAT.md");
    let output = reader.script("check_vectors.py", &[document.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
