//! Files that TDLib rewrote, the plain one that it was given, and odd ones made here.

use std::fs;

use super::cipher::Key;
use super::*;
use crate::clients::Sample;
use crate::clients::tests::write;
use crate::format::Disk;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others")
}

fn fixture(folder: &str) -> Vec<u8> {
    fs::read(fixtures().join(folder).join(NAME)).unwrap()
}

fn said(name: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(fixtures().join(format!("{name}.json"))).unwrap()).unwrap()
}

fn check(parsed: &Parsed, name: &str) {
    let said = said(name);
    let [session] = &parsed.sessions[..] else { panic!("one session") };
    let login = &session.account.login;
    assert_eq!(login.home_dc.map(|dc| i64::from(dc.0)), said["main_dc"].as_i64());
    assert_eq!(login.user.map(|user| user.id), said["user_id"].as_i64());
    assert_eq!(login.user.and_then(|user| user.bot), Some(said["bot"] == true));
    let [dc] = &session.account.dcs[..] else { panic!("one DC") };
    assert_eq!(Some(dc.id), login.home_dc);
    assert_eq!(dc.auth_key.as_ref().unwrap().to_hex(), said["auth_key"].as_str().unwrap());
}

#[test]
fn the_plain_file_and_the_one_of_the_default_key_are_read_without_a_key() {
    for (folder, notes) in [("tdlib_default_key_plain", 0), ("tdlib_default_key_tdlib", 1)] {
        for key in [None, Some(&b"anything"[..])] {
            let path = fixtures().join(folder);
            assert!(is_in(&Disk, &path));
            let parsed = read_folder(&Disk, &path, key).unwrap();
            check(&parsed, "tdlib_default_key");
            assert_eq!(parsed.sessions[0].notes.len(), notes, "{:?}", parsed.sessions[0].notes);
            assert_eq!(parsed.sessions[0].account.login.test_mode, Some(false));
        }
        assert!(looks_like(&fixture(folder)));
    }
}

#[test]
fn the_file_of_an_own_key_is_opened_by_it_alone_in_any_spelling() {
    let path = fixtures().join("tdlib_own_key_tdlib");
    let key = said("tdlib_own_key")["database_key"].as_str().unwrap().to_owned();
    for key in [key.as_bytes(), b"aHVudGVyMg==", b"68756e74657232\n"] {
        check(&read_folder(&Disk, &path, Some(key)).unwrap(), "tdlib_own_key");
    }
    for none in [None, Some(&b""[..])] {
        assert!(matches!(read_folder(&Disk, &path, none), Err(Error::NeedsPassphrase { .. })));
    }
    let wrong = read_folder(&Disk, &path, Some(b"hunter3"));
    assert!(matches!(wrong, Err(Error::WrongPassphrase { .. })));
}

#[test]
fn what_is_written_is_the_file_that_tdlib_took() {
    let parsed = read_folder(&Disk, &fixtures().join("tdlib_default_key_plain"), None).unwrap();
    let sample = Sample { account: parsed.sessions[0].account.clone(), entities: Vec::new() };
    assert_eq!(write(&TARGET, &sample).unwrap().bytes, fixture("tdlib_default_key_plain"));
    let mut account = sample.account.clone();
    account.login.user = Some(SelfUser { id: 5, bot: Some(true) });
    account.login.test_mode = None;
    account.dcs.push(DcOption::new(DcId(4)).with_key(AuthKey::new(&[7; 256])));
    let sample = Sample { account: account.clone(), entities: Vec::new() };
    let bytes = write(&TARGET, &sample).unwrap().bytes;
    let session = read(&bytes, None, None).unwrap();
    assert_eq!(session.account, account);
    assert_eq!(session.notes, ["DC 4: its key is not logged in yet"]);
}

/// An event of these fields, with its checksum.
fn event(id: u64, kind: i32, flags: i32, data: &[u8]) -> Vec<u8> {
    let size = (events::HEAD + data.len() + events::TAIL) as u32;
    let mut event = [&size.to_le_bytes()[..], &id.to_le_bytes(), &kind.to_le_bytes()].concat();
    event.extend(flags.to_le_bytes());
    event.extend([0; 8]);
    event.extend(data);
    let checksum = crc32fast::hash(&event);
    event.extend(checksum.to_le_bytes());
    event
}

/// A short byte string of TL.
fn bytes(content: &[u8]) -> Vec<u8> {
    let mut out = vec![content.len() as u8];
    out.extend(content);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn value(id: u64, flags: i32, key: &str, value: &str) -> Vec<u8> {
    event(id, events::KEY_VALUE, flags, &[bytes(key.as_bytes()), bytes(value.as_bytes())].concat())
}

fn home_of(log: &[Vec<u8>]) -> (Option<i32>, Vec<String>) {
    let session = read(&log.concat(), None, None).unwrap();
    (session.account.login.home_dc.map(|dc| dc.0), session.notes)
}

const UNFINISHED: &str = "the login never finished, or was logged out";

#[test]
fn events_are_replaced_erased_and_finished_as_the_client_does_it() {
    let no_key = |dc| format!("there is no key of DC {dc}, the home DC");
    let first = value(1, 0, "main_dc_id", "2");
    let replaced = [first.clone(), value(1, 1, "main_dc_id", "4")];
    assert_eq!(home_of(&replaced), (Some(4), vec![UNFINISHED.into(), no_key(4)]));
    let later = [first.clone(), value(2, 0, "main_dc_id", "5")];
    assert_eq!(home_of(&later).0, Some(5));
    let erased = [first.clone(), event(1, -2, 1, &[])];
    assert_eq!(home_of(&erased), (None, vec![UNFINISHED.into()]));
    let unfinished = [first.clone(), value(2, 2, "main_dc_id", "4")];
    let (home, notes) = home_of(&unfinished);
    assert_eq!(home, Some(2));
    assert!(notes[0].contains("last 1 events were not finished"), "{notes:?}");
    let finished = [first.clone(), value(2, 2, "main_dc_id", "4"), value(3, 0, "x", "y")];
    assert_eq!(home_of(&finished).0, Some(4));
    let twice = [first.clone(), value(1, 0, "main_dc_id", "4")].concat();
    assert!(matches!(read(&twice, None, None), Err(Closed::Format(why)) if why.contains("twice")));
}

#[test]
fn a_torn_end_is_noted_and_damage_before_it_is_an_error() {
    let whole = fixture("tdlib_default_key_plain");
    for tail in [vec![0; 64], whole[..40].to_vec(), vec![1]] {
        let session = read(&[whole.clone(), tail].concat(), None, None).unwrap();
        assert!(session.notes[0].contains("no whole event"), "{:?}", session.notes);
        assert!(session.account.dcs[0].auth_key.is_some());
    }
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        match read(&flipped, None, None) {
            Err(Closed::Format(_)) => {}
            // The size of an event that ends beyond the file is like a torn end.
            Ok(session) => assert!(session.notes[0].contains("no whole event"), "byte {at}"),
            Err(other) => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn every_flip_of_an_encrypted_file_is_told() {
    let whole = fixture("tdlib_default_key_tdlib");
    for at in (0..whole.len()).filter(|at| *at < 600 || at % 97 == 0) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        match read(&flipped, None, None) {
            Err(_) => {}
            Ok(session) => assert!(session.notes[0].contains("no whole event"), "byte {at}"),
        }
    }
}

/// The `ENCRYPTED` event, followed by the encrypted bytes of `plain`.
fn encrypted(key: &Key, hash: &[u8], plain: &[u8]) -> Vec<u8> {
    let vector = [0xff; 16];
    let data = [&[0; 4][..], &bytes(&[5; 32]), &bytes(&vector), &bytes(hash)].concat();
    let mut rest = plain.to_vec();
    key.apply(vector, &mut rest);
    [event(0, events::ENCRYPTED, 0, &data), rest].concat()
}

/// HMAC-SHA256 of what the client hashes.
fn hash_of(key: &Key) -> Vec<u8> {
    use pbkdf2::hmac::{Hmac, Mac};
    let mut mac =
        <Hmac<sha2::Sha256> as aes::cipher::KeyInit>::new_from_slice(key.bytes()).unwrap();
    mac.update(b"cucumbers everywhere");
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn a_password_is_tried_with_its_rounds_and_nothing_is_encrypted_twice() {
    let key = Key::new(b"secret", &[5; 32], 60_002);
    let log = encrypted(&key, &hash_of(&key), &value(1, 0, "main_dc_id", "3"));
    let session = read(&log, Some(b"secret"), None).unwrap();
    assert_eq!(session.account.login.home_dc, Some(DcId(3)), "the counter runs over its end");
    assert_eq!(read(&log, Some(b"Secret"), None).unwrap_err(), Closed::WrongKey);
    let twice = encrypted(&key, &hash_of(&key), &log);
    let refused = read(&twice, Some(b"secret"), None).unwrap_err();
    assert!(matches!(refused, Closed::Format(why) if why.contains("twice")));
    let odd = event(0, events::ENCRYPTED, 0, &[0; 8]);
    assert!(matches!(read(&odd, None, None), Err(Closed::Format(_))));
}

#[test]
fn the_update_state_is_taken_and_odd_values_are_noted() {
    let key_id = [0; 8];
    let auth = |content: &[u8]| {
        let value = [&key_id[..], &[1, 0, 0, 0], &bytes(content)].concat();
        event(9, events::KEY_VALUE, 0, &[bytes(b"auth2"), bytes(&value)].concat())
    };
    let log = [
        value(1, 0, "main_dc_id", "two"),
        value(2, 0, "updates.pts", "7"),
        value(3, 0, "updates.qts", "8"),
        value(4, 0, "updates.date", "9"),
        value(5, 0, "my_id", "0"),
        value(6, 0, "salt2", "x"),
        value(7, 0, "auth2x", "x"),
        auth(b""),
    ];
    let session = read(&log.concat(), None, None).unwrap();
    let state = UpdateState { pts: 7, qts: 8, date: 9, seq: 0 };
    assert_eq!(session.account.update_state, Some(state));
    assert_eq!((session.account.login.user, session.account.dcs.len()), (None, 0));
    assert_eq!(
        session.notes,
        [
            UNFINISHED,
            "main_dc_id is no number that can be, not kept",
            "the update state has no seq; 0 is taken",
            "2 values of the client's own (salts, counters, keys of its database) are not kept",
        ]
    );
    let short = read(&auth(&[1; 200]), None, None).unwrap_err();
    assert!(matches!(short, Closed::Format(why) if why.contains("200 bytes")));
    let cut = event(1, events::KEY_VALUE, 0, &bytes(b"auth"));
    assert!(
        matches!(read(&cut, None, None), Err(Closed::Format(why)) if why.contains("no key and"))
    );
}

#[test]
fn a_key_of_another_id_is_refused() {
    let mut whole = fixture("tdlib_default_key_plain");
    let first = u32::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    let len = u32::from_le_bytes(whole[first..first + 4].try_into().unwrap()) as usize;
    // The last byte of the key, before its checksum.
    whole[first + len - 5] ^= 1;
    let checksum = crc32fast::hash(&whole[first..first + len - 4]);
    whole[first + len - 4..first + len].copy_from_slice(&checksum.to_le_bytes());
    let refused = read(&whole, None, None).unwrap_err();
    assert!(matches!(refused, Closed::Format(why) if why.contains("not the one of its id")));
}

#[test]
fn both_logs_of_a_folder_are_read() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!is_in(&Disk, folder.path()));
    let log = fixture("tdlib_default_key_plain");
    fs::write(folder.path().join(TEST_NAME), &log).unwrap();
    let parsed = read_folder(&Disk, folder.path(), None).unwrap();
    assert_eq!((parsed.sessions.len(), parsed.sessions[0].name.clone()), (1, None));
    assert_eq!(parsed.sessions[0].account.login.test_mode, Some(true));
    fs::write(folder.path().join(NAME), &log).unwrap();
    let parsed = read_folder(&Disk, folder.path(), None).unwrap();
    let modes: Vec<_> = parsed.sessions.iter().map(|one| one.account.login.test_mode).collect();
    assert_eq!(modes, [Some(false), Some(true)]);
    assert!(parsed.sessions[1].name.as_ref().unwrap().ends_with("-test"));
}
