use super::{ChannelState, DcOption, Entity, Extra, Login, SentFile, UpdateState};

/// Everything of one session except its entities, of which there can be a million.
///
/// ```
/// use tgsession::{Account, AuthKey, DcId, DcOption, Login, UpdateState};
///
/// let account = Account::default()
///     .with_login(Login::default().with_home_dc(DcId(2)))
///     .with_dc(DcOption::new(DcId(2)).with_key(AuthKey::new(&[7; 256])))
///     .with_update_state(UpdateState { pts: 1, ..UpdateState::default() });
/// assert_eq!(account.dcs.len(), 1);
/// ```
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

impl Account {
    /// The same account with this login.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = login;
        self
    }

    /// The same account with this DC; one with the same id is replaced.
    #[must_use]
    pub fn with_dc(mut self, dc: DcOption) -> Self {
        put(&mut self.dcs, dc, |dc| dc.id);
        self
    }

    /// The same account with this update state.
    #[must_use]
    pub fn with_update_state(mut self, state: UpdateState) -> Self {
        self.update_state = Some(state);
        self
    }

    /// The same account with this update state of a channel; one of the same channel is replaced.
    #[must_use]
    pub fn with_channel_state(mut self, state: ChannelState) -> Self {
        put(&mut self.channel_states, state, |state| state.id);
        self
    }

    /// The same account with this sent file; one with the same key is replaced.
    #[must_use]
    pub fn with_sent_file(mut self, file: SentFile) -> Self {
        put(&mut self.sent_files, file, |file| file.key);
        self
    }

    /// The same account with this extra; one with the same name is replaced.
    #[must_use]
    pub fn with_extra(mut self, extra: Extra) -> Self {
        put(&mut self.extras, extra, |extra| extra.name().to_owned());
        self
    }
}

/// Puts a value into a list that is sorted by key and has each key once.
fn put<T, K: Ord>(list: &mut Vec<T>, value: T, key: impl Fn(&T) -> K) {
    let new = key(&value);
    list.retain(|old| key(old) != new);
    let at = list.partition_point(|old| key(old) < new);
    list.insert(at, value);
}

/// One session's whole content, as plain values in memory.
///
/// ```
/// use tgsession::{Account, DcId, Login, MemorySession, Session, Snapshot};
///
/// let account = Account::default().with_login(Login::default().with_home_dc(DcId(2)));
/// let session = MemorySession::from_snapshot("alice", &Snapshot::new(account, Vec::new()));
/// session.set_home_dc(DcId(4))?;
/// assert_eq!(session.snapshot().account.login.home_dc, Some(DcId(4)));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// Everything but the entities.
    pub account: Account,
    /// Every entity, in the order of their ids.
    pub entities: Vec<Entity>,
}

impl Snapshot {
    /// A session of these values; the entities in the order of their ids.
    #[must_use]
    pub fn new(account: Account, entities: Vec<Entity>) -> Self {
        Self { account, entities }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::DcId;

    #[test]
    fn values_are_put_in_their_order_and_each_once() {
        let dc = |id| DcOption::new(DcId(id));
        let key = crate::types::AuthKey::new(&[1; 256]);
        let account = Account::default().with_dc(dc(4)).with_dc(dc(2)).with_dc(dc(5));
        let account = account.with_dc(dc(4).with_key(key.clone()));
        assert_eq!(account.dcs, [dc(2), dc(4).with_key(key), dc(5)]);
    }
}
