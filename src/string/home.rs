//! What every format has in common: the DC that the account lives on, and the key to it.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::error::StringError;
use super::unfit::Unfit;
use crate::types::{Account, AuthKey, DcId, DcOption, Endpoint, SelfUser};

/// The account that a string's DC makes.
pub(crate) fn account(dc: DcOption) -> Account {
    let mut account = Account::default();
    account.login.home_dc = Some(dc.id);
    account.dcs.push(dc);
    account
}

/// The DC of this number with the key of these bytes.
pub(crate) fn dc(format: &'static str, id: i32, key: &[u8]) -> Result<DcOption, StringError> {
    let found = key.len();
    let key = AuthKey::from_slice(key).ok_or(StringError::KeyLength { format, found })?;
    Ok(DcOption::new(DcId(id)).with_key(key))
}

/// The account's own user. Converters write 0 where they do not know it; the bot flag then has
/// no place, and is noted if it is set.
pub(crate) fn user(
    format: &'static str,
    id: u64,
    bot: bool,
    notes: &mut Vec<String>,
) -> Result<Option<SelfUser>, StringError> {
    let id = i64::try_from(id).map_err(|_| StringError::Value { format, field: "user id" })?;
    if id == 0 && bot {
        notes.push("it says that the account is a bot, but not which: not kept".into());
    }
    Ok((id != 0).then_some(SelfUser { id, bot: Some(bot) }))
}

/// A flag that is written as one byte. No writer makes other values than these.
pub(crate) fn flag(byte: u8) -> Option<bool> {
    match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Whether a text can be the host of a DC: an IP address or a name in ASCII.
pub(crate) fn is_host(text: &str) -> bool {
    let is_name = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    (1..=253).contains(&text.len()) && (is_name(text) || text.parse::<IpAddr>().is_ok())
}

/// The home DC of an account that is to be written.
pub(crate) struct Home<'a> {
    dc: &'a DcOption,
    /// The key to it.
    pub(crate) key: &'a AuthKey,
}

impl<'a> Home<'a> {
    pub(crate) fn of(account: &'a Account) -> Result<Self, Unfit> {
        let id = account.login.home_dc.ok_or(Unfit::NoHomeDc)?;
        let dc = account.dcs.iter().find(|dc| dc.id == id).ok_or(Unfit::NoAuthKey)?;
        Ok(Self { dc, key: dc.auth_key.as_ref().ok_or(Unfit::NoAuthKey)? })
    }

    /// Its number.
    pub(crate) fn id(&self) -> i32 {
        self.dc.id.0
    }

    /// Its number where there is one byte for it.
    pub(crate) fn id_byte(&self) -> Result<u8, Unfit> {
        u8::try_from(self.id()).map_err(|_| Unfit::DcNumber { dc: self.id() })
    }

    /// Where it listens, IPv4 (or the name) first.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &'a Endpoint> {
        self.dc.ipv4.iter().chain(&self.dc.ipv6)
    }

    /// Where it listens first, checked to be a host.
    pub(crate) fn endpoint(&self) -> Result<&'a Endpoint, Unfit> {
        let endpoint = self.endpoints().next().ok_or(Unfit::NoAddress)?;
        if is_host(&endpoint.host) { Ok(endpoint) } else { Err(Unfit::Host) }
    }
}

/// The account's own user and whether it is a bot, where a format has to have both.
pub(crate) fn user_and_bot(user: Option<SelfUser>) -> Result<(u64, bool), Unfit> {
    let user = user.ok_or(Unfit::NoUser)?;
    let id = u64::try_from(user.id).ok().filter(|id| *id != 0).ok_or(Unfit::NoUser)?;
    Ok((id, user.bot.ok_or(Unfit::NoBotFlag)?))
}

/// Bytes that hold a key, with room for all that any format writes: growing would leave a copy of
/// the key behind.
pub(crate) fn buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(1024))
}
