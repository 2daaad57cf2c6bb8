//! A file that grammers 0.3 to 0.7 reads, so that one can go back to them.

use std::fmt;
use std::net::IpAddr;

use zeroize::Zeroizing;

use super::dc;
use super::layout::{
    CHANNEL_STATE, FALSE, HAS_STATE, HAS_USER, SESSION, TRUE, UPDATE_STATE, USER, VECTOR,
};
use super::wire::Writer;
use crate::types::{
    Account, ChannelState, DcId, DcOption, PeerId, PeerKind, SelfUser, UpdateState,
};

/// What of an account such a file cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// There is no DC with an auth key.
    NoKey,
    /// A DC has a key and no address.
    NoAddress(DcId),
    /// A DC's host is a name, and only addresses can be written.
    HostName(DcId),
    /// The user is known, but not the home DC, which is stored with the user.
    NoHome,
    /// The home DC is not the only one with a key, and only a user could name it.
    NoUser,
    /// It is not known whether the user is a bot.
    BotUnknown,
    /// A date is not in the 32 bits that it has.
    Date(i64),
    /// There are states of channels and none of the account, after which they stand.
    ChannelsAlone,
    /// A channel state belongs to a peer that is no channel.
    NotAChannel(PeerId),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("there is no auth key"),
            Self::NoAddress(dc) => write!(f, "DC {dc} has a key and no address"),
            Self::HostName(dc) => write!(f, "the host of DC {dc} is a name, not an address"),
            Self::NoHome => f.write_str("the home DC is not known"),
            Self::NoUser => {
                f.write_str("the user id is not known, and without it the home DC cannot be named")
            }
            Self::BotUnknown => f.write_str("it is not known whether the user is a bot"),
            Self::Date(date) => write!(f, "the date {date} does not fit into 32 bits"),
            Self::ChannelsAlone => {
                f.write_str("there are channels' states but none of the account")
            }
            Self::NotAChannel(id) => write!(f, "{id} has a channel's state and is no channel"),
        }
    }
}

impl std::error::Error for Unfit {}

/// The account as grammers 0.3 to 0.7 saves it; nothing is written that they would misread.
///
/// A DC has one address there: the IPv4 one if there is one. That, the files sent, the takeout,
/// the `api_id`, the mark of test servers and DCs of which nothing is known are left out.
///
/// # Errors
///
/// [`Unfit`] where something has no place that the file cannot do without.
pub(crate) fn encode(account: &Account) -> Result<Zeroizing<Vec<u8>>, Unfit> {
    let dcs = reachable(&account.dcs)?;
    let user = user(account)?;
    let has_user = if user.is_some() { HAS_USER } else { 0 };
    let has_state = if account.update_state.is_some() { HAS_STATE } else { 0 };
    let room = FIXED_BYTES
        + dcs.len() * dc::MOST_BYTES
        + account.channel_states.len() * BYTES_OF_A_CHANNEL;
    let mut writer = Writer::with_room(room);
    writer.u32(SESSION).u32(has_user | has_state).u32(VECTOR).i32(count(dcs.len()));
    for (dc, ip, port) in dcs {
        dc::encode(&mut writer, dc, ip, port);
    }
    if let Some((id, home, bot)) = user {
        writer.u32(USER).i64(id).i32(home.0).u32(if bot { TRUE } else { FALSE });
    }
    match &account.update_state {
        Some(state) => write_state(&mut writer, state, &account.channel_states)?,
        None if account.channel_states.is_empty() => {}
        None => return Err(Unfit::ChannelsAlone),
    }
    Ok(writer.finish())
}

/// The DCs that have an address; one without must not have a key that would be lost.
fn reachable(dcs: &[DcOption]) -> Result<Vec<(&DcOption, IpAddr, u16)>, Unfit> {
    let at = |dc| match address(dc) {
        Err(Unfit::NoAddress(_)) if dc.auth_key.is_none() => None,
        found => Some(found.map(|(ip, port)| (dc, ip, port))),
    };
    dcs.iter().filter_map(at).collect()
}

fn address(dc: &DcOption) -> Result<(IpAddr, u16), Unfit> {
    let mut endpoints = [&dc.ipv4, &dc.ipv6].into_iter().flatten().peekable();
    endpoints.peek().ok_or(Unfit::NoAddress(dc.id))?;
    endpoints
        .find_map(|endpoint| Some((endpoint.host.parse().ok()?, endpoint.port)))
        .ok_or(Unfit::HostName(dc.id))
}

/// Id, home DC, bot. Without a user the home DC is the one with the only key.
fn user(account: &Account) -> Result<Option<(i64, DcId, bool)>, Unfit> {
    let login = &account.login;
    let mut with_key = account.dcs.iter().filter(|dc| dc.auth_key.is_some());
    let first = with_key.next().ok_or(Unfit::NoKey)?;
    match login.user {
        Some(SelfUser { id: 1.., bot: None }) => Err(Unfit::BotUnknown),
        Some(SelfUser { id: id @ 1.., bot: Some(bot) }) => {
            Ok(Some((id, login.home_dc.ok_or(Unfit::NoHome)?, bot)))
        }
        _ if with_key.next().is_some() => Err(Unfit::NoUser),
        _ if login.home_dc.is_some_and(|home| home != first.id) => Err(Unfit::NoUser),
        _ => Ok(None),
    }
}

fn write_state(
    writer: &mut Writer,
    state: &UpdateState,
    channels: &[ChannelState],
) -> Result<(), Unfit> {
    let date = i32::try_from(state.date).map_err(|_| Unfit::Date(state.date))?;
    writer.u32(UPDATE_STATE).i32(state.pts).i32(state.qts).i32(date).i32(state.seq);
    writer.u32(VECTOR).i32(count(channels.len()));
    for ChannelState { id, pts } in channels {
        if id.kind() != PeerKind::Channel {
            return Err(Unfit::NotAChannel(*id));
        }
        writer.u32(CHANNEL_STATE).i64(id.bare()).i32(*pts);
    }
    Ok(())
}

/// Each counted thing takes more memory than would leave room for 2^31 of them to be written.
fn count(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

/// Everything but DCs and channels: the session's head, user, state.
const FIXED_BYTES: usize = 16 + 20 + 28;
const BYTES_OF_A_CHANNEL: usize = 16;
