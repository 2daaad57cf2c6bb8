//! MTKruto's string: URL-safe base64 without padding of runs, in which a 0 and a count stand for
//! that many zeros and any other byte for itself. Behind them:
//!
//! | field | |
//! |---|---|
//! | DC | TL bytes: its number in digits, and `-test` on the test servers |
//! | auth key | TL bytes, 256 of them |
//! | `api_id` | 4 bytes, little-endian; not in the oldest strings |
//! | whether it is a bot | 1 byte; not in the older ones |
//! | user id | 8 bytes, little-endian; with the byte before |
//!
//! Releases read what they write and nothing else, without asking how long it is. So the newest
//! layout is written, that of `exportAuthString` in MTKruto's repository at commit 0096723d.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::format::{Capabilities, Need};
use crate::string::base64::text;
use crate::string::home::{Home, account, buffer, dc, flag, user, user_and_bot};
use crate::string::reader::{Reader, put_tl_bytes};
use crate::string::{Decoded, Reading, StringError, Unfit};
use crate::types::Account;

/// The fields of the string. The client knows the addresses.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    test_mode: Need::Needed,
    api_id: Need::Needed,
    user: Need::Needed,
    bot: Need::Needed,
    ..Capabilities::MINIMAL
};

/// The format as dumps name it.
pub(crate) const FORMAT: &str = "mtkruto-string";

const TEST: &str = "-test";

/// More than the runs of any string hold.
const MOST_BYTES: usize = 1024;

/// Reads the bytes.
pub(crate) fn decode(bytes: &[u8]) -> Reading {
    let plain = unpacked(bytes)?;
    let mut reader = Reader::new(&plain);
    let name = str::from_utf8(reader.tl_bytes()?).ok()?;
    let (id, test) = name.strip_suffix(TEST).map_or((name, false), |id| (id, true));
    let digits = (1..=10).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| fields(id, test, reader))
}

fn fields(id: &str, test: bool, mut reader: Reader<'_>) -> Result<Decoded, StringError> {
    let id = id.parse().map_err(|_| StringError::Value { format: FORMAT, field: "DC" })?;
    let key = reader.tl_bytes().ok_or(StringError::Truncated { format: FORMAT })?;
    let mut account = account(dc(FORMAT, id, key)?);
    account.login.test_mode = Some(test);
    let mut notes = Vec::new();
    match reader.rest().len() {
        0 => {}
        API_ID => account.login.api_id = api_id(&mut reader),
        WITH_USER => {
            account.login.api_id = api_id(&mut reader);
            let value = |field| StringError::Value { format: FORMAT, field };
            let bot = reader.u8().and_then(flag).ok_or(value("bot flag"))?;
            let id = reader.array().map(u64::from_le_bytes).ok_or(value("user id"))?;
            account.login.user = user(FORMAT, id, bot, &mut notes)?;
        }
        bytes @ ..WITH_USER if bytes > API_ID => {
            return Err(StringError::Truncated { format: FORMAT });
        }
        bytes @ ..API_ID => return Err(StringError::Trailing { format: FORMAT, bytes }),
        bytes => return Err(StringError::Trailing { format: FORMAT, bytes: bytes - WITH_USER }),
    }
    Ok(Decoded { format: FORMAT, account, notes })
}

const API_ID: usize = 4;

/// `api_id`, bot flag and user id.
const WITH_USER: usize = API_ID + 1 + 8;

/// 0 means none.
fn api_id(reader: &mut Reader<'_>) -> Option<i32> {
    reader.array().map(i32::from_le_bytes).filter(|id| *id > 0)
}

/// Writes the string. Addresses have no place in it.
pub(crate) fn encode(account: &Account) -> Result<Zeroizing<String>, Unfit> {
    let home = Home::of(account)?;
    let id = u32::try_from(home.id()).map_err(|_| Unfit::DcNumber { dc: home.id() })?;
    let test = if account.login.test_mode.ok_or(Unfit::NoTestMode)? { TEST } else { "" };
    let api_id = account.login.api_id.filter(|id| *id > 0).ok_or(Unfit::NoApiId)?;
    let (user, bot) = user_and_bot(account.login.user)?;
    let mut plain = buffer();
    put_tl_bytes(&mut plain, format!("{id}{test}").as_bytes());
    put_tl_bytes(&mut plain, home.key.as_bytes());
    plain.extend(api_id.to_le_bytes());
    plain.push(bot.into());
    plain.extend(user.to_le_bytes());
    Ok(text(&URL_SAFE_NO_PAD, &packed(&plain)))
}

/// The bytes that the runs encode; `None` if a run is cut short, or if they are too many.
fn unpacked(runs: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
    let mut runs = runs.iter();
    while let Some(byte) = runs.next() {
        let count =
            if *byte == 0 { usize::from(*runs.next().filter(|count| **count != 0)?) } else { 1 };
        let len = plain.len() + count;
        if len > MOST_BYTES {
            return None;
        }
        plain.resize(len, *byte);
    }
    Some(plain)
}

fn packed(plain: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut runs = buffer();
    for run in plain.chunk_by(|one, next| *one == 0 && *next == 0) {
        if run.starts_with(&[0]) {
            // A run of more zeros than its count can tell goes on in another.
            let counts = run.chunks(255).filter_map(|run| u8::try_from(run.len()).ok());
            runs.extend(counts.flat_map(|count| [0, count]));
        } else {
            runs.extend_from_slice(run);
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::string_tests::{string_of, with_dc};
    use crate::types::{AuthKey, DcId, DcOption, SelfUser};

    fn account_of(id: i32, test: bool, key: [u8; 256]) -> Account {
        let mut account = with_dc(DcOption::new(DcId(id)).with_key(AuthKey::new(&key)));
        account.login.test_mode = Some(test);
        account
    }

    /// The same as the newest layout has it.
    fn complete(mut account: Account) -> Account {
        account.login.api_id = Some(12345);
        account.login.user = Some(SelfUser { id: 5_123_456_789, bot: Some(true) });
        account
    }

    #[test]
    fn fields_lie_where_the_table_says() {
        let mut key = [7; 256];
        key[1..4].fill(0);
        let runs = [
            &[6][..],
            b"2-test",
            &[0, 1],               // up to a multiple of four
            &[254, 0, 1, 1, 0, 1], // 256 bytes follow
            &[7, 0, 3],
            &[7; 252],
        ];
        let (bytes, oldest) = (runs.concat(), account_of(2, true, key));
        assert_eq!(decode(&bytes).unwrap().unwrap().account, oldest);
        assert_eq!(encode(&oldest), Err(Unfit::NoApiId));

        let with_api_id = [&bytes[..], &[0x39, 0x30, 0, 2]].concat();
        let read = decode(&with_api_id).unwrap().unwrap().account;
        assert_eq!(read.login.api_id, Some(12345));
        assert_eq!(encode(&read), Err(Unfit::NoUser));

        let user = [1, 0x15, 0xbf, 0x61, 0x31, 1, 0, 3];
        let newest = [&with_api_id[..], &user].concat();
        assert_eq!(decode(&newest).unwrap().unwrap().account, complete(oldest.clone()));
        assert_eq!(*encode(&complete(oldest)).unwrap(), *text(&URL_SAFE_NO_PAD, &newest));
    }

    #[test]
    fn runs_of_any_length_come_back() {
        for zeros in (0..256).chain([254, 255, 256]) {
            let mut key = [7; 256];
            key[..zeros].fill(0);
            let account = complete(account_of(1, false, key));
            let text = string_of(encode(&account));
            assert_eq!(
                crate::clients::strings::decode(&text).unwrap().account,
                account,
                "{zeros} zeros"
            );
        }
        for len in [255, 256, 510, 511, 700] {
            assert_eq!(*unpacked(&packed(&vec![0; len])).unwrap(), vec![0; len]);
        }
    }

    #[test]
    fn runs_are_whole_and_do_not_grow_without_end() {
        assert_eq!(unpacked(&[7, 0]), None);
        assert_eq!(unpacked(&[0, 0, 7]), None);
        assert_eq!(unpacked(&[0, 255].repeat(5)), None);
        assert_eq!(unpacked(&[0, 255].repeat(4)).map(|plain| plain.len()), Some(1020));
    }

    #[test]
    fn the_dc_is_digits() {
        let of = |name: &[u8], key: &[u8]| {
            let mut plain = vec![];
            put_tl_bytes(&mut plain, name);
            put_tl_bytes(&mut plain, key);
            decode(&packed(&plain))
        };
        for name in [&b""[..], b"-test", b"-1", b"+1", b"2test", b"2 ", b"\xff", b"99999999999"] {
            assert_eq!(of(name, &[7; 256]), None);
        }
        let wrong = StringError::Value { format: FORMAT, field: "DC" };
        assert_eq!(of(b"2147483648", &[7; 256]), Some(Err(wrong)));
        assert_eq!(
            of(b"203", &[0; 256]).unwrap().unwrap().account,
            account_of(203, false, [0; 256])
        );
        for found in [0, 255, 257] {
            let wrong = StringError::KeyLength { format: FORMAT, found };
            assert_eq!(of(b"2", &vec![7; found]), Some(Err(wrong)));
        }
        let negative = account_of(-1, false, [7; 256]);
        assert_eq!(encode(&negative), Err(Unfit::DcNumber { dc: -1 }));
    }

    #[test]
    fn cut_and_longer_strings_are_errors() {
        let plain = [&[1, b'2', 0, 0, 254, 0, 1, 0][..], &[7; 256]].concat();
        for len in 4..plain.len() {
            let wrong = StringError::Truncated { format: FORMAT };
            assert_eq!(decode(&packed(&plain[..len])), Some(Err(wrong)), "{len}");
        }
        for more in 0..17 {
            let longer = [&plain[..], &[1; 17][..more]].concat();
            let (format, read) = (FORMAT, decode(&packed(&longer)).unwrap());
            match more {
                0 | 4 | 13 => assert!(read.is_ok(), "{more}"),
                1..4 => assert_eq!(read, Err(StringError::Trailing { format, bytes: more })),
                5..13 => assert_eq!(read, Err(StringError::Truncated { format })),
                _ => assert_eq!(read, Err(StringError::Trailing { format, bytes: more - 13 })),
            }
        }
    }
}
