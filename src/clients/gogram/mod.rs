//! The session string of gogram (Go).
//!
//! ```text
//! since 2025   "1BvE" · base64url of {"key": base64, "hash": base64 of 8 bytes, "dc_id": 2,
//!              "ip_addr": "149.154.167.51:443", "app_id": 6}
//! before       "1BvX" · base64url of key (256) · hash (8) · address · DC · app id, with ":_:" or,
//!              older still, "::" between them
//! ```
//!
//! The hash is the id of the key. The layout is that of `internal/session/string.go` in
//! AmarnathCJD/gogram and of `gogram.go` in mtgo-labs/session-converter.

use std::net::IpAddr;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::clients::gotd;
use crate::error::{Error, Result};
use crate::format::{
    AccountTarget, Address, Capabilities, FormatSpec, Need, Parsed, ParsedSession, Reader, Writer,
    damaged, into_bytes, key_text,
};
use crate::types::{Account, AuthKey, DcId, DcOption, Endpoint};

/// The readers of gogram.
pub(super) const READERS: &[Reader] =
    &[Reader::Text(|path, text, _| Some(read_text(text)?.map_err(|why| damaged(path, why))))];

pub(super) const STRING: FormatSpec = FormatSpec::text(FORMAT, Writer::File(&TARGET));

const FORMAT: &str = "gogram-string";

/// Reads the string; `None` for any other text.
pub(crate) fn read_text(text: &str) -> Option<Result<Parsed, String>> {
    let text = text.trim();
    if text.len() > MOST {
        return None;
    }
    let (format, read): (_, fn(&[u8]) -> _) = match text.get(..PREFIX.len())? {
        PREFIX => (FORMAT, of_json),
        OLD_PREFIX => ("gogram-string before 2025", of_fields),
        _ => return None,
    };
    let bytes = key_text::bytes_of(text.get(PREFIX.len()..)?, &key_text::URL_SAFE)?;
    let session = read(&bytes)?;
    Some(session.map(|session| Parsed::one(format.to_owned(), session)))
}

const PREFIX: &str = "1BvE";
const OLD_PREFIX: &str = "1BvX";

/// The most characters of a string. Real ones have some 600.
const MOST: usize = 4096;

/// `None`: it is no such JSON, and the text may be another client's.
fn of_json(bytes: &[u8]) -> Option<Result<ParsedSession, String>> {
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let key = json.get("key")?.as_str()?;
    let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    // Go leaves out what is zero.
    let number = |name: &str| match json.get(name) {
        None => Ok(0),
        Some(value) => value
            .as_i64()
            .and_then(|number| i32::try_from(number).ok())
            .ok_or_else(|| format!("{name} of the gogram string is no 32-bit number")),
    };
    Some(key_text::of_base64(key).and_then(|key| {
        let key = key.ok_or("the gogram string has no auth key")?;
        let hash = key_text::bytes_of(text("hash"), &key_text::STANDARD).unwrap_or_default();
        Ok(session(key, &hash, text("ip_addr"), number("dc_id")?, number("app_id")?))
    }))
}

/// The key can have anything in it, the separators too, so that it is taken by its length.
fn of_fields(bytes: &[u8]) -> Option<Result<ParsedSession, String>> {
    let (key, rest) = bytes.split_first_chunk::<{ AuthKey::LEN }>()?;
    let separator = [":_:", "::"].into_iter().find(|mark| rest.starts_with(mark.as_bytes()))?;
    let fields = |mut rest: &[u8]| {
        rest = rest.strip_prefix(separator.as_bytes())?;
        let (hash, rest) = rest.split_first_chunk::<8>()?;
        let text = str::from_utf8(rest.strip_prefix(separator.as_bytes())?).ok()?;
        // An IPv6 address has colons of its own.
        let (text, app) = text.rsplit_once(separator)?;
        let (address, dc) = text.rsplit_once(separator)?;
        let (dc, app) = (dc.parse().ok()?, app.parse().ok()?);
        Some(session(AuthKey::new(key), hash, address, dc, app))
    };
    Some(fields(rest).ok_or_else(|| "the fields of the gogram string are invalid".to_owned()))
}

/// Reads bytes as what lies under the base64 of either layout.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_content(bytes: &[u8]) {
    let _ = (of_json(bytes).map(drop), of_fields(bytes).map(drop));
}

fn session(key: AuthKey, hash: &[u8], address: &str, dc: i32, app: i32) -> ParsedSession {
    let mut session = ParsedSession::default();
    if hash != gotd::id_of(&key) {
        session.notes.push("the hash is not the id of the auth key".into());
    }
    let mut home = DcOption::new(DcId(dc)).with_key(key);
    match endpoint(address) {
        Some(end) => home = home.at(end),
        None if address.is_empty() => {}
        None => session.notes.push("ip_addr is not HOST:PORT, not kept".into()),
    }
    session.account.login.home_dc = Some(home.id);
    session.account.login.api_id = (app != 0).then_some(app);
    session.account.dcs = vec![home];
    session
}

/// Converters leave the port out.
fn endpoint(text: &str) -> Option<Endpoint> {
    match text.parse::<IpAddr>() {
        Ok(_) => Some(Endpoint::new(text, 443)),
        Err(_) => gotd::endpoint(text),
    }
}

/// The string, written.
const TARGET: AccountTarget = AccountTarget {
    name: FORMAT,
    capabilities: &Capabilities {
        address: Address::One,
        api_id: Need::Kept,
        ..Capabilities::MINIMAL
    },
    encode: |account| text(account).map(into_bytes),
};

fn text(account: &Account) -> Result<Zeroizing<String>> {
    let lacks = |what| Error::Lacks { format: FORMAT, what };
    let home = account.login.home_dc.ok_or(lacks("the home DC"))?;
    let dc = account.dcs.iter().find(|dc| dc.id == home);
    let dc = dc.ok_or(lacks("an auth key of the home DC"))?;
    let key = dc.auth_key.as_ref().ok_or(lacks("an auth key of the home DC"))?;
    let end = dc.ipv4.as_ref().or(dc.ipv6.as_ref()).ok_or(lacks("the address of the home DC"))?;
    let (secret, hash) =
        (key_text::base64_of(key), key_text::text_of(&gotd::id_of(key), &key_text::STANDARD));
    let (address, app) = (Value::from(end.to_string()), account.login.api_id.unwrap_or(0));
    let mut json = Zeroizing::new(String::with_capacity(ROOM + end.host.len()));
    for part in [
        "{\"key\":\"",
        &*secret,
        "\",\"hash\":\"",
        &*hash,
        &format!("\",\"dc_id\":{home},\"ip_addr\":{address},\"app_id\":{app}}}"),
    ] {
        json.push_str(part);
    }
    let coded = key_text::text_of(json.as_bytes(), &key_text::URL_SAFE);
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + coded.len() + 1));
    for part in [PREFIX, &*coded, "\n"] {
        text.push_str(part);
    }
    Ok(text)
}

/// More than the JSON takes without the host.
const ROOM: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::Sample;
    use crate::clients::tests::write;

    fn key() -> AuthKey {
        let mut key: [u8; 256] = std::array::from_fn(|at| at as u8);
        key[10..13].copy_from_slice(b":_:");
        key[20..22].copy_from_slice(b"::");
        AuthKey::new(&key)
    }

    fn string(prefix: &str, content: &[u8]) -> String {
        format!("{prefix}{}", &*key_text::text_of(content, &key_text::URL_SAFE))
    }

    fn json(address: &str) -> String {
        let (key, id) = (key_text::base64_of(&key()), gotd::id_of(&key()));
        let id = key_text::text_of(&id, &key_text::STANDARD);
        let (key, id) = (&*key, &*id);
        let text = format!(
            r#"{{"key":"{key}","hash":"{id}","dc_id":4,"ip_addr":"{address}","app_id":6}}"#
        );
        string(PREFIX, text.as_bytes())
    }

    fn old(separator: &str, address: &str) -> String {
        let (key, id) = (key(), gotd::id_of(&key()));
        let parts: [&[u8]; 5] = [key.as_bytes(), &id, address.as_bytes(), b"4", b"6"];
        string(OLD_PREFIX, &parts.join(separator.as_bytes()))
    }

    fn expected(host: &str, port: u16) -> Account {
        let mut account = Account::default();
        account.login.home_dc = Some(DcId(4));
        account.login.api_id = Some(6);
        account.dcs = vec![DcOption::new(DcId(4)).with_key(key()).at(Endpoint::new(host, port))];
        account
    }

    fn the_session(text: &str) -> ParsedSession {
        read_text(text).unwrap().unwrap().sessions.remove(0)
    }

    #[test]
    fn strings_of_all_three_layouts_are_read() {
        for text in [
            json("149.154.167.91:443"),
            json("149.154.167.91"),
            old(":_:", "149.154.167.91:443"),
            old("::", "149.154.167.91:443"),
        ] {
            let session = the_session(&text);
            assert_eq!(session.account, expected("149.154.167.91", 443));
            assert_eq!(session.notes, Vec::<String>::new());
        }
        for text in [json("[2001:67c:4e8:f004::a]:80"), old("::", "[2001:67c:4e8:f004::a]:80")] {
            assert_eq!(the_session(&text).account, expected("2001:67c:4e8:f004::a", 80));
        }
        let bare = the_session(&json("2001:67c:4e8:f004::1")).account;
        assert_eq!(bare, expected("2001:67c:4e8:f004::1", 443));
        assert_eq!(read_text(&json("")).unwrap().unwrap().format, "gogram-string");
        assert_eq!(read_text(&old("::", "")).unwrap().unwrap().format, "gogram-string before 2025");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (host, port) in [("149.154.167.91", 443), ("2001:67c:4e8:f004::a", 80), ("a\"b", 1)] {
            let account = expected(host, port);
            let sample = Sample { account: account.clone(), entities: Vec::new() };
            let bytes = write(&TARGET, &sample).unwrap().bytes;
            let session = the_session(std::str::from_utf8(&bytes).unwrap());
            assert_eq!((session.account, session.notes.len()), (account, 0));
        }
        assert!(matches!(text(&Account::default()), Err(Error::Lacks { .. })));
    }

    #[test]
    fn what_is_odd_is_noted_or_refused_and_nothing_of_it_is_shown() {
        let session = the_session(&json("nonsense"));
        assert_eq!(session.notes, ["ip_addr is not HOST:PORT, not kept"]);
        let other = key_text::base64_of(&AuthKey::new(&[1; 256]));
        let other = format!(r#"{{"key":"{}"}}"#, &*other);
        let session = the_session(&string(PREFIX, other.as_bytes()));
        assert_eq!(session.notes, ["the hash is not the id of the auth key"]);
        assert_eq!(session.account.login.home_dc, Some(DcId(0)));
        for (content, told) in [
            (r#"{"key":""}"#, "no auth key"),
            (r#"{"key":"AAAA"}"#, "3 bytes"),
            (r#"{"key":"%"}"#, "not base64"),
        ] {
            let error = read_text(&string(PREFIX, content.as_bytes())).unwrap().unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        let wrong = json("x").len();
        for cut in [wrong - 4, wrong / 2] {
            assert!(read_text(&json("x")[..cut]).is_none(), "cut at {cut}");
        }
        let old = old("::", "x");
        assert!(read_text(&old[..old.len() - 8]).unwrap().is_err());
        assert!(read_text(&old[..100]).is_none());
        for other in ["", "1Bv", "1BvE", "1BvX%", "1BvEAAAA", &"1BvE".repeat(2000)] {
            assert!(read_text(other).is_none(), "{other}");
        }
    }
}
