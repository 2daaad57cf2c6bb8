//! Values that no release writes, and that type affinity does not refuse.

use std::io::Cursor;

use super::super::Pyrogram;
use super::*;
use crate::clients::recognise;
use crate::format::Tables;
use crate::sqlite::writer::{DatabaseWriter, WriterOptions};
use crate::sqlite::{Salvage, Value};

const SESSIONS: &str =
    "create table sessions (is_bot, user_id, date, auth_key, test_mode, api_id, dc_id)";
const PEERS: &str = "create table peers (type, id integer primary key, access_hash, username, \
     phone_number, last_update_on)";
const NAMES: &str = "create table usernames (username, id)";
const STATES: &str = "create table update_state (seq, id integer primary key, pts, qts, date)";
const NUMBER: &str = "create table version (number)";

/// The rows of a table; the rowid is the integer where `integer primary key` is, else the place.
type Rows<'a> = (&'a str, Vec<Vec<Value<'a>>>);

fn database(tables: &[Rows<'_>]) -> Vec<u8> {
    let out = Cursor::new(Vec::new());
    let mut db = DatabaseWriter::new(out, &WriterOptions::new()).unwrap();
    for (sql, rows) in tables {
        let mut table = db.table(sql, &[]).unwrap();
        for (place, row) in (1..).zip(rows) {
            let key = row.get(1).filter(|_| sql.contains("primary key"));
            let rowid = if let Some(Value::Integer(key)) = key { *key } else { place };
            table.row(rowid, row).unwrap();
        }
        table.finish().unwrap();
    }
    db.finish().unwrap().into_inner()
}

fn int(number: i64) -> Value<'static> {
    Value::Integer(number)
}

fn session(key: Value<'_>) -> Vec<Value<'_>> {
    vec![int(0), int(5), int(0), key, int(0), int(6), int(2)]
}

fn salvaged(bytes: Vec<u8>, expected: &[&str]) -> Seen {
    let options = expected.iter().fold(OpenOptions::new(), |all, sql| all.expect_table(sql));
    let tables = Tables::Saved(Salvage::from_bytes(bytes, None, None, &options));
    samples::read_from(Path::new("sample.session"), tables).unwrap()
}

#[test]
fn odd_values_are_noted_and_the_rest_of_the_row_is_kept() {
    let key = [7; 256];
    let text = |text| Value::from(text);
    let row = vec![text("x"), int(5), text("x"), Value::Blob(&key), int(2), int(1 << 31), int(2)];
    let peers = vec![
        vec![text("user"), int(-42), text("x"), text("name"), text("+42"), text("x")],
        vec![text("user"), int(0), int(1), Value::Null, Value::Null, int(1)],
        vec![text("tribe"), int(1), int(-1), Value::Blob(b"\0"), int(42), Value::Real(7.5)],
        vec![int(3), int(2), Value::Null, Value::Null, Value::Null, int(0)],
    ];
    let names = vec![
        vec![text("second"), int(-42)],
        vec![text("name"), int(-42)],
        vec![text("lonely"), int(99)],
        vec![text("nobody"), text("x")],
        vec![Value::Blob(b"x"), int(1)],
        vec![Value::Null, int(1)],
    ];
    let states = vec![
        vec![int(1), int(-1_000_000_000_007), int(5), Value::Null, Value::Null],
        vec![int(1), int(-9), int(5), Value::Null, Value::Null],
        vec![Value::Null, int(0), int(8), int(9), Value::Null],
        vec![int(1), int(7), Value::Null, Value::Null, Value::Null],
    ];
    let tables = [
        (SESSIONS, vec![row]),
        (PEERS, peers),
        (NAMES, names),
        (STATES, states),
        (NUMBER, vec![vec![text("x")]]),
        ("create table notes (id)", Vec::new()),
    ];
    let Seen { format, sample, notes } = samples::read(database(&tables)).unwrap();
    assert_eq!(format, "kurigram-sqlite");
    let login = &sample.account.login;
    assert_eq!(login.user, Some(SelfUser { id: 5, bot: None }));
    assert_eq!((login.test_mode, login.api_id), (None, None));
    let state = UpdateState { pts: 8, qts: 9, date: 0, seq: 0 };
    assert_eq!(sample.account.update_state, Some(state));
    assert_eq!(sample.account.channel_states.len(), 1);
    let [group, one, two] = &sample.entities[..] else { panic!("{:?}", sample.entities) };
    assert_eq!(group.usernames, ["name", "second"]);
    assert_eq!((group.kind, group.access_hash, group.date), (None, None, None));
    assert_eq!((one.access_hash, one.date), (Some(AccessHash(-1)), Some(7)));
    assert_eq!(one.phone.as_deref(), Some("42"));
    assert_eq!((two.kind, two.access_hash, two.date), (None, None, None));
    assert_eq!(notes, NOTES);
}

/// All notes, in the order of the rows.
const NOTES: [&str; 22] = [
    "version: there is no schema version; the columns say what they are",
    "sessions: test_mode is neither 0 nor 1, not kept",
    "sessions: api_id is more than 32 bits, not kept",
    "sessions: is_bot is neither 0 nor 1, not kept",
    "sessions: date is not a time, not kept",
    "update_state row -9: no channel, skipped",
    "update_state row 0: date is not known and taken as 0",
    "update_state row 0: seq is not known and taken as 0",
    "update_state row 7: pts is not an integer, skipped",
    "update_state: the qts, date and seq of 1 channels are not kept",
    "table \"notes\" is not the client's and was not read",
    "usernames: whose it is is not an integer, row skipped",
    "usernames: a name is not text, row skipped",
    "usernames: 1 belong to no peer that is there, not kept",
    "peers row -42: access_hash is not an integer, not kept",
    "peers row -42: type is of another kind than the id, not kept",
    "peers row -42: phone_number is not a number, not kept",
    "peers row -42: last_update_on is not a time, not kept",
    "peers row 0: not a valid id, skipped",
    "peers row 1: type is unknown, not kept",
    "peers row 1: username is not text, not kept",
    "peers row 2: type is not text, not kept",
];

#[test]
fn a_key_of_a_wrong_size_is_an_error_unless_salvaged() {
    for (key, found) in [
        (Value::Blob(&[7; 255][..]), "255 bytes long"),
        (Value::from("secret"), "text"),
        (int(5), "a number"),
    ] {
        let bytes = database(&[(SESSIONS, vec![session(key)]), (PEERS, Vec::new())]);
        let error = samples::read(bytes.clone()).unwrap_err();
        assert!(matches!(&error, Error::BadAuthKey { dc: 2, found: f, .. } if f == found));
        let Seen { sample, notes, .. } = salvaged(bytes, &[]);
        assert_eq!(sample.account.dcs, [DcOption::new(DcId(2))]);
        let note = format!("sessions row 2: the auth key is {found}, not kept");
        assert!(notes.contains(&note), "{notes:?}");
    }
}

#[test]
fn a_login_that_never_finished_is_read_and_said() {
    let row = vec![Value::Null, Value::Null, int(0), Value::Null, Value::Null, int(6), int(2)];
    let number = vec![vec![int(3)]];
    let bytes = database(&[(SESSIONS, vec![row]), (NUMBER, number)]);
    let Seen { format, sample, notes } = samples::read(bytes).unwrap();
    assert_eq!(format, "pyrogram-sqlite v3");
    assert_eq!(sample.account.dcs, [DcOption::new(DcId(2))]);
    assert_eq!((sample.account.login.user, sample.account.login.api_id), (None, Some(6)));
    let unfinished = "sessions: there is no auth key or no user id: the login never finished";
    assert_eq!(notes, [unfinished, "peers: there is no such table"]);
}

#[test]
fn of_several_rows_the_first_is_home_and_no_key_is_dropped() {
    let (one, two) = ([7; 256], [8; 256]);
    let mut other = session(Value::Blob(&two));
    other[6] = int(1);
    let rows = vec![session(Value::Blob(&one)), other];
    let Seen { sample, notes, .. } = samples::read(database(&[(SESSIONS, rows)])).unwrap();
    assert_eq!(sample.account.login.home_dc, Some(DcId(2)));
    let keys = sample.account.dcs.iter().filter(|dc| dc.auth_key.is_some());
    assert_eq!(keys.count(), 2);
    assert!(notes.iter().any(|note| note.contains("there are 2 rows; DC 2, the first")));
}

#[test]
fn a_newer_schema_of_each_fork_is_refused_but_can_be_salvaged() {
    let names = "create table usernames (id text primary key, peer_id)";
    let forks = [("", 3), ("create table usernames (id, username)", 7), (names, 4)];
    for (usernames, newest) in forks {
        let numbered = |number| {
            let mut db = DatabaseWriter::new(Cursor::new(Vec::new()), &WriterOptions::new());
            let db = db.as_mut().unwrap();
            let key = [7; 256];
            let number = [int(number)];
            for (sql, row) in [(SESSIONS, &session(Value::Blob(&key))[..]), (NUMBER, &number)] {
                let mut table = db.table(sql, &[]).unwrap();
                table.row(1, row).unwrap();
                table.finish().unwrap();
            }
            let index = [crate::sqlite::writer::Index::automatic(&[0])];
            let index = &index[..usize::from(usernames == names)];
            if !usernames.is_empty() {
                db.table(usernames, index).unwrap().finish().unwrap();
            }
            let options = WriterOptions::new();
            let empty = DatabaseWriter::new(Cursor::new(Vec::new()), &options).unwrap();
            std::mem::replace(db, empty).finish().unwrap().into_inner()
        };
        assert!(samples::read(numbered(newest)).is_ok());
        let known = newest.max(4);
        let seen = samples::read(numbered(known + 1)).unwrap();
        let note = format!("{} is newer than the {known}", known + 1);
        assert!(seen.notes.iter().any(|said| said.contains(&note)), "{:?}", seen.notes);
        assert!(seen.sample.account.login.user.is_some());
        assert!(salvaged(numbered(newest + 1), &[]).sample.account.login.user.is_some());
    }
}

#[test]
fn a_damaged_name_in_the_schema_does_not_cost_the_key() {
    let mut bytes = std::fs::read(fixture("kurigram_2.2.26_v7", "session")).unwrap();
    let at = bytes.windows(8).position(|at| at == b"auth_key").unwrap();
    bytes[at] = b'q';
    let db = Database::from_bytes(bytes.clone(), None, None, &OpenOptions::new()).unwrap();
    assert!(recognise(&Tables::Whole(db)).is_err());
    let seen = salvaged(bytes, &[]);
    same(&seen.sample, &model(&json("kurigram_2.2.26_v7")), "salvaged");
}

#[test]
fn a_table_that_the_schema_lost_is_found_by_its_rows() {
    let mut bytes = std::fs::read(fixture("pyrofork_2.3.69_v4", "session")).unwrap();
    let at = bytes.windows(21).position(|at| at == b"CREATE TABLE sessions").unwrap();
    bytes[at..at + 6].fill(b'#');
    let expected = crate::format::sqlite_file::SqliteFormat::expected(&Pyrogram::Pyrofork);
    let seen = salvaged(bytes, expected);
    same(&seen.sample, &model(&json("pyrofork_2.3.69_v4")), "salvaged");
}

#[test]
fn no_other_file_is_taken_for_the_family() {
    let mut seen = 0;
    for folder in ["telethon", "others"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Ok(db) = Database::open(&path, &OpenOptions::new()) else { continue };
            let family = ["gram_", "pyrofork_", "not_telethon_pyrogram"];
            let own = family.iter().any(|word| name.contains(word));
            seen += usize::from(own);
            let taken = Pyrogram::of(&Tables::Whole(db)).is_some();
            assert_eq!(taken, own, "{name}");
        }
    }
    assert!(seen >= 9, "{seen}");
}

#[test]
fn a_username_that_changed_hands_goes_to_the_peer_seen_last() {
    let mut sample = read_file(&fixture("pyrofork_2.3.69_v4", "session")).unwrap().sample;
    sample.entities.truncate(2);
    let names = [["one", "both", "BOTH"], ["two", "both", ""]];
    for ((entity, names), date) in sample.entities.iter_mut().zip(names).zip([7, 8]) {
        entity.usernames = names.map(str::to_owned).to_vec();
        entity.date = Some(date);
    }
    let Written { bytes, lost, .. } = samples::write(&PYROFORK, &sample).unwrap();
    let lost: Vec<_> = lost.iter().map(|loss| (loss.what, loss.why, loss.count)).collect();
    assert_eq!(lost, [("entities.usernames", "a peer that was seen later has it", 1)]);
    let seen = samples::read(bytes).unwrap().sample;
    assert_eq!(seen.entities[0].usernames, ["one"]);
    assert_eq!(seen.entities[1].usernames, ["two", "both"]);
    let Written { bytes, .. } = samples::write(&KURIGRAM, &sample).unwrap();
    let seen = samples::read(bytes).unwrap().sample;
    assert_eq!(seen.entities[0].usernames, ["one", "both"]);
}

#[test]
fn what_a_value_cannot_say_is_counted() {
    let mut sample = read_file(&fixture("pyrogram_2.0_v3", "session")).unwrap().sample;
    sample.entities.truncate(1);
    let entity = &mut sample.entities[0];
    (entity.kind, entity.date) = (Some(EntityKind::Bot), Some(0));
    let Written { bytes, lost, .. } = samples::write(&PYROGRAM, &sample).unwrap();
    let lost: Vec<_> = lost.iter().map(|loss| (loss.what, loss.count)).collect();
    assert_eq!(lost, [("entities.date", 1), ("entities.kind", 1)]);
    let seen = samples::read(bytes).unwrap().sample;
    let entity = &seen.entities[0];
    assert_eq!((entity.kind, entity.date), (Some(EntityKind::Channel), None));
}

#[test]
fn without_what_the_library_needs_nothing_is_written() {
    let mut sample = read_file(&fixture("pyrogram_2.0_v3", "session")).unwrap().sample;
    sample.account.login.user = None;
    let error = samples::write(&PYROGRAM, &sample).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Lacks { format: "pyrogram", .. }), "{error}");
}
