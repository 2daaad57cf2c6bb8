use std::io::Cursor;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::clients::tests::{counts, read, read_file, sessions, write};
use crate::error::Error;
use crate::sqlite::Value;
use crate::sqlite::writer::{DatabaseWriter, WriterOptions};
use crate::types::{DcId, EntityKind, SelfUser};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/telethon");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_written_is_read_back(sample in sessions()) {
        let written = match write(&Telethon2File, &sample) {
            Err(Error::Lacks { what, .. }) => {
                prop_assert_eq!(what, "the account's own user id");
                return Ok(());
            }
            written => written.unwrap(),
        };
        let mut kept = written.fitted.account;
        if kept.update_state.is_none() {
            let there = kept.channel_states.len() as u64;
            let lost = counts(&written.lost).get("channel_states").copied();
            prop_assert_eq!(lost.unwrap_or_default(), there);
            kept.channel_states.clear();
        }
        let seen = read(written.bytes).unwrap();
        prop_assert_eq!(seen.format, "telethon2 v10");
        prop_assert_eq!(seen.sample.account, kept);
        prop_assert_eq!(seen.sample.entities, []);
    }
}

/// A database of these tables: `CREATE TABLE` and the rows, whose first column is the rowid.
fn database(tables: &[(&str, &[&[Value<'_>]])]) -> Vec<u8> {
    let mut db = DatabaseWriter::new(Cursor::new(Vec::new()), &WriterOptions::new()).unwrap();
    for (sql, rows) in tables {
        let mut table = db.table(sql, &[]).unwrap();
        for row in *rows {
            let Value::Integer(rowid) = row[0] else { panic!("a key first") };
            table.row(rowid, row).unwrap();
        }
        table.finish().unwrap();
    }
    db.finish().unwrap().into_inner()
}

const VERSION: &str = "create table version (version integer primary key)";

#[test]
fn a_file_of_the_first_weeks_has_one_address_and_no_username() {
    let integer = Value::Integer;
    let bytes = database(&[
        (VERSION, &[&[integer(10)]]),
        (
            "create table datacenter(id integer primary key, addr text not null, auth blob)",
            &[
                &[integer(2), Value::from("149.154.167.51:443"), Value::Blob(&[9; 256])],
                &[integer(4), Value::from("2001:67c:4e8:f004::a:443"), Value::Null],
                &[integer(5), Value::from("nowhere"), Value::Null],
            ],
        ),
        (
            "create table user(id integer primary key, dc integer not null, bot integer not null)",
            &[&[integer(777), integer(2), integer(1)]],
        ),
        ("create table state(pts integer, qts integer, date integer, seq integer)", &[]),
        ("create table channelstate(id integer primary key, pts integer not null)", &[]),
    ]);
    let seen = read(bytes).unwrap();
    assert_eq!(seen.format, "telethon2 v10");
    let account = seen.sample.account;
    assert_eq!(account.login.home_dc, Some(DcId(2)));
    assert_eq!(account.login.user, Some(SelfUser { id: 777, bot: Some(true) }));
    let ends = account.dcs.iter().map(|dc| dc.ipv4.as_ref().or(dc.ipv6.as_ref()));
    let ends: Vec<_> = ends.map(|end| end.map(ToString::to_string)).collect();
    let [ipv4, ipv6] = ["149.154.167.51:443", "[2001:67c:4e8:f004::a]:443"];
    assert_eq!(ends, [Some(ipv4.to_owned()), Some(ipv6.to_owned()), None]);
    assert_eq!(seen.notes, ["datacenter row 5: addr is no address, not kept"]);
}

#[test]
fn the_file_of_the_stale_branch_is_read() {
    let path = Path::new(FIXTURES).join("not_telethon_v8_stale2.session");
    let seen = read_file(&path).unwrap();
    assert_eq!(seen.format, "telethon2 v8");
    let account = &seen.sample.account;
    assert_eq!(account.login.user, Some(SelfUser { id: 777_009, bot: Some(false) }));
    assert_eq!(account.dcs[0].ipv4.as_ref().unwrap().to_string(), "149.154.167.50:443");
    assert!(account.dcs[0].auth_key.is_some());
    let state = account.update_state.unwrap();
    assert_eq!((state.pts, state.qts, state.date, state.seq), (1, 2, 1_700_000_000, 100));
    let entities = seen.sample.entities.iter();
    let entities = entities.map(|entity| (entity.id.marked(), entity.kind));
    let (channel, user) = (Some(EntityKind::Channel), Some(EntityKind::User));
    let expected = [(-1_000_000_777_010, channel), (777_009, user)];
    assert_eq!(entities.collect::<Vec<_>>(), expected);
}

/// `session` and `entity` of the stale branch with these rows.
fn stale(session: &[Value<'_>], entities: &[&[Value<'_>]]) -> Vec<u8> {
    let address = Value::from("149.154.167.51");
    let dc = [Value::Integer(2), address, address, Value::Integer(443), Value::Blob(&[1; 256])];
    let sql = "create table datacenter (id integer primary key, ipv4 text not null, ipv6 text, \
               port integer not null, auth blob not null)";
    database(&[
        (VERSION, &[&[Value::Integer(8)]]),
        (sql, &[&dc]),
        (EXPECTED[4], &[session]),
        (EXPECTED[5], &[&[Value::Integer(5), Value::Integer(6)]]),
        (EXPECTED[6], entities),
    ])
}

#[test]
fn what_a_file_taken_over_from_telethon_1_does_not_know_is_not_made_up() {
    let [zero, home] = [0, 2].map(Value::Integer);
    let session = [zero, home, zero, zero, zero, zero, zero, Value::Null];
    let account = read(stale(&session, &[])).unwrap().sample.account;
    assert_eq!(account.login.user, None);
    assert_eq!(account.login.home_dc, Some(DcId(2)));
    assert_eq!(account.update_state, None);
    assert_eq!((account.dcs[0].ipv4.is_some(), account.dcs[0].ipv6.is_some()), (true, false));
    assert_eq!(account.channel_states[0].id.marked(), -1_000_000_000_005);

    let own = [0, 42, 85].map(Value::Integer);
    let strange = [7, 1, 90].map(Value::Integer);
    let seen = read(stale(&session, &[&own, &strange])).unwrap();
    assert_eq!(seen.sample.account.login.user, Some(SelfUser { id: 42, bot: None }));
    assert!(seen.sample.entities.is_empty());
    assert_eq!(seen.notes, ["entity row 7: there is no peer of type 90, skipped"]);
}

#[test]
fn a_newer_schema_is_noted_and_a_bad_key_is_an_error() {
    let file = |version, key: &[u8]| {
        let version = [Value::Integer(version)];
        let dc = [Value::Integer(2), Value::Null, Value::Null, Value::Blob(key)];
        database(&[(VERSION, &[&version]), (EXPECTED[0], &[&dc]), (EXPECTED[1], &[])])
    };
    let seen = read(file(11, &[])).unwrap();
    assert!(seen.notes.iter().any(|note| note.contains("11 is newer than the 10")));
    assert!(matches!(read(file(10, &[1; 7])), Err(Error::BadAuthKey { dc: 2, .. })));
    assert_eq!(read(file(10, &[])).unwrap().sample.account.dcs[0].auth_key, None);
}
