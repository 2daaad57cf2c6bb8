use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use super::encoding::{auth_key, buffer, file_of, key_of, marked, unmarked};
use super::*;
use crate::clients::alchemy::tests::of_model;
use crate::clients::telethon::as_kept;
use crate::clients::tests::{Sample, sessions};
use crate::error::Error;
use crate::format::Disk;
use crate::format::{Losses, Outgoing, Parsed, account_for, fill};
use crate::types::{AccessHash, AuthKey, DcId, DcOption, Endpoint, Entity, PeerId, PeerKind};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/others");

fn fixture() -> PathBuf {
    Path::new(FIXTURES).join("gramjs_store")
}

fn one(parsed: Parsed) -> (Sample, Vec<String>) {
    let [session] = <[_; 1]>::try_from(parsed.sessions).unwrap();
    (Sample { account: session.account, entities: session.entities }, session.notes)
}

fn outgoing<'a>(name: &str, sample: &'a Sample) -> Outgoing<'a> {
    let entities = Box::new(sample.entities.iter().cloned().map(Ok));
    Outgoing { name: name.to_owned(), account: sample.account.clone(), entities }
}

fn put(folder: &Path, name: &str, sample: &Sample) {
    for (file, content) in
        files(name, &mut outgoing("another", sample), &mut Losses::default()).unwrap()
    {
        fs::write(folder.join(file), content.as_slice()).unwrap();
    }
}

#[test]
fn the_fixture_is_its_model_and_is_written_as_it_is() {
    assert!(looks_like(&Disk, &fixture()));
    let json: Value =
        serde_json::from_slice(&fs::read(fixture().with_extension("json")).unwrap()).unwrap();
    let parsed = read(&Disk, &fixture()).unwrap();
    assert_eq!(parsed.format, "gramjs-store");
    let (seen, notes) = one(parsed);
    assert_eq!(notes, [""; 0]);
    let mut undated = seen.clone();
    undated.entities.iter_mut().for_each(|entity| entity.date = None);
    assert_eq!(undated, of_model(&json["model"]));

    let mut session = outgoing("gramjs_store", &seen);
    let written = files("gramjs_store", &mut session, &mut Losses::default()).unwrap();
    assert_eq!(written.len(), fixture().read_dir().unwrap().count());
    for (file, content) in written {
        let there = fs::read_to_string(fixture().join(&file)).unwrap();
        let content = std::str::from_utf8(&content).unwrap();
        // The client's times have milliseconds.
        let without = |text: &str| match text.rsplit_once(",\"1") {
            Some((rest, time)) if time.ends_with("\"]") => rest.to_owned(),
            _ => text.to_owned(),
        };
        assert_eq!(without(content), without(&there), "{file}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn what_is_written_is_read_back(sample in sessions()) {
        let (mut account, mut lost) = (sample.account.clone(), Losses::default());
        let given = Default::default();
        if fill(&mut account, "gramjs-store", &CAPABILITIES, given, &mut Vec::new()).is_err() {
            return Ok(());
        }
        let account = account_for(account, &CAPABILITIES, &mut lost);
        let sample = Sample { account, entities: sample.entities };
        let mut fitted = Vec::new();
        let mut again = outgoing("a", &sample);
        while let Some(entity) = again.entity(CAPABILITIES.entities.as_ref().unwrap(), &mut lost) {
            fitted.push(entity.unwrap());
        }
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a b/ä", &sample);
        let (seen, notes) = one(read(&Disk, folder.path()).unwrap());
        prop_assert_eq!(notes, [""; 0]);
        for entity in &mut fitted {
            entity.access_hash.take_if(|_| entity.id.kind() == PeerKind::Group);
        }
        let kept = as_kept(Sample { account: sample.account.clone(), entities: fitted });
        prop_assert_eq!(seen.account, kept.account);
        prop_assert_eq!(seen.entities, kept.entities);
    }

    #[test]
    fn every_key_has_a_file_name_that_gives_it_back(key in "[^\0]{0,20}") {
        let name = file_of(&key);
        prop_assert!(name.is_ascii() && !name.contains('/'));
        prop_assert_eq!(key_of(&name), Some(key));
    }

    #[test]
    fn no_text_of_an_auth_key_is_a_panic(text in r#"(\{"type":"Buffer","data":)?\[?[0-9, -]{0,99}\]?\}?"#) {
        prop_assert!(auth_key(&text).is_err());
    }
}

fn login() -> Sample {
    let mut account = crate::types::Account::default();
    account.login.home_dc = Some(DcId(2));
    let end = Endpoint::new("10.0.0.1", 443);
    account.dcs = vec![DcOption::new(DcId(2)).at(end).with_key(AuthKey::new(&[7; 256]))];
    Sample { account, entities: Vec::new() }
}

#[test]
fn file_names_are_those_of_node_localstorage() {
    assert_eq!(file_of("a:-100"), "a%3A-100");
    assert_eq!(file_of("ä !'()*~_."), "%C3%A4%20%21%27%28%29%2A~_.");
    assert_eq!([key_of("%"), key_of("%4"), key_of("%zz"), key_of("%FF")], [const { None }; 4]);
}

#[test]
fn ids_are_marked_as_the_client_does() {
    let channel = |bare| PeerId::channel(bare).unwrap();
    let group = |bare| PeerId::group(bare).unwrap();
    assert_eq!(marked(channel(1_093_231_346)), "-1001093231346");
    assert_eq!(marked(channel(997_852_516_352)), "-100997852516352");
    assert_eq!(unmarked("-100997852516352", 0), Some(channel(997_852_516_352)));
    assert_eq!(unmarked("-1001234567", 0), Some(group(1_001_234_567)));
    assert_eq!(unmarked("-1001234567", 7), Some(channel(1_234_567)));
    assert_eq!(unmarked("-100", 0), Some(group(100)));
    assert_eq!(unmarked("-100", 7), None);
    for none in ["", "-", "0", "05", "+5", "--5", "-1000000000001", "9223372036854775808"] {
        assert_eq!(unmarked(none, 0), None, "{none}");
    }
}

#[test]
fn a_key_reads_back_and_what_is_none_says_so_without_its_bytes() {
    let key = AuthKey::new(&std::array::from_fn(|at| at as u8));
    let text = String::from_utf8(buffer(&key).to_vec()).unwrap();
    assert!(text.starts_with(r#"{"type":"Buffer","data":[0,1,2,"#) && text.contains(",9,10,"));
    assert_eq!(auth_key(&text).unwrap(), key);
    assert_eq!(auth_key(&text.replace("255", "256")).unwrap_err(), "not made of bytes");
    assert_eq!(auth_key(&text.replace(",255", "")).unwrap_err(), "255 bytes long");
    assert_eq!(auth_key(r#"{"type":"Buffer","data":[]}"#).unwrap_err(), "0 bytes long");
}

#[test]
fn a_bad_key_is_an_error_and_a_missing_one_a_session_before_its_login() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "s", &login());
    let key = folder.path().join("s%3AauthKey");
    fs::write(&key, r#"{"type":"Buffer","data":[1,2]}"#).unwrap();
    let error = read(&Disk, folder.path()).unwrap_err();
    assert!(matches!(error, Error::BadAuthKey { dc: 2, .. }), "{error}");
    fs::write(&key, "undefined").unwrap();
    assert_eq!(one(read(&Disk, folder.path()).unwrap()).0.account.dcs[0].auth_key, None);
    fs::remove_file(&key).unwrap();
    assert_eq!(one(read(&Disk, folder.path()).unwrap()).0.account.dcs[0].auth_key, None);
}

#[test]
fn odd_files_are_noted_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "s", &login());
    let odd = [
        ("s%3A5", r#"["6","1",null,null,null,"1"]"#),
        ("s%3A7", r#"["7","1","u",null,null]"#),
        ("s%3A8", "{"),
        ("s%3Amore", "1"),
        ("t%3AdcId", "2"),
        ("%", ""),
    ];
    for (name, content) in odd {
        fs::write(folder.path().join(name), content).unwrap();
    }
    fs::write(folder.path().join("s%3A9"), vec![b' '; 70_000]).unwrap();
    let (seen, mut notes) = one(read(&Disk, folder.path()).unwrap());
    assert_eq!(seen.entities.len(), 1);
    notes.sort();
    assert_eq!(
        notes,
        [
            "\"%\" is no file of a store, not read",
            "\"t:dcId\" is not of this session and was not read",
            "entity 5 is the row of another, skipped",
            "entity 8 is no JSON, skipped",
            "entity 9 is too long, skipped",
            "key \"more\" is not the client's and was not read",
        ]
    );
}

#[test]
fn what_is_no_store_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!looks_like(&Disk, folder.path()));
    assert!(!looks_like(&Disk, &folder.path().join("absent")));
    fs::write(folder.path().join("dcId"), "2").unwrap();
    assert!(!looks_like(&Disk, folder.path()));
    assert!(matches!(read(&Disk, folder.path()), Err(Error::Damaged { .. })));
}

#[test]
fn a_name_that_the_client_refuses_is_refused() {
    for name in ["session", ""] {
        let files = files(name, &mut outgoing("a", &login()), &mut Losses::default());
        assert!(matches!(files, Err(Error::Unfit { format: "gramjs-store", .. })));
    }
}

#[test]
fn more_than_the_client_can_store_is_a_counted_loss() {
    let mut sample = login();
    sample.entities = (1..=60_000)
        .map(|id| {
            let mut entity = Entity::new(PeerId::user(id).unwrap());
            (entity.access_hash, entity.name) = (Some(AccessHash(id)), Some("n".repeat(40)));
            entity
        })
        .collect();
    let mut lost = Losses::default();
    let files = files("s", &mut outgoing("s", &sample), &mut lost).unwrap();
    let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
    assert!(bytes < 3 << 20, "{bytes}");
    let lost = lost.into_sorted();
    assert_eq!(lost[0].count as usize + files.len() - 4, 60_000);
}
