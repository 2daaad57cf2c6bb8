//! What Pyrogram and its forks have in common.

use crate::format::Tables;
use crate::sqlite::Table;
use crate::types::{EntityKind, PeerKind};

/// The library that a file's tables belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pyrogram {
    /// Pyrogram itself, and Hydrogram.
    Original,
    Pyrofork,
    Kurigram,
}

/// The columns of every release of the family.
pub(super) const SESSIONS: [&str; 6] =
    ["dc_id", "test_mode", "auth_key", "date", "user_id", "is_bot"];

/// Columns that only some releases have.
pub(super) const SESSIONS_MORE: [&str; 3] = ["api_id", "server_address", "port"];

/// `type` of `peers`. Telegram's gigagroups are supergroups here.
pub(super) const KINDS: [(&str, EntityKind); 8] = [
    ("user", EntityKind::User),
    ("bot", EntityKind::Bot),
    ("group", EntityKind::Group),
    ("channel", EntityKind::Channel),
    ("supergroup", EntityKind::Supergroup),
    // Kurigram's.
    ("direct", EntityKind::Direct),
    ("forum", EntityKind::Forum),
    ("community", EntityKind::Community),
];

/// Whether a peer of this kind has an id of that range: else it is named in a way that the server
/// refuses.
pub(super) fn suits(kind: EntityKind, id: PeerKind) -> bool {
    let range = match kind {
        EntityKind::User | EntityKind::Bot => PeerKind::User,
        EntityKind::Group => PeerKind::Group,
        _ => PeerKind::Channel,
    };
    range == id
}

/// A column by name. Where the schema of a damaged file has lost one name of those that the table
/// must have, it is that of the one column with a name of no sense.
pub(super) fn column(
    db: &Tables,
    table: &Table,
    must: &[&str],
    may: &[&str],
    name: &str,
) -> Option<usize> {
    table.column(name).or_else(|| {
        let missing = must.iter().filter(|known| table.column(known).is_none());
        let known = |there: &str| must.iter().chain(may).any(|k| k.eq_ignore_ascii_case(there));
        let mut strange = table.columns().iter().enumerate().filter(|(_, c)| !known(c.name()));
        let saved = matches!(db, Tables::Saved(_)) && must.contains(&name);
        match (strange.next(), strange.next()) {
            (Some((capabilities, _)), None) if saved && missing.count() == 1 => Some(capabilities),
            _ => None,
        }
    })
}
