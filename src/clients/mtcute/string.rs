//! mtcute's string: URL-safe base64 without padding of TL, little-endian:
//!
//! | field | version 1 | version 2 | version 3 |
//! |---|---|---|---|
//! | version | 1 byte | 1 byte | 1 byte |
//! | flags, 4 bytes | 1 self, 2 test | 1 self, 2 test, 4 media DC | 1 self, 2 test, 4 media DC |
//! | DC | `dcOption` | `dcOption`, twice with flag 4 | basic option, twice with flag 4 |
//! | self, with flag 1 | user id 8 bytes, `Bool` bot | the same | the same |
//! | auth key | bytes, 256 of them | the same | the same |
//!
//! A DC is a `dcOption` of TL, its first four bytes included, or a basic option as TL bytes:
//!
//! | `dcOption` | basic option |
//! |---|---|
//! | 4 bytes `0d a1 b7 18` | |
//! | | version, 1 byte: 1 or 2 |
//! | flags, 4 bytes: 1 IPv6, 2 media, 1024 secret | |
//! | DC, 4 bytes | DC, 1 byte |
//! | | flags, 1 byte: 1 IPv6, 2 media, and in version 2 4 test |
//! | host, TL bytes | host, TL bytes |
//! | port, 4 bytes | port, 4 bytes |
//! | secret, TL bytes, with flag 1024 | |
//!
//! Core 0.2 writes versions 1 and 2; 0.12 to 0.16 read them and write version 3 with basic option
//! 1 and the test flag in front; 0.29 reads version 3 alone, with either basic option, and writes
//! option 2, which the older ones refuse.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::format::{Address, Capabilities, Need};
use crate::string::base64::text;
use crate::string::home::{Home, account, buffer, dc, is_host, user, user_and_bot};
use crate::string::reader::{Reader, put_tl_bytes};
use crate::string::{Decoded, Reading, StringError, Unfit};
use crate::types::{Account, Endpoint, SelfUser};

/// The fields of the string.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    address: Address::One,
    test_mode: Need::Needed,
    user: Need::Kept,
    bot: Need::Needed,
    ..Capabilities::MINIMAL
};

/// Version 1 as dumps name it.
pub(crate) const FORMAT_1: &str = "mtcute-string v1";

/// Version 2.
pub(crate) const FORMAT_2: &str = "mtcute-string v2";

/// Version 3.
pub(crate) const FORMAT_3: &str = "mtcute-string v3";

const SELF: u32 = 1;
const TEST: u32 = 2;
const MEDIA: u32 = 4;

const DC_OPTION: u32 = 0x18b7_a10d;
const DC_OPTION_SECRET: u32 = 1024;

/// In either kind of option.
const IPV6: u8 = 1;
const BASIC_TEST: u8 = 4;

const BOOL_TRUE: u32 = 0x9972_75b5;
const BOOL_FALSE: u32 = 0xbc79_9737;

/// JavaScript has no larger integers, nor has mtcute's reader.
const MOST_USER_ID: u64 = (1 << 53) - 1;

/// Reads the bytes.
pub(crate) fn decode(bytes: &[u8]) -> Reading {
    let mut reader = Reader::new(bytes);
    let (format, known) = match reader.u8()? {
        1 => (FORMAT_1, SELF | TEST),
        2 => (FORMAT_2, SELF | TEST | MEDIA),
        3 => (FORMAT_3, SELF | TEST | MEDIA),
        _ => return None,
    };
    let flags = u32::from_le_bytes(reader.array()?);
    (flags & !known == 0).then(|| Fields { format, reader }.decoded(flags))
}

/// The fields behind the flags.
struct Fields<'a> {
    format: &'static str,
    reader: Reader<'a>,
}

/// The entry of one DC in a string.
struct Dc {
    id: i32,
    endpoint: Endpoint,
    test: bool,
    /// What its flags say beside test and IPv6, which the host shows as well.
    marked: bool,
    secret: bool,
}

impl<'a> Fields<'a> {
    fn decoded(mut self, flags: u32) -> Result<Decoded, StringError> {
        let mut notes = Vec::new();
        let main = self.main_dc(flags, &mut notes)?;
        let user = if flags & SELF == 0 { None } else { self.user(&mut notes)? };
        let dc = dc(self.format, main.id, self.some(Reader::tl_bytes)?)?.at(main.endpoint);
        self.end()?;
        let mut account = account(dc);
        account.login.test_mode = Some(flags & TEST != 0 || main.test);
        account.login.user = user;
        Ok(Decoded { format: self.format, account, notes })
    }

    fn main_dc(&mut self, flags: u32, notes: &mut Vec<String>) -> Result<Dc, StringError> {
        let main = self.dc()?;
        if main.marked {
            notes.push("the DC's address has flags that are not kept".into());
        }
        if main.secret {
            notes.push("the secret of the DC's address is not kept".into());
        }
        if flags & MEDIA != 0 {
            let media = self.dc()?;
            if (media.id, &media.endpoint) != (main.id, &main.endpoint) {
                notes.push("the media DC has an address of its own, which is not kept".into());
            }
        }
        Ok(main)
    }

    fn dc(&mut self) -> Result<Dc, StringError> {
        if self.format != FORMAT_3 {
            return self.dc_option();
        }
        let reader = Reader::new(self.some(Reader::tl_bytes)?);
        let mut option = Fields { format: self.format, reader };
        let dc = option.basic_option()?;
        option.end()?;
        Ok(dc)
    }

    fn dc_option(&mut self) -> Result<Dc, StringError> {
        if self.u32()? != DC_OPTION {
            return Err(self.value("DC"));
        }
        let flags = self.u32()?;
        let id = self.some(|reader| reader.array().map(i32::from_le_bytes))?;
        let endpoint = self.endpoint()?;
        let secret = flags & DC_OPTION_SECRET != 0;
        if secret {
            self.some(Reader::tl_bytes)?;
        }
        let marked = flags & !(u32::from(IPV6) | DC_OPTION_SECRET) != 0;
        Ok(Dc { id, endpoint, test: false, marked, secret })
    }

    fn basic_option(&mut self) -> Result<Dc, StringError> {
        let [version, id, flags] = self.some(Reader::array)?;
        let test = match version {
            1 => 0,
            2 => BASIC_TEST,
            _ => return Err(self.value("version of the DC")),
        };
        let endpoint = self.endpoint()?;
        let marked = flags & !(IPV6 | test) != 0;
        Ok(Dc { id: id.into(), endpoint, test: flags & test != 0, marked, secret: false })
    }

    fn endpoint(&mut self) -> Result<Endpoint, StringError> {
        let host = str::from_utf8(self.some(Reader::tl_bytes)?);
        let port = u16::try_from(self.u32()?).map_err(|_| self.value("DC's port"))?;
        let endpoint = host.map(|host| Endpoint::new(host, port)).ok();
        let endpoint = endpoint.filter(|endpoint| is_host(&endpoint.host));
        endpoint.ok_or_else(|| self.value("DC's address"))
    }

    fn user(&mut self, notes: &mut Vec<String>) -> Result<Option<SelfUser>, StringError> {
        let id = self.some(|reader| reader.array().map(u64::from_le_bytes))?;
        let bot = match self.u32()? {
            BOOL_TRUE => true,
            BOOL_FALSE => false,
            _ => return Err(self.value("bot flag")),
        };
        user(self.format, id, bot, notes)
    }

    fn u32(&mut self) -> Result<u32, StringError> {
        self.some(|reader| reader.array().map(u32::from_le_bytes))
    }

    fn some<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
    ) -> Result<T, StringError> {
        read(&mut self.reader).ok_or(StringError::Truncated { format: self.format })
    }

    fn end(&self) -> Result<(), StringError> {
        match self.reader.rest().len() {
            0 => Ok(()),
            bytes => Err(StringError::Trailing { format: self.format, bytes }),
        }
    }

    fn value(&self, field: &'static str) -> StringError {
        StringError::Value { format: self.format, field }
    }
}

/// Writes version 3 with basic option 2, as core 0.29 does. The user may be missing.
pub(crate) fn encode(account: &Account) -> Result<Zeroizing<String>, Unfit> {
    let home = Home::of(account)?;
    let login = &account.login;
    let user = login.user.map(|user| user_and_bot(Some(user))).transpose()?;
    let mut out = buffer();
    out.push(3);
    out.extend(if user.is_some() { SELF } else { 0 }.to_le_bytes());
    put_tl_bytes(&mut out, &basic_option(&home, login.test_mode)?);
    if let Some((id, bot)) = user {
        if id > MOST_USER_ID {
            return Err(Unfit::UserId);
        }
        out.extend(id.to_le_bytes());
        out.extend(if bot { BOOL_TRUE } else { BOOL_FALSE }.to_le_bytes());
    }
    put_tl_bytes(&mut out, home.key.as_bytes());
    Ok(text(&URL_SAFE_NO_PAD, &out))
}

fn basic_option(home: &Home<'_>, test_mode: Option<bool>) -> Result<Vec<u8>, Unfit> {
    let id = home.id_byte()?;
    let endpoint = home.endpoint()?;
    let ipv6 = if endpoint.is_ipv6() { IPV6 } else { 0 };
    let test = if test_mode.ok_or(Unfit::NoTestMode)? { BASIC_TEST } else { 0 };
    let mut out = vec![2, id, ipv6 | test];
    put_tl_bytes(&mut out, endpoint.host.as_bytes());
    out.extend(u32::from(endpoint.port).to_le_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::string_tests::with_dc;
    use crate::types::{AuthKey, DcId, DcOption};

    const KEY: [u8; 256] = [7; 256];
    fn whole() -> Account {
        let dc = DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.40", 443));
        let mut account = with_dc(dc.with_key(AuthKey::new(&KEY)));
        account.login.test_mode = Some(true);
        account.login.user = Some(SelfUser { id: 77, bot: Some(true) });
        account
    }

    /// The fields of version 3, the key left out.
    fn fields() -> Vec<u8> {
        let mut bytes = vec![3, 1, 0, 0, 0]; // self
        bytes.extend([23, 2, 2, 4]); // 23 bytes: option 2, DC 2, test
        bytes.extend(b"\x0e149.154.167.40\0");
        bytes.extend([0xbb, 1, 0, 0]); // port 443; 24 bytes with their length
        bytes.extend([77, 0, 0, 0, 0, 0, 0, 0, 0xb5, 0x75, 0x72, 0x99]); // a bot
        bytes
    }

    fn with_key(mut bytes: Vec<u8>, key: &[u8]) -> Vec<u8> {
        put_tl_bytes(&mut bytes, key);
        bytes
    }

    fn error_of(bytes: &[u8]) -> StringError {
        decode(bytes).unwrap().unwrap_err()
    }

    #[test]
    fn fields_lie_where_the_table_says() {
        let bytes = with_key(fields(), &KEY);
        assert_eq!(decode(&bytes).unwrap().unwrap().account, whole());
        assert_eq!(*encode(&whole()).unwrap(), *text(&URL_SAFE_NO_PAD, &bytes));
    }

    #[test]
    fn option_1_has_no_test_flag_and_the_head_may_have_it() {
        let mut bytes = with_key(fields(), &KEY);
        bytes[6] = 1;
        let read = decode(&bytes).unwrap().unwrap();
        assert_eq!(read.account.login.test_mode, Some(false));
        assert_eq!(read.notes, ["the DC's address has flags that are not kept"]);
        bytes[1] |= 2;
        bytes[8] = 0;
        let read = decode(&bytes).unwrap().unwrap();
        assert_eq!((read.account, read.notes), (whole(), vec![]));
    }

    #[test]
    fn a_secret_is_passed_over_and_noted() {
        let mut bytes = vec![1, 2, 0, 0, 0, 0x0d, 0xa1, 0xb7, 0x18, 0, 4, 0, 0, 2, 0, 0, 0];
        bytes.extend(b"\x0e149.154.167.40\0\xbb\x01\0\0\x02ss\0");
        let read = decode(&with_key(bytes, &KEY)).unwrap().unwrap();
        assert_eq!(read.format, FORMAT_1);
        assert_eq!(read.notes, ["the secret of the DC's address is not kept"]);
        let mut expected = whole();
        expected.login.user = None;
        assert_eq!(read.account, expected);
    }

    #[test]
    fn every_cut_is_an_error_and_so_is_a_longer_string() {
        let mut bytes = with_key(fields(), &KEY);
        for len in 0..bytes.len() {
            let read = decode(&bytes[..len]);
            let expected = (len >= 5).then_some(Err(StringError::Truncated { format: FORMAT_3 }));
            assert_eq!(read, expected, "{len}");
        }
        bytes.push(0);
        assert_eq!(error_of(&bytes), StringError::Trailing { format: FORMAT_3, bytes: 1 });
        bytes = with_key(fields(), &KEY);
        bytes[5] += 1; // the option is longer than its fields
        bytes.insert(29, 0);
        assert!(matches!(error_of(&bytes), StringError::Trailing { .. }));
    }

    #[test]
    fn values_that_cannot_be_are_named() {
        let whole = with_key(fields(), &KEY);
        let cases = [
            (6, 3, "version of the DC"),
            (12, b'?', "DC's address"),
            (27, 1, "DC's port"),
            (28, 0xff, "DC's port"),
            (36, 0x80, "user id"),
            (37, 0, "bot flag"),
        ];
        for (at, byte, field) in cases {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            assert_eq!(error_of(&bytes), StringError::Value { format: FORMAT_3, field }, "{at}");
        }
        for len in [0, 255, 257] {
            let bytes = with_key(fields(), &vec![7; len]);
            assert_eq!(error_of(&bytes), StringError::KeyLength { format: FORMAT_3, found: len });
        }
        for (at, byte) in [(0, 0), (0, 4), (1, 8), (4, 1)] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            assert_eq!(decode(&bytes), None, "a beginning that is not mtcute's");
        }
    }

    #[test]
    fn what_the_account_lacks_is_said() {
        let lacking = |change: fn(&mut Account)| {
            let mut account = whole();
            change(&mut account);
            encode(&account)
        };
        assert_eq!(lacking(|account| account.login.test_mode = None), Err(Unfit::NoTestMode));
        assert_eq!(lacking(|account| account.dcs[0].ipv4 = None), Err(Unfit::NoAddress));
        let user = |account: &mut Account, id, bot| account.login.user = Some(SelfUser { id, bot });
        let most = 0x1f_ffff_ffff_ffff;
        let lacking = |id, bot| {
            let mut account = whole();
            user(&mut account, id, bot);
            encode(&account)
        };
        assert_eq!(lacking(1, None), Err(Unfit::NoBotFlag));
        assert_eq!(lacking(most + 1, Some(false)), Err(Unfit::UserId));
        assert!(lacking(most, Some(false)).is_ok());
    }
}
