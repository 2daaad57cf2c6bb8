//! The fixture, and what is odd in others.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::clients::Sample;
use crate::clients::tests::write;
use crate::format::{Losses, Target, Writing};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others")
}

fn json_of(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixtures().join(name)).unwrap()).unwrap()
}

fn the_session(json: &Value) -> ParsedSession {
    let mut parsed = read(json).unwrap();
    assert_eq!((parsed.format.as_str(), parsed.sessions.len()), ("gotd", 1));
    parsed.sessions.remove(0)
}

#[test]
fn the_fixture_is_read_as_its_json_says() {
    let (json, said) = (json_of("gotd.session.json"), json_of("gotd.json"));
    assert!(looks_like(&json));
    let session = the_session(&json);
    let [dc] = &session.account.dcs[..] else { panic!("one DC") };
    let home = i32::try_from(said["home_dc"].as_i64().unwrap()).unwrap();
    assert_eq!((dc.id, session.account.login.home_dc), (DcId(home), Some(DcId(home))));
    assert_eq!(session.account.login.test_mode, said["test_mode"].as_bool());
    assert_eq!(dc.ipv4.as_ref().unwrap().to_string(), said["addr"].as_str().unwrap());
    assert_eq!(dc.auth_key.as_ref().unwrap().to_hex(), said["auth_key"].as_str().unwrap());
    assert_eq!(session.notes, ["Salt: of one connection only, not kept"]);
}

#[test]
fn what_is_written_is_read_again_and_is_laid_out_as_the_client_does() {
    let written = json_of("gotd.session.json");
    let account = the_session(&written).account;
    let sample = Sample { account: account.clone(), entities: Vec::new() };
    let bytes = write(&TARGET, &sample).unwrap().bytes;
    let again: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(the_session(&again).account, account);
    assert_eq!(the_session(&again).notes, Vec::<String>::new());
    for name in ["DC", "Addr", "AuthKey", "AuthKeyID"] {
        assert_eq!(again["Data"][name], written["Data"][name], "{name}");
    }
    let keys = |json: &Value| -> Vec<String> {
        json["Data"]["Config"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys(&again), keys(&written));
}

#[test]
fn a_host_with_quotes_stays_text() {
    let mut account = the_session(&json_of("gotd.session.json")).account;
    account.dcs[0].ipv4 = Some(Endpoint::new("a\"b\\", 443));
    account.login.test_mode = None;
    let again: Value = serde_json::from_str(&text(&account).unwrap()).unwrap();
    assert_eq!(the_session(&again).account, account);
}

#[test]
fn test_mode_is_believed_only_beside_a_dc() {
    let with = |config: Value| {
        let json = json!({"Version": 1, "Data": {"DC": 2, "AuthKey": "", "Config": config}});
        the_session(&json).account.login.test_mode
    };
    assert_eq!(with(json!({"TestMode": false, "ThisDC": 0})), None);
    assert_eq!(with(json!({"TestMode": false, "ThisDC": 2})), Some(false));
    assert_eq!(with(json!({"TestMode": true, "ThisDC": 0})), Some(true));
    assert_eq!(with(Value::Null), None);
}

#[test]
fn what_is_odd_is_noted_and_a_key_that_cannot_be_one_is_an_error() {
    let mut json = json_of("gotd.session.json");
    json["Version"] = json!(2);
    json["Data"]["Addr"] = json!("149.154.167.51");
    json["Data"]["AuthKeyID"] = json!("AAAAAAAAAAA=");
    json["Data"]["Salt"] = json!(0);
    json["Data"]["Extra"] = json!(1);
    let session = the_session(&json);
    assert!(session.account.dcs[0].auth_key.is_some());
    assert_eq!(
        session.notes,
        [
            "version 2 is not gotd's 1, read as it",
            "AuthKeyID is not the id of the auth key: gotd refuses that key",
            "Addr is not HOST:PORT, not kept",
            "\"Extra\" is not gotd's and was not read",
        ]
    );
    for (name, odd, told) in [
        ("AuthKey", json!("AAAA"), "3 bytes"),
        ("AuthKey", json!(5), "AuthKey is not text"),
        ("DC", json!("2"), "DC is not"),
        ("DC", json!(1_i64 << 40), "DC is not"),
    ] {
        let mut json = json_of("gotd.session.json");
        json["Data"][name] = odd;
        assert!(read(&json).unwrap_err().contains(told), "{name}");
    }
}

#[test]
fn an_account_that_does_not_fit_is_refused() {
    let (lost, out) = (&mut Losses::default(), &mut Cursor::new(Vec::new()));
    let refused = TARGET.write(Writing { sessions: &mut [], lost, out });
    assert!(matches!(refused, Err(Error::Unfit { .. })));
    assert!(matches!(text(&Account::default()), Err(Error::Lacks { .. })));
}
