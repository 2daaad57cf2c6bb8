//! What `dc_main`, `dc_media` and `current_user` hold.
//!
//! ```text
//! basic DC option: version u8 (1, 2) | DC u8 | flags u8 | address TL string | port int
//!     flags: 1 IPv6, 2 media only, 4 test server (from version 2)
//! current user: version int (1) | flags int | user id long [| count int | usernames TL string..]
//!     flags: 1 bot, 2 usernames follow, 4 premium; no bytes at all: logged out
//! ```

use super::tl::{self, Reader};
use crate::types::{DcId, Endpoint, SelfUser};

/// The address of a DC, and the servers it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BasicDcOption {
    pub(super) id: DcId,
    pub(super) endpoint: Endpoint,
    /// Version 1 does not say.
    pub(super) test_mode: Option<bool>,
}

impl BasicDcOption {
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let version = reader.byte().filter(|version| matches!(version, 1 | 2))?;
        let id = DcId(reader.byte()?.into());
        let flags = reader.byte()?;
        let host = reader.string()?;
        let endpoint = Endpoint::new(host, u16::try_from(reader.int()?).ok()?);
        let test_mode = (version > 1).then_some(flags & TEST != 0);
        reader.0.is_empty().then_some(Self { id, endpoint, test_mode })
    }

    /// `None` for a DC beyond 255 or an address of megabytes.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let ipv6 = if self.endpoint.is_ipv6() { IPV6 } else { 0 };
        let test = if self.test_mode == Some(true) { TEST } else { 0 };
        let mut bytes = vec![2, u8::try_from(self.id.0).ok()?, ipv6 | test];
        tl::put_string(&mut bytes, &self.endpoint.host)?;
        bytes.extend(i32::from(self.endpoint.port).to_le_bytes());
        Some(bytes)
    }
}

const IPV6: u8 = 1;
const TEST: u8 = 4;

/// The own user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CurrentUser {
    pub(super) user: SelfUser,
    pub(super) usernames: usize,
    pub(super) premium: bool,
}

impl CurrentUser {
    /// `Some(None)`: logged out.
    pub(super) fn decode(bytes: &[u8]) -> Option<Option<Self>> {
        let mut reader = Reader(bytes);
        if bytes.is_empty() {
            return Some(None);
        }
        reader.int().filter(|version| *version == 1)?;
        let flags = reader.int()?;
        let id = reader.long().filter(|id| *id > 0)?;
        let mut usernames = 0;
        if flags & USERNAMES != 0 {
            for _ in 0..reader.int()? {
                reader.string()?;
                usernames += 1;
            }
        }
        let user = SelfUser { id, bot: Some(flags & BOT != 0) };
        let premium = flags & PREMIUM != 0;
        reader.0.is_empty().then_some(Some(Self { user, usernames, premium }))
    }
}

/// The own user without usernames, which mtcute fetches anew.
pub(super) fn encode_user(user: SelfUser) -> Vec<u8> {
    let flags = if user.bot == Some(true) { BOT } else { 0 };
    let mut bytes = 1_i32.to_le_bytes().to_vec();
    bytes.extend(flags.to_le_bytes());
    bytes.extend(user.id.to_le_bytes());
    bytes
}

const BOT: i32 = 1;
const USERNAMES: i32 = 2;
const PREMIUM: i32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_as_mtcute_writes_it() {
        let bytes = b"\x02\x02\x04\x0e149.154.167.40\x00\xbb\x01\0\0";
        let endpoint = Endpoint::new("149.154.167.40", 443);
        let option = BasicDcOption { id: DcId(2), endpoint, test_mode: Some(true) };
        assert_eq!(BasicDcOption::decode(bytes).as_ref(), Some(&option));
        assert_eq!(option.encode().as_deref(), Some(bytes.as_slice()));
        let old = BasicDcOption { test_mode: None, ..option.clone() };
        assert_eq!(
            BasicDcOption::decode(b"\x01\x02\x00\x0e149.154.167.40\x00\xbb\x01\0\0"),
            Some(old)
        );
        assert_eq!(BasicDcOption { id: DcId(256), ..option }.encode(), None);
    }

    #[test]
    fn what_is_cut_or_too_long_is_no_value() {
        let option = BasicDcOption {
            id: DcId(5),
            endpoint: Endpoint::new("2001:b28::5", 80),
            test_mode: Some(false),
        };
        let option = option.encode().unwrap();
        let user = b"\x01\0\0\0\x03\0\0\0\x07\0\0\0\0\0\0\0\x01\0\0\0\x02ab\0";
        for len in 0..option.len() {
            assert_eq!(BasicDcOption::decode(&option[..len]), None);
        }
        for len in 1..user.len() {
            assert_eq!(CurrentUser::decode(&user[..len]), None);
        }
        assert_eq!(BasicDcOption::decode(&[&option[..], b"\0"].concat()), None);
        assert_eq!(CurrentUser::decode(&[&user[..], b"\0"].concat()), None);
        let own = SelfUser { id: 7, bot: Some(true) };
        let all = CurrentUser { user: own, usernames: 1, premium: false };
        assert_eq!(CurrentUser::decode(user), Some(Some(all)));
        assert_eq!(CurrentUser::decode(b""), Some(None));
        assert_eq!(CurrentUser::decode(&encode_user(SelfUser { id: 0, bot: None })), None);
        let written = CurrentUser { usernames: 0, ..all };
        assert_eq!(CurrentUser::decode(&encode_user(own)), Some(Some(written)));
    }
}
