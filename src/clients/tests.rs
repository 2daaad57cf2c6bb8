//! Random sessions, and what a format makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::recognise;
use crate::error::Result;
use crate::format::sqlite_file::SqliteFile;
use crate::format::{
    Entities, Given, Loss, Losses, Outgoing, Tables, Target, Writing, account_for, fill,
};
use crate::sqlite::writer::{DatabaseWriter, WriterOptions};
use crate::sqlite::{Database, OpenOptions, Value};
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind,
    Extra, FileKey, FileKind, Login, Md5, PeerId, PeerKind, SelfUser, SentFile, UpdateState,
};

/// A session as a source could give it: home DC with a key, everything else there or not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) account: Account,
    /// In the order of their ids.
    pub(crate) entities: Vec<Entity>,
}

/// Sessions of every shape. They hold only what a client can know: usernames, phones and ids are
/// unique and of the alphabets that Telegram has. Rare values are more frequent than in real
/// sessions.
pub(crate) fn sessions() -> impl Strategy<Value = Sample> {
    let entities = btree_map(peer_id(), entity(), 0..20);
    (account(), entities).prop_map(|(account, entities)| {
        let mut taken = BTreeSet::new();
        let entities = entities.into_iter().map(|(id, (entity, kind))| {
            let mut entity = Entity { id, kind: kind_of(id, kind), ..entity };
            entity.usernames.retain(|name| taken.insert(name.to_lowercase()));
            entity
        });
        Sample { account, entities: entities.collect() }
    })
}

fn account() -> impl Strategy<Value = Account> {
    let dcs = btree_map(prop_oneof![9 => 1..=5, 1 => Just(203)], dc(), 1..4);
    let home = any::<prop::sample::Index>();
    let channels = btree_map(channel_id(), 1.., 0..5);
    let files = btree_map(any::<([u8; 16], u32, bool)>(), any::<(i64, i64)>(), 0..4);
    let extra = option::weighted(0.2, any::<[u8; 3]>());
    (dcs, home, key(), login(), option::of(update_state()), channels, files, extra).prop_map(
        |(dcs, home, key, login, update_state, channels, files, extra)| {
            let home = *home.get(&Vec::from_iter(dcs.keys()));
            let mut dcs: Vec<_> = dcs.iter().map(|(id, dc)| with_id(*id, dc)).collect();
            for dc in dcs.iter_mut().filter(|dc| dc.id.0 == *home) {
                dc.auth_key = Some(key.clone());
                if dc.ipv6.is_none() {
                    // Of some DCs no address is well known.
                    dc.ipv4.get_or_insert(Endpoint::new("192.0.2.1", 443));
                }
            }
            Account {
                login: Login { home_dc: Some(DcId(*home)), ..login },
                dcs,
                update_state,
                channel_states: channels
                    .into_iter()
                    .map(|(id, pts)| ChannelState { id, pts })
                    .collect(),
                sent_files: files.into_iter().map(sent_file).collect(),
                extras: extra.iter().filter_map(|value| Extra::new("own", value)).collect(),
            }
        },
    )
}

fn with_id(id: i32, dc: &DcOption) -> DcOption {
    DcOption { id: DcId(id), ..dc.clone() }
}

fn login() -> impl Strategy<Value = Login> {
    let user = (1..=0xff_ffff_ffff_i64, any::<Option<bool>>());
    let user = option::of(user.prop_map(|(id, bot)| SelfUser { id, bot }));
    let takeout = option::of(any::<i64>());
    (user, option::of(1..), any::<Option<bool>>(), takeout).prop_map(
        |(user, api_id, test_mode, takeout_id)| Login {
            home_dc: None,
            user,
            api_id,
            test_mode,
            takeout_id,
        },
    )
}

fn dc() -> impl Strategy<Value = DcOption> {
    let ipv4 = prop_oneof![
        8 => (1_u32..).prop_map(|ip| std::net::Ipv4Addr::from_bits(ip).to_string()),
        1 => Just("venus.web.telegram.org".to_owned()),
    ];
    let ipv6 = (1_u128 << 125..).prop_map(|ip| std::net::Ipv6Addr::from_bits(ip).to_string());
    let end = |host: BoxedStrategy<String>| {
        option::of((host, 1_u16..).prop_map(|(host, port)| Endpoint { host, port }))
    };
    (end(ipv4.boxed()), end(ipv6.boxed()), option::of(key()))
        .prop_map(|(ipv4, ipv6, auth_key)| DcOption { id: DcId(0), ipv4, ipv6, auth_key })
}

fn key() -> impl Strategy<Value = AuthKey> {
    (any::<u8>(), 1_u8..).prop_map(|(first, step)| {
        AuthKey::new(&std::array::from_fn(|at| first.wrapping_add((at as u8).wrapping_mul(step))))
    })
}

fn update_state() -> impl Strategy<Value = UpdateState> {
    let date = prop_oneof![9 => 1_400_000_000..2_000_000_000_i64, 1 => 0..1_i64 << 40];
    (1.., 0.., date, 0..).prop_map(|(pts, qts, date, seq)| UpdateState { pts, qts, date, seq })
}

fn sent_file(((md5, size, photo), (id, hash)): (([u8; 16], u32, bool), (i64, i64))) -> SentFile {
    let kind = if photo { FileKind::Photo } else { FileKind::Document };
    let key = FileKey { md5: Md5(md5), size: i64::from(size), kind };
    SentFile { key, id, access_hash: AccessHash(hash) }
}

/// Mostly ids that Telegram has given out, and some that it has not yet.
fn peer_id() -> impl Strategy<Value = PeerId> {
    let user = prop_oneof![9 => 1..=0xff_ffff_ffff_i64, 1 => 1_i64 << 40..1 << 52];
    prop_oneof![
        4 => user.prop_filter_map("a user", PeerId::user),
        2 => (1..=999_999_999_999_i64).prop_filter_map("a group", PeerId::group),
        4 => channel_id(),
    ]
}

fn channel_id() -> impl Strategy<Value = PeerId> {
    let bare = prop_oneof![
        8 => 1..=997_852_516_352_i64,
        1 => 1_002_147_483_649..=3_000_000_000_000_i64,
        1 => 1_i64..1 << 45,
    ];
    bare.prop_filter_map("a channel", PeerId::channel)
}

/// An entity whose id comes later, and a choice among the kinds that go with it.
fn entity() -> impl Strategy<Value = (Entity, Option<usize>)> {
    let hash = prop_oneof![
        1 => Just(None),
        9 => any::<i64>().prop_map(|hash| Some(AccessHash(hash))),
    ];
    let usernames = vec("[a-zA-Z][a-zA-Z0-9_]{4,12}", 0..3);
    let phone = option::of("[1-9][0-9]{6,14}");
    let name = option::of("[^\0]{1,12}");
    let date = option::of(1_400_000_000..2_000_000_000_i64);
    let seen = (hash, prop::bool::weighted(0.1), usernames, phone, name, date);
    (seen, option::of(0..9_usize)).prop_map(|(seen, kind)| {
        let (access_hash, min, usernames, phone, name, date) = seen;
        let nobody = PeerId::from_marked(1).unwrap();
        let mut entity = Entity::new(nobody);
        (entity.access_hash, entity.min, entity.usernames) = (access_hash, min, usernames);
        (entity.phone, entity.name, entity.date) = (phone, name, date);
        (entity, kind)
    })
}

fn kind_of(id: PeerId, choice: Option<usize>) -> Option<EntityKind> {
    let kinds: &[_] = match id.kind() {
        PeerKind::User => &[EntityKind::User, EntityKind::Bot],
        PeerKind::Group => &[EntityKind::Group],
        PeerKind::Channel => &EntityKind::ALL[3..],
    };
    choice.map(|choice| kinds[choice % kinds.len()])
}

/// A session written in a format.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    /// The session that the writer got, with fitted entities.
    pub(super) fitted: Sample,
    pub(super) lost: Vec<Loss>,
}

/// Writes a session as an export does.
pub(super) fn write(target: &dyn Target, sample: &Sample) -> Result<Written> {
    let mut account = sample.account.clone();
    fill(&mut account, target.name(), target.capabilities(), Given::default(), &mut Vec::new())?;
    let mut lost = Losses::default();
    let account = account_for(account, target.capabilities(), &mut lost);
    let outgoing = || Outgoing {
        name: "sample".into(),
        account: account.clone(),
        entities: Box::new(sample.entities.iter().cloned().map(Ok)),
    };
    let mut entities = Vec::new();
    if let Some(capabilities) = &target.capabilities().entities {
        let (mut again, mut uncounted) = (outgoing(), Losses::default());
        while let Some(entity) = again.entity(capabilities, &mut uncounted) {
            entities.push(entity?);
        }
    }
    let mut out = Cursor::new(Vec::new());
    let sessions = &mut [outgoing()];
    target.write(Writing { sessions, lost: &mut lost, out: &mut out })?;
    let (fitted, lost) = (Sample { account: account.clone(), entities }, lost.into_sorted());
    Ok(Written { bytes: out.into_inner(), fitted, lost })
}

/// The values read from a SQLite session.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) format: String,
    pub(super) sample: Sample,
    pub(super) notes: Vec<String>,
}

/// Reads the one session of a database as its client's.
pub(super) fn read(bytes: Vec<u8>) -> Result<Seen> {
    let db = Database::from_bytes(bytes, None, None, &OpenOptions::new()).unwrap();
    read_from(Path::new("sample.session"), Tables::Whole(db))
}

/// Reads the one session of a file as its client's.
pub(super) fn read_file(path: &Path) -> Result<Seen> {
    let db = Database::open(path, &OpenOptions::new()).unwrap();
    read_from(path, Tables::Whole(db))
}

/// Reads what tables there are as the one session of their client.
pub(super) fn read_from(path: &Path, tables: Tables) -> Result<Seen> {
    let client = recognise(&tables).unwrap();
    let file = SqliteFile::new(path, tables, client)?;
    let (account, notes) = file.account("")?;
    let mut rows = Entities::of(&file, "", notes)?;
    let entities: Vec<Entity> = rows.by_ref().collect::<Result<_>>()?;
    let (format, notes) = (file.format().to_owned(), rows.notes().into_sentences());
    Ok(Seen { format, sample: Sample { account, entities }, notes })
}

/// A database of these tables: SQL and rows, numbered from 1.
pub(super) fn database(version: i32, tables: &[(&str, &[&[Value<'_>]])]) -> Vec<u8> {
    let options = WriterOptions::new().user_version(version);
    let mut db = DatabaseWriter::new(Cursor::new(Vec::new()), &options).unwrap();
    for (sql, rows) in tables {
        let mut table = db.table(sql, &[]).unwrap();
        for (rowid, row) in (1..).zip(*rows) {
            table.row(rowid, row).unwrap();
        }
        table.finish().unwrap();
    }
    db.finish().unwrap().into_inner()
}

/// How many values of each field were left out.
pub(super) fn counts(lost: &[Loss]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for loss in lost {
        *counts.entry(loss.what).or_default() += loss.count;
    }
    counts
}
