//! Files that the real libraries wrote, and files that they would never write.

mod odd;

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use proptest::prelude::*;

use super::{HYDROGRAM, KURIGRAM, PYROFORK, PYROGRAM, schema};
use crate::clients::tests::{self as samples, Sample, Seen, Written, read_file};
use crate::error::Error;
use crate::format::Target;
use crate::sqlite::{Database, OpenOptions};
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind,
    PeerId, PeerKind, SelfUser, UpdateState,
};

#[test]
fn every_file_reads_as_what_its_library_was_given() {
    let formats = [
        ("pyrogram_0.16_v2", "pyrogram-sqlite v2"),
        ("pyrogram_2.0_v3", "pyrogram-sqlite v3"),
        ("hydrogram_0.2_v3", "pyrogram-sqlite v3"),
        ("hydrogram_0.2_v3_wal", "pyrogram-sqlite v3"),
        ("pyrofork_2.3.69_v4", "pyrofork-sqlite v4"),
        ("kurigram_2.2.26_v7", "kurigram-sqlite v7"),
        ("upgraded_pyrogram_v2_to_v3", "pyrogram-sqlite v3"),
        ("upgraded_pyrogram_v3_to_kurigram_v7", "kurigram-sqlite v7"),
    ];
    for (name, format) in formats {
        let Seen { format: found, sample, notes } = read_file(&fixture(name, "session")).unwrap();
        assert_eq!(found, format, "{name}");
        same(&sample, &model(&json(name)), name);
        let kept = |note: &String| note.ends_with("not kept");
        assert!(notes.iter().all(kept), "{name}: {notes:?}");
    }
}

#[test]
fn new_files_have_the_schema_of_the_library_letter_for_letter() {
    for (target, name) in [
        (PYROGRAM, "pyrogram_2.0_v3"),
        (HYDROGRAM, "hydrogram_0.2_v3"),
        (PYROFORK, "pyrofork_2.3.69_v4"),
        (KURIGRAM, "kurigram_2.2.26_v7"),
    ] {
        let real = Database::open(&fixture(name, "session"), &OpenOptions::new()).unwrap();
        let seen = read_file(&fixture(name, "session")).unwrap();
        let written = samples::write(&target, &seen.sample).unwrap();
        assert_eq!(written.lost, [], "{name}");
        let ours = Database::from_bytes(written.bytes.clone(), None, None, &OpenOptions::new());
        let ours = ours.unwrap();
        let tables = |db: &Database| {
            let tables = db.tables().iter().map(|table| table.sql().to_owned());
            tables.collect::<Vec<_>>()
        };
        assert_eq!(tables(&ours), tables(&real), "{name}");
        let again = samples::read(written.bytes).unwrap();
        assert_eq!(again.format, seen.format, "{name}");
        same(&again.sample, &seen.sample, name);
    }
}

/// Indexes and triggers are in no table's SQL.
#[test]
fn the_other_statements_are_in_the_files_of_the_libraries() {
    let has = |name: &str, sql: &str| {
        let file = std::fs::read(fixture(name, "session")).unwrap();
        assert!(file.windows(sql.len()).any(|at| at == sql.as_bytes()), "{name}: {sql}");
    };
    for name in ["pyrogram_2.0_v3", "hydrogram_0.2_v3", "pyrofork_2.3.69_v4"] {
        schema::PEERS_INDEXES.iter().for_each(|(sql, _)| has(name, sql));
        has(name, schema::PEERS_TRIGGER);
    }
    has("pyrofork_2.3.69_v4", schema::USERNAMES_TRIGGER);
    let kurigram = schema::PEERS_INDEXES_KURIGRAM.iter().chain(&schema::USERNAMES_INDEXES_KURIGRAM);
    kurigram.for_each(|(sql, _)| has("kurigram_2.2.26_v7", sql));
    has("kurigram_2.2.26_v7", schema::PEERS_TRIGGER);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(sample in samples::sessions()) {
        for target in [PYROGRAM, HYDROGRAM, PYROFORK, KURIGRAM] {
            let mut sample = sample.clone();
            sample.account.login.user.get_or_insert(SelfUser { id: 5, bot: None });
            let written = match samples::write(&target, &sample) {
                // The test servers have three DCs.
                Err(Error::Lacks { what: "the address of the home DC", .. }) => continue,
                written => written.unwrap(),
            };
            let Written { bytes, mut fitted, .. } = written;
            for entity in &mut fitted.entities {
                entity.usernames.iter_mut().for_each(|name| name.make_ascii_lowercase());
                entity.kind = entity.kind.or(Some(match entity.id.kind() {
                    PeerKind::User => EntityKind::User,
                    PeerKind::Group => EntityKind::Group,
                    PeerKind::Channel => EntityKind::Channel,
                }));
            }
            let seen = samples::read(bytes).unwrap();
            prop_assert_eq!(seen.sample, fitted, "{}", target.name());
        }
    }
}

/// Compares without printing thousands of lines.
fn same(found: &Sample, expected: &Sample, name: &str) {
    assert_eq!(found.account, expected.account, "{name}");
    for (found, expected) in found.entities.iter().zip(&expected.entities) {
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(found.entities.len(), expected.entities.len(), "{name}");
}

fn fixture(name: &str, extension: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others");
    folder.join(format!("{name}.{extension}"))
}

fn json(name: &str) -> Json {
    serde_json::from_slice(&std::fs::read(fixture(name, "json")).unwrap()).unwrap()
}

/// The values of the rows that SQLite itself read.
fn model(json: &Json) -> Sample {
    let [sessions] = &rows(json, "sessions")[..] else { panic!("one row") };
    let mut account = Account::default();
    let login = &mut account.login;
    let home = DcId(sessions["dc_id"].as_i64().unwrap() as i32);
    login.home_dc = Some(home);
    login.test_mode = sessions["test_mode"].as_i64().map(|flag| flag == 1);
    login.api_id = sessions.get("api_id").and_then(Json::as_i64).map(|id| id as i32);
    let bot = sessions["is_bot"].as_i64().map(|flag| flag == 1);
    login.user = sessions["user_id"].as_i64().map(|id| SelfUser { id, bot });
    let mut dc = DcOption::new(home);
    if let Some(host) = sessions.get("server_address") {
        let port = sessions["port"].as_u64().unwrap();
        dc = dc.at(Endpoint::new(host.as_str().unwrap(), port as u16));
    }
    let key = AuthKey::from_hex(sessions["auth_key"]["hex"].as_str().unwrap());
    account.dcs = vec![dc.with_key(key.unwrap())];
    for state in rows(json, "update_state") {
        let number = |name: &str| state[name].as_i64().unwrap();
        let pts = number("pts") as i32;
        match PeerId::from_marked(number("id")) {
            Some(id) => account.channel_states.push(ChannelState { id, pts }),
            None => {
                let (qts, date, seq) = (number("qts") as i32, number("date"), number("seq") as i32);
                account.update_state = Some(UpdateState { pts, qts, date, seq });
            }
        }
    }
    let more = rows(json, "usernames");
    let entities = rows(json, "peers").iter().map(|row| peer(row, &more)).collect();
    Sample { account, entities }
}

fn peer(row: &Row, more: &[Row]) -> Entity {
    let mut entity = Entity::new(PeerId::from_marked(row["id"].as_i64().unwrap()).unwrap());
    let named = |kind: &EntityKind| Some(kind.name()) == row["type"].as_str();
    entity.kind = EntityKind::ALL.into_iter().find(named);
    entity.access_hash = row["access_hash"].as_i64().map(AccessHash);
    entity.phone = row["phone_number"].as_str().map(str::to_owned);
    entity.date = row["last_update_on"].as_i64();
    let first = row.get("username").and_then(Json::as_str);
    let others = more.iter().filter_map(|other| {
        let (owner, name) = match other.get("peer_id") {
            Some(owner) => (owner, &other["id"]),
            None => (&other["id"], &other["username"]),
        };
        name.as_str().filter(|name| *owner == row["id"] && Some(*name) != first)
    });
    entity.usernames = first.into_iter().chain(others).map(str::to_owned).collect();
    entity
}

type Row = std::collections::BTreeMap<String, Json>;

fn rows(json: &Json, table: &str) -> Vec<Row> {
    let table = &json["tables"][table];
    if table.is_null() {
        return Vec::new();
    }
    let columns = list(&table["columns"], |name| name.as_str().unwrap().to_owned());
    list(&table["rows"], |row| columns.iter().cloned().zip(list(row, Json::clone)).collect())
}

fn list<T>(json: &Json, read: impl Fn(&Json) -> T) -> Vec<T> {
    json.as_array().unwrap().iter().map(read).collect()
}
