use super::{ChannelState, DcOption, Entity, Extra, Login, SentFile, UpdateState};

/// Everything of one session except its entities, of which there can be a million.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Account {
    /// The login.
    pub login: Login,
    /// Every DC it knows, in the order of their ids.
    pub dcs: Vec<DcOption>,
    /// Where the account's updates stand.
    pub update_state: Option<UpdateState>,
    /// Where the updates of channels stand, in the order of their ids.
    pub channel_states: Vec<ChannelState>,
    /// Files sent before, in the order of their keys.
    pub sent_files: Vec<SentFile>,
    /// Small values of a client's own, in the order of their names.
    pub extras: Vec<Extra>,
}

/// One session's whole content, as plain values in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// Everything but the entities.
    pub account: Account,
    /// Every entity, in the order of their ids.
    pub entities: Vec<Entity>,
}
