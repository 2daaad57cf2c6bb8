//! The two of a public report, and odd ones.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others")
}

fn json_of(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixtures().join(name)).unwrap()).unwrap()
}

fn the_session(json: &Value) -> ParsedSession {
    assert!(looks_like(json));
    let mut parsed = read(json).unwrap();
    assert_eq!((parsed.format.as_str(), parsed.sessions.len()), ("web-localstorage", 1));
    assert_eq!(parsed.sessions[0].name, None);
    parsed.sessions.remove(0)
}

fn hex(byte: u8) -> String {
    AuthKey::new(&[byte; 256]).to_hex()
}

#[test]
fn both_clients_are_read_as_their_json_says() {
    let said = json_of("web.json");
    for (name, said) in [("web_a.json", &said["a"]), ("web_k.json", &said["k"])] {
        let session = the_session(&json_of(name));
        let login = &session.account.login;
        assert_eq!(login.home_dc.map(|dc| i64::from(dc.0)), said["home_dc"].as_i64());
        assert_eq!(login.user.map(|user| user.id), said["user_id"].as_i64());
        assert_eq!((login.user.unwrap().bot, login.test_mode), (None, None));
        let keys = said["keys"].as_object().unwrap();
        assert_eq!(session.account.dcs.len(), keys.len());
        for dc in &session.account.dcs {
            let expected = keys[&dc.id.to_string()].as_str().unwrap();
            assert_eq!(dc.auth_key.as_ref().unwrap().to_hex(), expected);
            assert_eq!((&dc.ipv4, &dc.ipv6), (&None, &None));
        }
        let salts = session.notes.iter().filter(|note| note.contains("salts")).count();
        assert_eq!((session.notes.len(), salts), (usize::from(name == "web_a.json"), salts));
    }
}

#[test]
fn several_accounts_are_read_and_the_keys_of_one_of_them_are_not_another() {
    let account = |dc: i32, key: u8| {
        let value = json!({"dcId": dc, format!("dc{dc}_auth_key"): hex(key), "userId": 5});
        json!(value.to_string())
    };
    let mut json = json!({"account2": account(4, 2), "account1": account(2, 1), "tgme_sync": "{}"});
    json["dc"] = json!("2");
    json["dc2_auth_key"] = json!(format!("\"{}\"", hex(1)));
    json["user_auth"] = json!(r#"{"dcID":2,"id":"5"}"#);
    let numbers = |json: &Value| {
        let sessions = read(json).unwrap().sessions;
        let numbers = sessions.into_iter().map(|session| session.number.unwrap());
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(numbers(&json), [1, 2]);
    json["account3"] = json!(r#"{"dcId":2,"dc2_auth_key":"ab"}"#);
    assert_eq!(numbers(&json), [1, 2, 3]);
    assert!(read(&json).unwrap().sessions[2].unreadable.is_some());
    json.as_object_mut().unwrap().remove("account3");
    json["dc2_auth_key"] = json!(hex(9));
    assert_eq!(numbers(&json), [0, 1, 2]);
}

#[test]
fn what_the_client_hands_out_is_read() {
    let json =
        json!({"mainDcId": 4, "keys": {"4": hex(1), "2": hex(2)}, "hashes": {}, "isTest": true});
    let session = the_session(&json);
    assert_eq!(session.account.login.home_dc, Some(DcId(4)));
    assert_eq!(session.account.login.test_mode, Some(true));
    let dcs: Vec<_> = session.account.dcs.iter().map(|dc| dc.id.0).collect();
    assert_eq!(dcs, [2, 4]);
    assert_eq!(session.notes, ["nothing says who is logged in"]);
}

#[test]
fn what_lacks_is_said_and_keys_that_cannot_be_are_refused_without_being_shown() {
    let session =
        the_session(&json!({"dc2_auth_key": hex(1), "dc4_auth_key": "", "dc5_auth_key": null}));
    assert_eq!(session.account.dcs.len(), 1);
    assert_eq!(session.notes, ["nothing says which DC is home", "nothing says who is logged in"]);
    let session = the_session(&json!({"dc2_auth_key": hex(1), "dc": 4, "user_auth": {"id": -5}}));
    assert!(session.notes.contains(&"there is no key of DC 4, the home DC".to_owned()));
    assert_eq!(session.account.login.user, None);
    for odd in [json!("abcd"), json!(5), json!("\"zz\"")] {
        let error = read(&json!({"dc2_auth_key": odd})).unwrap_err();
        assert!(error.starts_with("dc2_auth_key is not") && !error.contains("abcd"), "{error}");
    }
}

#[test]
fn other_json_is_not_taken_for_it() {
    for other in [
        json!([]),
        json!({}),
        json!({"account1": "{}"}),
        json!({"account1": "{", "dc": 2}),
        json!({"dcx_auth_key": "", "dc123456_auth_key": "", "dc_auth_key": ""}),
        json!({"keys": {}}),
        json!({"dc_id": 2, "auth_key": ["a"], "user_id": 1, "test_mode": false}),
    ] {
        assert!(!looks_like(&other), "{other}");
    }
}
