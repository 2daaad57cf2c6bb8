//! The folder of a public report, and files of every version made here.

use std::fs;

use super::tgnet::decode;
use super::user::User;
use super::*;
use crate::types::{AuthKey, DcId, Endpoint};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others/android")
}

fn said() -> serde_json::Value {
    serde_json::from_slice(&fs::read(fixture().with_extension("json")).unwrap()).unwrap()
}

fn tgnet_bytes() -> Vec<u8> {
    fs::read(fixture().join("files/tgnet.dat")).unwrap()
}

fn check(session: &ParsedSession, user: bool) {
    let said = said();
    let login = &session.account.login;
    assert_eq!(login.home_dc.map(|dc| i64::from(dc.0)), said["home_dc"].as_i64());
    assert_eq!(login.test_mode, said["test_mode"].as_bool());
    let expected = said["user_id"].as_i64().filter(|_| user);
    assert_eq!(login.user.map(|user| user.id), expected);
    let [dc] = &session.account.dcs[..] else { panic!("one DC") };
    assert_eq!(dc.auth_key.as_ref().unwrap().to_hex(), said["auth_key"].as_str().unwrap());
    assert_eq!(dc.ipv4.as_ref().unwrap().to_string(), said["ipv4"].as_str().unwrap());
    assert_eq!(dc.ipv6.as_ref().unwrap().to_string(), said["ipv6"].as_str().unwrap());
}

#[test]
fn the_folder_of_the_app_gives_its_account_and_the_file_alone_all_but_the_user() {
    assert!(is_in(&Disk, &fixture()));
    let parsed = read_folder(&Disk, &fixture()).unwrap();
    assert_eq!((parsed.format.as_str(), parsed.sessions.len()), ("android-tgnet", 1));
    check(&parsed.sessions[0], true);
    assert_eq!(parsed.sessions[0].notes, Vec::<String>::new());
    assert!(looks_like(&tgnet_bytes()));
    let alone = read_file(Path::new("tgnet.dat"), &tgnet_bytes()).unwrap();
    check(&alone.sessions[0], false);
    assert!(alone.sessions[0].notes[0].contains("give the folder"));
}

#[test]
fn several_accounts_are_read_and_a_bad_one_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!is_in(&Disk, folder.path()));
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let xml = fs::read(fixture().join("shared_prefs/userconfing.xml")).unwrap();
    put("files/tgnet.dat", b"\x04\0\0\0\x05\0\0\0");
    assert!(matches!(read_folder(&Disk, folder.path()), Err(Error::Damaged { .. })));
    put("files/account2/tgnet.dat", &tgnet_bytes());
    put("shared_prefs/userconfig2.xml", &xml);
    put("shared_prefs/userconfing.xml", b"<map />");
    let parsed = read_folder(&Disk, folder.path()).unwrap();
    let [bad, good] = &parsed.sessions[..] else { panic!("two") };
    assert!(bad.unreadable.as_ref().unwrap().contains("ends too early"));
    check(good, true);
    assert!(good.name.as_ref().unwrap().ends_with("-3"));
    put("files/tgnet.dat", &tgnet_bytes());
    let parsed = read_folder(&Disk, folder.path()).unwrap();
    check(&parsed.sessions[0], false);
    assert!(parsed.sessions[0].notes[0].contains("the login never finished"));
}

#[test]
fn both_files_in_one_folder_will_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tgnet.dat"), tgnet_bytes()).unwrap();
    let xml = fs::read(fixture().join("shared_prefs/userconfing.xml")).unwrap();
    fs::write(folder.path().join("userconfing.xml"), xml).unwrap();
    check(&read_folder(&Disk, folder.path()).unwrap().sessions[0], true);
}

const TRUE: [u8; 4] = 0x9972_75b5_u32.to_le_bytes();
const FALSE: [u8; 4] = 0xbc79_9737_u32.to_le_bytes();

fn string(text: &str) -> Vec<u8> {
    let mut out = vec![text.len() as u8];
    out.extend(text.bytes());
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn word(number: u32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn address(version: u32, host: &str, port: u32, secret: &str) -> Vec<u8> {
    let mut out = [string(host), word(port)].concat();
    out.extend(if version >= 7 { word(0) } else { vec![] });
    out.extend(if version >= 9 { string(secret) } else { vec![] });
    out
}

/// A DC of any version, with everything in it that the version has.
fn dc(version: u32, id: u32, cdn: bool) -> Vec<u8> {
    let key = AuthKey::new(&[id as u8; 256]);
    let key_id = u64::from_str_radix(&key.id(), 16).unwrap().to_be_bytes();
    let mut out = [word(version), word(id)].concat();
    out.extend(if version >= 3 { word(9) } else { vec![] });
    out.extend(if version >= 10 { word(9) } else { vec![] });
    let behind_proxy = address(version, "10.0.0.1", 1, if version >= 9 { "00" } else { "" });
    let plain = address(version, "10.0.0.2", 443, "");
    let lists = if version >= 9 { vec![behind_proxy, plain] } else { vec![plain] };
    out.extend([word(lists.len() as u32), lists.concat()].concat());
    if version >= 5 {
        out.extend([word(1), address(version, "2001:db8::1", 443, "")].concat());
        out.extend([word(1), address(version, "10.0.0.3", 80, ""), word(0)].concat());
    }
    out.extend(if version >= 6 {
        if cdn { TRUE.to_vec() } else { FALSE.to_vec() }
    } else {
        vec![]
    });
    out.extend([word(256), key.as_bytes().to_vec()].concat());
    out.extend(if version >= 4 { vec![] } else { word(8) });
    out.extend(key_id);
    for since in [8, 12] {
        out.extend(if version >= since { [word(2), vec![7; 10]].concat() } else { vec![] });
    }
    out.extend([word(1), word(1), vec![0; 16]].concat());
    out.extend(if version >= 13 { [word(1), vec![0; 16]].concat() } else { vec![] });
    out
}

fn file(version: u32, home: u32, dcs: &[Vec<u8>]) -> Vec<u8> {
    let mut out = [word(version), TRUE.to_vec()].concat();
    out.extend(if version >= 3 { FALSE.to_vec() } else { vec![] });
    out.extend(if version >= 4 { string("en-us") } else { vec![] });
    out.extend([TRUE.to_vec(), word(home), vec![0; 16]].concat());
    out.extend(if version >= 2 { FALSE.to_vec() } else { vec![] });
    out.extend(if version >= 5 { word(0) } else { vec![] });
    out.extend([word(1), vec![0; 8], word(dcs.len() as u32), dcs.concat()].concat());
    [word(out.len() as u32), out].concat()
}

fn read(bytes: &[u8]) -> Result<(crate::types::Account, Vec<String>), Unread> {
    let mut notes = Notes::default();
    decode(bytes, &mut notes).map(|account| (account, notes.into_sentences()))
}

#[test]
fn files_and_dcs_of_every_version_are_read() {
    for version in 1..=5 {
        for dc_version in 2..=13 {
            let bytes = file(version, 4, &[dc(dc_version, 4, false), dc(dc_version, 2, false)]);
            assert!(looks_like(&bytes));
            let (account, notes) = read(&bytes).unwrap();
            assert_eq!(account.login.home_dc, Some(DcId(4)));
            assert_eq!(account.login.test_mode, Some(true));
            let [first, second] = &account.dcs[..] else { panic!("two DCs") };
            assert_eq!((first.id, second.id), (DcId(2), DcId(4)));
            assert_eq!(second.auth_key, Some(AuthKey::new(&[4; 256])), "{version} {dc_version}");
            assert_eq!(second.ipv4, Some(Endpoint::new("10.0.0.2", 443)));
            let ipv6 = (dc_version >= 5).then(|| Endpoint::new("2001:db8::1", 443));
            assert_eq!(second.ipv6, ipv6);
            assert_eq!(notes.len(), if dc_version >= 8 { 2 } else { 0 }, "{notes:?}");
        }
    }
    let (account, notes) = read(&file(5, 4, &[dc(13, 4, false), dc(13, 203, true)])).unwrap();
    assert_eq!(account.dcs.len(), 1);
    assert!(notes.contains(&"DC 203 only caches files and is not kept".to_owned()), "{notes:?}");
}

#[test]
fn newer_versions_and_what_cannot_be_are_refused() {
    let newer = read(&file(6, 4, &[])).unwrap_err();
    assert_eq!(newer, Unread::Newer { what: "tgnet.dat version", found: 6, newest: 5 });
    assert!(looks_like(&file(6, 4, &[])));
    let mut later = dc(13, 4, false);
    later[0] = 14;
    let newer = read(&file(5, 4, &[later.clone()])).unwrap_err();
    assert_eq!(newer, Unread::Newer { what: "tgnet.dat DC version", found: 14, newest: 13 });
    later[0] = 1;
    let refused = |bytes: &[u8]| match read(bytes).unwrap_err() {
        Unread::Format(why) => why,
        newer @ Unread::Newer { .. } => panic!("{newer:?}"),
    };
    assert!(refused(&file(5, 4, &[later])).contains("version 1"));
    let mut many = file(5, 4, &[]);
    let at = many.len() - 4;
    many[at..].fill(0xff);
    assert!(refused(&many).contains("4294967295 entries where 0 fit"));
    let mut short = dc(2, 4, false);
    let at = short.len() - 4 - 16 - 4 - 8 - 4 - 256 - 4;
    short[at..at + 4].copy_from_slice(&200_u32.to_le_bytes());
    assert!(refused(&file(5, 4, &[short])).contains("200 bytes"));
    let mut no_bool = file(5, 4, &[]);
    no_bool[8] = 0;
    assert!(refused(&no_bool).contains("neither true nor false") && !looks_like(&no_bool));
    let empty = [word(5), FALSE.to_vec(), FALSE.to_vec(), string(""), FALSE.to_vec()].concat();
    let (account, notes) = read(&[word(empty.len() as u32), empty].concat()).unwrap();
    assert_eq!((account.dcs.len(), notes.len()), (0, 1));
}

#[test]
fn every_cut_of_a_file_is_an_error_and_every_flip_comes_back() {
    let whole = file(5, 4, &[dc(13, 4, false)]);
    for at in 0..whole.len() {
        assert!(read(&whole[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            let _ = read(&flipped);
        }
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(!looks_like(&longer));
    assert!(read(&longer).unwrap().1.contains(&"1 bytes after the DCs were not read".to_owned()));
}

#[test]
fn users_of_every_layer_are_read_and_others_are_told() {
    let id = 5_123_456_789_i64;
    let user = |bytes: &[&[u8]]| user::of_tl(&bytes.concat());
    let wide = id.to_le_bytes();
    let flags = (1_u32 << 14).to_le_bytes();
    assert_eq!(user(&[&word(0xd3bc_4b7a), &wide]), Ok(User { id, bot: None }));
    assert_eq!(user(&[&word(0x3ff6_ecb0), &flags, &wide]), Ok(User { id, bot: Some(true) }));
    let no_flags = [0; 4];
    for newest in [0x8f97_c628, 0x020b_1422, 0xb1b8_cc83] {
        let read = user(&[&word(newest), &no_flags, &flags, &wide]);
        assert_eq!(read, Ok(User { id, bot: Some(false) }));
    }
    let narrow = 77_i32.to_le_bytes();
    assert_eq!(
        user(&[&word(0x9384_58c1), &no_flags, &narrow]),
        Ok(User { id: 77, bot: Some(false) })
    );
    assert_eq!(user(&[&word(0x1c60_e608), &narrow]), Ok(User { id: 77, bot: None }));
    assert!(user(&[&word(0xdead_beef), &wide]).unwrap_err().contains("deadbeef"));
    assert!(user(&[&word(0xd3bc_4b7a), &[0; 8]]).unwrap_err().contains("is invalid"));
    assert!(user(&[&word(0xd3bc_4b7a), &[0; 7]]).unwrap_err().contains("too early"));
}

#[test]
fn settings_are_read_with_line_breaks_and_odd_ones_are_told() {
    let xml = |value: &str| {
        user::in_xml(format!("<map><string name=\"user\">{value}</string></map>").as_bytes())
    };
    let expected = Ok(User { id: 5_123_456_789, bot: None });
    assert_eq!(xml("eku80xW/YTEBAAAA"), expected);
    assert_eq!(xml("eku80xW/&#10;YTEB AAAA&#10;\n    "), expected);
    assert!(xml("%").unwrap_err().contains("base64"));
    assert!(xml(&"A".repeat(70_000)).unwrap_err().contains("too long"));
    assert!(user::in_xml(b"<map/>").unwrap_err().contains("never finished"));
    assert!(user::in_xml(b"<string name='user'>AAAA").unwrap_err().contains("too early"));
    assert!(user::in_xml(b"\xff").unwrap_err().contains("not text"));
}
