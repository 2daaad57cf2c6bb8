//! Lookups answer as Telethon 1.45 answers them on the same session.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use serde_json::Value as Json;
use tgsession::{Entity, PeerId, PeerKind, Result, Session, Source, Store};

const SESSION: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/telethon/username_conflict.session");
const LOOKUPS: &str = include_str!("fixtures/telethon/lookups.json");

/// The argument of `get_input_entity`: a number or a text.
fn ask(session: &dyn Session, key: &Json) -> Result<Option<Entity>> {
    match key.as_i64() {
        Some(id) if id < 0 => session.entity(PeerId::from_marked(id).unwrap()),
        Some(id) => session.entity_by_bare_id(id),
        None => session.find(key.as_str().unwrap()),
    }
}

fn as_telethon_says(entity: &Entity) -> (&'static str, i64, Option<i64>) {
    let hash = entity.access_hash.map(|hash| hash.0);
    match entity.id.kind() {
        PeerKind::User => ("InputPeerUser", entity.id.bare(), hash),
        PeerKind::Channel => ("InputPeerChannel", entity.id.bare(), hash),
        PeerKind::Group => ("InputPeerChat", entity.id.bare(), None),
    }
}

#[test]
fn every_lookup_finds_what_telethon_finds() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("s")).unwrap();
    let source = Source::open(SESSION).unwrap();
    let mut legacy = source.session("username_conflict").unwrap();
    store.import("a", &mut legacy).unwrap();
    let session = store.session("a").unwrap();

    let lookups: Vec<(Json, String, Json)> = serde_json::from_str(LOOKUPS).unwrap();
    assert!(lookups.len() > 100);
    for (key, kind, fields) in &lookups {
        let found = ask(&session, key).unwrap();
        let expected = (kind != "error").then(|| {
            let id =
                ["user_id", "channel_id", "chat_id"].iter().find_map(|name| fields[*name].as_i64());
            (kind.as_str(), id.unwrap(), fields["access_hash"].as_i64())
        });
        assert_eq!(found.as_ref().map(as_telethon_says), expected, "{key}");
    }
}
