//! Key files with a trailer: those that another implementation wrote, and odd ones sealed here.

use std::fs;

use super::tests::{array, copy_of, file, fixtures, seal};
use super::trailer::Trailer;
use super::*;
use crate::format::Disk;
use crate::types::AuthKey;

/// User, home DC, DC, key: as the JSON beside a fixture says it.
type Said = (i64, i64, i64, AuthKey);

fn expected(name: &str) -> Vec<Said> {
    let text = fs::read_to_string(fixtures().join(format!("{name}.json"))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let number = |key: &serde_json::Value, name: &str| key[name].as_i64().unwrap();
    let key = |key: &serde_json::Value| {
        let secret = AuthKey::from_hex(key["auth_key"].as_str().unwrap()).unwrap();
        (number(key, "user_id"), number(key, "main_dc"), number(key, "dc"), secret)
    };
    let mut said: Vec<_> = json["keys"].as_array().unwrap().iter().map(key).collect();
    said.sort_by_key(|said| said.2);
    said
}

fn read_all(name: &str, passcode: Option<&[u8]>) -> Vec<Said> {
    let mut all = Vec::new();
    for account in super::read(&Disk, &fixtures().join(name), passcode).unwrap() {
        let account = account.unwrap();
        assert_eq!(account.notes, Vec::<String>::new());
        let login = &account.account.login;
        let (user, home) = (login.user.unwrap().id, i64::from(login.home_dc.unwrap().0));
        let dcs = account.account.dcs.iter();
        all.extend(dcs.map(|dc| (user, home, dc.id.0.into(), dc.auth_key.clone().unwrap())));
    }
    all
}

#[test]
fn a_folder_of_7_3_without_an_app_lock_is_open_whatever_passcode_is_given() {
    for passcode in [None, Some(&b""[..]), Some(b"hunter2")] {
        assert_eq!(read_all("tdata73_open", passcode), expected("tdata73_open"));
    }
}

#[test]
fn a_folder_of_7_3_with_an_app_lock_is_opened_by_its_passcode_alone() {
    assert_eq!(read_all("tdata73_passcode", Some(b"secret")), expected("tdata73_passcode"));
    let folder = fixtures().join("tdata73_passcode");
    for none in [None, Some(&b""[..])] {
        assert!(matches!(super::read(&Disk, &folder, none), Err(Error::NeedsPassphrase { .. })));
    }
    assert!(matches!(
        super::read(&Disk, &folder, Some(b"Secret")),
        Err(Error::WrongPassphrase { .. })
    ));
}

#[test]
fn a_flipped_or_cut_key_file_of_7_3_is_damaged_and_never_a_wrong_passcode() {
    for name in ["tdata73_open", "tdata73_passcode"] {
        let folder = copy_of(name);
        let path = folder.path().join("key_datas");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            for bytes in [&flipped, &whole[..at]] {
                fs::write(&path, bytes).unwrap();
                let read = super::read(&Disk, folder.path(), Some(b"secret"));
                assert!(matches!(read, Err(Error::Damaged { .. })), "byte {at}");
            }
        }
    }
}

const SALT: [u8; 32] = [5; 32];
const LOCAL: [u8; LocalKey::LEN] = [9; LocalKey::LEN];
const PASSCODE: &[u8] = b"hunter2";

/// The fields of a wrap: kind, generation, three costs.
type Wrap = [u32; 5];

const ARGON2ID: Wrap = [1, 7, 64, 2, 1];
const SCRYPT: Wrap = [2, 7, 16, 8, 1];

/// The key that these costs make of the passcode, by the crates themselves.
fn wrapping_key(wrap: &Wrap) -> LocalKey {
    let mut key = [0; LocalKey::LEN];
    match *wrap {
        [1, _, memory, passes, lanes] => {
            let cost = argon2::Params::new(memory, passes, lanes, Some(key.len())).unwrap();
            let mut blocks = vec![argon2::Block::new(); cost.block_count()];
            argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, cost)
                .hash_password_into_with_memory(PASSCODE, &SALT, &mut key, &mut blocks)
                .unwrap();
        }
        [_, _, n, r, p] => {
            let cost = scrypt::Params::new(n.trailing_zeros() as u8, r, p).unwrap();
            scrypt::scrypt(PASSCODE, &SALT, &cost, &mut key).unwrap();
        }
    }
    LocalKey::from_slice(&key).unwrap()
}

fn wrap_of(wrap: &Wrap, key: &LocalKey) -> Vec<u8> {
    let numbers: Vec<u8> = wrap.iter().flat_map(|number| number.to_be_bytes()).collect();
    [numbers, array(&SALT), array(&seal(key, &LOCAL))].concat()
}

fn trailer_of(committed: u32, wraps: &[Vec<u8>]) -> Vec<u8> {
    let head = [2, committed, wraps.len() as u32].map(u32::to_be_bytes).concat();
    [&b"KD2\0"[..], &head, &wraps.concat()].concat()
}

/// A folder of no accounts with this trailer, and the open wrap that stands before it.
fn opened(open_wrap: &[u8], trailer: &[u8], passcode: &[u8]) -> Result<usize> {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalKey::from_slice(&LOCAL).unwrap();
    let list = seal(&local, &[[0; 4], [0; 4]].concat());
    let payload = [array(&SALT), array(open_wrap), array(&list), array(trailer)].concat();
    fs::write(folder.path().join("key_datas"), file(&payload)).unwrap();
    super::read(&Disk, folder.path(), Some(passcode)).map(|accounts| accounts.len())
}

fn told(read: Result<usize>) -> String {
    let error = read.unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    format!("{error} {}", cause.unwrap_or_default())
}

#[test]
fn both_functions_open_what_was_sealed_under_them() {
    for wrap in [ARGON2ID, SCRYPT] {
        let trailer = trailer_of(7, &[wrap_of(&wrap, &wrapping_key(&wrap))]);
        assert_eq!(opened(b"", &trailer, PASSCODE).unwrap(), 0, "{wrap:?}");
        let wrong = opened(b"", &trailer, b"hunter3");
        assert!(matches!(wrong, Err(Error::WrongPassphrase { .. })), "{wrap:?}");
    }
}

#[test]
fn a_wrap_left_over_from_a_change_of_the_passcode_does_not_count() {
    let left_over = [2, 6, 16, 8, 1];
    let other = LocalKey::from_slice(&[3; LocalKey::LEN]).unwrap();
    let wraps = [wrap_of(&left_over, &other), wrap_of(&SCRYPT, &wrapping_key(&SCRYPT))];
    assert_eq!(opened(b"", &trailer_of(7, &wraps), PASSCODE).unwrap(), 0);
    let only_left_over = trailer_of(7, &[wrap_of(&left_over, &wrapping_key(&left_over))]);
    for passcode in [PASSCODE, b""] {
        let refused = opened(b"", &only_left_over, passcode);
        assert!(matches!(refused, Err(Error::Damaged { .. })), "{refused:?}");
        assert!(told(refused).contains("the app lock hides the folder's key"));
    }
}

#[test]
fn costs_counts_and_versions_that_cannot_be_are_refused_before_any_work() {
    let key = LocalKey::from_slice(&[3; LocalKey::LEN]).unwrap();
    let costs = |wrap: Wrap| told(opened(b"", &trailer_of(7, &[wrap_of(&wrap, &key)]), PASSCODE));
    for wrap in [
        [1, 7, u32::MAX, 1, 1],
        [1, 7, 262_145, 1, 1],
        [1, 7, 64, 65, 1],
        [1, 7, 64, 1, 17],
        [1, 7, 64, 0, 1],
        [1, 7, 64, 1, 0],
        [1, 7, 15, 1, 2],
        [2, 7, 0, 8, 1],
        [2, 7, 1, 8, 1],
        [2, 7, 12, 8, 1],
        [2, 7, 262_144, 64, 1],
        [2, 7, 1 << 31, 1, 1],
    ] {
        assert!(costs(wrap).contains("is invalid"), "{wrap:?}: {}", costs(wrap));
    }
    assert!(costs([3, 7, 0, 0, 0]).contains("in the way 3"), "{}", costs([3, 7, 0, 0, 0]));
    let many = vec![wrap_of(&SCRYPT, &key); 3];
    assert!(told(opened(b"", &trailer_of(7, &many), PASSCODE)).contains("3 sealed keys"));
    let mut newer = trailer_of(7, &[]);
    newer[7] = 3;
    assert!(matches!(opened(b"", &newer, PASSCODE), Err(Error::Newer { found: 3, .. })));
    newer[7] = 1;
    assert!(told(opened(b"", &newer, PASSCODE)).contains("version 1"));
    assert!(told(opened(b"", b"KD3\0", PASSCODE)).contains("KD2"));
    let longer = [trailer_of(7, &[]), vec![0]].concat();
    assert!(told(opened(b"", &longer, PASSCODE)).contains("1 bytes follow"));
}

#[test]
fn every_cut_and_flip_of_a_trailer_comes_back() {
    let whole = trailer_of(7, &[wrap_of(&SCRYPT, &wrapping_key(&SCRYPT))]);
    for at in 0..whole.len() {
        assert!(Trailer::read(&whole[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            let _ = Trailer::read(&flipped);
        }
    }
}
