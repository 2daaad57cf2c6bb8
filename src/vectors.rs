//! FORMAT.md against the code: every vector of the document is what the code writes and reads.

use std::collections::BTreeMap;

use crate::cipher::Costs;
use crate::engine::vectors as engine;
use crate::file::vectors as file;
use crate::portable::{self, Lock, Portable, PortableError, Seal};
use crate::record::{
    AccountNo, DcKey, FileRow, PeerKey, Record, RowChange, TextKey, changes, decode, encode,
};
use crate::segment::vectors as segment;
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind,
    Extra, FileKey, FileKind, Login, Md5, PeerId, SelfUser, SentFile, UpdateState,
};
use crate::wal::vectors as wal;

const FILE_ID: [u8; 16] = *b"0123456789abcdef";

const DOCUMENT: &str = include_str!("../FORMAT.md");

/// The vectors of the document: name -> bytes.
fn documented() -> BTreeMap<&'static str, Vec<u8>> {
    let lines = DOCUMENT.lines().filter_map(|line| line.strip_prefix("Vector `"));
    let vectors: Vec<_> = lines.map(|line| line.split_once("`: ").unwrap()).collect();
    let bytes = |text: &str| {
        let digits: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    };
    let map: BTreeMap<_, _> = vectors.iter().map(|(name, text)| (*name, bytes(text))).collect();
    assert_eq!(map.len(), vectors.len(), "a vector's name occurs twice");
    map
}

/// The bytes that the code makes, by name. Records are decoded from the document as well.
fn written(documented: &BTreeMap<&'static str, Vec<u8>>) -> BTreeMap<&'static str, Vec<u8>> {
    let mut written = BTreeMap::new();
    written.extend(file::vectors(FILE_ID));
    written.extend(wal::vectors(FILE_ID, &log_content()));
    let manifest = documented.get("manifest").map_or(&[][..], Vec::as_slice);
    written.extend(engine::vectors(FILE_ID, manifest));
    let segment = segment_entities(documented);
    written.extend(segment::vectors(FILE_ID, AccountNo(7), &segment));
    encrypted(documented, &segment, &mut written);
    keys(&mut written);
    let mut both_ways = BothWays { documented, written, extras: Vec::new() };
    records(&mut both_ways);
    portable(&mut both_ways);
    both_ways.written
}

/// Gives account 7 the home DC 2 and removes its DC 2.
fn log_content() -> Vec<u8> {
    let login = Login { home_dc: Some(DcId(2)), ..Login::default() };
    let (login, account) = (encode(&login).unwrap(), AccountNo(7));
    let mut content = Vec::new();
    RowChange { table: 1, key: &account.key(), value: Some(&login) }.write(&mut content);
    let key = DcKey::of(account, DcId(2));
    RowChange { table: 2, key: &key, value: None }.write(&mut content);
    assert_eq!(changes(&content).filter(Result::is_ok).count(), 2);
    content
}

/// Account 7 with the channel of the vector `entity` and a user without any value.
fn segment_entities(documented: &BTreeMap<&'static str, Vec<u8>>) -> [Entity; 2] {
    let channel = PeerId::channel(1_777_005).unwrap();
    let user = PeerId::user(10_001).unwrap();
    let known: Entity = decode(channel, &documented["entity"]).unwrap();
    [known, Entity::new(user)]
}

/// The structures of an encrypted store.
#[cfg(feature = "encryption")]
fn encrypted(
    documented: &BTreeMap<&'static str, Vec<u8>>,
    entities: &[Entity],
    written: &mut BTreeMap<&'static str, Vec<u8>>,
) {
    let master: [u8; 32] = std::array::from_fn(|at| 0x40 + at as u8);
    let raw = std::array::from_fn(|at| 0x60 + at as u8);
    let seal = file::seal(FILE_ID, &master);
    written.extend(file::encrypted(&seal, &master, b"correct horse", raw));
    written.extend(wal::encrypted(&seal, &log_content()));
    written.extend(segment::encrypted(&seal, AccountNo(7), entities));
    let manifest = documented.get("manifest: with salts").map_or(&[][..], Vec::as_slice);
    written.extend(engine::encrypted(&seal, manifest));
}

/// This build has no cipher.
#[cfg(not(feature = "encryption"))]
fn encrypted(
    documented: &BTreeMap<&'static str, Vec<u8>>,
    _: &[Entity],
    written: &mut BTreeMap<&'static str, Vec<u8>>,
) {
    let is_sealed = |name: &str| {
        name.contains("encrypted") || name.contains("key slot") || name.contains("salts")
    };
    let sealed = documented.iter().filter(|(name, _)| is_sealed(name));
    written.extend(sealed.map(|(name, bytes)| (*name, bytes.clone())));
}

fn keys(written: &mut BTreeMap<&'static str, Vec<u8>>) {
    let no = AccountNo(7);
    let photo =
        FileKey { md5: Md5(std::array::from_fn(|at| at as u8)), size: 10, kind: FileKind::Photo };
    let mut key = |name, bytes: &[u8]| written.insert(name, bytes.to_vec());
    key("key: account 7", &no.key());
    key("key: account 7, DC 2", &DcKey::of(no, DcId(2)));
    key("key: account 7, DC -1", &DcKey::of(no, DcId(-1)));
    key("key: account 7, the account itself", &PeerKey::of_account(no));
    key("key: account 7, user 10001", &PeerKey::of(no, PeerId::user(10_001).unwrap()));
    key("key: account 7, channel 1777005", &PeerKey::of(no, PeerId::channel(1_777_005).unwrap()));
    key("key: account 7, username durov", &TextKey::of(no, "durov"));
    key("key: account 7, extra pyrogram.date", &TextKey::of(no, "pyrogram.date"));
    key("key: account 7, photo of 10 bytes", &FileRow::of(no, photo));
}

fn records(both: &mut BothWays<'_>) {
    both.record("login: empty", (), &Login::default());
    let login = Login {
        home_dc: Some(DcId(2)),
        user: Some(SelfUser { id: 10_001, bot: Some(false) }),
        api_id: Some(6),
        test_mode: Some(false),
        takeout_id: Some(-77),
    };
    both.record("login", (), &login);
    let dc = DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.51", 443));
    both.record("DC: no key", DcId(2), &dc);
    let keyed = DcOption::new(DcId(2)).with_key(AuthKey::new(&[0xab; 256]));
    let mut bytes = encode(&keyed).unwrap();
    bytes.truncate(bytes.len() - 253);
    both.written.insert("DC: key", bytes);
    let state = UpdateState { pts: 1, qts: 2, date: 1_700_000_000, seq: -3 };
    both.record("update state", (), &state);
    let channel = PeerId::channel(1).unwrap();
    both.record("channel state: pts 300", channel, &ChannelState { id: channel, pts: 300 });
    both.record("entity: empty", channel, &Entity::new(channel));
    let durov = Entity {
        kind: Some(EntityKind::Channel),
        access_hash: Some(AccessHash(-42)),
        usernames: vec!["durov".into(), "Pavel".into()],
        phone: Some("1555".into()),
        name: Some("Durov's Channel".into()),
        date: Some(1_700_000_000),
        ..Entity::new(channel)
    };
    both.record("entity", channel, &durov);
    let bot = Entity {
        kind: Some(EntityKind::Bot),
        usernames: vec!["bot".into()],
        date: Some(-1),
        ..Entity::new(channel)
    };
    both.record("entity: one username", channel, &bot);
    let key = FileKey { md5: Md5([0; 16]), size: 0, kind: FileKind::Document };
    let extra = Extra::new("pyrogram.date", &[0xde, 0xad]).unwrap();
    let mut name = String::from("pyrogram.date");
    let documented = &both.documented["extra"];
    assert_eq!(decode(std::mem::take(&mut name), documented), Ok(extra.clone()), "extra");
    both.written.insert("extra", encode(&extra).unwrap());
    both.record("sent file", key, &SentFile { key, id: 1, access_hash: AccessHash(-2) });
}

/// The session of the portable vectors: what the vectors of records say, under their keys.
fn alice(documented: &BTreeMap<&'static str, Vec<u8>>) -> Portable {
    let channel = PeerId::channel(1_777_005).unwrap();
    let photo =
        FileKey { md5: Md5(std::array::from_fn(|at| at as u8)), size: 10, kind: FileKind::Photo };
    let account = Account {
        login: decode((), &documented["login"]).unwrap(),
        dcs: vec![decode(DcId(2), &documented["DC: no key"]).unwrap()],
        update_state: Some(decode((), &documented["update state"]).unwrap()),
        channel_states: vec![decode(channel, &documented["channel state: pts 300"]).unwrap()],
        sent_files: vec![decode(photo, &documented["sent file"]).unwrap()],
        extras: Vec::new(),
    };
    let entities = vec![decode(channel, &documented["entity"]).unwrap()];
    Portable { name: Some("alice".into()), account, entities }
}

fn portable(both: &mut BothWays<'_>) {
    let costs = Costs { memory_kib: 8, passes: 1, lanes: 1 };
    let passphrase = b"correct horse".as_slice();
    let lock = Lock { costs, salt: [1; 16], nonce: [2; 24] };
    both.portable("portable: plain", &Seal::Crc, None);
    both.extras = vec![Extra::new("pyrogram.date", &[0xde, 0xad]).unwrap()];
    both.portable("portable: extra", &Seal::Crc, None);
    both.extras.clear();
    if cfg!(feature = "passphrase") {
        both.portable("portable: sealed", &Seal::Passphrase(passphrase, lock), Some(passphrase));
    } else {
        let sealed = &both.documented["portable: sealed"];
        let refused = portable::decode(sealed, Some(passphrase));
        assert_eq!(refused, Err(PortableError::NoFeature));
        both.written.insert("portable: sealed", sealed.clone());
    }
    let text = portable::to_text(&both.written["portable: plain"]);
    assert!(DOCUMENT.contains(&format!("\nAs text: `{}`\n", *text)), "as text: {}", *text);
}

struct BothWays<'a> {
    documented: &'a BTreeMap<&'static str, Vec<u8>>,
    written: BTreeMap<&'static str, Vec<u8>>,
    /// Of the session of the portable vectors.
    extras: Vec<Extra>,
}

impl BothWays<'_> {
    fn record<R>(&mut self, name: &'static str, key: R::Key, value: &R)
    where
        R: Record + PartialEq + std::fmt::Debug,
        R::Key: Copy,
    {
        let documented = self.documented.get(name).cloned().unwrap_or_default();
        let read = decode::<R>(key, &documented);
        assert_eq!(read.as_ref(), Ok(value), "{name} as the document has it");
        self.written.insert(name, encode(value).unwrap());
    }

    fn portable(&mut self, name: &'static str, seal: &Seal<'_>, passphrase: Option<&[u8]>) {
        let mut alice = alice(self.documented);
        alice.account.extras.clone_from(&self.extras);
        let read = portable::decode(&self.documented[name], passphrase);
        assert_eq!(read.as_ref(), Ok(&alice), "{name} as the document has it");
        let Portable { name: called, account, entities } = &alice;
        let written = portable::encode_under(seal, called.as_deref(), account, entities).unwrap();
        self.written.insert(name, written.to_vec());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_vector_of_the_format_is_what_the_code_writes_and_reads() {
    let documented = documented();
    let written = written(&documented);
    let names = |map: &BTreeMap<&'static str, Vec<u8>>| map.keys().copied().collect::<Vec<_>>();
    assert_eq!(names(&documented), names(&written));
    let differs = |(name, bytes): &(&&str, &Vec<u8>)| **bytes != documented[**name];
    let differ: Vec<_> = written.iter().filter(differs).collect();
    let lines = differ.iter().map(|(name, bytes)| format!("{name}: {}", hex(bytes)));
    assert!(differ.is_empty(), "the code writes\n{}", lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_version_of_the_document_is_the_codes() {
    let version = crate::file::FORMAT_VERSION;
    assert!(
        DOCUMENT
            .starts_with(&format!("# The file format of a tgsession store, version {version}\n"))
    );
}

/// Every record cut short, with a byte more, or with another tag is damage and no panic.
#[test]
fn a_record_that_is_not_whole_is_damage() {
    let channel = PeerId::channel(1).unwrap();
    let entity = &documented()["entity"];
    for len in 0..entity.len() {
        assert!(decode::<Entity>(channel, &entity[..len]).is_err(), "cut to {len}");
    }
    let mut longer = entity.clone();
    longer.push(0);
    let leftover = crate::record::RecordError::Leftover { len: 1 };
    assert_eq!(decode::<Entity>(channel, &longer), Err(leftover));
    assert!(decode::<Login>((), entity).is_err());
    let mut unknown = entity.clone();
    unknown[1] = 99;
    assert!(decode::<Entity>(channel, &unknown).is_err());
}
