//! The file and the string of a public report, and odd ones.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::clients::Sample;
use crate::clients::tests::{database, read, read_file, write};
use crate::format::{Parsed, key_text};
use crate::types::DcId;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others")
}

fn said() -> Json {
    serde_json::from_slice(&fs::read(fixtures().join("gotgproto.json")).unwrap()).unwrap()
}

fn the_string() -> Parsed {
    let text = fs::read_to_string(fixtures().join("gotgproto.txt")).unwrap();
    read_text(&text).unwrap().unwrap()
}

fn check_account(account: &Account) {
    let said = said();
    let [dc] = &account.dcs[..] else { panic!("one DC") };
    assert_eq!((dc.id, account.login.home_dc), (DcId(2), Some(DcId(2))));
    assert_eq!(said["home_dc"], 2);
    assert_eq!(dc.ipv4.as_ref().unwrap().to_string(), said["addr"].as_str().unwrap());
    assert_eq!(dc.auth_key.as_ref().unwrap().to_hex(), said["auth_key"].as_str().unwrap());
    assert_eq!(account.login.test_mode, said["test_mode"].as_bool());
    assert_eq!(account.login.user, None);
}

const NOTES: [&str; 2] = [
    "AuthKeyID is not the id of the auth key: gotd refuses that key",
    "Salt: of one connection only, not kept",
];

#[test]
fn the_file_gives_its_account_and_its_peers() {
    let seen = read_file(&fixtures().join("gotgproto.session")).unwrap();
    assert_eq!(seen.format, "gotgproto");
    check_account(&seen.sample.account);
    assert_eq!(seen.notes, NOTES);
    let peers = said()["peers"].as_array().unwrap().clone();
    assert_eq!(seen.sample.entities.len(), peers.len());
    for (entity, said) in seen.sample.entities.iter().zip(&peers) {
        assert_eq!(entity.id.marked(), said["id"].as_i64().unwrap());
        assert_eq!(entity.access_hash.map(|hash| hash.0), said["access_hash"].as_i64());
        assert_eq!(entity.usernames, [said["username"].as_str().unwrap()]);
    }
}

#[test]
fn the_string_gives_the_same_account_and_so_does_its_json() {
    let parsed = the_string();
    assert_eq!(parsed.format, "gotgproto-string");
    check_account(&parsed.sessions[0].account);
    assert_eq!(parsed.sessions[0].notes, NOTES);
    let text = fs::read_to_string(fixtures().join("gotgproto.txt")).unwrap();
    let bytes = key_text::bytes_of(text.trim(), &key_text::STANDARD).unwrap();
    let json = serde_json::from_slice(&bytes).unwrap();
    assert!(looks_like_json(&json));
    check_account(&read_json(&json).unwrap().sessions[0].account);
}

#[test]
fn what_is_written_is_read_again() {
    let account = the_string().sessions.remove(0).account;
    let sample = Sample { account: account.clone(), entities: Vec::new() };
    let bytes = write(&string::TARGET, &sample).unwrap().bytes;
    let read = read_text(std::str::from_utf8(&bytes).unwrap()).unwrap().unwrap();
    assert_eq!(read.sessions[0].account, account);
    assert_eq!(read.sessions[0].notes, Vec::<String>::new());
}

#[test]
fn a_file_that_is_written_is_read_again() {
    let seen = read_file(&fixtures().join("gotgproto.session")).unwrap();
    let mut sample = seen.sample;
    let more = [PeerId::channel(5_123_456_789), PeerId::group(6), PeerId::user(7)];
    let more = more.into_iter().map(|id| Entity::new(id.unwrap()));
    sample.entities.extend(more);
    sample.entities.sort_by_key(|entity| entity.id);
    let written = write(&GotgprotoFile, &sample).unwrap();
    let again = read(written.bytes).unwrap();
    assert_eq!(again.sample.account, sample.account);
    let ids: Vec<_> = again.sample.entities.iter().map(|entity| entity.id.marked()).collect();
    assert_eq!(ids, [-6, 7, 5_123_456_789]);
    let [lost] = &written.lost[..] else { panic!("{:?}", written.lost) };
    assert_eq!(lost.what, "entities", "a channel with the bare id of a user");
    assert_eq!(lost.examples, [-1_005_123_456_789]);
}

#[test]
fn peers_of_every_type_are_read_and_odd_rows_are_noted() {
    let row = |id: i64, hash: i64, kind: i64, name: &'static str| {
        vec![Value::Integer(id), Value::Integer(hash), Value::Integer(kind), Value::from(name)]
    };
    let rows = [
        row(7, -5, 3, "channel_x"),
        row(5, 9, 1, ""),
        row(6, 0, 2, ""),
        row(8, 1, 4, ""),
        row(-1, 1, 1, ""),
        vec![Value::from("x"), Value::Null, Value::Null, Value::Null],
    ];
    let rows: Vec<&[Value<'_>]> = rows.iter().map(Vec::as_slice).collect();
    let tables: [(&str, &[&[Value<'_>]]); 2] = [
        ("create table sessions (version integer, data blob, primary key (version))", &[]),
        ("create table peers (id, access_hash, type, username)", &rows),
    ];
    let seen = read(database(0, &tables)).unwrap();
    let entities = seen.sample.entities.iter();
    let entities: Vec<_> = entities
        .map(|entity| (entity.id.marked(), entity.access_hash.map(|hash| hash.0)))
        .collect();
    assert_eq!(entities, [(-1_000_000_000_007, Some(-5)), (-6, None), (5, Some(9))]);
    assert_eq!(
        seen.notes,
        [
            "there is no session in it: the login never finished",
            "peers row 8: there is no peer of type 4, skipped",
            "peers row -1: there is no peer of type 1, skipped",
            "peers: id or type is not an integer, row skipped",
        ]
    );
}

#[test]
fn a_session_that_is_not_gotds_is_noted_and_a_key_that_cannot_be_one_is_an_error() {
    let of = |data: Value<'_>| {
        let rows = [Value::Null, data];
        let rows: [&[Value<'_>]; 1] = [&rows];
        let sql = "create table sessions (version integer primary key, data blob)";
        read(database(0, &[(sql, &rows)]))
    };
    for odd in [Value::Null, Value::from("{"), Value::Blob(b"\xff")] {
        let seen = of(odd).unwrap();
        assert_eq!(seen.notes[0], "sessions: data is not gotd's JSON, row skipped");
        assert_eq!(seen.sample.account, Account::default());
    }
    let short = json!({"Version": 1, "Data": {"DC": 2, "AuthKey": "AAAA"}}).to_string();
    assert!(matches!(of(Value::from(short.as_str())), Err(Error::Damaged { .. })));
}

#[test]
fn other_texts_are_not_taken_for_it() {
    assert!(read_text("1BvE").is_none());
    assert!(read_text("eyJ4IjoxfQ==").is_none());
    assert!(read_text(&"ey".repeat(1 << 16)).is_none());
    let wrong = json!({"Version": 1, "Data": "%"});
    assert!(read_json(&wrong).unwrap_err().contains("base64"));
    let wrong = json!({"Version": 1, "Data": "AAAA"});
    assert!(read_json(&wrong).unwrap_err().contains("JSON"));
}
