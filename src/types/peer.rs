use std::fmt;

/// The id of a user, a basic group or a channel, *marked* with which of them it is.
///
/// This is the Bot API's dialog id and what Telethon stores: a user is `id`, a basic group
/// `-id`, a channel (supergroups too) `-1_000_000_000_000 - id`. Any non-zero `i64` is kept,
/// since files hold ids outside of Telegram's present ranges.
///
/// ```
/// use tgsession::{PeerId, PeerKind};
///
/// let channel = PeerId::channel(1_234_567_890).expect("a positive id");
/// assert_eq!(channel.marked(), -1_001_234_567_890);
/// assert_eq!((channel.kind(), channel.bare()), (PeerKind::Channel, 1_234_567_890));
/// assert_eq!(PeerId::from_marked(-1_001_234_567_890), Some(channel));
/// assert_eq!(PeerId::user(0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i64", into = "i64"))]
pub struct PeerId(i64);

/// The kind of a peer that the range of its marked id gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PeerKind {
    /// A user or a bot.
    User,
    /// A basic group.
    Group,
    /// A channel, supergroup or anything else that Telegram numbers as a channel.
    Channel,
}

/// Channels are marked by subtracting their id from this.
const CHANNEL_MARK: i64 = -1_000_000_000_000;

impl PeerId {
    /// The peer of this marked id; `None` for 0.
    #[must_use]
    pub const fn from_marked(marked: i64) -> Option<Self> {
        if marked == 0 { None } else { Some(Self(marked)) }
    }

    /// The user of this bare id, which must be positive.
    #[must_use]
    pub const fn user(id: i64) -> Option<Self> {
        if id > 0 { Some(Self(id)) } else { None }
    }

    /// The basic group of this bare id, which must lie in `1..=1_000_000_000_000`.
    #[must_use]
    pub const fn group(id: i64) -> Option<Self> {
        if id > 0 && id <= -CHANNEL_MARK { Some(Self(-id)) } else { None }
    }

    /// The channel of this bare id, which must be positive and leave room for the mark.
    #[must_use]
    pub const fn channel(id: i64) -> Option<Self> {
        if id <= 0 {
            return None;
        }
        match CHANNEL_MARK.checked_sub(id) {
            Some(marked) => Some(Self(marked)),
            None => None,
        }
    }

    /// The marked id.
    #[must_use]
    pub const fn marked(self) -> i64 {
        self.0
    }

    /// Whether this is a user, a basic group or a channel.
    #[must_use]
    pub const fn kind(self) -> PeerKind {
        match self.0 {
            0.. => PeerKind::User,
            CHANNEL_MARK..0 => PeerKind::Group,
            _ => PeerKind::Channel,
        }
    }

    /// The id as Telegram's API has it, without the mark.
    #[must_use]
    pub const fn bare(self) -> i64 {
        match self.kind() {
            PeerKind::User => self.0,
            PeerKind::Group => -self.0,
            PeerKind::Channel => CHANNEL_MARK - self.0,
        }
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a marked id, as [`Display`](fmt::Display) writes it.
///
/// ```
/// use tgsession::PeerId;
///
/// assert_eq!("-1001234567890".parse(), PeerId::channel(1_234_567_890).ok_or("no channel"));
/// assert!("0".parse::<PeerId>().is_err());
/// ```
impl std::str::FromStr for PeerId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<i64>().map_err(|_| "not a marked id: a whole number but 0")?.try_into()
    }
}

impl From<PeerId> for i64 {
    fn from(id: PeerId) -> Self {
        id.0
    }
}

impl TryFrom<i64> for PeerId {
    type Error = &'static str;

    fn try_from(marked: i64) -> Result<Self, Self::Error> {
        Self::from_marked(marked).ok_or("0 is not the id of a peer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_those_of_the_bot_api() {
        let cases = [
            (PeerId::user(777_000), 777_000, PeerKind::User),
            (PeerId::group(777_010), -777_010, PeerKind::Group),
            (PeerId::channel(1_777_005), -1_000_001_777_005, PeerKind::Channel),
            (PeerId::group(1_000_000_000_000), -1_000_000_000_000, PeerKind::Group),
        ];
        for (id, marked, kind) in cases {
            assert_eq!(id.map(|id| (id.marked(), id.kind())), Some((marked, kind)));
        }
    }

    #[test]
    fn every_marked_id_gives_its_bare_id_back() {
        for marked in [1, i64::MAX, -1, -999_999_999_999, -1_000_000_000_001, i64::MIN] {
            let id = PeerId::from_marked(marked).unwrap();
            let again = match id.kind() {
                PeerKind::User => PeerId::user(id.bare()),
                PeerKind::Group => PeerId::group(id.bare()),
                PeerKind::Channel => PeerId::channel(id.bare()),
            };
            assert_eq!(again, Some(id), "{marked}");
        }
    }

    #[test]
    fn ids_that_no_mark_can_hold_are_refused() {
        assert_eq!(PeerId::from_marked(0), None);
        assert_eq!(PeerId::user(-1), None);
        assert_eq!(PeerId::group(1_000_000_000_001), None);
        assert_eq!(PeerId::channel(i64::MAX), None);
    }
}
