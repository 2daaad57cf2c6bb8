//! The public types go through serde and come back.

#![cfg(all(feature = "serde", feature = "cli"))]
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

mod support;

use support::{account, entities};
use tgsession::{MemorySession, PeerId, Snapshot, Store, StoreSession};

#[test]
fn a_snapshot_comes_back_from_json_as_it_was() {
    let mut snapshot = Snapshot::default();
    snapshot.account = account();
    snapshot.account.channel_states.sort_by_key(|state| state.id);
    snapshot.entities = entities(40);
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
    assert_eq!(MemorySession::from_snapshot("a", &snapshot).snapshot(), snapshot);
}

#[test]
fn what_cannot_be_a_value_is_refused() {
    assert!(serde_json::from_str::<PeerId>("0").is_err());
    assert!(serde_json::from_str::<tgsession::AuthKey>("\"abcd\"").is_err());
    assert!(serde_json::from_str::<tgsession::Md5>("\"zz\"").is_err());
}

#[test]
fn handles_may_go_from_thread_to_thread() {
    fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<Store>();
    send_and_sync::<StoreSession>();
    send_and_sync::<MemorySession>();
    send_and_sync::<Box<dyn tgsession::Session>>();
    send_and_sync::<tgsession::Error>();
}
