//! `accounts-shared-data` of Telegram for macOS and iOS: the logins that the app shares with its
//! extensions, as JSON.
//!
//! ```text
//! {"accounts": [{"id": number of the app's own, "primaryId": 2, "isTestingEnvironment": false,
//!                "peerName": text, "notificationKey": …,
//!                "datacenters": [2, {"masterKey": {"id": number, "data": base64},
//!                                    "addressList": [{"host", "port", "isMedia", "secret"}], …},
//!                                4, {…}]}]}
//! ```
//!
//! A dictionary with numbers for keys is written as a list of keys and values in turn. The user's
//! id is not in it. The layout is that of `StoredAccountInfos` in TelegramMessenger/Telegram-iOS;
//! on macOS the file is in `~/Library/Group Containers/6N38VWS5BX.ru.keepcoder.Telegram/`, in
//! `stable` or `appstore`. No real file was at hand.

use serde_json::Value;

use crate::format::Reader;
use crate::format::{Parsed, ParsedSession, key_text};
use crate::types::{DcId, DcOption, Endpoint};

/// The readers of the apps for macOS and iOS.
pub(super) const READERS: &[Reader] = &[Reader::Json { name: "macOS or iOS", looks_like, read }];

const FORMAT: &str = "apple-shared-data";

/// Whether it is such JSON.
pub(crate) fn looks_like(json: &Value) -> bool {
    let accounts = json.get("accounts").and_then(Value::as_array);
    accounts.is_some_and(|accounts| {
        accounts.iter().any(|account| {
            account.get("datacenters").is_some() && account.get("primaryId").is_some()
        })
    })
}

/// Reads such JSON.
///
/// # Errors
///
/// In words, if a key cannot be one; of several accounts, a bad one hides no other.
pub(crate) fn read(json: &Value) -> Result<Parsed, String> {
    let accounts = json.get("accounts").and_then(Value::as_array);
    let accounts = accounts.map(Vec::as_slice).unwrap_or_default();
    let mut sessions = Vec::new();
    for account in accounts {
        match session(account) {
            Err(why) if accounts.len() == 1 => return Err(why),
            read => sessions.push(read.unwrap_or_else(ParsedSession::bad)),
        }
    }
    if sessions.len() > 1 {
        for (number, session) in (1..).zip(&mut sessions) {
            session.number = Some(number);
        }
    }
    Ok(Parsed { format: FORMAT.to_owned(), sessions })
}

fn session(account: &Value) -> Result<ParsedSession, String> {
    let mut session = ParsedSession::default();
    let home = account.get("primaryId").and_then(Value::as_i64);
    let home = home.and_then(|id| i32::try_from(id).ok()).filter(|id| *id != 0);
    session.account.login.home_dc = home.map(DcId);
    session.account.login.test_mode = account.get("isTestingEnvironment").and_then(Value::as_bool);
    for (id, there) in datacenters(account.get("datacenters"))? {
        session.account.dcs.push(datacenter(id, there, &mut session.notes)?);
    }
    session.account.dcs.sort_by_key(|dc| dc.id);
    session.account.dcs.dedup_by_key(|dc| dc.id);
    let keyed = |id| session.account.dcs.iter().any(|dc| dc.id == id && dc.auth_key.is_some());
    match session.account.login.home_dc {
        None => session.notes.push("nothing says which DC is home".into()),
        Some(home) if !keyed(home) => {
            session.notes.push(format!("there is no key of DC {home}, the home DC"));
        }
        Some(_) => {}
    }
    if let Some(name) = account.get("peerName").and_then(Value::as_str) {
        session
            .notes
            .push(format!("the app calls this account {name:?}; its user id is not there"));
    }
    Ok(session)
}

/// Numbers and values, in turn in a list or as an object.
fn datacenters(value: Option<&Value>) -> Result<Vec<(DcId, &Value)>, String> {
    let wrong = "datacenters is no list of numbers and values in turn";
    let id = |number: Option<i64>| number.and_then(|id| i32::try_from(id).ok()).map(DcId);
    match value {
        Some(Value::Array(list)) => {
            let (pairs, rest) = list.as_chunks::<2>();
            if !rest.is_empty() {
                return Err(wrong.to_owned());
            }
            let pairs = pairs.iter().map(|[number, there]| Some((id(number.as_i64())?, there)));
            pairs.collect::<Option<_>>().ok_or_else(|| wrong.to_owned())
        }
        Some(Value::Object(map)) => {
            let pairs = map.iter().map(|(name, there)| Some((id(name.parse().ok())?, there)));
            pairs.collect::<Option<_>>().ok_or_else(|| wrong.to_owned())
        }
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(_) => Err(wrong.to_owned()),
    }
}

fn datacenter(id: DcId, there: &Value, notes: &mut Vec<String>) -> Result<DcOption, String> {
    let mut dc = DcOption::new(id);
    if let Some(data) = there.get("masterKey").and_then(|key| key.get("data")) {
        let text = data.as_str().ok_or_else(|| format!("the key of DC {id} is not text"))?;
        dc.auth_key = key_text::of_base64(text).map_err(|why| format!("DC {id}: {why}"))?;
    }
    let is_there = |name: &&&str| there.get(**name).is_some_and(|key| !key.is_null());
    let temporary = ["ephemeralMainKey", "ephemeralMediaKey"].iter().filter(is_there).count();
    if temporary > 0 {
        notes.push(format!("DC {id}: {temporary} temporary keys are not kept"));
    }
    let addresses = there.get("addressList").and_then(Value::as_array);
    for end in addresses.into_iter().flatten().filter_map(endpoint) {
        let taken = if end.is_ipv6() { dc.ipv6.is_some() } else { dc.ipv4.is_some() };
        if !taken {
            dc = dc.at(end);
        }
    }
    Ok(dc)
}

/// An address that is not for media alone and needs no proxy's secret.
fn endpoint(address: &Value) -> Option<Endpoint> {
    let media = address.get("isMedia").and_then(Value::as_bool) == Some(true);
    let secret = address.get("secret").is_some_and(|secret| !secret.is_null());
    let host = address.get("host")?.as_str().filter(|host| !host.is_empty())?;
    let port = u16::try_from(address.get("port")?.as_u64()?).ok()?;
    (!media && !secret).then(|| Endpoint::new(host, port))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::AuthKey;

    fn base64(byte: u8) -> String {
        (*key_text::base64_of(&AuthKey::new(&[byte; 256]))).clone()
    }

    fn account(primary: i32, datacenters: &Value) -> Value {
        json!({
            "id": -77, "primaryId": primary, "isTestingEnvironment": false, "peerName": "Wanda",
            "datacenters": datacenters,
            "notificationKey": {"id": "AAAA", "data": "AAAA"},
        })
    }

    fn datacenter(byte: u8) -> Value {
        json!({
            "masterKey": {"id": 5, "data": base64(byte)},
            "ephemeralMainKey": {"id": 6, "data": base64(9)},
            "addressList": [
                {"host": "10.0.0.9", "port": 443, "isMedia": true},
                {"host": "10.0.0.8", "port": 443, "isMedia": false, "secret": "AAAA"},
                {"host": "149.154.167.50", "port": 443, "isMedia": false},
                {"host": "149.154.167.51", "port": 80, "isMedia": false},
                {"host": "2001:67c:4e8:f002::a", "port": 443, "isMedia": false},
                {"host": "x", "port": 70_000, "isMedia": false},
            ],
        })
    }

    #[test]
    fn accounts_are_read_with_the_keys_and_addresses_of_their_dcs() {
        for datacenters in [
            json!([4, {"masterKey": {"data": ""}}, 2, datacenter(2)]),
            json!({"4": {"masterKey": {"data": ""}}, "2": datacenter(2)}),
        ] {
            let json = json!({"proxy": null, "accounts": [account(2, &datacenters)]});
            assert!(looks_like(&json));
            let parsed = read(&json).unwrap();
            let [session] = &parsed.sessions[..] else { panic!("one account") };
            assert_eq!((parsed.format.as_str(), &session.name), ("apple-shared-data", &None));
            let login = &session.account.login;
            assert_eq!((login.home_dc, login.test_mode), (Some(DcId(2)), Some(false)));
            assert_eq!(login.user, None);
            let expected = DcOption::new(DcId(2))
                .with_key(AuthKey::new(&[2; 256]))
                .at(Endpoint::new("149.154.167.50", 443))
                .at(Endpoint::new("2001:67c:4e8:f002::a", 443));
            assert_eq!(session.account.dcs, [expected, DcOption::new(DcId(4))]);
            let name = "the app calls this account \"Wanda\"; its user id is not there";
            assert_eq!(session.notes, ["DC 2: 1 temporary keys are not kept", name]);
        }
        let many = json!({"accounts": [account(2, &json!([])), account(4, &json!([]))]});
        let parsed = read(&many).unwrap();
        let numbers: Vec<_> = parsed.sessions.iter().filter_map(|one| one.number).collect();
        assert_eq!(numbers, [1, 2]);
        assert!(parsed.sessions[1].notes[0].contains("no key of DC 4"));
        let bad = json!({"accounts": [account(2, &json!(5)), account(4, &json!([]))]});
        let parsed = read(&bad).unwrap();
        assert!(parsed.sessions[0].unreadable.is_some() && parsed.sessions[1].unreadable.is_none());
    }

    #[test]
    fn what_cannot_be_is_refused_without_being_shown() {
        let of = |datacenters: Value| {
            read(&json!({"accounts": [account(0, &datacenters)]})).map(|read| read.sessions)
        };
        let notes = of(Value::Null).unwrap().remove(0).notes;
        assert_eq!(notes[0], "nothing says which DC is home");
        for (odd, told) in [
            (json!([2]), "in turn"),
            (json!(["2", {}]), "in turn"),
            (json!({"two": {}}), "in turn"),
            (json!(5), "in turn"),
            (json!([2, {"masterKey": {"data": 5}}]), "not text"),
            (json!([2, {"masterKey": {"data": "q83v"}}]), "3 bytes"),
        ] {
            let error = of(odd).unwrap_err();
            assert!(error.contains(told) && !error.contains("q83v"), "{error}");
        }
    }

    #[test]
    fn other_json_is_not_taken_for_it() {
        for other in [json!({}), json!([]), json!({"accounts": []}), json!({"accounts": [{}, 5]})] {
            assert!(!looks_like(&other), "{other}");
        }
    }
}
