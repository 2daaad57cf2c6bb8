//! Whatever is damaged in a store: right answers or an error, never a panic, and readers and
//! writers agree.
//!
//! Each sweep takes a sample here. `TGSESSION_SWEEP=full` takes every byte, sector and length.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{Outcome, account, entities, entity, key};
use tgsession::{DcId, Entity, Error, ErrorKind, ImportSession, Result, Session, Store};

const SECTOR: usize = 512;

/// Both ways to open a store.
const OPENERS: [fn(&Path) -> Result<Store>; 2] =
    [|path| Store::open_read_only(path), |path| Store::open(path)];

/// A store and what is in it.
struct Subject {
    name: &'static str,
    bytes: Vec<u8>,
    entities: Vec<Entity>,
}

/// A store with a log alone, one with a long log, one with a segment, one with many and a base;
/// each once closed and once as it is when its process is killed.
fn subjects(directory: &Path) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (at, name) in ["fresh log", "long log", "one segment", "many segments"].iter().enumerate() {
        let path = directory.join(format!("{at}.tgsession"));
        let store = Store::options().buffer_size(64 << 20).create(&path).unwrap();
        let known = match at {
            0 => 0,
            1 => 300,
            _ => 120,
        };
        store.import("a", ImportSession::new(&account(), Vec::new())).unwrap();
        let session = store.session("a").unwrap();
        match at {
            2 => drop(
                store
                    .replace(
                        "a",
                        ImportSession::new(&account(), entities(known).into_iter().map(Ok)),
                    )
                    .unwrap(),
            ),
            3 => many_segments(&store, known),
            _ => {}
        }
        let session = if at >= 2 { store.open_session("a").unwrap() } else { session };
        if at == 1 {
            for part in entities(known).chunks(20) {
                session.process_entities(part).unwrap();
                session.flush().unwrap();
            }
        }
        session.set_auth_key(DcId(5), Some(key(5))).unwrap();
        let killed = fs::read(&path).unwrap();
        drop((session, store));
        let closed = fs::read(&path).unwrap();
        for bytes in [closed, killed] {
            subjects.push(Subject { name, bytes, entities: entities(known) });
        }
    }
    subjects
}

/// Entities in several segments, and so many other sessions that their rows need a base.
fn many_segments(store: &Store, known: i64) {
    for part in 0..4 {
        for other in 0..20 {
            store
                .import(
                    &format!("other {part} {other}"),
                    ImportSession::new(&account(), Vec::new()),
                )
                .unwrap();
        }
        let mine = entities(known).into_iter().skip(part as usize * 30).take(30);
        let session = store.open_session("a").unwrap();
        session.process_entities(&mine.collect::<Vec<_>>()).unwrap();
    }
}

/// Asks for everything; gives what was refused. A wrong answer fails the test.
fn ask_everything(store: &Store, subject: &Subject, what: &str) -> Vec<Error> {
    let mut refused = Vec::new();
    let session = match store.open_session("a") {
        Ok(session) => session,
        Err(error) => return vec![error],
    };
    let mut ask = |right: Result<bool>| match right {
        Ok(right) => assert!(right, "{}: {what}: a wrong answer", subject.name),
        Err(error) => refused.push(error),
    };
    let whole = account();
    ask(store.list().map(|names| names.first().is_some_and(|name| name == "a")));
    ask(session.login().map(|login| login == whole.login));
    ask(session.dcs().map(|dcs| dcs.len() == 3 && dcs[..2] == whole.dcs[..]));
    ask(session.dc(DcId(5)).map(|dc| dc.and_then(|dc| dc.auth_key) == Some(key(5))));
    ask(session.update_state().map(|state| state == whole.update_state));
    ask(session.channel_states().map(|states| states.len() == 3));
    ask(session.sent_files().map(|files| files == whole.sent_files));
    for entity in subject.entities.iter().step_by(7) {
        ask(session.entity(entity.id).map(|found| found.as_ref() == Some(entity)));
        for username in &entity.usernames {
            let found = session.entity_by_username(username);
            ask(found.map(|found| found.as_ref() == Some(entity)));
        }
        if let Some(phone) = &entity.phone {
            ask(session.entity_by_phone(phone).map(|found| found.as_ref() == Some(entity)));
        }
    }
    ask(session.entities(None, usize::MAX).map(|all| all.len() == subject.entities.len()));
    refused
}

/// Opens these bytes both ways and asks everything. Says whether anything was refused.
fn is_refused(subject: &Subject, bytes: &[u8], path: &Path, what: &str) -> bool {
    let mut refused = [false; 2];
    for (open, refused) in OPENERS.iter().zip(&mut refused) {
        fs::write(path, bytes).unwrap();
        let errors = match open(path) {
            Ok(store) => ask_everything(&store, subject, what),
            Err(error) => vec![error],
        };
        for error in &errors {
            let kind = error.kind();
            let foreign = matches!(error, Error::WrongKind { .. }) && bytes.len() < SECTOR;
            assert!(kind == ErrorKind::Damaged || foreign, "{}: {what}: {error}", subject.name);
        }
        *refused = !errors.is_empty();
    }
    assert_eq!(refused[0], refused[1], "{}: {what}: reader and writer disagree", subject.name);
    refused[0]
}

/// Every place of a sweep, or about so many.
fn sample(places: usize, most: usize) -> impl Iterator<Item = usize> {
    let full = std::env::var("TGSESSION_SWEEP").is_ok_and(|sweep| sweep == "full");
    let step = if full { 1 } else { (places / most).max(1) };
    (0..places).step_by(step)
}

fn sweep(what: &str, places: fn(&[u8]) -> usize, most: usize, damage: fn(&mut Vec<u8>, usize)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("damaged.tgsession");
    for (number, subject) in subjects(directory.path()).iter().enumerate() {
        let state = ["closed", "killed"][number % 2];
        let (mut tried, mut refused) = (0, 0);
        for place in sample(places(&subject.bytes), most) {
            let mut bytes = subject.bytes.clone();
            damage(&mut bytes, place);
            tried += 1;
            let what = format!("{what} {place}, {state}");
            refused += usize::from(is_refused(subject, &bytes, &path, &what));
        }
        println!("| {what} | {} | {state} | {tried} | {refused} |", subject.name);
    }
}

#[test]
fn a_flipped_bit_of_any_byte_gives_right_answers_or_an_error() {
    sweep("bit flipped in byte", <[u8]>::len, 220, |bytes, at| bytes[at] ^= 1 << (at % 8));
}

#[test]
fn a_sector_of_zeros_gives_right_answers_or_an_error() {
    sweep(
        "zeroed sector",
        |bytes| bytes.len() / SECTOR,
        60,
        |bytes, at| {
            bytes[at * SECTOR..(at + 1) * SECTOR].fill(0);
        },
    );
}

#[test]
fn two_swapped_sectors_give_right_answers_or_an_error() {
    sweep(
        "swapped with the next sector",
        |bytes| bytes.len() / SECTOR - 1,
        60,
        |bytes, at| {
            let (one, other) = bytes[at * SECTOR..(at + 2) * SECTOR].split_at_mut(SECTOR);
            one.swap_with_slice(other);
        },
    );
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.tgsession");
    for subject in subjects(directory.path()) {
        for len in sample(subject.bytes.len(), 150) {
            let refused =
                is_refused(&subject, &subject.bytes[..len], &path, &format!("cut to {len}"));
            assert!(refused, "{}: cut to {len} of {}", subject.name, subject.bytes.len());
        }
    }
}

fn store_with_a_segment(directory: &Path) -> (PathBuf, Vec<u8>) {
    let path = directory.join("whole.tgsession");
    let store = Store::create(&path).unwrap();
    store.import("a", ImportSession::new(&account(), entities(3_000).into_iter().map(Ok))).unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

#[test]
fn a_damaged_entity_never_costs_the_login() -> Outcome {
    let directory = tempfile::tempdir()?;
    let (path, whole) = store_with_a_segment(directory.path());
    let middle = whole.len() / 2;
    let mut bytes = whole;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes)?;
    for open in OPENERS {
        let session = open(&path)?.open_session("a")?;
        assert_eq!(session.login()?, account().login);
        assert_eq!(session.auth_key()?, Some(key(1)));
        let error = session.entities(None, usize::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    }
    let store = Store::open(&path)?;
    store.open_session("a")?.set_auth_key(DcId(2), Some(key(9)))?;
    assert_eq!(store.open_session("a")?.auth_key()?, Some(key(9)), "it is still written");
    Ok(())
}

#[test]
fn the_check_names_what_is_damaged() -> Outcome {
    let directory = tempfile::tempdir()?;
    let (path, whole) = store_with_a_segment(directory.path());
    assert_eq!(Store::open_read_only(&path)?.check()?.problems, Vec::<String>::new());
    let middle = whole.len() / 2;
    for (at, named) in [(middle, "segment"), (600, "root")] {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        fs::write(&path, &bytes)?;
        let problems = Store::open_read_only(&path)?.check()?.problems;
        assert!(problems.iter().any(|problem| problem.contains(named)), "{at}: {problems:?}");
    }
    Ok(())
}

#[test]
fn what_the_check_calls_whole_can_be_written() -> Outcome {
    let directory = tempfile::tempdir()?;
    let (path, whole) = store_with_a_segment(directory.path());
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes)?;
        let Ok(report) = Store::open_read_only(&path).and_then(|store| store.check()) else {
            continue;
        };
        if report.problems.is_empty() {
            let store = Store::open(&path)?;
            store.import("b", ImportSession::new(&account(), [entity(9)].map(Ok)))?;
            store.compact()?;
            assert_eq!(store.check()?.problems, Vec::<String>::new(), "byte {at}");
        }
    }
    Ok(())
}
