//! The `.session` files of Pyrogram before 0.16, which are JSON:
//!
//! ```text
//! dc_id, test_mode, user_id, date [, is_bot]
//! auth_key                                   base64, as a list of pieces
//! [peers_by_id]                              marked id, as text: access hash or null
//! [peers_by_username] [peers_by_phone]       name or number: marked id
//! ```
//!
//! No release since 0.18 reads them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::format::{Parsed, ParsedSession};
use crate::types::{AccessHash, Account, AuthKey, DcId, DcOption, Entity, PeerId, SelfUser};

/// Whether a JSON text is such a session: no other client has these names beside each other.
pub(crate) fn looks_like(json: &Value) -> bool {
    let key = json.get("auth_key");
    let has = |name| json.get(name).is_some();
    key.is_some_and(|key| key.is_array() || key.is_string())
        && ["dc_id", "test_mode", "user_id"].into_iter().all(has)
}

/// The session in a JSON text.
///
/// # Errors
///
/// One sentence, without any value of the text.
pub(crate) fn read(json: &Value) -> Result<Parsed, String> {
    let json = json.as_object().ok_or("it is no JSON object")?;
    let mut session = ParsedSession::default();
    session.account = account(json, &mut session.notes)?;
    session.entities = entities(json, &mut session.notes);
    for name in json.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        session.notes.push(format!("{name:?} is not Pyrogram's and was not read"));
    }
    Ok(Parsed::one("pyrogram-json".to_owned(), session))
}

const KNOWN: [&str; 9] = [
    "dc_id",
    "test_mode",
    "auth_key",
    "user_id",
    "date",
    "is_bot",
    "peers_by_id",
    "peers_by_username",
    "peers_by_phone",
];

fn account(json: &Map<String, Value>, notes: &mut Vec<String>) -> Result<Account, String> {
    let id = json.get("dc_id").and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok());
    let id = DcId(id.ok_or("dc_id is no DC's number")?);
    let mut account = Account::default();
    account.login.home_dc = Some(id);
    let mut home = DcOption::new(id);
    home.auth_key = auth_key(json.get("auth_key"))?;
    if home.auth_key.is_none() {
        notes.push("there is no auth key: the login never finished".into());
    }
    account.dcs.push(home);
    account.login.test_mode = known(json, "test_mode", Value::as_bool, notes);
    let bot = known(json, "is_bot", Value::as_bool, notes);
    match known(json, "user_id", Value::as_i64, notes) {
        Some(id) => account.login.user = Some(SelfUser { id, bot }),
        None => notes.push("there is no user id: the login never finished".into()),
    }
    if json.get("date").is_some_and(|date| !date.is_null()) {
        notes.push("when it was last saved is not kept".into());
    }
    Ok(account)
}

/// A value that may be null or absent; one of another type is noted.
fn known<T>(
    json: &Map<String, Value>,
    name: &str,
    read: impl Fn(&Value) -> Option<T>,
    notes: &mut Vec<String>,
) -> Option<T> {
    let value = json.get(name).filter(|value| !value.is_null())?;
    let read = read(value);
    if read.is_none() {
        notes.push(format!("{name} is of another type than it should be, not kept"));
    }
    read
}

/// The pieces are those of one text, cut without regard to its groups.
fn auth_key(value: Option<&Value>) -> Result<Option<AuthKey>, String> {
    let mut text = Zeroizing::new(String::with_capacity(MOST_TEXT));
    let pieces = match value {
        None | Some(Value::Null) => &[],
        Some(Value::Array(pieces)) => pieces.as_slice(),
        Some(piece) => std::slice::from_ref(piece),
    };
    for piece in pieces {
        let piece = piece.as_str().ok_or("auth_key is no text and no list of texts")?;
        if text.len() + piece.len() > MOST_TEXT {
            return Err("auth_key is too long, and a key has 256 bytes".into());
        }
        text.push_str(piece);
    }
    if text.is_empty() {
        return Ok(None);
    }
    // What base64 would say of an error shows what it met.
    let bytes = Zeroizing::new(BASE64.decode(&*text).map_err(|_| "auth_key is not base64")?);
    match AuthKey::from_slice(&bytes) {
        Some(key) => Ok(Some(key)),
        None => Err(format!("the auth key is {} bytes long, and a key has 256", bytes.len())),
    }
}

/// More than 256 bytes take, so that a wrong length can be named.
const MOST_TEXT: usize = 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The peers, by id, username or phone.
fn entities(json: &Map<String, Value>, notes: &mut Vec<String>) -> Vec<Entity> {
    let mut entities = BTreeMap::new();
    let table = |name: &str| json.get(name).and_then(Value::as_object).into_iter().flatten();
    let mut bad = 0_u64;
    for (id, hash) in table("peers_by_id") {
        match (marked(id), hash) {
            (Some(id), hash) if hash.is_null() || hash.is_i64() => {
                let mut entity = Entity::new(id);
                entity.access_hash = hash.as_i64().map(AccessHash);
                entities.insert(id, entity);
            }
            _ => bad += 1,
        }
    }
    let mut find = |id: &Value, add: &dyn Fn(&mut Entity)| {
        let id = id.as_i64().and_then(PeerId::from_marked);
        match id.and_then(|id| entities.get_mut(&id)) {
            Some(entity) => add(entity),
            None => bad += 1,
        }
    };
    for (name, id) in table("peers_by_username") {
        find(id, &|entity| entity.usernames.push(name.clone()));
    }
    for (phone, id) in table("peers_by_phone") {
        find(id, &|entity| entity.phone = Some(phone.clone()));
    }
    if bad > 0 {
        notes.push(format!("{bad} peers, names or numbers have no proper id or hash, not kept"));
    }
    entities.into_values().collect()
}

fn marked(id: &str) -> Option<PeerId> {
    id.parse().ok().and_then(PeerId::from_marked)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fixture() -> Value {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others");
        let text = std::fs::read(folder.join("pyrogram_0.14_json.session")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn session(json: &Value) -> ParsedSession {
        assert!(looks_like(json));
        read(json).unwrap().sessions.pop().unwrap()
    }

    #[test]
    fn a_file_of_the_library_reads_as_what_is_in_it() {
        let ParsedSession { name, account, entities, notes, .. } = session(&fixture());
        assert_eq!((name, entities.len()), (None, 0));
        assert_eq!(account.login.home_dc, Some(DcId(4)));
        assert_eq!(account.login.test_mode, Some(false));
        assert_eq!(account.login.user, Some(SelfUser { id: 1_078_730_598, bot: Some(false) }));
        assert_eq!(account.login.api_id, None);
        let [dc] = &account.dcs[..] else { panic!("{:?}", account.dcs) };
        let hex = dc.auth_key.as_ref().unwrap().to_hex();
        assert!(hex.starts_with("867669fa99999706a5a147b5"), "{hex}");
        assert!(hex.ends_with("4b5332fb8af910f3c19035c9457b7"), "{hex}");
        assert_eq!(notes, ["when it was last saved is not kept"]);
    }

    #[test]
    fn peers_are_put_together_from_what_they_were_looked_up_by() {
        let mut json = fixture();
        json["peers_by_id"] = json!({
            "777000": -5, "-1001234567890": i64::MIN, "-42": null, "0": 1, "x": 1, "9": "a"
        });
        json["peers_by_username"] = json!({"telegram": 777000, "lost": 8});
        json["peers_by_phone"] = json!({"42777": 777000});
        let ParsedSession { entities, notes, .. } = session(&json);
        let ids: Vec<_> = entities.iter().map(|entity| entity.id.marked()).collect();
        assert_eq!(ids, [-1_001_234_567_890, -42, 777_000]);
        let hashes: Vec<_> = entities.iter().map(|entity| entity.access_hash).collect();
        assert_eq!(hashes, [Some(AccessHash(i64::MIN)), None, Some(AccessHash(-5))]);
        assert_eq!(entities[2].usernames, ["telegram"]);
        assert_eq!(entities[2].phone.as_deref(), Some("42777"));
        assert!(
            notes.contains(&"4 peers, names or numbers have no proper id or hash, not kept".into())
        );
    }

    #[test]
    fn a_key_that_is_none_is_an_error_without_a_piece_of_it() {
        for (key, why) in [
            (json!(["AAAA"]), "3 bytes"),
            (json!([5]), "no text"),
            (json!("#".repeat(344)), "not base64"),
            (json!("A".repeat(5000)), "too long"),
        ] {
            let mut json = fixture();
            json["auth_key"] = key;
            let error = read(&json).unwrap_err();
            assert!(error.contains(why) && !error.contains("AA"), "{error}");
        }
        let mut json = fixture();
        json["auth_key"] = json!([]);
        assert_eq!(session(&json).account.dcs[0].auth_key, None);
    }

    #[test]
    fn odd_values_are_noted_and_the_rest_is_kept() {
        let mut json = fixture();
        json["user_id"] = json!("5");
        json["test_mode"] = json!(0);
        json["extra"] = json!(1);
        let ParsedSession { account, notes, .. } = session(&json);
        assert_eq!((account.login.user, account.login.test_mode), (None, None));
        assert_eq!(notes.len(), 5, "{notes:?}");
        assert!(read(&json!({"dc_id": 1_i64 << 40})).is_err());
    }

    #[test]
    fn other_json_is_not_taken() {
        for other in [
            json!([]),
            json!({"dc_id": 2, "auth_key": {"type": "Buffer"}, "test_mode": 0, "user_id": 1}),
            json!({"dc_id": 2, "auth_key": "00"}),
            json!({"sessions": []}),
        ] {
            assert!(!looks_like(&other));
        }
    }
}
