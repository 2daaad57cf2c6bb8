//! The fixture, files written here, and odd ones.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::clients::Sample;
use crate::clients::tests::write;
use crate::error::Error;
use crate::types::{Account, DcId, SelfUser};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others")
}

fn said() -> serde_json::Value {
    serde_json::from_slice(&fs::read(fixtures().join("wtelegram.json")).unwrap()).unwrap()
}

fn fixture() -> Vec<u8> {
    fs::read(fixtures().join("wtelegram.session")).unwrap()
}

fn key() -> String {
    said()["session_key"].as_str().unwrap().to_owned()
}

fn the_session(bytes: &[u8], key: &str) -> ParsedSession {
    let mut parsed = read(bytes, Some(key.as_bytes())).unwrap();
    assert_eq!((parsed.format.as_str(), parsed.sessions.len()), ("wtelegram", 1));
    parsed.sessions.remove(0)
}

fn account() -> Account {
    the_session(&fixture(), &key()).account
}

#[test]
fn the_fixture_is_read_as_its_json_says() {
    assert!(looks_like(&fixture()));
    let (session, said) = (the_session(&fixture(), &key()), said());
    let login = &session.account.login;
    assert_eq!(login.home_dc.map(|dc| i64::from(dc.0)), said["home_dc"].as_i64());
    assert_eq!(login.user.map(|user| user.id), said["user_id"].as_i64());
    assert_eq!(login.api_id.map(i64::from), said["api_id"].as_i64());
    let keys = said["keys"].as_object().unwrap();
    assert_eq!(session.account.dcs.len(), keys.len());
    for dc in &session.account.dcs {
        let expected = keys[&dc.id.to_string()].as_str().unwrap();
        assert_eq!(dc.auth_key.as_ref().unwrap().to_hex(), expected);
        assert_eq!(dc.ipv4.as_ref().unwrap().to_string(), "149.154.167.42:443");
    }
    assert_eq!(session.notes, ["salts: of one connection only, not kept"]);
}

#[test]
fn the_key_is_needed_and_another_one_is_told() {
    let read = |key| read(&fixture(), key).map(drop).unwrap_err();
    assert_eq!(read(None), Closed::NeedsKey);
    assert_eq!(read(Some(b"")), Closed::NeedsKey);
    let other = key().replace('a', "b");
    for wrong in [other.as_bytes(), b"secret", b"00", "0".repeat(64).as_bytes(), b"zz"] {
        assert_eq!(read(Some(wrong)), Closed::WrongKey);
    }
    let spaced = format!(" {}\n", key().to_uppercase());
    assert_eq!(the_session(&fixture(), &spaced).account, account());
}

#[test]
fn what_is_written_under_a_key_of_any_size_is_read_again() {
    let mut account = account();
    let second = DcId(4);
    let mut dc = account.dcs[0].clone();
    (dc.id, dc.ipv4) = (second, None);
    account.dcs.push(dc.at(crate::types::Endpoint::new("2001:67c:4e8:f004::a", 443)));
    let sample = Sample { account: account.clone(), entities: Vec::new() };
    for digits in [32, 48, 64] {
        let key = "0123456789abcdef".repeat(4)[..digits].to_owned();
        let target = WTelegramFile::new(Some(key.as_bytes())).unwrap();
        let bytes = write(&target, &sample).unwrap().bytes;
        assert!(looks_like(&bytes));
        let session = the_session(&bytes, &key);
        assert_eq!((session.account, session.notes), (account.clone(), Vec::new()));
        assert_ne!(bytes, write(&target, &sample).unwrap().bytes, "the vector is random");
    }
    let refused = WTelegramFile::new(Some(b"0123")).map(drop);
    assert!(matches!(refused, Err(Error::Unfit { .. })));
    account.dcs[0].ipv4 = Some(crate::types::Endpoint::new("venus.web.telegram.org", 443));
    let target = WTelegramFile::new(Some(&[b'0'; 32])).unwrap();
    let named = write(&target, &Sample { account, entities: Vec::new() });
    assert!(matches!(named.map(drop), Err(Error::Unfit { .. })));
    assert!(matches!(WTelegramFile::new(None).map(drop), Err(Error::Lacks { .. })));
}

#[test]
fn the_live_block_is_the_one_that_the_head_names() {
    let fixture = fixture();
    let mut bytes = fixture.clone();
    let position = i32::try_from(bytes.len()).unwrap();
    bytes.extend_from_slice(&fixture[8..]);
    bytes[8..].iter_mut().take(720).for_each(|byte| *byte = 0);
    bytes[..4].copy_from_slice(&position.to_le_bytes());
    assert_eq!(the_session(&bytes, &key()).account, account());
}

#[test]
fn heads_that_cannot_be_are_of_another_file() {
    let with_head = |position: i32, length: i32| {
        let mut bytes = fixture();
        bytes[..4].copy_from_slice(&position.to_le_bytes());
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        looks_like(&bytes)
    };
    assert!(with_head(8, 720));
    for (position, length) in [
        (8, 736),
        (7, 720),
        (0, 720),
        (-8, 720),
        (8, -720),
        (8, 721),
        (8, 48),
        (8, i32::MAX),
        (i32::MAX, 720),
        (65_544, 720),
    ] {
        assert!(!with_head(position, length), "{position} {length}");
    }
}

#[test]
fn every_flip_and_cut_of_a_file_is_told() {
    let whole = fixture();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        assert!(read(&flipped, Some(key().as_bytes())).is_err(), "flip at {at}");
        assert!(read(&whole[..at], Some(key().as_bytes())).is_err(), "cut at {at}");
    }
}

#[test]
fn odd_json_is_noted_or_refused_and_its_values_are_not_shown() {
    let of = |text: &str| {
        let mut notes = Vec::new();
        json::read(text.as_bytes(), &mut notes).map(|account| (account, notes))
    };
    let (account, notes) = of(r#"{"ApiId":5,"MainDC":2,"DcOptions":[{}],"More":1,"DCSessions":{
        "-2":{"AuthKey":"AAAA"},"4":{"DataCenter":{"ip_address":"","port":1}},"2":{}}}"#)
    .unwrap();
    assert_eq!(account.dcs.iter().map(|dc| dc.id.0).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(account.login.user, None::<SelfUser>);
    assert_eq!(
        notes,
        [
            "no user is logged in",
            "DataCenter of DC 4 is no address, not kept",
            "DCSessions: 1 of media DCs are not kept",
            "DcOptions: 1 addresses that the server gave, not kept",
            "\"More\" is not the client's and was not read",
        ]
    );
    for (text, told) in [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (r#"{"UserId":-5}"#, "UserId"),
        (r#"{"MainDC":"2"}"#, "MainDC"),
        (r#"{"ApiId":99999999999}"#, "ApiId"),
        (r#"{"DCSessions":{"two":{}}}"#, "no DC's number"),
        (r#"{"DCSessions":{"2":{"AuthKey":"AAAA"}}}"#, "3 bytes"),
        (r#"{"DCSessions":{"2":{"AuthKey":7}}}"#, "not text"),
    ] {
        let error = of(text).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
}
