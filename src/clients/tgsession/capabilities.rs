//! What our own formats have a place for.

use crate::format::{Address, Capabilities, EntityCapabilities, Need, OtherDcs};
use crate::types::EntityKind;

/// What these formats have a place for: everything.
pub(super) const ALL: Capabilities = Capabilities {
    many: false,
    home: Need::Kept,
    other_dcs: OtherDcs::All,
    address: Address::Both,
    test_mode: Need::Kept,
    api_id: Need::Kept,
    user: Need::Kept,
    bot: Need::Kept,
    auth_key: Need::Kept,
    takeout_id: true,
    update_state: true,
    channel_states: true,
    sent_files: true,
    extras: true,
    entities: Some(ENTITIES),
};

pub(super) const ENTITIES: EntityCapabilities = EntityCapabilities {
    holds: |_| true,
    kinds: &EntityKind::ALL,
    min: true,
    no_hash: true,
    usernames: usize::MAX,
    phone: true,
    name: true,
    date: true,
};
