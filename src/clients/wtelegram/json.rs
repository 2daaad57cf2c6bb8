//! The JSON under the encryption.

use serde_json::{Map, Value};

use crate::format::key_text;
use crate::types::{Account, DcId, DcOption, Endpoint, SelfUser};

/// The account in the JSON, or what is wrong with it.
pub(super) fn read(text: &[u8], notes: &mut Vec<String>) -> Result<Account, String> {
    let json: Value =
        serde_json::from_slice(text).map_err(|_| "what is encrypted in it is not JSON")?;
    let json = json.as_object().ok_or("what is encrypted in it is not a JSON object")?;
    let mut account = Account::default();
    let login = &mut account.login;
    login.home_dc = number(json, "MainDC")?.filter(|dc| *dc != 0).map(DcId);
    login.api_id = number(json, "ApiId")?.filter(|id| *id != 0);
    login.user = match json.get("UserId").map(|id| id.as_i64().filter(|id| *id >= 0)) {
        None | Some(Some(0)) => None,
        Some(Some(id)) => Some(SelfUser { id, bot: None }),
        Some(None) => return Err("UserId is no id of a user".to_owned()),
    };
    if login.user.is_none() {
        notes.push("no user is logged in".into());
    }
    read_dcs(json, &mut account, notes)?;
    if let Some(options) = json.get("DcOptions").and_then(Value::as_array) {
        let count = options.len();
        notes.push(format!("DcOptions: {count} addresses that the server gave, not kept"));
    }
    for name in json.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        notes.push(format!("{name:?} is not the client's and was not read"));
    }
    Ok(account)
}

const KNOWN: [&str; 5] = ["ApiId", "UserId", "MainDC", "DCSessions", "DcOptions"];

fn read_dcs(
    json: &Map<String, Value>,
    account: &mut Account,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let sessions = json.get("DCSessions").and_then(Value::as_object);
    let (mut media, mut passing) = (0_u64, false);
    for (name, session) in sessions.into_iter().flatten() {
        let id: i32 = name.parse().map_err(|_| "a key of DCSessions is no DC's number")?;
        if id < 0 {
            media += 1;
            continue;
        }
        let mut dc = DcOption::new(DcId(id));
        dc.auth_key = match session.get("AuthKey") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => key_text::of_base64(text)?,
            Some(_) => return Err(format!("AuthKey of DC {id} is not text")),
        };
        if let Some(there) = session.get("DataCenter").filter(|there| !there.is_null()) {
            match endpoint(there) {
                Some(end) => dc = dc.at(end),
                None => notes.push(format!("DataCenter of DC {id} is no address, not kept")),
            }
        }
        passing |= session.get("Salt").or(session.get("Salts")).is_some();
        account.dcs.push(dc);
    }
    account.dcs.sort_by_key(|dc| dc.id);
    account.dcs.dedup_by_key(|dc| dc.id);
    if media > 0 {
        notes.push(format!("DCSessions: {media} of media DCs are not kept"));
    }
    if passing {
        notes.push("salts: of one connection only, not kept".into());
    }
    Ok(())
}

fn endpoint(there: &Value) -> Option<Endpoint> {
    let host = there.get("ip_address")?.as_str().filter(|host| !host.is_empty())?;
    let port = there.get("port")?.as_u64()?;
    Some(Endpoint::new(host, u16::try_from(port).ok()?))
}

fn number(json: &Map<String, Value>, name: &str) -> Result<Option<i32>, String> {
    let Some(value) = json.get(name) else { return Ok(None) };
    let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
    number.map(Some).ok_or_else(|| format!("{name} is no 32-bit number"))
}
