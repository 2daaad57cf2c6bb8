//! The session string.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::clients::gotd;
use crate::error::Result;
use crate::format::{AccountTarget, Parsed, ParsedSession, into_bytes, key_text};
use crate::types::Account;

const FORMAT: &str = "gotgproto-string";

/// The most characters of a string. Those with the server's whole configuration in
/// them have some 6,000.
const MOST: usize = 1 << 16;

/// How base64 of a JSON object begins.
const START: &str = "ey";

/// Reads the string; `None` for any other text.
pub(crate) fn read_text(text: &str) -> Option<Result<Parsed, String>> {
    let text = text.trim();
    if text.len() > MOST || !text.starts_with(START) {
        return None;
    }
    let bytes = key_text::bytes_of(text, &key_text::STANDARD)?;
    let json = serde_json::from_slice(&bytes).ok().filter(looks_like_json)?;
    Some(read_json(&json))
}

/// Whether it is the JSON under the base64.
pub(crate) fn looks_like_json(json: &Value) -> bool {
    json.get("Version").is_some_and(Value::is_number)
        && json.get("Data").is_some_and(Value::is_string)
}

/// Reads what lies under the base64.
///
/// # Errors
///
/// In words, without what is in it.
pub(crate) fn read_json(json: &Value) -> Result<Parsed, String> {
    let data = json.get("Data").and_then(Value::as_str).unwrap_or_default();
    let inner = key_text::bytes_of(data, &key_text::STANDARD);
    let inner = inner.ok_or("Data of the gotgproto string is not base64")?;
    let inner = serde_json::from_slice(&inner);
    let inner: Value = inner.map_err(|_| "Data of the gotgproto string is not gotd's JSON")?;
    let mut session = ParsedSession::default();
    session.account = gotd::account(&inner, &mut session.notes)?;
    Ok(Parsed::one(FORMAT.to_owned(), session))
}

/// The string, written.
pub(super) const TARGET: AccountTarget =
    AccountTarget { name: FORMAT, capabilities: &gotd::CAPABILITIES, encode: bytes };

fn bytes(account: &Account) -> Result<Zeroizing<Vec<u8>>> {
    let inner = gotd::text(account)?;
    let inner = key_text::text_of(inner.as_bytes(), &key_text::STANDARD);
    let mut json = Zeroizing::new(String::with_capacity(ROOM + inner.len()));
    for part in ["{\"Version\":1,\"Data\":\"", &*inner, "\"}\n"] {
        json.push_str(part);
    }
    let length = json.len().div_ceil(3) * 4 + 1;
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push_str(&key_text::text_of(json.as_bytes(), &key_text::STANDARD));
    text.push('\n');
    Ok(into_bytes(text))
}

/// The bytes around the inner text.
const ROOM: usize = 64;
