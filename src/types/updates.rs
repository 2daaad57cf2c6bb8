use super::PeerId;

/// Where the account's common sequence of updates stands.
///
/// The four counters are those of [working with updates](https://core.telegram.org/api/updates).
///
/// ```
/// use tgsession::{MemorySession, Session, UpdateState};
///
/// let session = MemorySession::new("alice");
/// let state = UpdateState { pts: 1_000, qts: 0, date: 1_700_000_000, seq: 7 };
/// session.set_update_state(Some(state))?;
/// assert_eq!(session.update_state()?, Some(state));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

/// New values for some of the counters of an [`UpdateState`]. `None` keeps what is there.
///
/// ```
/// use tgsession::{UpdateChange, UpdateState};
///
/// let before = UpdateState { pts: 1, qts: 2, date: 3, seq: 4 };
/// let change = UpdateChange { pts: Some(9), ..UpdateChange::default() };
/// assert_eq!(change.of(before), UpdateState { pts: 9, ..before });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UpdateChange {
    /// Counter of message updates.
    pub pts: Option<i32>,
    /// Counter of secret chat and bot updates.
    pub qts: Option<i32>,
    /// When the last update came, in seconds since 1970 (UTC).
    pub date: Option<i64>,
    /// Counter of update containers.
    pub seq: Option<i32>,
}

impl UpdateChange {
    /// The state after this change.
    #[must_use]
    pub fn of(self, state: UpdateState) -> UpdateState {
        UpdateState {
            pts: self.pts.unwrap_or(state.pts),
            qts: self.qts.unwrap_or(state.qts),
            date: self.date.unwrap_or(state.date),
            seq: self.seq.unwrap_or(state.seq),
        }
    }
}

/// Where the updates of one channel stand.
///
/// ```
/// use tgsession::{ChannelState, MemorySession, PeerId, Session};
///
/// let session = MemorySession::new("alice");
/// let id = PeerId::channel(1_234_567_890).expect("a positive id");
/// session.set_channel_states(&[ChannelState { id, pts: 5 }])?;
/// assert_eq!(session.channel_state(id)?.map(|state| state.pts), Some(5));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChannelState {
    /// The channel.
    pub id: PeerId,
    /// Its own counter of message updates.
    pub pts: i32,
}
