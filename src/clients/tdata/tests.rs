//! The folders of real accounts' shape, and folders sealed here for what those do not have.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::account::decode;
use super::key_file::accounts;
use super::sealed::Unopened;
use super::*;
use crate::format::Disk;
use crate::types::{AuthKey, DcId};

type Read = Result<Vec<Result<TdataAccount, BadAccount>>>;

pub(super) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others")
}

/// The values in the JSON beside a fixture: index, user, home DC, keys in the order of their DCs.
type Said = (i32, i64, i32, Vec<(i32, AuthKey)>);

fn expected(name: &str) -> Vec<Said> {
    let text = fs::read_to_string(fixtures().join(format!("{name}.json"))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let number = |value: &serde_json::Value| i32::try_from(value.as_i64().unwrap()).unwrap();
    let account = |account: &serde_json::Value| {
        let key = |key: &serde_json::Value| {
            (number(&key["dc"]), AuthKey::from_hex(key["auth_key"].as_str().unwrap()).unwrap())
        };
        let mut keys: Vec<_> = account["keys"].as_array().unwrap().iter().map(key).collect();
        keys.sort_by_key(|(dc, _)| *dc);
        let user = account["user_id"].as_i64().unwrap();
        (number(&account["index"]), user, number(&account["main_dc"]), keys)
    };
    let accounts: Vec<_> = json["accounts"].as_array().unwrap().iter().map(account).collect();
    let in_order = |index| accounts.iter().find(|account| account.0 == number(index)).unwrap();
    json["order"].as_array().unwrap().iter().map(in_order).cloned().collect()
}

fn said(account: TdataAccount) -> Said {
    assert_eq!(account.notes, Vec::<String>::new());
    let dcs = account.account.dcs.into_iter();
    let keys = dcs.map(|dc| {
        assert_eq!((dc.ipv4, dc.ipv6), (None, None));
        (dc.id.0, dc.auth_key.unwrap())
    });
    let login = account.account.login;
    (account.index, login.user.unwrap().id, login.home_dc.unwrap().0, keys.collect())
}

/// A writable copy of a fixture.
pub(super) fn copy_of(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(fixtures().join(name)).unwrap().map(|file| file.unwrap()) {
        if file.file_type().unwrap().is_file() {
            let content = fs::read(file.path()).unwrap();
            fs::write(folder.path().join(file.file_name()), content).unwrap();
        }
    }
    folder
}

#[test]
fn a_folder_without_a_passcode_gives_its_account() {
    let folder = fixtures().join("tdata_one");
    assert!(looks_like(&Disk, &folder));
    let accounts = read(&Disk, &folder, None).unwrap();
    let accounts: Vec<_> = accounts.into_iter().map(|account| said(account.unwrap())).collect();
    assert_eq!(accounts, expected("tdata_one"));
}

#[test]
fn a_folder_with_a_passcode_gives_both_accounts_in_their_order() {
    let folder = fixtures().join("tdata_passcode_two");
    let accounts = read(&Disk, &folder, Some(b"hunter2")).unwrap();
    let accounts: Vec<_> = accounts.into_iter().map(|account| said(account.unwrap())).collect();
    assert_eq!(accounts, expected("tdata_passcode_two"));
    assert_eq!(accounts.iter().map(|account| account.0).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn a_missing_passcode_is_told_from_a_wrong_one() {
    let folder = fixtures().join("tdata_passcode_two");
    for none in [None, Some(b"".as_slice())] {
        assert!(
            matches!(read(&Disk, &folder, none), Err(Error::NeedsPassphrase { path, .. }) if path == folder)
        );
    }
    let wrong = read(&Disk, &folder, Some(b"hunter3"));
    assert!(matches!(wrong, Err(Error::WrongPassphrase { path }) if path == folder));
}

#[test]
fn the_folder_above_will_do_and_another_will_not() {
    let above = tempfile::tempdir().unwrap();
    assert!(!looks_like(&Disk, above.path()));
    assert!(matches!(read(&Disk, above.path(), None), Err(Error::NotFound { .. })));
    let from = copy_of("tdata_one");
    fs::rename(from.path(), above.path().join("tdata")).unwrap();
    assert!(looks_like(&Disk, above.path()));
    assert_eq!(read(&Disk, above.path(), None).unwrap().len(), 1);
    assert!(!looks_like(&Disk, &above.path().join("tdata/key_datas")), "a file");
}

#[test]
fn a_folder_of_before_the_key_file_is_refused_by_its_age() {
    let folder = copy_of("tdata_one");
    fs::remove_file(folder.path().join("key_datas")).unwrap();
    assert!(looks_like(&Disk, folder.path()));
    let refused = read(&Disk, folder.path(), None).unwrap_err();
    assert!(matches!(refused, Error::WrongKind { .. }), "{refused}");
}

#[test]
fn files_are_named_by_the_account() {
    assert_eq!(file_name(0), FIRST_ACCOUNT);
    assert_eq!(file_name(1), "A7FDF864FBC10B77");
    assert_eq!(file_name(i32::MAX).len(), 16);
}

/// No change of a file may give other accounts than the file had: `whole` says what those are.
fn sweep(name: &str, passcode: Option<&[u8]>, file: &str, mut changed: impl FnMut(&Read)) {
    let folder = copy_of(name);
    let path = folder.path().join(file);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            fs::write(&path, bytes).unwrap();
            changed(&read(&Disk, folder.path(), passcode));
        }
        fs::write(&path, &whole[..at]).unwrap();
        changed(&read(&Disk, folder.path(), passcode));
    }
}

#[test]
fn a_flipped_or_cut_key_file_is_damaged_and_never_a_wrong_passcode() {
    for (name, passcode) in [("tdata_one", None), ("tdata_passcode_two", Some(&b"hunter2"[..]))] {
        sweep(name, passcode, "key_datas", |read| match read {
            Err(Error::Damaged { path, .. }) => assert!(path.ends_with("key_datas")),
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn a_flipped_or_cut_account_is_named_and_hides_nothing() {
    sweep("tdata_one", None, "D877F783D5D3EF8Cs", |read| {
        let [Err(bad)] = &read.as_ref().unwrap()[..] else { panic!("{read:?}") };
        assert_eq!(bad.index, 0);
        assert!(
            matches!(&bad.error, Error::Damaged { path, .. } if path.ends_with("D877F783D5D3EF8Cs"))
        );
    });
    let folder = copy_of("tdata_passcode_two");
    fs::write(folder.path().join("A7FDF864FBC10B77s"), b"TDF$").unwrap();
    let [Err(bad), Ok(good)] = &read(&Disk, folder.path(), Some(b"hunter2")).unwrap()[..] else {
        panic!()
    };
    assert!(matches!(bad, BadAccount { index: 1, error: Error::Damaged { .. } }));
    assert_eq!(good.index, 0);
    fs::remove_file(folder.path().join("A7FDF864FBC10B77s")).unwrap();
    let [Err(bad), Ok(_)] = &read(&Disk, folder.path(), Some(b"hunter2")).unwrap()[..] else {
        panic!()
    };
    assert!(matches!(&bad.error, Error::NotFound { path } if path.ends_with("A7FDF864FBC10B77s")));
}

#[test]
fn of_several_files_the_one_whose_md5_holds_is_read() {
    let folder = copy_of("tdata_one");
    let file = |ending| folder.path().join(format!("D877F783D5D3EF8C{ending}"));
    let notes = || read(&Disk, folder.path(), None).unwrap().remove(0).unwrap().notes;
    fs::copy(file("s"), file("1")).unwrap();
    fs::write(file("0"), b"TDF$ and no more").unwrap();
    assert_eq!(notes(), Vec::<String>::new());
    fs::write(file("s"), b"TDF$").unwrap();
    let [note] = &notes()[..] else { panic!("{:?}", notes()) };
    assert!(note.contains("D877F783D5D3EF8Cs is damaged"), "{note}");
    fs::remove_file(file("s")).unwrap();
    fs::remove_file(file("0")).unwrap();
    assert_eq!(notes(), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_is_not_waited_on() {
    let folder = copy_of("tdata_one");
    let file = folder.path().join("D877F783D5D3EF8Cs");
    fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let [Err(bad)] = &read(&Disk, folder.path(), None).unwrap()[..] else { panic!() };
    assert!(matches!(bad.error, Error::NotFound { .. }));
}

/// Seals as the client does; the padding is zeros.
pub(super) fn seal(key: &LocalKey, content: &[u8]) -> Vec<u8> {
    key.seal(content, [0; 16]).unwrap()
}

pub(super) fn array(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

pub(super) fn file(payload: &[u8]) -> Vec<u8> {
    let version = 5_008_003_i32.to_le_bytes();
    let md5 = envelope::digest(payload, version).unwrap();
    [b"TDF$", &version[..], payload, &md5].concat()
}

/// A folder without a passcode, of this list of accounts and these contents of their files.
fn folder_of(list: &[i32], contents: &[(i32, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (salt, local) = ([5; 32], [9; LocalKey::LEN]);
    let local_key = LocalKey::from_slice(&local).unwrap();
    let list: Vec<u8> = list.iter().flat_map(|number| number.to_be_bytes()).collect();
    let sealed_key = seal(&LocalKey::from_passcode(b"", &salt), &local);
    let payload = [array(&salt), array(&sealed_key), array(&seal(&local_key, &list))].concat();
    fs::write(folder.path().join("key_datas"), file(&payload)).unwrap();
    for (index, content) in contents {
        let path = folder.path().join(format!("{}s", file_name(*index)));
        fs::write(path, file(&array(&seal(&local_key, content)))).unwrap();
    }
    folder
}

fn keys(dcs: &[(i32, u8)]) -> Vec<u8> {
    let key = |(dc, byte): &(i32, u8)| [&dc.to_be_bytes()[..], &[*byte; 256]].concat();
    let count = (dcs.len() as i32).to_be_bytes().to_vec();
    [count].into_iter().chain(dcs.iter().map(key)).flatten().collect()
}

/// An account's content: the numbers before the keys, then the keys.
fn content(head: &[i32], taken: &[(i32, u8)], destroyed: &[(i32, u8)]) -> Vec<u8> {
    let head: Vec<u8> = head.iter().flat_map(|number| number.to_be_bytes()).collect();
    [&75_i32.to_be_bytes(), &array(&[head, keys(taken), keys(destroyed)].concat())[..]].concat()
}

#[test]
fn files_of_before_wide_ids_have_their_user_in_32_bits() {
    let old = content(&[777_000_111, 4], &[(4, 1), (2, 2)], &[(1, 3)]);
    let folder = folder_of(&[1, 0], &[(0, old)]);
    let [Ok(account)] = &read(&Disk, folder.path(), None).unwrap()[..] else { panic!() };
    let login = &account.account.login;
    assert_eq!(login.user.map(|user| user.id), Some(777_000_111));
    assert_eq!(login.home_dc, Some(DcId(4)));
    let dcs: Vec<_> = account.account.dcs.iter().map(|dc| dc.id.0).collect();
    assert_eq!(dcs, [2, 4]);
    assert_eq!(account.account.dcs[0].auth_key, Some(AuthKey::new(&[2; 256])));
    assert_eq!(account.notes, ["1 keys that were to be destroyed are not taken"]);
}

#[test]
fn what_is_odd_in_an_account_is_said_and_its_keys_are_kept() {
    let cases: [(Vec<u8>, &str); 5] = [
        (content(&[0, 0], &[(2, 1)], &[]), "no user is logged in"),
        (content(&[-1, -1, -5, 7, 2], &[(2, 1)], &[]), "the user id is invalid"),
        (content(&[5, 3], &[(2, 1)], &[]), "there is no key of DC 3"),
        (content(&[5, 2], &[(2, 1), (2, 9)], &[]), "DC 2 has several keys"),
        ([content(&[5, 2], &[(2, 1)], &[]), vec![0; 7]].concat(), "7 bytes after the login"),
    ];
    for (content, told) in cases {
        let mut notes = Notes::default();
        let account = decode(&content, &mut notes).unwrap();
        assert_eq!(account.dcs[0].auth_key, Some(AuthKey::new(&[1; 256])));
        let notes = notes.into_sentences();
        assert!(matches!(&notes[..], [note] if note.starts_with(told)), "{told}: {notes:?}");
    }
}

#[test]
fn counts_that_do_not_fit_are_refused_before_room_is_made() {
    let mut account = content(&[5, 2], &[(2, 1)], &[]);
    for count in [-1, 2, i32::MAX] {
        account[16..20].copy_from_slice(&count.to_be_bytes());
        let why = decode(&account, &mut Notes::default()).unwrap_err();
        assert!(why.starts_with(&format!("it says {count} keys")), "{why}");
    }
    for count in [-1, 2, i32::MAX] {
        let list = [count.to_be_bytes(), 0_i32.to_be_bytes()].concat();
        assert!(accounts(&list).unwrap_err().starts_with(&format!("it says {count} accounts")));
    }
}

#[test]
fn an_account_that_is_listed_twice_or_below_zero_is_bad_and_the_others_are_read() {
    let good = content(&[5, 2], &[(2, 1)], &[]);
    let folder = folder_of(&[3, 0, 0, -4, 0], &[(0, good)]);
    let read = read(&Disk, folder.path(), None).unwrap();
    let [Ok(_), Err(twice), Err(below)] = &read[..] else { panic!("{read:?}") };
    assert_eq!((twice.index, below.index), (0, -4));
}

#[test]
fn blocks_that_cannot_be_are_refused() {
    let key = LocalKey::from_slice(&[9; LocalKey::LEN]).unwrap();
    let sealed = seal(&key, b"sixteen bytes or more");
    assert_eq!(key.open(&sealed).ok().unwrap().bytes(), b"sixteen bytes or more");
    for len in [0, 15, 16, 31, 33] {
        assert_eq!(key.open(&sealed[..len]).err(), Some(Unopened::Length(len)));
    }
    for at in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[at] ^= 4;
        assert_eq!(key.open(&flipped).err(), Some(Unopened::Key), "byte {at}");
    }
    assert_eq!(key.open(&sealed[..32]).err(), Some(Unopened::Key), "a block short");
}

#[test]
fn every_change_of_an_opened_account_comes_back() {
    let whole = content(&[-1, -1, 1, 7, 2], &[(2, 1), (4, 2)], &[(1, 3)]);
    for at in 0..whole.len() {
        assert!(decode(&whole[..at], &mut Notes::default()).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            let _ = decode(&flipped, &mut Notes::default());
        }
    }
}

proptest! {
    #[test]
    fn what_was_sealed_opens(content in prop::collection::vec(any::<u8>(), 0..200), key in any::<u8>()) {
        let key = LocalKey::from_slice(&[key; LocalKey::LEN]).unwrap();
        let opened = key.open(&seal(&key, &content)).ok();
        prop_assert_eq!(opened.map(|opened| opened.bytes().to_vec()), Some(content));
    }
}
