//! The JSON files of Telethon 0.11 to 0.15: one key, one address, and in 0.15 the hashes of
//! entities.
//!
//! ```text
//! {"port": 443, "salt": 1, "layer": 73, "server_address": "149.154.167.51",
//!  "auth_key_data": "base64" or null, "entities": [[marked id, hash], ...]}
//! ```
//!
//! Older ones also have `id`, `sequence` and `time_offset`. The number of the DC is not there:
//! like Telethon, which turned such files into SQLite ones, this calls it 0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::format::{Parsed, ParsedSession};
use crate::types::{AccessHash, Account, AuthKey, DcId, DcOption, Endpoint, Entity, PeerId};

const FORMAT: &str = "telethon-json";

/// What belongs to a connection: the server gives a new one of each.
const PASSING: [&str; 5] = ["id", "sequence", "salt", "time_offset", "layer"];

/// Whether it is such a file.
pub(crate) fn looks_like(json: &Value) -> bool {
    ["port", "server_address", "auth_key_data"].iter().all(|key| json.get(key).is_some())
}

/// Reads such a file.
///
/// # Errors
///
/// In words, if the auth key cannot be one.
pub(crate) fn read(json: &Value) -> Result<Parsed, String> {
    let mut session = ParsedSession::default();
    let mut dc = DcOption::new(DcId(0));
    dc.auth_key = auth_key(json.get("auth_key_data"))?;
    match address(json) {
        Some(end) => dc = dc.at(end),
        None => session.notes.push("server_address and port are no address, not kept".into()),
    }
    session.account = Account::default();
    session.account.login.home_dc = Some(dc.id);
    session.account.dcs = vec![dc];
    if let Some(entities) = json.get("entities") {
        read_entities(entities, &mut session);
    }
    let there = |key: &&&str| json.get(**key).is_some_and(|value| !value.is_null());
    let passing: Vec<_> = PASSING.iter().filter(there).copied().collect();
    if !passing.is_empty() {
        session.notes.push(format!("{}: of one connection only, not kept", passing.join(", ")));
    }
    let known = ["port", "server_address", "auth_key_data", "entities"];
    for key in json.as_object().into_iter().flatten().map(|(key, _)| key.as_str()) {
        if !known.contains(&key) && !PASSING.contains(&key) {
            session.notes.push(format!("{key:?} is not the client's and was not read"));
        }
    }
    Ok(Parsed::one(FORMAT.to_owned(), session))
}

fn auth_key(data: Option<&Value>) -> Result<Option<AuthKey>, String> {
    let text = match data {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err("the auth key is no text".to_owned()),
    };
    // `decode` would grow its buffer and leave parts of the key behind.
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let len = STANDARD.decode_slice(text, &mut bytes);
    let len = len.map_err(|_| "the auth key is no base64".to_owned())?;
    let key = bytes.get(..len).and_then(AuthKey::from_slice);
    key.map(Some).ok_or_else(|| format!("the auth key is {len} bytes long, and a key has 256"))
}

fn address(json: &Value) -> Option<Endpoint> {
    let host = json.get("server_address")?.as_str().filter(|host| !host.is_empty())?;
    let port = json.get("port")?.as_u64()?;
    Some(Endpoint::new(host, u16::try_from(port).ok()?))
}

fn read_entities(entities: &Value, session: &mut ParsedSession) {
    let Some(list) = entities.as_array() else {
        session.notes.push("entities: not a list, not kept".into());
        return;
    };
    let mut bad = 0_u64;
    for pair in list {
        match entity(pair) {
            Some(entity) => session.entities.push(entity),
            None => bad += 1,
        }
    }
    if bad > 0 {
        session.notes.push(format!("entities: {bad} are not pairs of an id and a hash, skipped"));
    }
    session.entities.sort_by_key(|entity| entity.id);
    let count = session.entities.len();
    session.entities.dedup_by_key(|entity| entity.id);
    let twice = count - session.entities.len();
    if twice > 0 {
        session.notes.push(format!("entities: {twice} were there twice"));
    }
}

fn entity(pair: &Value) -> Option<Entity> {
    let [id, hash] = pair.as_array()?.as_slice() else { return None };
    let mut entity = Entity::new(PeerId::from_marked(id.as_i64()?)?);
    entity.access_hash = Some(AccessHash(hash.as_i64()?));
    Some(entity)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    const FIXTURE: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/telethon/json_0.15.5.session");

    #[test]
    fn the_fixture_is_read_as_telethon_wrote_it() {
        let json: Value = serde_json::from_slice(&fs::read(FIXTURE).unwrap()).unwrap();
        assert!(looks_like(&json));
        let parsed = read(&json).unwrap();
        assert_eq!(parsed.format, "telethon-json");
        let [session] = &parsed.sessions[..] else { panic!("one session") };
        let [dc] = &session.account.dcs[..] else { panic!("one DC") };
        assert_eq!((dc.id, session.account.login.home_dc), (DcId(0), Some(DcId(0))));
        assert_eq!(dc.ipv4, Some(Endpoint::new("149.154.167.51", 443)));
        let key = STANDARD.encode(dc.auth_key.as_ref().unwrap().as_bytes());
        assert_eq!(key, json["auth_key_data"]);
        let pairs = session.entities.iter();
        let pairs = pairs.map(|entity| (entity.id.marked(), entity.access_hash.unwrap().0));
        assert_eq!(pairs.collect::<Vec<_>>(), [(-1_001_234, 8), (-7, 0), (42, -99)]);
        assert_eq!(session.notes, ["salt, layer: of one connection only, not kept"]);
    }

    #[test]
    fn a_key_that_cannot_be_one_is_an_error_that_does_not_print_it() {
        let file = |key: Value| {
            read(&json!({"port": 443, "server_address": "10.0.0.1", "auth_key_data": key}))
        };
        assert!(file(Value::Null).unwrap().sessions[0].account.dcs[0].auth_key.is_none());
        let short = STANDARD.encode([0xab; 255]);
        let error = file(json!(short)).unwrap_err();
        assert!(error.contains("255 bytes") && !error.contains(&short), "{error}");
        assert!(file(json!("%%%")).unwrap_err().contains("base64"));
        assert!(file(json!([1, 2])).unwrap_err().contains("no text"));
    }

    #[test]
    fn odd_values_are_noted_and_the_rest_is_read() {
        let odd = json!({
            "port": 70_000, "server_address": "10.0.0.1", "auth_key_data": null, "more": 1,
            "entities": [[5, 1], [0, 1], [5, 2], ["6", 1], [7], 8],
        });
        let parsed = read(&odd).unwrap();
        let session = &parsed.sessions[0];
        assert_eq!(session.entities.len(), 1);
        assert_eq!(
            session.notes,
            [
                "server_address and port are no address, not kept",
                "entities: 4 are not pairs of an id and a hash, skipped",
                "entities: 1 were there twice",
                "\"more\" is not the client's and was not read",
            ]
        );
    }

    #[test]
    fn other_json_is_not_taken_for_it() {
        assert!(!looks_like(&json!({"dc_id": 2, "auth_key": ["a"], "user_id": 1})));
        assert!(!looks_like(&json!([])));
    }
}
