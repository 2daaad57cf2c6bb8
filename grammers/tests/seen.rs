//! `see` stores users and chats as Telegram sends them, with their usernames, phones and names.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use grammers_session::Session as _;
use grammers_session::types::{ChannelKind, PeerInfo};
use grammers_tl_types::{Deserializable as _, Serializable as _, enums, types};
use tgsession::{EntityKind, MemorySession, Session as _};
use tgsession_grammers::GrammersSession;

/// A user with nothing but an id: the flags of all else are 0 on the wire.
fn user(id: i64) -> types::User {
    let mut bytes = 0xb1b8_cc83_u32.to_le_bytes().to_vec();
    bytes.extend([0; 8]);
    bytes.extend(id.to_le_bytes());
    match enums::User::from_bytes(&bytes).unwrap() {
        enums::User::User(user) => user,
        enums::User::Empty(_) => unreachable!(),
    }
}

/// The same of a channel, with a title, no photo and the date 0.
fn channel(id: i64, title: &str) -> types::Channel {
    let mut bytes = 0xd49f_34c6_u32.to_le_bytes().to_vec();
    bytes.extend([0; 8]);
    bytes.extend(id.to_le_bytes());
    title.to_owned().serialize(&mut bytes);
    enums::ChatPhoto::Empty.serialize(&mut bytes);
    bytes.extend([0; 4]);
    match enums::Chat::from_bytes(&bytes).unwrap() {
        enums::Chat::Channel(channel) => channel,
        _ => unreachable!(),
    }
}

fn session() -> GrammersSession<MemorySession> {
    GrammersSession::new(MemorySession::new("m")).unwrap()
}

fn username(username: &str, active: bool) -> enums::Username {
    let (editable, deletable, expired) = (false, false, false);
    let username = username.to_owned();
    types::Username { editable, active, deletable, expired, username }.into()
}

#[test]
fn usernames_phones_and_names_find_who_was_seen() {
    let session = session();
    let mut durov = user(1);
    durov.access_hash = Some(-42);
    durov.username = Some("Durov".into());
    durov.usernames =
        Some(vec![username("Durov", true), username("pavel", true), username("off", false)]);
    durov.phone = Some("15550001".into());
    (durov.first_name, durov.last_name) = (Some("Pavel".into()), Some("Durov".into()));
    let mut news = channel(5, "News");
    (news.access_hash, news.broadcast) = (Some(9), true);
    news.username = Some("news".into());
    let chats = [enums::Chat::Channel(news)];
    assert_eq!(session.see(&[durov.clone().into()], &chats).unwrap(), 2);
    assert_eq!(session.see(&[durov.into()], &chats).unwrap(), 0, "unchanged is free");

    let found = session.session().find("https://t.me/pavel").unwrap().unwrap();
    assert_eq!(found.usernames, ["Durov", "pavel"]);
    assert_eq!(session.session().find("+1 555 0001").unwrap().as_ref(), Some(&found));
    assert_eq!(session.session().find("Pavel Durov").unwrap().as_ref(), Some(&found));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let id = grammers_session::types::PeerId::channel(5).unwrap();
    let peer = runtime.block_on(session.peer(id)).unwrap().unwrap();
    assert!(matches!(peer, PeerInfo::Channel { kind: Some(ChannelKind::Broadcast), .. }));
}

#[test]
fn a_reduced_view_and_a_forbidden_channel_wipe_nothing() {
    let session = session();
    let mut full = user(1);
    (full.access_hash, full.username) = (Some(7), Some("alice".into()));
    session.see(&[full.into()], &[]).unwrap();
    let mut reduced = user(1);
    (reduced.min, reduced.access_hash) = (true, Some(8));
    reduced.first_name = Some("Alice".into());
    session.see(&[reduced.into()], &[]).unwrap();
    let alice = session.session().entity_by_username("alice").unwrap().unwrap();
    assert_eq!((alice.access_hash.unwrap().0, alice.name.as_deref()), (7, Some("Alice")));

    let mut forum = channel(5, "Forum");
    (forum.megagroup, forum.forum, forum.username) = (true, true, Some("forum".into()));
    session.see(&[], &[enums::Chat::Channel(forum)]).unwrap();
    let forbidden = types::ChannelForbidden {
        broadcast: false,
        megagroup: true,
        monoforum: false,
        id: 5,
        access_hash: 3,
        title: "Closed".into(),
        until_date: None,
    };
    session.see(&[], &[forbidden.into()]).unwrap();
    let closed = session.session().entity_by_username("forum").unwrap().unwrap();
    assert_eq!((closed.name.as_deref(), closed.access_hash.unwrap().0), (Some("Closed"), 3));
    assert_eq!(closed.kind, Some(EntityKind::Forum), "that it is a supergroup says no less");
}

#[test]
fn empty_peers_and_ids_out_of_range_are_passed_over() {
    let session = session();
    let empty = enums::User::Empty(types::UserEmpty { id: 4 });
    let chat = enums::Chat::Empty(types::ChatEmpty { id: 4 });
    assert_eq!(session.see(&[empty, user(0).into(), user(-1).into()], &[chat]).unwrap(), 0);
    assert_eq!(session.session().entity_count().unwrap(), 0);
}

#[test]
fn after_an_error_no_user_and_no_chat_is_stored() {
    let session = session();
    let forbidden = types::ChatForbidden { id: 5, title: "n".repeat(2_000_000) };
    session.see(&[user(1).into()], &[forbidden.into()]).unwrap_err();
    assert_eq!(session.session().entity_count().unwrap(), 0);
}
