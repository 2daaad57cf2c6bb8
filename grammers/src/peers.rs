//! DCs and peers as grammers has them, and as tgsession has them.

use std::net::{Ipv4Addr, SocketAddrV4, SocketAddrV6};

use grammers_session::types::{ChannelKind, DcOption, PeerAuth, PeerInfo};
use tgsession::{AccessHash, AuthKey, DcId, Endpoint, Entity, EntityKind, Error, PeerId, PeerKind};

/// A DC as grammers has it. Takes the IPv4 address from `built_in` where the session has none, or
/// has a host name. `None` if neither has an address.
pub(crate) fn dc_of(dc: &tgsession::DcOption, built_in: Option<&DcOption>) -> Option<DcOption> {
    let v4: Option<SocketAddrV4> =
        dc.ipv4.as_ref().and_then(|at| Some(SocketAddrV4::new(at.host.parse().ok()?, at.port)));
    let v6: Option<SocketAddrV6> = dc
        .ipv6
        .as_ref()
        .and_then(|at| Some(SocketAddrV6::new(at.host.parse().ok()?, at.port, 0, 0)));
    let inside = |v6: SocketAddrV6| Some(SocketAddrV4::new(v6.ip().to_ipv4_mapped()?, v6.port()));
    let ipv4 = v4
        .or_else(|| v6.and_then(inside))
        .or_else(|| built_in.map(|known| known.ipv4))
        // The DC has an IPv6 address alone, and grammers needs one of each kind.
        .or_else(|| v6.map(|v6| SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, v6.port())))?;
    let ipv6 = v6.unwrap_or_else(|| mapped(ipv4));
    Some(DcOption {
        id: dc.id.0,
        ipv4,
        ipv6,
        auth_key: dc.auth_key.as_ref().map(|key| *key.as_bytes()),
    })
}

/// A DC as tgsession has it.
pub(crate) fn stored_dc(dc: &DcOption) -> tgsession::DcOption {
    let mut stored = tgsession::DcOption::new(DcId(dc.id));
    if !dc.ipv4.ip().is_unspecified() || dc.ipv6.ip().is_unspecified() {
        stored.ipv4 = Some(Endpoint::new(&dc.ipv4.ip().to_string(), dc.ipv4.port()));
    }
    if dc.ipv6 != mapped(dc.ipv4) {
        stored.ipv6 = Some(Endpoint::new(&dc.ipv6.ip().to_string(), dc.ipv6.port()));
    }
    stored.auth_key = dc.auth_key.as_ref().map(AuthKey::new);
    stored
}

/// The IPv4-mapped IPv6 address: grammers uses it for a DC that has no IPv6 address.
fn mapped(v4: SocketAddrV4) -> SocketAddrV6 {
    SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0)
}

/// A peer of grammers as an entity. It lacks the fields that grammers does not keep.
pub(crate) fn entity_of(peer: &PeerInfo) -> Result<Entity, Error> {
    let (id, kind, auth) = match *peer {
        PeerInfo::User { id, auth, bot, .. } => {
            let kind = |bot| if bot { EntityKind::Bot } else { EntityKind::User };
            (user(id)?, bot.map(kind), auth)
        }
        PeerInfo::Chat { id } => (group(id)?, Some(EntityKind::Group), None),
        PeerInfo::Channel { id, auth, kind } => (channel(id)?, kind.map(kind_of), auth),
    };
    let mut entity = Entity::new(id);
    entity.kind = kind;
    entity.access_hash = auth.map(|auth| AccessHash(auth.hash()));
    Ok(entity)
}

/// An entity as grammers has it; `self_user` is the account's own id.
pub(crate) fn info_of(entity: &Entity, self_user: Option<i64>) -> PeerInfo {
    // The hash of a reduced view gives no authority.
    let hash = entity.access_hash.filter(|_| !entity.min);
    let auth = hash.map(|hash| PeerAuth::from_hash(hash.0));
    let id = entity.id.bare();
    match entity.id.kind() {
        PeerKind::User => {
            let is_self = Some(id) == self_user;
            let said = self_user.is_some() || entity.kind.is_some();
            let bot = entity.kind.map(|kind| kind == EntityKind::Bot);
            PeerInfo::User { id, auth, bot, is_self: said.then_some(is_self) }
        }
        PeerKind::Group => PeerInfo::Chat { id },
        PeerKind::Channel => {
            PeerInfo::Channel { id, auth, kind: entity.kind.and_then(channel_kind) }
        }
    }
}

fn kind_of(kind: ChannelKind) -> EntityKind {
    match kind {
        ChannelKind::Broadcast => EntityKind::Channel,
        ChannelKind::Megagroup => EntityKind::Supergroup,
        ChannelKind::Gigagroup => EntityKind::Gigagroup,
        ChannelKind::Community => EntityKind::Community,
    }
}

fn channel_kind(kind: EntityKind) -> Option<ChannelKind> {
    match kind {
        EntityKind::Channel => Some(ChannelKind::Broadcast),
        EntityKind::Supergroup | EntityKind::Forum | EntityKind::Direct => {
            Some(ChannelKind::Megagroup)
        }
        EntityKind::Gigagroup => Some(ChannelKind::Gigagroup),
        EntityKind::Community => Some(ChannelKind::Community),
        _ => None,
    }
}

pub(crate) fn user(id: i64) -> Result<PeerId, Error> {
    PeerId::user(id).ok_or_else(|| no_peer("user", id))
}

pub(crate) fn group(id: i64) -> Result<PeerId, Error> {
    PeerId::group(id).ok_or_else(|| no_peer("group", id))
}

pub(crate) fn channel(id: i64) -> Result<PeerId, Error> {
    PeerId::channel(id).ok_or_else(|| no_peer("channel", id))
}

fn no_peer(what: &str, id: i64) -> Error {
    Error::other(format!("{id} is not the bare id of a {what}; nothing was stored"))
}
