//! Which field each format keeps: a session with a value in every field is exported to each
//! format, read back, and compared. `docs/fields.md` has the result, and the test compares it.
//!
//! With `TGSESSION_WRITE_DOCS=1` the test writes the page.

#![cfg(feature = "tdata")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails should say where"
)]

mod support;

use std::fmt::Write as _;
use std::fs;

use support::key;
use tgsession::{
    AccessHash, Account, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind, Error, Export,
    ExportSession, Extra, FileKey, FileKind, Format, Login, Md5, PeerId, PeerKind, SelfUser,
    SentFile, Snapshot, Source, SourceOptions, UpdateState,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/fields.md");
/// Everything from here on is written by the test.
const BEGIN: &str = "## Login, DCs and states\n";

const SESSION_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A field, and for each of its values whether it came back.
type Field = (&'static str, Vec<bool>);

fn endpoints(dc: DcOption) -> DcOption {
    // No client has these addresses built in, so what comes back was in the file.
    let n = dc.id.0;
    dc.at(Endpoint::new(&format!("203.0.113.{n}"), 5222))
        .at(Endpoint::new(&format!("2001:db8::{n}"), 5222))
}

/// A session with a value in each field. A flag is compared in two sessions, since a format without
/// the flag may give its usual value back.
fn full(flag: bool) -> Snapshot {
    let login = Login::default()
        .with_home_dc(DcId(2))
        .with_user(SelfUser { id: 777_000, bot: Some(flag) })
        .with_api_id(12_345)
        .with_test_mode(flag)
        .with_takeout_id(-77);
    let file = FileKey { md5: Md5([9; 16]), size: 12, kind: FileKind::Photo };
    let account = Account::default()
        .with_login(login)
        .with_dc(endpoints(DcOption::new(DcId(1)).with_key(key(1))))
        .with_dc(endpoints(DcOption::new(DcId(2)).with_key(key(2))))
        .with_dc(endpoints(DcOption::new(DcId(3))))
        .with_update_state(UpdateState { pts: 11, qts: 12, date: 1_700_000_000, seq: 13 })
        .with_channel_state(ChannelState { id: PeerId::channel(9).unwrap(), pts: 14 })
        .with_sent_file(SentFile { key: file, id: 5, access_hash: AccessHash(6) })
        .with_extra(Extra::new("client.value", &[1]).unwrap());
    Snapshot::new(account, entities())
}

/// One entity of each kind, a user without a hash, and a reduced (`min`) one.
fn entities() -> Vec<Entity> {
    let kinds = (101..).zip(EntityKind::ALL);
    let mut entities: Vec<_> = kinds.map(|(id, kind)| one(id, Some(kind))).collect();
    let mut bare = one(201, None);
    bare.access_hash = None;
    entities.extend([bare, one(202, Some(EntityKind::User)).as_min()]);
    entities.sort_by_key(|entity| entity.id);
    entities
}

fn one(id: i64, kind: Option<EntityKind>) -> Entity {
    let peer = match kind {
        None | Some(EntityKind::User | EntityKind::Bot) => PeerId::user(id),
        Some(EntityKind::Group) => PeerId::group(id),
        Some(_) => PeerId::channel(id),
    };
    let mut entity = Entity::new(peer.unwrap());
    entity.kind = kind;
    let is_group = kind == Some(EntityKind::Group);
    entity.access_hash = (!is_group).then_some(AccessHash(-id));
    if !is_group {
        entity.usernames = vec![format!("first{id}"), format!("second{id}")];
    }
    entity.phone = (kind == Some(EntityKind::User)).then(|| format!("1555{id}"));
    entity.name = Some(format!("Name {id}"));
    entity.date = Some(1_700_000_000 + id);
    entity
}

/// Exports a session and reads it back.
fn there_and_back(format: Format, snapshot: &Snapshot) -> tgsession::Result<Snapshot> {
    let entities = snapshot.entities.iter().cloned().map(Ok);
    let session = ExportSession::new("anon", snapshot.account.clone(), entities);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anon");
    let (mut export, mut options) = (Export::to(format), SourceOptions::new());
    if format == Format::Wtelegram {
        export = export.passphrase(SESSION_KEY);
        options = options.passphrase(SESSION_KEY);
    }
    let source: Source = if format.is_folder() {
        export.write_file(&path, [session])?;
        options.open(&path)?
    } else {
        options.open_bytes("anon", &export.to_bytes([session])?.0)?
    };
    let session = source.session("anon")?;
    let account = session.account().clone();
    Ok(Snapshot::new(account, session.collect::<Result<_, _>>()?))
}

fn account_fields(was: &Account, is: &Account) -> Vec<Field> {
    let (old, new) = (&was.login, &is.login);
    let user = |login: &Login| login.user.map(|user| user.id);
    let bot = |login: &Login| login.user.and_then(|user| user.bot);
    let home = |dc: &&DcOption| dc.id == DcId(2);
    let of_dcs = |of: &dyn Fn(&DcOption, Option<&DcOption>) -> Option<bool>| -> Vec<bool> {
        let back = |dc: &DcOption| is.dcs.iter().find(|back| back.id == dc.id);
        was.dcs.iter().filter_map(|dc| of(dc, back(dc))).collect()
    };
    let key_of = |dc: &DcOption, back: Option<&DcOption>| {
        dc.auth_key.as_ref().map(|key| back.and_then(|back| back.auth_key.as_ref()) == Some(key))
    };
    vec![
        ("home DC", vec![old.home_dc == new.home_dc]),
        ("its key", of_dcs(&|dc, back| Some(dc).filter(home).and_then(|dc| key_of(dc, back)))),
        (
            "other keys",
            of_dcs(&|dc, back| Some(dc).filter(|dc| !home(dc)).and_then(|dc| key_of(dc, back))),
        ),
        ("IPv4", of_dcs(&|dc, back| Some(back.is_some_and(|back| back.ipv4 == dc.ipv4)))),
        ("IPv6", of_dcs(&|dc, back| Some(back.is_some_and(|back| back.ipv6 == dc.ipv6)))),
        ("test", vec![old.test_mode == new.test_mode]),
        ("api id", vec![old.api_id == new.api_id]),
        ("user", vec![user(old) == user(new)]),
        ("bot", vec![bot(old) == bot(new)]),
        ("takeout", vec![old.takeout_id == new.takeout_id]),
        ("state", vec![was.update_state == is.update_state]),
        ("channel states", vec![was.channel_states == is.channel_states]),
        ("files", vec![was.sent_files == is.sent_files]),
        ("extras", vec![was.extras == is.extras]),
    ]
}

/// Whether the value that `of` gives of an entity came back, for each entity that has one.
fn of_entities(
    was: &[Entity],
    is: &[Entity],
    of: impl Fn(&Entity, Option<&Entity>) -> Vec<bool>,
) -> Vec<bool> {
    let back = |entity: &Entity| is.iter().find(|back| back.id == entity.id);
    was.iter().flat_map(|entity| of(entity, back(entity))).collect()
}

/// Whether a value came back, of an entity that has it.
fn value<T: PartialEq>(
    of: impl Fn(&Entity) -> Option<T>,
) -> impl Fn(&Entity, Option<&Entity>) -> Vec<bool> {
    move |was: &Entity, is: Option<&Entity>| {
        of(was).map(|value| is.and_then(&of) == Some(value)).into_iter().collect()
    }
}

fn entity_fields(was: &[Entity], is: &[Entity]) -> Vec<Field> {
    let all = |of: &dyn Fn(&Entity, Option<&Entity>) -> Vec<bool>| of_entities(was, is, of);
    let id = |kind| value(move |entity| (entity.id.kind() == kind).then_some(entity.id));
    let is_min = |entity: &Entity| entity.min;
    vec![
        ("users", all(&id(PeerKind::User))),
        ("groups", all(&id(PeerKind::Group))),
        ("channels", all(&id(PeerKind::Channel))),
        ("access hash", all(&value(|entity| entity.access_hash.filter(|_| !entity.min)))),
        (
            "no hash",
            all(&|was, is| {
                let unknown = was.id.kind() == PeerKind::User && was.access_hash.is_none();
                Vec::from_iter(
                    unknown.then(|| is.is_some_and(|entity| entity.access_hash.is_none())),
                )
            }),
        ),
        ("min", all(&|was, is| Vec::from_iter(is_min(was).then(|| is.is_some_and(is_min))))),
        ("kinds", all(&value(|entity| entity.kind.filter(|_| !entity.min)))),
        (
            "usernames",
            all(&|was, is| {
                let back = |name| is.is_some_and(|entity| entity.usernames.contains(name));
                was.usernames.iter().map(back).collect()
            }),
        ),
        ("phone", all(&value(|entity| entity.phone.clone()))),
        ("name", all(&value(|entity| entity.name.clone()))),
        ("date", all(&value(|entity| entity.date))),
    ]
}

/// The cell of the table for the values of a field.
fn cell(values: &[bool]) -> String {
    let (kept, all) = (values.iter().filter(|kept| **kept).count(), values.len());
    assert!(all > 0, "the session has no value of this field");
    match kept {
        0 => String::new(),
        _ if kept == all => "yes".into(),
        _ => format!("{kept} of {all}"),
    }
}

/// A value is kept if it came back in each of two sessions.
fn both([first, second]: [Vec<Field>; 2]) -> Vec<Field> {
    let pair = |((name, a), (_, b)): (Field, Field)| {
        (name, a.into_iter().zip(b).map(|(a, b)| a && b).collect())
    };
    first.into_iter().zip(second).map(pair).collect()
}

fn table(rows: &[(&'static str, Vec<Field>)]) -> String {
    let mut text = String::new();
    for (at, (format, fields)) in rows.iter().enumerate() {
        if at == 0 {
            let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
            write!(
                text,
                "| format | {} |\n|---|{}\n",
                names.join(" | "),
                "---|".repeat(names.len())
            )
            .unwrap();
        }
        let cells: Vec<_> = fields.iter().map(|(_, values)| cell(values)).collect();
        writeln!(text, "| `{format}` | {} |", cells.join(" | ")).unwrap();
    }
    text
}

fn generated() -> String {
    let (mut accounts, mut entities) = (Vec::new(), Vec::new());
    for format in Format::ALL {
        let sessions = [false, true].map(|flag| {
            let mut was = full(flag);
            let mut is = there_and_back(format, &was);
            if let Err(Error::Unfit { .. }) = is {
                // It refuses bots and accounts of the test servers, and the page says so.
                was.account.login = full(false).account.login;
                is = there_and_back(format, &was);
            }
            (was, is.unwrap_or_else(|error| panic!("{}: {error}", format.name())))
        });
        let fields = |of: fn(&Snapshot, &Snapshot) -> Vec<Field>| {
            both(sessions.each_ref().map(|(was, is)| of(was, is)))
        };
        accounts.push((format.name(), fields(|was, is| account_fields(&was.account, &is.account))));
        let of = fields(|was, is| entity_fields(&was.entities, &is.entities));
        if of.iter().any(|(_, values)| values.contains(&true)) {
            entities.push((format.name(), of));
        }
    }
    format!(
        "{BEGIN}\n{}\n## Entities\n\nFormats that are not in this table keep no entities.\n\n{}",
        table(&accounts),
        table(&entities)
    )
}

#[test]
fn the_page_says_which_field_each_format_keeps() {
    let page = fs::read_to_string(PAGE).unwrap();
    let at = page.find(BEGIN).unwrap();
    let generated = generated();
    if std::env::var_os("TGSESSION_WRITE_DOCS").is_some() {
        fs::write(PAGE, format!("{}{generated}", &page[..at])).unwrap();
        return;
    }
    assert_eq!(
        &page[at..],
        generated,
        "docs/fields.md is out of date: run this test with TGSESSION_WRITE_DOCS=1"
    );
}
