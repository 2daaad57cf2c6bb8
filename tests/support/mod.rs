//! What several tests need.
#![allow(dead_code, reason = "each test uses its own part of this")]

use tgsession::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind,
    FileKey, FileKind, Login, Md5, PeerId, SelfUser, SentFile, UpdateState,
};

pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A key that is the same for the same seed.
pub(crate) fn key(seed: u8) -> AuthKey {
    AuthKey::new(&std::array::from_fn(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)))
}

/// An account with something in every place.
pub(crate) fn account() -> Account {
    let mut login = Login::default();
    login.home_dc = Some(DcId(2));
    login.user = Some(SelfUser { id: 10_001, bot: Some(false) });
    login.api_id = Some(6);
    login.test_mode = Some(false);
    login.takeout_id = Some(-77);
    let mut account = Account::default();
    account.login = login;
    account.dcs = vec![
        DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.51", 443)).with_key(key(1)),
        DcOption::new(DcId(4)).at(Endpoint::new("2001:67c:4e8:f004::a", 443)).with_key(key(2)),
    ];
    account.update_state = Some(UpdateState { pts: 1, qts: 2, date: 1_700_000_000, seq: 3 });
    account.channel_states = (1..=3)
        .map(|n| ChannelState { id: PeerId::channel(4 - n).unwrap(), pts: n as i32 })
        .collect();
    let file = FileKey { md5: Md5([9; 16]), size: 12, kind: FileKind::Photo };
    account.sent_files = vec![SentFile { key: file, id: -5, access_hash: AccessHash(6) }];
    account
}

/// Entity `n` of a made-up world: users, groups and channels, some with usernames and phones.
pub(crate) fn entity(n: i64) -> Entity {
    let id = match n % 5 {
        0 => PeerId::channel(n + 1_000_000),
        1 => PeerId::group(n + 1),
        _ => PeerId::user(n + 1),
    };
    let mut entity = Entity::new(id.unwrap());
    entity.kind = (n % 3 == 0).then_some(EntityKind::Bot);
    entity.access_hash =
        (n % 5 != 1).then(|| AccessHash(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)));
    if n % 2 == 0 {
        entity.usernames = vec![format!("user_{n}")];
    }
    if n % 7 == 0 {
        entity.usernames.push(format!("Second_{n}"));
    }
    entity.phone = (n % 5 > 1 && n % 3 == 0).then(|| format!("{}", 15_550_000_000 + n));
    entity.name = Some(format!("Name {n} \u{1f98a}"));
    entity.date = (n % 4 > 0).then_some(1_700_000_000 + n);
    entity
}

/// The first `count` of them in the order of their ids.
pub(crate) fn entities(count: i64) -> Vec<Entity> {
    let mut entities: Vec<Entity> = (0..count).map(entity).collect();
    entities.sort_by_key(|entity| entity.id);
    entities
}
