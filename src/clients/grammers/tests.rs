use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::clients::recognise;
use crate::clients::tests::{
    Sample, counts, database, read, read_file, read_from, sessions, write,
};
use crate::error::Error;
use crate::format::{Losses, Outgoing};
use crate::sqlite::{Database, OpenOptions, Salvage, Value};
use crate::types::{
    AccessHash, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind, PeerId,
    PeerKind, SelfUser, UpdateState,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others").join(name)
}

/// The rows that SQLite reads in a table of a fixture.
fn rows(name: &str, table: &str) -> Vec<Vec<Json>> {
    let text = std::fs::read_to_string(fixture(&format!("{name}.json"))).unwrap();
    let json: Json = serde_json::from_str(&text).unwrap();
    serde_json::from_value(json["tables"][table]["rows"].clone()).unwrap()
}

#[test]
fn real_files_are_read_row_by_row() {
    for (name, home, user, counts) in [
        ("grammers_0.8_sqlite", 2, 7_570_746_280, (2, 23, 5)),
        ("grammers_0.11_sqlite", 4, 6_744_610_836, (3, 33, 5)),
    ] {
        let seen = read_file(&fixture(&format!("{name}.session"))).unwrap();
        let Sample { account, entities } = &seen.sample;
        assert_eq!(seen.format, "grammers-sqlite v1");
        assert_eq!(seen.notes, [""; 0]);
        assert_eq!(account.login.home_dc, Some(DcId(home)));
        assert_eq!(account.login.user, Some(SelfUser { id: user, bot: Some(false) }));
        let found = (account.dcs.len(), entities.len(), account.channel_states.len());
        assert_eq!(found, counts, "{name}");

        let state = account.update_state.unwrap();
        let state = [state.pts.into(), state.qts.into(), state.date, state.seq.into()];
        assert_eq!(rows(name, "update_state"), [state.map(Json::from)]);
        let mut states: Vec<_> = rows(name, "channel_state");
        states.reverse();
        let channel =
            |state: &ChannelState| [state.id.bare(), state.pts.into()].map(Json::from).to_vec();
        assert_eq!(Vec::from_iter(account.channel_states.iter().map(channel)), states);
        for (dc, row) in account.dcs.iter().zip(rows(name, "dc_option")) {
            assert_eq!(row[0], dc.id.0);
            assert_eq!(row[1], dc.ipv4.as_ref().unwrap().to_string());
            let ipv6 = dc.ipv6.as_ref().map(|end| Json::from(end.to_string()));
            assert_eq!(ipv6, (!row[2].as_str().unwrap().contains("ffff")).then(|| row[2].clone()));
            assert_eq!(row[3]["hex"].as_str(), dc.auth_key.as_ref().map(|k| k.to_hex()).as_deref());
        }
        for (entity, row) in entities.iter().zip(rows(name, "peer_info")) {
            let mut expected = Entity::new(PeerId::from_marked(row[0].as_i64().unwrap()).unwrap());
            expected.access_hash = row[1].as_i64().map(AccessHash);
            expected.kind = match (expected.id.kind(), row[2].as_i64()) {
                (PeerKind::User, None | Some(1)) => Some(EntityKind::User),
                (PeerKind::Group, None) => Some(EntityKind::Group),
                (_, None) => None,
                (_, Some(2)) => Some(EntityKind::Bot),
                (_, Some(4)) => Some(EntityKind::Supergroup),
                (_, Some(8)) => Some(EntityKind::Channel),
                (_, Some(12)) => Some(EntityKind::Gigagroup),
                (_, Some(other)) => panic!("subtype {other}"),
            };
            assert_eq!(*entity, expected, "{name}");
        }
    }
}

/// What grammers keeps of a fitted session, read back.
fn kept(Sample { mut account, mut entities }: Sample) -> Sample {
    let test = crate::format::well_known::test_mode(&account).unwrap_or(false);
    for dc in &mut account.dcs {
        if dc.ipv4.as_ref().is_some_and(|end| end.host == "venus.web.telegram.org") {
            dc.ipv4 = crate::format::well_known::ipv4(dc.id, test);
        }
    }
    account.update_state.take_if(|state| i32::try_from(state.date).is_err());
    account.channel_states.retain(|state| peers::is_inside(state.id));
    entities.retain(|entity| peers::is_inside(entity.id));
    for entity in &mut entities {
        let derived = match entity.id.kind() {
            PeerKind::User => Some(EntityKind::User),
            PeerKind::Group => Some(EntityKind::Group),
            PeerKind::Channel => None,
        };
        entity.kind = entity.kind.or(derived);
    }
    if let Some(user) = &mut account.login.user {
        let id = PeerId::user(user.id).unwrap();
        let at = entities.binary_search_by_key(&id, |entity| entity.id).unwrap_or_else(|at| {
            entities.insert(at, Entity { kind: Some(EntityKind::User), ..Entity::new(id) });
            at
        });
        if user.bot == Some(true) || entities[at].kind == Some(EntityKind::Bot) {
            (user.bot, entities[at].kind) = (Some(true), Some(EntityKind::Bot));
        }
    }
    Sample { account, entities }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read_back(sample in sessions(), own in any::<bool>()) {
        let mut sample = sample;
        if let (Some(user), true) = (&mut sample.account.login.user, own) {
            let users = sample.entities.iter().map(|entity| entity.id);
            let mut users = users.filter(|id| id.kind() == PeerKind::User && peers::is_inside(*id));
            user.id = users.next().map_or(user.id, PeerId::bare);
        }
        let written = match write(&Grammers, &sample) {
            // A home DC that has a host name only, and no well-known address.
            Err(Error::Unfit { .. }) => return Ok(()),
            written => written.unwrap(),
        };
        let seen = read(written.bytes).unwrap();
        prop_assert_eq!(seen.format, "grammers-sqlite v1");
        prop_assert_eq!(seen.notes, [""; 0]);
        prop_assert_eq!(seen.sample, kept(written.fitted));
    }
}

fn login() -> Sample {
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(2));
    account.dcs = vec![DcOption::new(DcId(2)).with_key(AuthKey::new(&[7; 256]))];
    Sample { account, entities: Vec::new() }
}

#[test]
fn what_has_no_place_is_counted() {
    let mut sample = login();
    let account = &mut sample.account;
    account.login.user = Some(SelfUser { id: 1 << 40, bot: None });
    account.update_state = Some(UpdateState { pts: 1, qts: 2, date: 1 << 31, seq: 3 });
    let outside = PeerId::channel(997_852_516_353).unwrap();
    account.channel_states = vec![ChannelState { id: outside, pts: 1 }];
    let dc = DcOption::new(DcId(4)).at(Endpoint::new("venus.web.telegram.org", 443));
    account.dcs.push(dc);
    let user = PeerId::user(5).unwrap();
    sample.entities = vec![
        Entity::new(outside),
        Entity { kind: Some(EntityKind::Supergroup), ..Entity::new(user) },
        Entity { min: true, ..Entity::new(PeerId::user(6).unwrap()) },
    ];
    let written = write(&Grammers, &sample).unwrap();
    let lost = counts(&written.lost);
    let expected = [
        ("channel_states", 1),
        ("dcs.ipv4", 1),
        ("entities", 2),
        ("entities.kind", 1),
        ("state", 1),
        ("user", 1),
    ];
    assert_eq!(Vec::from_iter(lost), expected);
    let seen = read(written.bytes).unwrap().sample;
    assert_eq!(Vec::from_iter(seen.entities.iter().map(|entity| entity.id)), [user]);
    assert_eq!((seen.account.login.user, seen.account.update_state), (None, None));
    assert_eq!(seen.account.dcs[1].ipv4, Some(Endpoint::new("149.154.167.91", 443)));
}

#[test]
fn an_address_that_is_not_known_comes_back_as_none() {
    let mut account = login().account;
    account.dcs[0].ipv4 = Some(Endpoint::new("192.0.2.7", 80));
    account.dcs.push(DcOption::new(DcId(7)).at(Endpoint::new("2001:067c:04e8:f002::a", 5222)));
    account.dcs.push(DcOption::new(DcId(8)).with_key(AuthKey::new(&[8; 256])));
    let mut out = Cursor::new(Vec::new());
    let entities = Box::new(std::iter::empty());
    let session = Outgoing { name: String::new(), account: account.clone(), entities };
    let (sessions, lost) = (&mut [session], &mut Losses::default());
    Grammers.write(Writing { sessions, lost, out: &mut out }).unwrap();
    assert_eq!(read(out.into_inner()).unwrap().sample.account, account);
}

#[test]
fn a_home_dc_that_does_not_exist_is_refused() {
    let mut sample = login();
    sample.account.login.home_dc = Some(DcId(9));
    sample.account.dcs[0].id = DcId(9);
    sample.account.dcs[0].ipv4 = Some(Endpoint::new("example.org", 443));
    assert!(matches!(write(&Grammers, &sample), Err(Error::Lacks { format: "grammers", .. })));
}

const KEY: Value<'static> = Value::Blob(&[9; 256]);
const NULL: Value<'static> = Value::Null;

#[test]
fn odd_values_are_noted_and_left_out() {
    let text = Value::from;
    let bytes = database(
        0,
        &[
            (dcs::HOME_SQL, &[]),
            (
                dcs::OPTION_SQL,
                &[
                    &[NULL, text("localhost:443"), NULL, KEY],
                    &[NULL, text("1.2.3.4:99999"), text("[::1]:1"), Value::Blob(b"")],
                ],
            ),
            (
                "CREATE TABLE peer_info (subtype, hash, peer_id)",
                &[
                    &[Value::Integer(1), text("x"), Value::Integer(77)],
                    &[Value::Integer(3), NULL, Value::Integer(78)],
                    &[Value::Integer(32), Value::Integer(5), Value::Integer(-1_000_000_000_005)],
                    &[NULL, NULL, Value::Integer(0)],
                    &[NULL, NULL, text("me")],
                ],
            ),
            (states::ACCOUNT_SQL, &[&[NULL, NULL, NULL, NULL]]),
            (states::CHANNEL_SQL, &[&[NULL, Value::Integer(1 << 40)]]),
        ],
    );
    let db = Database::from_bytes(bytes, None, None, &OpenOptions::new()).unwrap();
    // The ids come unsorted here, as they can where the table was made anew by hand.
    let file = SqliteFile::new(Path::new("x"), Tables::Whole(db), &Grammers).unwrap();
    assert_eq!(file.format(), "grammers-sqlite");
    let (account, notes) = file.account("").unwrap();
    let mut entities = crate::format::Entities::of(&file, "", notes).unwrap();
    let ids = entities.by_ref().map(|entity| i64::from(entity.unwrap().id)).collect::<Vec<_>>();
    assert_eq!(ids, [77, 78, -1_000_000_000_005]);
    assert_eq!(account.login.user, Some(SelfUser { id: 77, bot: Some(false) }));
    assert_eq!(account.dcs.len(), 2);
    assert_eq!(account.dcs[1].ipv6, Some(Endpoint::new("::1", 1)));
    assert_eq!(account.login.home_dc, Some(DcId(2)));
    let expected = [
        "dc_home: there is none, and DC 2 is taken, as grammers does",
        "dc_option row 1: ipv4 is no address with a port, not kept",
        "dc_option row 1: ipv6 is no address with a port, not kept",
        "dc_option row 2: ipv4 is no address with a port, not kept",
        "peer_info: 2 rows say that they are the own user; the first is taken, as grammers does",
        "update_state: a counter is no integer, row skipped",
        "channel_state row 1: pts is more than 32 bits, skipped",
        "peer_info row 77: hash is not an integer, not kept",
        "peer_info row -1000000000005: subtype 32 has unknown bits",
        "peer_info: peer_id is not a valid id, row skipped",
        "peer_info: peer_id is not a valid id, row skipped",
    ];
    assert_eq!(entities.notes().into_sentences(), expected);
}

#[test]
fn a_key_of_another_length_is_an_error_and_when_salvaging_a_note() {
    let row = [NULL, Value::from("1.2.3.4:443"), Value::from("[::1]:1"), Value::Blob(&[1; 255])];
    let bytes = database(1, &[(dcs::OPTION_SQL, &[&row])]);
    let error = read(bytes.clone()).unwrap_err();
    assert!(matches!(error, Error::BadAuthKey { dc: 1, .. }), "{error:?}");
    let salvage = Salvage::from_bytes(bytes, None, None, &OpenOptions::new());
    let seen = read_from(Path::new("x"), Tables::Saved(salvage)).unwrap();
    assert_eq!(seen.sample.account.dcs[0].auth_key, None);
    let missing = "peer_info: there is no such table";
    assert!(seen.notes.iter().any(|note| note == missing), "{:?}", seen.notes);
}

#[test]
fn a_newer_schema_is_read_by_its_columns_and_noted() {
    let seen = read(database(2, &[(dcs::OPTION_SQL, &[])])).unwrap();
    assert!(
        seen.notes.iter().any(|note| note.contains("2 is newer than the 1")),
        "{:?}",
        seen.notes
    );
}

#[test]
fn a_damaged_file_is_known_by_any_table_that_is_left_but_one_that_others_have_too() {
    for (sql, known) in [
        (dcs::HOME_SQL, true),
        (dcs::OPTION_SQL, true),
        (peers::SQL, true),
        (states::CHANNEL_SQL, true),
        (states::ACCOUNT_SQL, false),
    ] {
        let tables: [(&str, &[&[Value<'_>]]); 2] = [(sql, &[]), (states::ACCOUNT_SQL, &[])];
        let bytes = database(1, &tables[..1 + usize::from(known)]);
        let salvage = Salvage::from_bytes(bytes, None, None, &OpenOptions::new());
        let client = recognise(&Tables::Saved(salvage)).map(|client| client.described());
        assert_eq!(client.is_ok_and(|client| client == "a grammers session"), known, "{sql}");
    }
}
