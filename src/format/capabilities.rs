//! The values that a format can hold.

use crate::types::{DcOption, EntityKind, PeerId};

/// The values that a format can hold.
#[derive(Debug)]
pub(crate) struct Capabilities {
    /// Several sessions in one file.
    pub(crate) many: bool,
    /// The home DC.
    pub(crate) home: Need,
    /// The DCs besides the home DC.
    pub(crate) other_dcs: OtherDcs,
    pub(crate) address: Address,
    pub(crate) test_mode: Need,
    pub(crate) api_id: Need,
    pub(crate) user: Need,
    pub(crate) bot: Need,
    /// A session without an auth key.
    pub(crate) auth_key: Need,
    pub(crate) takeout_id: bool,
    pub(crate) update_state: bool,
    pub(crate) channel_states: bool,
    pub(crate) sent_files: bool,
    pub(crate) extras: bool,
    pub(crate) entities: Option<EntityCapabilities>,
}

/// The DCs that a format keeps besides the home DC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtherDcs {
    None,
    WithKey,
    WithKeyOrAddress,
    All,
}

impl OtherDcs {
    pub(super) fn keeps(self, dc: &DcOption) -> bool {
        let keyed = dc.auth_key.is_some();
        match self {
            Self::None => false,
            Self::WithKey => keyed,
            Self::WithKeyOrAddress => keyed || dc.ipv4.is_some() || dc.ipv6.is_some(),
            Self::All => true,
        }
    }
}

/// The addresses of a DC that a format keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// It has its own.
    None,
    /// One, which it cannot do without.
    One,
    /// All known addresses.
    Both,
    /// An IPv4 and an IPv6 address, which it cannot do without.
    BothNeeded,
}

/// Whether a format keeps a value, and can do without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// There is no place for it.
    Absent,
    Kept,
    Needed,
}

/// The values of an entity that a format can hold.
#[derive(Debug)]
pub(crate) struct EntityCapabilities {
    /// Whether it has a place for this id.
    pub(crate) holds: fn(PeerId) -> bool,
    /// The kinds that it tells apart.
    pub(crate) kinds: &'static [EntityKind],
    /// Whether it keeps reduced (`min`) entities.
    pub(crate) min: bool,
    /// Whether it keeps users and channels without an access hash.
    pub(crate) no_hash: bool,
    /// The most usernames of an entity.
    pub(crate) usernames: usize,
    pub(crate) phone: bool,
    pub(crate) name: bool,
    pub(crate) date: bool,
}

impl EntityCapabilities {
    /// What Telethon keeps of an entity, and those that keep what Telethon gives them.
    pub(crate) const TELETHON: Self = Self {
        holds: |_| true,
        kinds: &[],
        min: false,
        no_hash: false,
        usernames: 1,
        phone: true,
        name: true,
        date: true,
    };
}

impl Capabilities {
    /// A format that keeps only the key of the home DC. Other formats are described as additions to
    /// it.
    pub(crate) const MINIMAL: Self = Self {
        many: false,
        home: Need::Needed,
        other_dcs: OtherDcs::None,
        address: Address::None,
        test_mode: Need::Absent,
        api_id: Need::Absent,
        user: Need::Absent,
        bot: Need::Absent,
        auth_key: Need::Needed,
        takeout_id: false,
        update_state: false,
        channel_states: false,
        sent_files: false,
        extras: false,
        entities: None,
    };
}
