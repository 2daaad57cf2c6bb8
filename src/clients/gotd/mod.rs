//! The JSON session of gotd (Go), as its `session.FileStorage` writes it.
//!
//! ```text
//! {"Version": 1, "Data": {
//!   "Config": {"BlockedMode", "ForceTryIpv6", "Date", "Expires", "TestMode", "ThisDC", "DCOptions",
//!              "DCTxtDomainName", "TmpSessions", "WebfileDCID"},
//!   "DC": 2, "Addr": "149.154.167.51:443",
//!   "AuthKey": base64, "AuthKeyID": base64 of 8 bytes, "Salt": 0}}
//! ```
//!
//! The client needs `DC`, `Addr`, `AuthKey` and `AuthKeyID`, and refuses a key whose id is another.
//! `Config` is what the server said; converters leave it at its zero values, so that `TestMode` is
//! believed only beside a `ThisDC`. The layout is that of `session/session.go` in gotd/td, July
//! 2026.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::format::{
    AccountTarget, Address, Capabilities, FormatSpec, Need, Parsed, ParsedSession, Reader,
    into_bytes, key_text,
};
use crate::types::{Account, AuthKey, DcId, DcOption, Endpoint};

/// The readers of gotd.
pub(super) const READERS: &[Reader] = &[Reader::Json { name: FORMAT, looks_like, read }];

pub(super) const FILE: FormatSpec =
    FormatSpec { ending: ".json", ..FormatSpec::file(FORMAT, &TARGET) };

/// The file of `session.FileStorage`.
const TARGET: AccountTarget = AccountTarget {
    name: FORMAT,
    capabilities: &CAPABILITIES,
    encode: |account| text(account).map(into_bytes),
};

const FORMAT: &str = "gotd";

/// The only version that there is.
const VERSION: i64 = 1;

/// Whether it is such a session, whatever its version.
pub(crate) fn looks_like(json: &Value) -> bool {
    let data = json.get("Data").filter(|data| data.get("AuthKey").is_some());
    json.get("Version").is_some_and(Value::is_number)
        && data.is_some_and(|data| data.get("DC").is_some() || data.get("Addr").is_some())
}

/// Reads such a session.
///
/// # Errors
///
/// In words, if the auth key cannot be one.
pub(crate) fn read(json: &Value) -> Result<Parsed, String> {
    let mut session = ParsedSession::default();
    session.account = account(json, &mut session.notes)?;
    Ok(Parsed::one(FORMAT.to_owned(), session))
}

/// The account in such a session.
pub(super) fn account(json: &Value, notes: &mut Vec<String>) -> Result<Account, String> {
    match json.get("Version").and_then(Value::as_i64) {
        Some(VERSION) => {}
        Some(found) => notes.push(format!("version {found} is not gotd's {VERSION}, read as it")),
        None => return Err("it has no Version".to_owned()),
    }
    let data = json.get("Data").and_then(Value::as_object).ok_or("it has no Data")?;
    let mut dc = DcOption::new(home(data)?);
    dc.auth_key = match data.get("AuthKey") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => key_text::of_base64(text)?,
        Some(_) => return Err("AuthKey is not text".to_owned()),
    };
    check_id(data, dc.auth_key.as_ref(), notes);
    match data.get("Addr").and_then(Value::as_str) {
        None | Some("") => {}
        Some(text) => match endpoint(text) {
            Some(end) => dc = dc.at(end),
            None => notes.push("Addr is not HOST:PORT, not kept".into()),
        },
    }
    let mut account = Account::default();
    account.login.home_dc = Some(dc.id);
    account.login.test_mode = test_mode(data);
    account.dcs = vec![dc];
    if data.get("Salt").and_then(Value::as_i64).is_some_and(|salt| salt != 0) {
        notes.push("Salt: of one connection only, not kept".into());
    }
    for name in data.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        notes.push(format!("{name:?} is not gotd's and was not read"));
    }
    Ok(account)
}

const KNOWN: [&str; 6] = ["Config", "DC", "Addr", "AuthKey", "AuthKeyID", "Salt"];

/// 0 is what the client writes where it does not know the number.
fn home(data: &Map<String, Value>) -> Result<DcId, String> {
    let id = match data.get("DC") {
        None | Some(Value::Null) => Some(0),
        Some(id) => id.as_i64(),
    };
    let id = id.and_then(|id| i32::try_from(id).ok());
    id.map(DcId).ok_or_else(|| "DC is not the number of a DC".to_owned())
}

fn check_id(data: &Map<String, Value>, key: Option<&AuthKey>, notes: &mut Vec<String>) {
    let text = data.get("AuthKeyID").and_then(Value::as_str).unwrap_or_default();
    let found = key_text::bytes_of(text, &key_text::STANDARD).unwrap_or_default();
    if key.is_some_and(|key| found.as_slice() != id_of(key)) {
        notes.push("AuthKeyID is not the id of the auth key: gotd refuses that key".into());
    }
}

/// The last eight bytes of the key's SHA-1.
pub(super) fn id_of(key: &AuthKey) -> [u8; 8] {
    u64::from_str_radix(&key.id(), 16).unwrap_or_default().to_be_bytes()
}

fn test_mode(data: &Map<String, Value>) -> Option<bool> {
    let config = data.get("Config")?;
    let test = config.get("TestMode")?.as_bool()?;
    let told = config.get("ThisDC").and_then(Value::as_i64).is_some_and(|dc| dc != 0);
    (test || told).then_some(test)
}

/// `HOST:PORT`, an IPv6 host in brackets.
pub(super) fn endpoint(text: &str) -> Option<Endpoint> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let bare_ipv6 = host.contains(':') && !host.starts_with('[');
    (!host.is_empty() && !bare_ipv6).then(|| Endpoint::new(host, port))
}

/// The fields of a session.
pub(super) const CAPABILITIES: Capabilities =
    Capabilities { address: Address::One, test_mode: Need::Kept, ..Capabilities::MINIMAL };

/// The text of a fitted account, without a line's end.
pub(super) fn text(account: &Account) -> Result<Zeroizing<String>> {
    let lacks = |what| Error::Lacks { format: FORMAT, what };
    let home = account.login.home_dc.ok_or(lacks("the home DC"))?;
    let dc = account.dcs.iter().find(|dc| dc.id == home);
    let dc = dc.ok_or(lacks("an auth key of the home DC"))?;
    let key = dc.auth_key.as_ref().ok_or(lacks("an auth key of the home DC"))?;
    let end = dc.ipv4.as_ref().or(dc.ipv6.as_ref()).ok_or(lacks("the address of the home DC"))?;
    let address = Value::from(end.to_string());
    let (test, this) = match account.login.test_mode {
        Some(test) => (test, home.0),
        None => (false, 0),
    };
    let (secret, id) =
        (key_text::base64_of(key), key_text::text_of(&id_of(key), &key_text::STANDARD));
    // Room for all of it: growing would leave a copy of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(ROOM + end.host.len()));
    for part in [
        &format!("{{\"Version\":{VERSION},\"Data\":{{\"Config\":{{\"BlockedMode\":false,"),
        &format!("\"ForceTryIpv6\":false,\"Date\":0,\"Expires\":0,\"TestMode\":{test},"),
        &format!("\"ThisDC\":{this},\"DCOptions\":null,\"DCTxtDomainName\":\"\","),
        "\"TmpSessions\":0,\"WebfileDCID\":0},",
        &format!("\"DC\":{home},\"Addr\":{address},\"AuthKey\":\""),
        &*secret,
        "\",\"AuthKeyID\":\"",
        &*id,
        "\",\"Salt\":0}}",
    ] {
        text.push_str(part);
    }
    Ok(text)
}

/// More than the text takes without the host.
const ROOM: usize = 1024;

#[cfg(test)]
mod tests;
