use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::clients::recognise;
use crate::clients::tests::{
    Sample, counts, database, read, read_file, read_from, sessions, write,
};
use crate::error::Error;
use crate::format::well_known;
use crate::sqlite::{OpenOptions, Salvage};
use crate::types::{
    AccessHash, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind, PeerId,
    SelfUser, UpdateState,
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

/// A hash as mtcute's file has it, by way of arithmetic and not of bits.
fn halves(hash: Option<AccessHash>) -> String {
    let Some(AccessHash(hash)) = hash else { return String::new() };
    let high = hash.div_euclid(1 << 32);
    let low = hash.rem_euclid(1 << 32);
    let low = if low < 1 << 31 { low } else { low - (1 << 32) };
    format!("{low}|{high}")
}

#[test]
fn real_files_are_read_row_by_row() {
    for (name, user, state, channels) in [
        (
            "mtcute_0.29_sqlite",
            6_038_604_240,
            UpdateState { pts: 9_727_654, qts: 5244, date: 1_715_013_134, seq: 83 },
            [(2_653_954_561, 289_649), (1_827_751_798, 622_555), (1_763_089_383, 79_144)],
        ),
        (
            "mtcute_0.29_sqlite_wal",
            6_318_758_835,
            UpdateState { pts: 162_183, qts: 2395, date: 1_738_015_026, seq: 401 },
            [(2_991_998_109, 111_217), (2_858_435_713, 118_534), (2_736_523_900, 649_511)],
        ),
    ] {
        let seen = read_file(&fixture(&format!("{name}.session"))).unwrap();
        let Sample { account, entities } = &seen.sample;
        assert_eq!(seen.format, "mtcute-sqlite v2");
        assert_eq!(account.login.home_dc, Some(DcId(2)));
        assert_eq!(account.login.user, Some(SelfUser { id: user, bot: Some(false) }));
        assert_eq!(account.login.test_mode, Some(false));
        assert_eq!(account.update_state, Some(state));
        let channels = channels.map(|(id, pts)| {
            let id = PeerId::channel(id).unwrap();
            ChannelState { id, pts }
        });
        assert_eq!(account.channel_states, channels);

        assert_eq!(account.dcs[0].ipv4, Some(Endpoint::new("149.154.167.50", 443)));
        assert_eq!((&account.dcs[1].ipv4, &account.dcs[1].ipv6), (&None, &None));
        let keys: Vec<_> = account
            .dcs
            .iter()
            .map(|dc| vec![json!(dc.id.0), json!({"hex": dc.auth_key.as_ref().unwrap().to_hex()})])
            .collect();
        assert_eq!(keys, rows(name, "auth_keys"));

        let rows = rows(name, "peers");
        assert_eq!(entities.len(), rows.len());
        for (entity, row) in entities.iter().zip(&rows) {
            assert_eq!(row[0], entity.id.marked());
            assert_eq!(row[1], halves(entity.access_hash));
            assert_eq!(row[2], json!(entity.usernames).to_string());
            assert_eq!(row[3].as_i64().map(|updated| updated / 1000), entity.date);
            assert_eq!(row[4], json!(entity.phone));
            assert_eq!(row[6], i32::from(entity.min));
            assert_called_by_the_generator(entity);
        }
        assert!(entities.iter().any(|entity| entity.min) && rows.iter().any(|row| row[1] == ""));
        let expected = [
            "key_value: the 2 usernames in current_user are not kept",
            "key_value: that the own user has Premium is not kept",
            "key_value: the address of DC 2 for media is not kept",
            "key_value: the server salts of 1 DCs are not kept",
            "temp_auth_keys: 1 temporary auth keys are not kept",
            "message_refs: 1 messages in which peers were met are not kept",
            "peers: of the complete objects no more than names and kinds is kept, in 15 rows",
        ];
        assert_eq!(seen.notes, expected);
    }
}

/// U, C or G, most with a number, and some users with a last name.
fn assert_called_by_the_generator(entity: &Entity) {
    let name = entity.name.as_deref().unwrap();
    let letter = match entity.kind.unwrap() {
        EntityKind::User | EntityKind::Bot => 'U',
        EntityKind::Group => 'G',
        _ => 'C',
    };
    let rest = name.strip_prefix(letter).unwrap().trim_end_matches(" Иванов");
    assert!(rest.bytes().all(|c| c.is_ascii_digit()), "{name}");
}

/// What mtcute keeps of a fitted session, read back.
fn kept(Sample { mut account, mut entities }: Sample) -> Sample {
    let home = account.login.home_dc;
    account.dcs.retain(|dc| dc.auth_key.is_some());
    for dc in account.dcs.iter_mut().filter(|dc| Some(dc.id) != home) {
        (dc.ipv4, dc.ipv6) = (None, None);
    }
    account.update_state.take_if(|state| i32::try_from(state.date).is_err());
    account.channel_states.retain(|state| peers::is_inside(state.id));
    entities.retain(|entity| peers::is_inside(entity.id));
    for entity in &mut entities {
        entity.usernames.iter_mut().for_each(|name| name.make_ascii_lowercase());
    }
    Sample { account, entities }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read_back(sample in sessions()) {
        let written = write(&Mtcute, &sample).unwrap();
        let seen = read(written.bytes).unwrap();
        prop_assert_eq!(seen.format, "mtcute-sqlite v2");
        prop_assert_eq!(seen.notes, [""; 0]);
        prop_assert_eq!(seen.sample, kept(written.fitted));
    }
}

fn login(home: i32) -> Sample {
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(home));
    let dc = DcOption::new(DcId(home)).at(Endpoint::new("2001:db8::1", 443));
    account.dcs = vec![dc.with_key(AuthKey::new(&[7; 256]))];
    Sample { account, entities: Vec::new() }
}

#[test]
fn what_has_no_place_is_counted() {
    let mut sample = login(2);
    let account = &mut sample.account;
    account.login.user = Some(SelfUser { id: 1 << 40, bot: None });
    account.update_state = Some(UpdateState { pts: 1, qts: 2, date: -(1 << 32), seq: 3 });
    let channel = |id| PeerId::channel(id).unwrap();
    account.channel_states = vec![
        ChannelState { id: channel(1 << 53), pts: 1 },
        ChannelState { id: channel(5), pts: -1 },
    ];
    let key = AuthKey::new(&[8; 256]);
    account.dcs.push(DcOption::new(DcId(3)));
    let mut known = DcOption::new(DcId(4)).with_key(key.clone());
    known.ipv4 = well_known::ipv4(DcId(4), false);
    account.dcs.push(known);
    account.dcs.push(DcOption::new(DcId(5)).at(Endpoint::new("192.0.2.5", 443)).with_key(key));
    let (user, hash) = (PeerId::user(5).unwrap(), Some(AccessHash(0)));
    sample.entities = vec![
        Entity { access_hash: hash, ..Entity::new(channel(1 << 53)) },
        Entity { access_hash: hash, date: Some(i64::MAX), ..Entity::new(user) },
        Entity::new(PeerId::user(6).unwrap()),
    ];
    let written = write(&Mtcute, &sample).unwrap();
    let expected = [
        ("channel_states", 2),
        ("dcs", 1),
        ("dcs.ipv4", 1),
        ("entities", 2),
        ("entities.date", 1),
        ("state", 1),
        ("user", 1),
    ];
    assert_eq!(Vec::from_iter(counts(&written.lost)), expected);
    let seen = read(written.bytes).unwrap().sample;
    assert_eq!(seen.account.dcs[0].ipv6, Some(Endpoint::new("2001:db8::1", 443)));
    assert_eq!(seen.entities, [Entity { access_hash: hash, ..Entity::new(user) }]);
}

#[test]
fn a_home_dc_that_does_not_exist_is_refused() {
    assert!(matches!(write(&Mtcute, &login(256)), Err(Error::Lacks { format: "mtcute", .. })));
}

const NULL: Value<'static> = Value::Null;
const KEY_VALUE: &str = "CREATE TABLE key_value (key, value)";
const MIGRATIONS: &str = "CREATE TABLE mtcute_migrations (repo text, version integer)";

#[test]
fn odd_keys_and_values_are_noted_and_left_out() {
    let text = Value::from;
    let blob = |bytes| Value::Blob(bytes);
    let migrations: &[&[Value<'_>]] = &[
        &[text("peers"), Value::Integer(1)],
        &[text("another's"), Value::Integer(9)],
        &[NULL, text("x")],
    ];
    let rows: &[&[Value<'_>]] = &[
        &[text("dc_main"), blob(b"\x03\x02")],
        &[text("current_user"), blob(b"\x02\0\0\0")],
        &[text("updates_pts"), blob(&[1, 0, 0, 0])],
        &[text("updates_qts"), text("5")],
        &[text("updates_channel:x"), blob(&[1, 0, 0, 0])],
        &[text("updates_channel:5"), blob(&[255; 4])],
        &[text("secret"), blob(b"x")],
    ];
    let seen = read(database(0, &[(MIGRATIONS, migrations), (KEY_VALUE, rows)])).unwrap();
    assert_eq!(seen.format, "mtcute-sqlite v1");
    assert_eq!(seen.sample.account, Account::default());
    let expected = [
        "key_value: \"dc_main\" is not what mtcute writes there, not kept",
        "key_value: \"current_user\" is not what mtcute writes there, not kept",
        "key_value: a key is no text or its value no bytes, row skipped",
        "key_value: \"updates_channel:x\" is not what mtcute writes there, not kept",
        "key_value: \"updates_channel:5\" is not what mtcute writes there, not kept",
        "key_value: without dc_main the home DC is not known",
        "key_value: of pts, qts, date and seq one is missing, skipped",
        "key_value: 1 unknown keys are not kept",
        "peers: there is no such table",
    ];
    assert_eq!(seen.notes, expected);
}

#[test]
fn odd_peers_are_noted_and_left_out() {
    let (text, int) = (Value::from, Value::Integer);
    let row = |id, hash, usernames, updated, phone, min| {
        [int(id), text(hash), usernames, updated, phone, NULL, min]
    };
    let peers = "CREATE TABLE peers (id, hash, usernames, updated, phone, complete, isMin)";
    let rows: &[&[Value<'_>]] = &[
        &row(1, "5", text("[1]"), text("x"), text("+7"), int(2)),
        &row(2, "1|99999999999", text("{"), NULL, int(7), NULL),
        &row(3, "-1|-1", int(5), int(-1), NULL, int(1)),
        &row(0, "", NULL, NULL, NULL, NULL),
    ];
    let seen = read(database(0, &[(MIGRATIONS, &[]), (KEY_VALUE, &[]), (peers, rows)])).unwrap();
    assert_eq!(seen.format, "mtcute-sqlite");
    let user = |id| Entity::new(PeerId::user(id).unwrap());
    let second = Entity { phone: Some("7".into()), ..user(2) };
    let third = Entity { access_hash: Some(AccessHash(-1)), min: true, date: Some(-1), ..user(3) };
    assert_eq!(seen.sample.entities, [user(1), second, third]);
    let expected = [
        "key_value: without dc_main the home DC is not known",
        "peers row 1: hash is not two numbers, not kept",
        "peers row 1: usernames is no JSON array of texts, not kept",
        "peers row 1: phone is not a number, not kept",
        "peers row 1: updated is not a time, not kept",
        "peers row 1: isMin is neither 0 nor 1, not kept",
        "peers row 2: hash is not two numbers, not kept",
        "peers row 2: usernames is no JSON array of texts, not kept",
        "peers row 3: usernames is not text, not kept",
        "peers: id is not a valid id, row skipped",
    ];
    assert_eq!(seen.notes, expected);
}

#[test]
fn a_key_of_another_length_is_an_error_and_when_salvaging_a_note() {
    let key = [Value::Integer(2), Value::Blob(&[1; 257])];
    let tables: [(&str, &[&[Value<'_>]]); 3] =
        [(MIGRATIONS, &[]), (KEY_VALUE, &[]), ("CREATE TABLE auth_keys (dc, key)", &[&key])];
    let bytes = database(0, &tables);
    let error = read(bytes.clone()).unwrap_err();
    assert!(matches!(error, Error::BadAuthKey { dc: 2, .. }), "{error:?}");
    let salvage = Salvage::from_bytes(bytes, None, None, &OpenOptions::new());
    let seen = read_from(Path::new("x"), Tables::Saved(salvage)).unwrap();
    assert_eq!(seen.sample.account.dcs, []);
    let missing = "peers: there is no such table";
    assert!(seen.notes.iter().any(|note| note == missing), "{:?}", seen.notes);
}

#[test]
fn a_newer_schema_is_read_by_its_columns_and_noted() {
    let tables: [(&str, &[&[Value<'_>]]); 2] =
        [(MIGRATIONS, &[&[Value::from("kv"), Value::Integer(2)]]), (KEY_VALUE, &[])];
    let seen = read(database(0, &tables)).unwrap();
    assert!(
        seen.notes.iter().any(|note| note.contains("2 is newer than the 1")),
        "{:?}",
        seen.notes
    );
}

#[test]
fn a_damaged_file_is_known_by_any_table_that_is_left_but_one_that_others_have_too() {
    for (table, column) in OWN {
        let sql = format!("CREATE TABLE {table} ({column})");
        let bytes = database(0, &[(&sql, &[])]);
        let salvage = Salvage::from_bytes(bytes, None, None, &OpenOptions::new());
        let client = recognise(&Tables::Saved(salvage)).map(|client| client.described());
        let known = client.is_ok_and(|client| client == "a mtcute session");
        assert_eq!(known, table != "key_value", "{table}");
    }
}
