use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::clients::recognise;
use crate::clients::telethon::as_kept;
use crate::clients::tests::{Sample, counts, sessions as samples, write as write_one};
use crate::error::Error;
use crate::format::{Losses, Outgoing, Target, Writing, account_for, fill};
use crate::sqlite::writer::{DatabaseWriter, Index, WriterOptions};
use crate::sqlite::{Database, OpenOptions, Salvage, Value};
use crate::types::{
    AccessHash, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, FileKey, FileKind, PeerId,
    PeerKind, SentFile, UpdateState,
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/others");

/// The session that a fixture's `model` describes.
pub(in crate::clients) fn of_model(model: &Json) -> Sample {
    let number = |value: &Json| {
        value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap()
    };
    let list = |name: &str| model[name].as_array().cloned().unwrap_or_default();
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(number(&model["home_dc"]) as i32));
    for dc in list("dcs") {
        let mut option = DcOption::new(DcId(number(&dc["id"]) as i32));
        option = option.at(Endpoint::new(dc["ip"].as_str().unwrap(), number(&dc["port"]) as u16));
        option.auth_key = dc["auth_key"].as_str().map(|hex| AuthKey::from_hex(hex).unwrap());
        account.dcs.push(option);
    }
    let state = &model["update_state"];
    if !state.is_null() {
        let [pts, qts, seq] = ["pts", "qts", "seq"].map(|name| number(&state[name]) as i32);
        account.update_state = Some(UpdateState { pts, qts, date: number(&state["date"]), seq });
    }
    for state in list("channel_states") {
        let id = PeerId::channel(number(&state["id"])).unwrap();
        account.channel_states.push(ChannelState { id, pts: number(&state["pts"]) as i32 });
    }
    for file in list("sent_files") {
        let kind = [FileKind::Document, FileKind::Photo][number(&file["type"]) as usize];
        let md5 = file["md5"].as_str().unwrap().parse().unwrap();
        let key = FileKey { md5, size: number(&file["size"]), kind };
        let (id, access_hash) = (number(&file["id"]), AccessHash(number(&file["hash"])));
        account.sent_files.push(SentFile { key, id, access_hash });
    }
    account.channel_states.sort_by_key(|state| state.id);
    account.sent_files.sort_by_key(|file| file.key);
    let mut entities: Vec<_> = list("peers").iter().map(|peer| entity(peer, number)).collect();
    entities.sort_by_key(|entity| entity.id);
    Sample { account, entities }
}

fn entity(peer: &Json, number: impl Fn(&Json) -> i64) -> Entity {
    let id = number(&peer["id"]);
    let id = match peer["kind"].as_str().unwrap() {
        "user" => PeerId::user(id),
        "chat" => PeerId::group(id),
        _ => PeerId::channel(id),
    };
    let mut entity = Entity::new(id.unwrap());
    let text = |name: &str| peer[name].as_str().map(str::to_owned);
    entity.access_hash = Some(AccessHash(number(&peer["access_hash"])));
    let usernames = peer["usernames"].as_array().unwrap().iter();
    entity.usernames = usernames.map(|name| name.as_str().unwrap().to_owned()).collect();
    (entity.phone, entity.name) = (text("phone"), text("name"));
    entity
}

fn open(tables: Tables) -> Result<SqliteFile> {
    let client = recognise(&tables).unwrap();
    assert_eq!(client.described(), Alchemy.described());
    SqliteFile::new(Path::new("sample.sqlite"), tables, client)
}

fn open_bytes(bytes: Vec<u8>) -> Result<SqliteFile> {
    open(Tables::Whole(Database::from_bytes(bytes, None, None, &OpenOptions::new()).unwrap()))
}

/// A session and the notes on it.
fn session(file: &SqliteFile, name: &str) -> Result<(Sample, Vec<String>)> {
    let (account, notes) = file.account(name)?;
    let mut rows = crate::format::Entities::of(file, name, notes)?;
    let entities = rows.by_ref().collect::<Result<_>>()?;
    Ok((Sample { account, entities }, rows.notes().into_sentences()))
}

fn fixtures() -> Vec<PathBuf> {
    let files = fs::read_dir(FIXTURES).unwrap().map(|entry| entry.unwrap().path());
    let alchemy = files.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("alchemy_") && name.ends_with(".sqlite")
    });
    alchemy.collect()
}

/// The session of this name in the rows that SQLite reads from a fixture.
fn of_rows(tables: &Json, prefix: &str, name: &str) -> Sample {
    let rows = |table: &str| -> Vec<Vec<Json>> {
        let table = &tables[format!("{prefix}{table}")]["rows"];
        let rows = table.as_array().into_iter().flatten();
        let rows = rows.map(|row| row.as_array().unwrap().clone());
        rows.filter(|row| row[0] == name).collect()
    };
    let hex = |value: &Json| value["hex"].as_str().map(str::to_owned).filter(|hex| !hex.is_empty());
    let [login] = &rows("sessions")[..] else { panic!("one row of {name}") };
    let peers = rows("entities").into_iter().map(|row| {
        let id = PeerId::from_marked(row[1].as_i64().unwrap()).unwrap();
        let kind = match id.kind() {
            PeerKind::User => "user",
            PeerKind::Group => "chat",
            PeerKind::Channel => "channel",
        };
        let usernames: Vec<_> = row[3].as_str().into_iter().collect();
        let phone = row[4].as_i64().map(|phone| phone.to_string());
        json!({"kind": kind, "id": id.bare(), "access_hash": row[2], "usernames": usernames,
            "phone": phone, "name": row[5]})
    });
    let states = rows("update_state");
    let (own, channels): (Vec<_>, Vec<_>) = states.iter().partition(|row| row[1] == 0);
    let own =
        own.first().map(|row| json!({"pts": row[2], "qts": row[3], "date": row[4], "seq": row[5]}));
    let channels = channels.iter().map(|row| {
        let id = PeerId::from_marked(row[1].as_i64().unwrap()).unwrap();
        json!({"id": id.bare(), "pts": row[2]})
    });
    let files = rows("sent_files").into_iter().map(|row| {
        json!({"md5": hex(&row[1]), "size": row[2], "type": row[3], "id": row[4], "hash": row[5]})
    });
    of_model(&json!({
        "home_dc": login[1],
        "dcs": [{"id": login[1], "ip": login[2], "port": login[3], "auth_key": hex(&login[4])}],
        "update_state": own,
        "channel_states": channels.collect::<Vec<_>>(),
        "sent_files": files.collect::<Vec<_>>(),
        "peers": peers.collect::<Vec<_>>(),
    }))
}

#[test]
fn every_session_of_every_fixture_is_what_sqlite_reads() {
    assert!(fixtures().len() >= 2, "fixtures are missing");
    for path in fixtures() {
        let json = fs::read(path.with_extension("json")).unwrap();
        let json: Json = serde_json::from_slice(&json).unwrap();
        let db = Database::open(&path, &OpenOptions::new()).unwrap();
        let file = open(Tables::Whole(db)).unwrap();
        let prefix = json["table_prefix"].as_str().unwrap_or_default();
        let rows = json["tables"][format!("{prefix}sessions")]["rows"].as_array().unwrap();
        let names = rows.iter().map(|row| row[0].as_str().unwrap().to_owned());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(file.sessions().unwrap(), Some(names.clone()));
        let version = if path.to_string_lossy().contains("_v1") { 1 } else { 2 };
        assert_eq!(file.format(), format!("sqlalchemy v{version}"));
        for name in names {
            let expected = of_rows(&json["tables"], prefix, &name);
            assert_eq!(session(&file, &name).unwrap().0, expected, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn what_is_written_is_read_back(samples in vec(samples(), 1..4)) {
        let capabilities = AlchemyFile.capabilities();
        let mut lost = Losses::default();
        let mut accounts = Vec::new();
        for sample in &samples {
            let mut account = sample.account.clone();
            account.update_state.take_if(|state| state.date > 253_402_300_799);
            let filled = fill(&mut account, "sqlalchemy", capabilities, Default::default(), &mut Vec::new());
            if filled.is_ok() {
                accounts.push((account_for(account, capabilities, &mut lost), &sample.entities));
            }
        }
        let mut sessions: Vec<_> = (0..).zip(&accounts).map(|(number, (account, entities))| {
            let entities = Box::new(entities.iter().cloned().map(Ok));
            Outgoing { name: format!("s {number}"), account: account.clone(), entities }
        }).collect();
        let mut out = Cursor::new(Vec::new());
        let work = Writing { sessions: &mut sessions, lost: &mut lost, out: &mut out };
        AlchemyFile.write(work).unwrap();
        let file = open_bytes(out.into_inner()).unwrap();
        for (number, (account, entities)) in (0..).zip(accounts) {
            let sample = Sample { account: account.clone(), entities: entities.clone() };
            let fitted = write_one(&AlchemyFile, &sample).unwrap().fitted;
            let (seen, _) = session(&file, &format!("s {number}")).unwrap();
            let kept = as_kept(fitted);
            prop_assert_eq!(seen.account, kept.account);
            prop_assert_eq!(seen.entities, kept.entities);
        }
    }
}

/// A database with these rows in `sessions` (a file of version 2 without its other tables), and
/// in `entities` ones of the sessions `a` and `gone`.
fn odd(prefix: &str, sessions: &[[Value<'_>; 5]]) -> Vec<u8> {
    let mut db = DatabaseWriter::new(Cursor::new(Vec::new()), &WriterOptions::new()).unwrap();
    let key = [Index::automatic(&[0, 1])];
    let sql = EXPECTED[0].replacen("table ", &format!("table {prefix}"), 1);
    let mut table = db.table(&sql, &key).unwrap();
    for (rowid, row) in (1..).zip(sessions) {
        table.row(rowid, row).unwrap();
    }
    table.finish().unwrap();
    let sql = EXPECTED[1].replacen("table ", &format!("table {prefix}"), 1);
    let mut table = db.table(&sql, &key).unwrap();
    let rows = [("a", 0, 77), ("a", 5, -5), ("gone", 6, -6), ("gone", 7, -7)];
    for (rowid, (session, id, hash)) in (1..).zip(rows) {
        let ids = [Value::from(session), Value::Integer(id), Value::Integer(hash)];
        table.row(rowid, &[&ids[..], &[Value::Null; 3]].concat()).unwrap();
    }
    table.finish().unwrap();
    db.finish().unwrap().into_inner()
}

fn dc<'a>(session: Value<'a>, id: i64, key: &'a [u8]) -> [Value<'a>; 5] {
    [session, Value::Integer(id), Value::from("10.0.0.1"), Value::Integer(443), Value::Blob(key)]
}

#[test]
fn the_account_is_told_from_row_0_and_the_first_dc() {
    let key = [7; 256];
    let rows = [dc(Value::from("a"), 4, &[]), dc(Value::from("a"), 2, &key)];
    let file = open_bytes(odd("x_", &rows)).unwrap();
    let (seen, notes) = session(&file, "a").unwrap();
    assert_eq!(seen.account.login.user.unwrap().id, 77);
    assert_eq!(seen.account.login.home_dc, Some(DcId(2)));
    assert_eq!(seen.account.dcs.len(), 2);
    assert_eq!(seen.entities.len(), 1);
    let gone = "entities: there are rows of \"gone\", which is no session here".to_owned();
    assert_eq!(notes.iter().filter(|note| **note == gone).count(), 1, "{notes:?}");
}

#[test]
fn a_key_of_a_wrong_size_is_an_error_unless_salvaging() {
    let bytes = odd("", &[dc(Value::from("a"), 2, &[7; 255])]);
    let error = open_bytes(bytes.clone()).unwrap().account("a").unwrap_err();
    assert!(matches!(error, Error::BadAuthKey { dc: 2, .. }), "{error}");
    let file = open(Tables::Saved(Salvage::from_bytes(bytes, None, None, &OpenOptions::new())));
    let file = file.unwrap();
    assert_eq!(file.sessions().unwrap(), Some(vec!["a".to_owned(), "gone".to_owned()]));
    let (seen, notes) = session(&file, "a").unwrap();
    assert_eq!(seen.account.dcs[0].auth_key, None);
    assert!(notes.iter().any(|note| note.contains("255 bytes")), "{notes:?}");
    assert_eq!(session(&file, "gone").unwrap().0.entities.len(), 2);
}

#[test]
fn of_two_prefixes_the_first_is_read_and_the_other_noted() {
    let mut db = DatabaseWriter::new(Cursor::new(Vec::new()), &WriterOptions::new()).unwrap();
    for prefix in ["one_", "two_"] {
        let sql = EXPECTED[0].replacen("table ", &format!("table {prefix}"), 1);
        let mut table = db.table(&sql, &[Index::automatic(&[0, 1])]).unwrap();
        table.row(1, &dc(Value::from(prefix), 2, &[])).unwrap();
        table.finish().unwrap();
    }
    let file = open_bytes(db.finish().unwrap().into_inner()).unwrap();
    assert_eq!(file.sessions().unwrap(), Some(vec!["one_".to_owned()]));
    let (_, notes) = session(&file, "one_").unwrap();
    assert!(notes.iter().any(|note| note.contains("\"two_sessions\"")), "{notes:?}");
}

#[test]
fn sessions_of_one_name_are_refused() {
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(2));
    account.dcs = vec![DcOption::new(DcId(2))];
    let outgoing = || Outgoing {
        name: "same".into(),
        account: account.clone(),
        entities: Box::new(std::iter::empty()),
    };
    let mut out = Cursor::new(Vec::new());
    let (sessions, lost) = (&mut [outgoing(), outgoing()], &mut Losses::default());
    let wrote = AlchemyFile.write(Writing { sessions, lost, out: &mut out });
    assert!(matches!(wrote, Err(Error::Unfit { format: "sqlalchemy", .. })));
}

#[test]
fn the_date_an_entity_was_seen_is_a_counted_loss() {
    let mut entity = Entity::new(PeerId::user(5).unwrap());
    (entity.access_hash, entity.date) = (Some(AccessHash(1)), Some(1_700_000_000));
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(2));
    let written = write_one(&AlchemyFile, &Sample { account, entities: vec![entity] }).unwrap();
    assert_eq!(counts(&written.lost)["entities.date"], 1);
}
