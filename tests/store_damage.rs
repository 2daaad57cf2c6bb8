//! Whatever bit of a store is flipped: right answers or an error, and never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::fs;
use std::path::Path;

use support::{Outcome, account, entities, entity};
use tgsession::{Error, ErrorKind, Result, Session, Store};

const ENTITIES: i64 = 300;

/// Both ways to open a store.
const OPENERS: [fn(&Path) -> Result<Store>; 2] =
    [|path| Store::open_read_only(path), |path| Store::open(path)];

/// Where the log begins in the file; its halves are equally long.
const LOG: std::ops::Range<usize> = 4096..4096 + (512 << 10);
const HALF: usize = 256 << 10;

/// Where the engine's header block begins and ends in the file.
const HEADER: std::ops::Range<usize> = LOG.end..LOG.end + 4096;

fn small_store(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("whole.tgsession");
    let store = Store::create(&path).unwrap();
    store.import("a", &account(), entities(ENTITIES).into_iter().map(Ok), false).unwrap();
    store.session("b").unwrap().set_update_state(account().update_state).unwrap();
    path
}

/// Asks for everything; says which questions were refused. A wrong answer fails the test.
fn ask_everything(store: &Store) -> Vec<Error> {
    let mut refused = Vec::new();
    let session = match store.open_session("a") {
        Ok(session) => session,
        Err(error) => return vec![error],
    };
    let mut ask = |right: Result<bool>| match right {
        Ok(right) => assert!(right, "a wrong answer"),
        Err(error) => refused.push(error),
    };
    let whole = account();
    ask(store.list().map(|names| names == ["a", "b"]));
    ask(session.login().map(|login| login == whole.login));
    ask(session.dcs().map(|dcs| dcs == whole.dcs));
    ask(session.update_state().map(|state| state == whole.update_state));
    ask(session.channel_states().map(|states| states.len() == 3));
    ask(session.sent_files().map(|files| files == whole.sent_files));
    for entity in (0..ENTITIES).map(entity) {
        ask(session.entity(entity.id).map(|found| found.as_ref() == Some(&entity)));
        for username in &entity.usernames {
            let found = session.entity_by_username(username);
            ask(found.map(|found| found.as_ref() == Some(&entity)));
        }
        if let Some(phone) = &entity.phone {
            ask(session.entity_by_phone(phone).map(|found| found.as_ref() == Some(&entity)));
        }
    }
    ask(session.entities(None, usize::MAX).map(|all| all.len() as i64 == ENTITIES));
    refused
}

/// Flips one bit, opens the store and asks everything. Says whether anything was refused. Every
/// eighth is opened for writing too, which costs syncs.
fn flip(whole: &[u8], bit: usize, path: &Path) -> bool {
    let mut bytes = whole.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(path, &bytes).unwrap();
    let ways = if bit % 8 == bit / 8 % 8 { 2 } else { 1 };
    let mut refused = 0;
    for open in &OPENERS[..ways] {
        let errors = match open(path) {
            Ok(store) => ask_everything(&store),
            Err(error) => vec![error],
        };
        for error in &errors {
            assert_eq!(error.kind(), ErrorKind::Damaged, "bit {bit}: {error} {error:?}");
        }
        refused += errors.len();
    }
    refused > 0
}

#[test]
fn every_bit_of_superblock_and_header() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(small_store(folder.path())).unwrap();
    let path = folder.path().join("flipped.tgsession");
    let mut refused = 0;
    for bit in 0..4096 * 8 {
        refused += u32::from(flip_head_only(&whole, bit, &path));
    }
    assert_eq!(refused, 4096 * 8, "each bit of the superblock is under its checksum");
    // Both copies of the header, the bits behind them, and a sample of the unused rest.
    let (one, two) = (HEADER.start, HEADER.start + 2048);
    let unused = (one + 700..two).step_by(97).chain((two + 700..HEADER.end).step_by(97));
    for byte in (one..one + 340).chain(two..two + 340).chain(unused) {
        for bit in 0..8 {
            assert!(!flip(&whole, byte * 8 + bit, &path), "byte {byte} is mended or not in use");
        }
    }
}

/// As [`flip`], for bits that must make the store refuse to open: no question is asked then.
fn flip_head_only(whole: &[u8], bit: usize, path: &Path) -> bool {
    let mut bytes = whole.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(path, &bytes[..8192]).unwrap();
    matches!(Store::open_read_only(path), Err(Error::Damaged { .. }))
}

#[test]
fn thousands_of_bits_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(small_store(folder.path())).unwrap();
    let path = folder.path().join("flipped.tgsession");
    let bits = HEADER.end * 8..whole.len() * 8;
    let step = (bits.len() / 3_000) | 1;
    let flips: Vec<bool> = bits.step_by(step).map(|bit| flip(&whole, bit, &path)).collect();
    assert!(flips.len() >= 3_000);
    assert!(flips.iter().any(|refused| *refused), "no flip hit a block in use");
}

/// The parts of the log that hold something, in sectors of 512 bytes.
fn used_log(whole: &[u8]) -> Vec<usize> {
    let log = LOG.start..LOG.end.min(whole.len());
    let used = |at: &usize| whole[*at..at + 512].iter().any(|byte| *byte != 0);
    log.step_by(512).filter(used).collect()
}

#[test]
fn every_bit_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(small_store(folder.path())).unwrap();
    let path = folder.path().join("flipped.tgsession");
    let sectors = used_log(&whole);
    assert!(sectors.iter().any(|at| *at >= LOG.start + HALF), "both halves are in use");
    let (mut refused, mut flips) = (0, 0);
    for at in sectors {
        for bit in (at * 8..(at + 512) * 8).step_by(13) {
            flips += 1;
            refused += u32::from(!log_holds(&whole, bit, &path));
        }
    }
    assert!(refused > 100 && refused < flips, "{refused} of {flips} were refused");
}

/// Flips a bit of the log: whether the store opens for writing and then has the right answers.
/// Else it is refused, and who only reads gets what holds of it, and is told by the check.
fn log_holds(whole: &[u8], bit: usize, path: &Path) -> bool {
    let mut bytes = whole.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(path, &bytes).unwrap();
    match Store::open(path) {
        Ok(store) => {
            assert!(ask_everything(&store).is_empty(), "bit {bit}");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Damaged, "bit {bit}: {error}");
            let report = Store::open_read_only(path).and_then(|store| store.check());
            assert!(report.map_or(true, |report| !report.problems.is_empty()), "bit {bit}");
            assert!(fs::read(path).unwrap() == bytes, "bit {bit}: refused and written to");
            false
        }
    }
}

#[test]
fn a_record_of_the_log_that_is_damaged_is_never_dropped_in_silence() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    let store = Store::create(&path)?;
    let session = store.session("a")?;
    for seed in 1..=5 {
        session.set_auth_key(tgsession::DcId(2), Some(support::key(seed)))?;
    }
    drop((session, store));
    let whole = fs::read(&path)?;
    let last = *used_log(&whole).last().unwrap();
    for at in used_log(&whole).into_iter().filter(|at| *at < last) {
        let mut bytes = whole.clone();
        bytes[at + 20] ^= 4;
        fs::write(&path, &bytes)?;
        if whole[at..].starts_with(b"\x89log") {
            assert_eq!(Store::open(&path).unwrap_err().kind(), ErrorKind::Damaged, "at {at}");
            let report = Store::open_read_only(&path).and_then(|store| store.check());
            assert!(report.map_or(true, |report| !report.problems.is_empty()), "at {at}");
            assert!(fs::read(&path)? == bytes, "a refused file is not touched");
        }
    }
    Ok(())
}

#[test]
fn a_damaged_entity_never_costs_the_login() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = small_store(folder.path());
    let mut bytes = fs::read(&path)?;
    // The block with this entity's name in it: flip one bit of the name.
    let name = entity(123).name.unwrap();
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, &bytes)?;

    let store = Store::open(&path)?;
    let session = store.open_session("a")?;
    let lost = session.entity(entity(123).id).unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Damaged);
    assert!(session.process_entities(&[entity(123)]).is_err());
    assert_eq!(session.auth_key()?, account().dcs[0].auth_key);
    session.set_auth_key(tgsession::DcId(2), Some(support::key(77)))?;
    assert!(session.entity(entity(123).id).is_err(), "still no wrong answer");
    drop((session, store));

    let session = Store::open(&path)?.open_session("a")?;
    assert_eq!(session.auth_key()?, Some(support::key(77)));
    assert!(
        !Store::open_read_only(&path).is_ok_and(|store| store.check().unwrap().problems.is_empty())
    );
    Ok(())
}

#[test]
fn a_truncated_store_is_damaged_at_whatever_byte_it_ends() -> Outcome {
    let folder = tempfile::tempdir()?;
    let whole = fs::read(small_store(folder.path()))?;
    let path = folder.path().join("cut.tgsession");
    for len in (16..whole.len()).step_by(1_009) {
        fs::write(&path, &whole[..len])?;
        let error = Store::open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{len}: {error}");
        // A reader gets what is still whole, and damage for the rest; if nothing but free pages is
        // gone, the check says so.
        let (errors, problems) = match Store::open_read_only(&path) {
            Ok(store) => (ask_everything(&store), store.check()?.problems),
            Err(error) => (vec![error], vec!["it does not open".to_owned()]),
        };
        assert!(!problems.is_empty(), "cut after {len} bytes");
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{len}: {error} {error:?}");
        }
        assert_eq!(fs::read(&path)?, &whole[..len], "a refused file is not touched");
    }
    Ok(())
}

#[test]
fn the_check_names_what_is_damaged() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = small_store(folder.path());
    assert_eq!(Store::open_read_only(&path)?.check()?.problems, Vec::<String>::new());
    let mut bytes = fs::read(&path)?;
    bytes[HEADER.start + 4] ^= 4;
    fs::write(&path, &bytes)?;
    let problems = Store::open_read_only(&path)?.check()?.problems;
    assert!(problems.iter().any(|problem| problem.contains("header")), "{problems:?}");
    Ok(())
}

/// A check that says "whole" is a promise: everything can be read, and written too.
#[test]
fn what_the_check_calls_whole_can_be_written() -> Outcome {
    let folder = tempfile::tempdir()?;
    let whole = fs::read(small_store(folder.path()))?;
    let path = folder.path().join("flipped.tgsession");
    let mut found = 0;
    for bit in (HEADER.start * 8..whole.len() * 8).step_by(2_111) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes)?;
        let problems = match Store::open_read_only(&path).and_then(|store| store.check()) {
            Ok(report) => report.problems,
            Err(error) => vec![error.to_string()],
        };
        if problems.is_empty() {
            let store = Store::open(&path)?;
            store.rename("b", "c")?;
            store.open_session("a")?.process_entities(&entities(ENTITIES + 50))?;
            store.remove("a")?;
        } else {
            found += 1;
        }
        let untouched = fs::read(&path)? == bytes;
        assert!(untouched || problems.is_empty(), "bit {bit}: a check has written");
    }
    assert!(found > 0, "no flip hit a block in use");
    Ok(())
}

/// What a kill would leave of the small store: what lies there while it is written.
fn killed_store(folder: &Path) -> Vec<u8> {
    let path = small_store(folder);
    let store = Store::open(&path).unwrap();
    store.session("b").unwrap().set_update_state(None).unwrap();
    fs::read(&path).unwrap()
}

#[test]
fn a_store_that_was_not_closed_is_recovered_or_says_what_is_lost_whatever_bit_is_flipped() -> Outcome
{
    let folder = tempfile::tempdir()?;
    let whole = killed_store(folder.path());
    let path = folder.path().join("flipped.tgsession");
    let (mut refused, mut recovered) = (0, 0);
    for bit in (HEADER.start * 8..whole.len() * 8).step_by(3_001) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes)?;
        let errors = match Store::open(&path) {
            Ok(store) => ask_everything(&store),
            Err(error) => {
                assert!(fs::read(&path)? == bytes, "bit {bit}: refused and written to");
                vec![error]
            }
        };
        for error in &errors {
            assert_eq!(error.kind(), ErrorKind::Damaged, "bit {bit}: {error} {error:?}");
        }
        *(if errors.is_empty() { &mut recovered } else { &mut refused }) += 1;
    }
    assert!(refused > 0 && recovered > 0, "{refused} refused, {recovered} recovered");
    Ok(())
}

#[test]
fn a_store_that_is_damaged_and_was_not_closed_still_gives_its_login() -> Outcome {
    let folder = tempfile::tempdir()?;
    let mut bytes = killed_store(folder.path());
    let name = entity(123).name.unwrap();
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    bytes[at] ^= 1;
    let killed = folder.path().join("killed.tgsession");
    fs::write(&killed, &bytes)?;
    let whole = account();

    for open in OPENERS {
        let session = open(&killed)?.open_session("a")?;
        assert_eq!(session.auth_key()?, whole.dcs[0].auth_key);
        assert_eq!(session.entity(entity(123).id).unwrap_err().kind(), ErrorKind::Damaged);
        drop(session);
        assert!(fs::read(&killed)? == bytes, "reading has written");
    }
    Ok(())
}
