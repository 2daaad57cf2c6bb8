use super::PeerId;

/// Where the account's common sequence of updates stands.
///
/// The four counters are those of [working with updates](https://core.telegram.org/api/updates).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UpdateState {
    /// Counter of message updates.
    pub pts: i32,
    /// Counter of secret chat and bot updates.
    pub qts: i32,
    /// When the last update came, in seconds since 1970 (UTC).
    pub date: i64,
    /// Counter of update containers.
    pub seq: i32,
}

/// Where the updates of one channel stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChannelState {
    /// Which channel.
    pub id: PeerId,
    /// Its own counter of message updates.
    pub pts: i32,
}
