//! The string of Pyrogram and its forks: URL-safe base64 without padding of
//!
//! | bytes in all | 263 | 267 | 271 |
//! |---|---|---|---|
//! | written by | 0.16 to 1.2; later for small ids | 1.3, 1.4; mtcute | 2.0 and all forks |
//! | DC | 1 byte | 1 byte | 1 byte |
//! | `api_id` | | | 4 bytes |
//! | test servers, 0 or 1 | 1 byte | 1 byte | 1 byte |
//! | auth key | 256 bytes | 256 bytes | 256 bytes |
//! | user id | 4 bytes | 8 bytes | 8 bytes |
//! | bot, 0 or 1 | 1 byte | 1 byte | 1 byte |
//!
//! All numbers are unsigned and big-endian. Nothing but the length says which it is.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::format::{Capabilities, Need};
use crate::string::base64::text;
use crate::string::home::{Home, account, buffer, dc, flag, user, user_and_bot};
use crate::string::reader::Reader;
use crate::string::{Decoded, Reading, StringError, Unfit};
use crate::types::{Account, AuthKey};

/// The fields of the string.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    test_mode: Need::Needed,
    api_id: Need::Needed,
    user: Need::Needed,
    bot: Need::Needed,
    ..Capabilities::MINIMAL
};

/// The first layout as dumps name it, with a user id of 32 bits.
pub(crate) const FORMAT_263: &str = "pyrogram-string 263 bytes";

/// The second layout, with a user id of 64 bits.
pub(crate) const FORMAT_267: &str = "pyrogram-string 267 bytes";

/// The layout since 2.0, with the `api_id`; that of the forks too.
pub(crate) const FORMAT_271: &str = "pyrogram-string 271 bytes";

/// The fields in their order.
struct Fields<'a> {
    dc: u8,
    api_id: u32,
    test_mode: bool,
    key: &'a [u8],
    user_id: u64,
    bot: bool,
}

/// Reads the bytes. Where a flag is neither 0 nor 1, they only have a length of this format.
pub(crate) fn decode(bytes: &[u8]) -> Reading {
    let format = match bytes.len() {
        263 => FORMAT_263,
        267 => FORMAT_267,
        271 => FORMAT_271,
        _ => return None,
    };
    fields(format, bytes).map(|fields| decoded(format, &fields))
}

fn fields<'a>(format: &'static str, bytes: &'a [u8]) -> Option<Fields<'a>> {
    let mut reader = Reader::new(bytes);
    Some(Fields {
        dc: reader.u8()?,
        api_id: match format {
            FORMAT_271 => u32::from_be_bytes(reader.array()?),
            _ => 0,
        },
        test_mode: flag(reader.u8()?)?,
        key: reader.take(AuthKey::LEN)?,
        user_id: match format {
            FORMAT_263 => u32::from_be_bytes(reader.array()?).into(),
            _ => u64::from_be_bytes(reader.array()?),
        },
        bot: flag(reader.u8()?)?,
    })
}

fn decoded(format: &'static str, fields: &Fields<'_>) -> Result<Decoded, StringError> {
    let api_id =
        i32::try_from(fields.api_id).map_err(|_| StringError::Value { format, field: "api_id" })?;
    let mut notes = Vec::new();
    let mut account = account(dc(format, fields.dc.into(), fields.key)?);
    account.login.api_id = (api_id != 0).then_some(api_id);
    account.login.test_mode = Some(fields.test_mode);
    account.login.user = user(format, fields.user_id, fields.bot, &mut notes)?;
    Ok(Decoded { format, account, notes })
}

/// Writes the string of 271 bytes. Addresses have no place in it.
pub(crate) fn encode(account: &Account) -> Result<Zeroizing<String>, Unfit> {
    let home = Home::of(account)?;
    let login = &account.login;
    let api_id = login.api_id.and_then(|id| u32::try_from(id).ok()).filter(|id| *id != 0);
    let (user_id, bot) = user_and_bot(login.user)?;
    let mut out = buffer();
    out.push(home.id_byte()?);
    out.extend(api_id.ok_or(Unfit::NoApiId)?.to_be_bytes());
    out.push(login.test_mode.ok_or(Unfit::NoTestMode)?.into());
    out.extend_from_slice(home.key.as_bytes());
    out.extend(user_id.to_be_bytes());
    out.push(bot.into());
    Ok(text(&URL_SAFE_NO_PAD, &out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::string_tests::with_dc;
    use crate::types::{DcId, DcOption, SelfUser};

    const KEY: [u8; 256] = [7; 256];

    fn whole() -> Account {
        let mut account = with_dc(DcOption::new(DcId(203)).with_key(AuthKey::new(&KEY)));
        account.login.api_id = Some(0x0102_0304);
        account.login.test_mode = Some(true);
        account.login.user = Some(SelfUser { id: 0xff_ffff_ffff, bot: Some(false) });
        account
    }

    #[test]
    fn fields_lie_where_the_table_says() {
        let user = [0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff];
        let bytes = [&[203, 1, 2, 3, 4, 1][..], &KEY, &user, &[0]].concat();
        assert_eq!(decode(&bytes).unwrap().unwrap().account, whole());
        assert_eq!(*encode(&whole()).unwrap(), *text(&URL_SAFE_NO_PAD, &bytes));

        let mut expected = whole();
        expected.login.api_id = None;
        let bytes = [&[203, 1][..], &KEY, &user, &[0]].concat();
        assert_eq!(decode(&bytes).unwrap().unwrap().account, expected);

        expected.login.user = Some(SelfUser { id: 0xffff_fffe, bot: Some(true) });
        let bytes = [&[203, 1][..], &KEY, &[0xff, 0xff, 0xff, 0xfe, 1]].concat();
        assert_eq!(decode(&bytes).unwrap().unwrap().account, expected);
    }

    #[test]
    fn nobody_is_no_user_and_0_no_api_id() {
        let read = |bot| {
            let bytes = [&[2, 0, 0, 0, 0, 0][..], &KEY, &[0; 8], &[bot]].concat();
            decode(&bytes).unwrap().unwrap()
        };
        let login = read(0).account.login;
        assert_eq!((login.user, login.api_id, login.test_mode), (None, None, Some(false)));
        assert_eq!(read(0).notes.len(), 0);
        assert_eq!(read(1).notes.len(), 1, "a bot of no id");
    }

    #[test]
    fn numbers_that_telegram_does_not_give_are_errors() {
        let format = FORMAT_271;
        let read = |api_id, user| {
            decode(&[&[2, api_id, 0, 0, 1, 0][..], &KEY, &[user, 0, 0, 0, 0, 0, 0, 1, 0]].concat())
        };
        assert_eq!(read(0x80, 0), Some(Err(StringError::Value { format, field: "api_id" })));
        assert_eq!(read(0, 0x80), Some(Err(StringError::Value { format, field: "user id" })));
        assert!(matches!(read(0x7f, 0x7f), Some(Ok(_))));
    }

    #[test]
    fn flags_of_other_values_are_another_form() {
        for at in [5, 270] {
            let mut bytes = [&[2, 0, 0, 0, 1, 0][..], &KEY, &[0; 9]].concat();
            bytes[at] = 2;
            assert_eq!(decode(&bytes), None);
        }
        for len in [262, 264, 266, 268, 270, 272] {
            assert_eq!(decode(&vec![0; len]), None);
        }
    }

    #[test]
    fn what_the_account_lacks_is_said() {
        let lacking = |change: fn(&mut Account)| {
            let mut account = whole();
            change(&mut account);
            encode(&account).unwrap_err()
        };
        assert_eq!(lacking(|account| account.login.home_dc = None), Unfit::NoHomeDc);
        assert_eq!(lacking(|account| account.login.home_dc = Some(DcId(1))), Unfit::NoAuthKey);
        assert_eq!(lacking(|account| account.dcs[0].auth_key = None), Unfit::NoAuthKey);
        assert_eq!(lacking(|account| account.login.api_id = None), Unfit::NoApiId);
        assert_eq!(lacking(|account| account.login.api_id = Some(-1)), Unfit::NoApiId);
        assert_eq!(lacking(|account| account.login.test_mode = None), Unfit::NoTestMode);
        assert_eq!(lacking(|account| account.login.user = None), Unfit::NoUser);
        let user = |id, bot| Some(SelfUser { id, bot });
        let with = |user| {
            let mut account = whole();
            account.login.user = user;
            encode(&account).unwrap_err()
        };
        assert_eq!(with(user(1, None)), Unfit::NoBotFlag);
        assert_eq!(with(user(0, Some(true))), Unfit::NoUser);
        assert_eq!(with(user(-1, Some(true))), Unfit::NoUser);
        for dc in [-1, 256] {
            let mut account = whole();
            account.login.home_dc = Some(DcId(dc));
            account.dcs[0].id = DcId(dc);
            assert_eq!(encode(&account), Err(Unfit::DcNumber { dc }));
        }
    }
}
