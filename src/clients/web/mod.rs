//! The `localStorage` of web.telegram.org, of both its clients (A and K), as JSON of keys and
//! texts.
//!
//! ```text
//! dc                 number of the home DC
//! dcN_auth_key       512 hexadecimal digits, as a JSON text
//! user_auth          {"dcID": 2, "id": "5123456789"}, as text
//! accountN           {"dcId": 2, "dc2_auth_key": digits, "userId": "5123456789", …}, as text
//! ```
//!
//! Newer releases write `accountN` and keep the keys before it of one account; those are left out
//! where they are of an account that is there. Telegram Web A also hands out
//! `{"mainDcId": 2, "keys": {"2": digits}, "hashes": …}`. The layouts are those of
//! `src/util/sessions.ts` in Ajaxy/telegram-tt and of `src/lib/sessionStorage.ts` and
//! `src/lib/accounts` in morethanwords/tweb. Values that were read from their texts are taken too.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::format::Reader;
use crate::format::{Parsed, ParsedSession};
use crate::types::{Account, AuthKey, DcId, DcOption, SelfUser};

/// The readers of Telegram Web.
pub(super) const READERS: &[Reader] = &[Reader::Json { name: "Telegram Web", looks_like, read }];

const FORMAT: &str = "web-localstorage";

/// More accounts than the clients keep.
const MOST_ACCOUNTS: usize = 16;

/// Whether it is such JSON: it has a key under one of the names.
pub(crate) fn looks_like(json: &Value) -> bool {
    let Some(json) = json.as_object() else { return false };
    let accounts = json.iter().filter(|(name, _)| account_number(name).is_some());
    let in_accounts = accounts.take(MOST_ACCOUNTS).any(|(_, value)| {
        object(value).is_some_and(|account| account.keys().any(|name| key_of_dc(name).is_some()))
    });
    in_accounts || json.keys().any(|name| key_of_dc(name).is_some()) || is_handed_out(json)
}

fn is_handed_out(json: &Map<String, Value>) -> bool {
    json.contains_key("mainDcId") && json.get("keys").is_some_and(Value::is_object)
}

/// Reads such JSON.
///
/// # Errors
///
/// In words, if a key cannot be one; of several accounts, a bad one hides no other.
pub(crate) fn read(json: &Value) -> Result<Parsed, String> {
    let json = json.as_object().ok_or("it is no JSON object")?;
    let mut found = Vec::new();
    let mut numbered: Vec<_> =
        json.iter().filter_map(|(name, value)| Some((account_number(name)?, value))).collect();
    numbered.sort_by_key(|(number, _)| *number);
    let several = numbered.len() > 1;
    for (number, value) in numbered.into_iter().take(MOST_ACCOUNTS) {
        let Some(account) = object(value) else { continue };
        match session(&account, &[("dcId", "userId")]) {
            Err(why) if !several => return Err(why),
            read => found.push((number, read.unwrap_or_else(ParsedSession::bad))),
        }
    }
    let single = if is_handed_out(json) { handed_out(json)? } else { single(json)? };
    let key = |session: &ParsedSession| {
        let home = session.account.login.home_dc;
        let dcs = &session.account.dcs;
        dcs.iter().find(|dc| Some(dc.id) == home).and_then(|dc| dc.auth_key.clone())
    };
    let known = found.iter().any(|(_, there)| key(there).is_some() && key(there) == key(&single));
    if !single.account.dcs.is_empty() && !known {
        found.insert(0, (0, single));
    }
    found.retain(|(_, one)| !one.account.dcs.is_empty() || one.unreadable.is_some());
    let alone = found.len() == 1;
    let sessions = found.into_iter().map(|(number, session)| ParsedSession {
        number: (!alone).then_some(number.into()),
        ..session
    });
    Ok(Parsed { format: FORMAT.to_owned(), sessions: sessions.collect() })
}

/// The keys that stand alone.
fn single(json: &Map<String, Value>) -> Result<ParsedSession, String> {
    let mut all = json.clone();
    if let Some(login) = json.get("user_auth").and_then(object) {
        all.extend(login.into_owned());
    }
    session(&all, &[("dcID", "id"), ("dc", "id")])
}

fn handed_out(json: &Map<String, Value>) -> Result<ParsedSession, String> {
    let keys = json.get("keys").and_then(Value::as_object).into_iter().flatten();
    let mut all: Map<String, Value> =
        keys.map(|(dc, key)| (format!("dc{dc}_auth_key"), key.clone())).collect();
    all.extend(json.clone());
    session(&all, &[("mainDcId", "userId")])
}

/// The session of these values; `login` are the names that home DC and user can have.
fn session(json: &Map<String, Value>, login: &[(&str, &str)]) -> Result<ParsedSession, String> {
    let mut session = ParsedSession::default();
    let account = &mut session.account;
    for (name, value) in json {
        let Some(id) = key_of_dc(name) else { continue };
        let key = auth_key(value).map_err(|why| format!("{name} {why}"))?;
        account.dcs.extend(key.map(|key| DcOption::new(id).with_key(key)));
    }
    account.dcs.sort_by_key(|dc| dc.id);
    account.dcs.dedup_by_key(|dc| dc.id);
    let home = login.iter().find_map(|(home, _)| number(json.get(*home)?));
    account.login.home_dc = home.and_then(|id| i32::try_from(id).ok()).map(DcId);
    let user = login.iter().find_map(|(_, user)| number(json.get(*user)?));
    account.login.user = user.filter(|id| *id > 0).map(|id| SelfUser { id, bot: None });
    if json.get("isTest").and_then(Value::as_bool) == Some(true) {
        account.login.test_mode = Some(true);
    }
    say_what_lacks(account, &mut session.notes);
    let salts = json.keys().filter(|name| name.ends_with("_server_salt")).count();
    if salts > 0 {
        session.notes.push(format!("{salts} server salts: of one connection only, not kept"));
    }
    Ok(session)
}

fn say_what_lacks(account: &Account, notes: &mut Vec<String>) {
    match account.login.home_dc {
        None => notes.push("nothing says which DC is home".into()),
        Some(home) if account.dcs.iter().all(|dc| dc.id != home) => {
            notes.push(format!("there is no key of DC {home}, the home DC"));
        }
        Some(_) => {}
    }
    if account.login.user.is_none() {
        notes.push("nothing says who is logged in".into());
    }
}

/// The N of `dcN_auth_key`.
fn key_of_dc(name: &str) -> Option<DcId> {
    numbered(name.strip_prefix("dc")?.strip_suffix("_auth_key")?).map(DcId)
}

/// The N of `accountN`.
fn account_number(name: &str) -> Option<i32> {
    numbered(name.strip_prefix("account")?)
}

fn numbered(digits: &str) -> Option<i32> {
    let numeric = (1..=5).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit());
    numeric.then(|| digits.parse().ok()).flatten()
}

/// An object, or the text of one.
fn object(value: &Value) -> Option<Cow<'_, Map<String, Value>>> {
    match value {
        Value::Object(object) => Some(Cow::Borrowed(object)),
        Value::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        _ => None,
    }
}

/// A number, or text of its digits, in quotes or not.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim_matches('"').parse().ok(),
        value => value.as_i64(),
    }
}

/// Hexadecimal digits, in quotes or not; `None` for empty text and null.
fn auth_key(value: &Value) -> Result<Option<AuthKey>, &'static str> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim_matches('"'),
        _ => return Err("is not text"),
    };
    if text.is_empty() || text == "null" {
        return Ok(None);
    }
    AuthKey::from_hex(text).map(Some).ok_or("is not a key in 512 hexadecimal digits")
}

#[cfg(test)]
mod tests;
