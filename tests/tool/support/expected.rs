//! The expected dump of a fixture, computed from the rows that the real SQLite reads in it.

use std::fs;

use serde_json::{Map, Value, json};

use super::{Result, fixtures};

/// The fixtures that SQLite reads to the end and that are sessions of a Telethon that is known
/// here, with a key that can be one. Some were damaged where it does not matter.
pub(crate) fn healthy() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(fixtures())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".session") else { continue };
        let others = OTHERS.iter().chain(&NOT_WHOLE);
        if !others.into_iter().any(|other| name.starts_with(other)) && is_read(&read(name)?) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    assert!(names.len() > 50, "fixtures are missing");
    Ok(names)
}

/// Files that are not sessions for this release.
const OTHERS: [&str; 3] = ["not_telethon", "json_", "odd_values"];

/// What SQLite reads without a word, though its own integrity check says that rows are out of
/// order, there twice or no text.
const NOT_WHOLE: [&str; 6] = [
    "hot_badsum",
    "hot_torn",
    "bad_shared_child",
    "bad_overflow_cycle",
    "bad_flip_09",
    "bad_freelist",
];

fn is_read(sqlite: &Value) -> bool {
    sqlite["sessions"].is_array() && sqlite["error"].is_null()
}

/// What SQLite reads in a fixture.
pub(crate) fn read(name: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&fs::read(fixtures().join(format!("{name}.json")))?)?)
}

/// The one session of a dump with secrets; `auth_key_id` is left out, since it needs SHA-1.
pub(crate) fn session(name: &str) -> Result<Value> {
    let sqlite = read(name)?;
    let rows = |table: &str| sqlite[table].as_array().cloned().unwrap_or_default();
    let first = rows("sessions").first().cloned().unwrap_or_default();
    let entities = rows("entities");
    let user = entities.iter().find(|row| row["id"] == 0).map(|row| &row["hash"]);
    let states = rows("update_state");
    Ok(json!({
        "name": name,
        "home_dc": first["dc_id"],
        "test_mode": null,
        "api_id": null,
        "user": user.map(|id| json!({"id": id, "bot": null})),
        "takeout_id": first["takeout_id"].as_i64(),
        "dcs": rows("sessions").iter().map(dc).collect::<Vec<_>>(),
        "state": states.iter().find(|row| row["id"] == 0).map(state),
        "channel_states": sorted(states.iter().filter_map(channel_state).collect(), &["id"]),
        "entities": entities.iter().filter(|row| row["id"] != 0).map(entity).collect::<Vec<_>>(),
        "files": sorted(rows("sent_files").iter().filter_map(file).collect(), &["md5", "size", "kind"]),
    }))
}

/// The same session without what [`session`] cannot work out.
pub(crate) fn without_auth_key_ids(session: &Value) -> Value {
    let mut session = session.clone();
    for dc in session["dcs"].as_array_mut().into_iter().flatten() {
        dc.as_object_mut().and_then(|dc| dc.remove("auth_key_id"));
    }
    session
}

fn dc(row: &Value) -> Value {
    let host = row["server_address"].as_str().map(|host| host.trim_matches(['[', ']']));
    let endpoint = host.map(|host| json!({"host": host, "port": row["port"]}));
    let (ipv4, ipv6) = if host.is_some_and(|host| host.contains(':')) {
        (None, endpoint)
    } else {
        (endpoint, None)
    };
    let key = row["auth_key"]["hex"].as_str().filter(|key| !key.is_empty());
    json!({"id": row["dc_id"], "ipv4": ipv4, "ipv6": ipv6, "auth_key": key})
}

fn state(row: &Value) -> Value {
    json!({"pts": row["pts"], "qts": row["qts"], "date": whole(&row["date"]), "seq": row["seq"]})
}

fn channel_state(row: &Value) -> Option<Value> {
    let id = row["id"].as_i64().filter(|id| *id != 0)?;
    Some(json!({"id": -1_000_000_000_000 - id, "pts": row["pts"]}))
}

fn entity(row: &Value) -> Value {
    json!({
        "id": row["id"],
        "kind": null,
        "access_hash": row["hash"],
        "usernames": texts(&row["username"]),
        "phone": phone(&row["phone"]),
        "name": row["name"],
        "date": whole(&row["date"]),
    })
}

/// A number is a phone; text that is not digits, and a number too large for an integer, are not.
fn phone(phone: &Value) -> Option<String> {
    match phone {
        Value::Number(_) => phone.as_i64().map(|phone| phone.to_string()),
        Value::String(text) if text.bytes().all(|c| c.is_ascii_digit()) => {
            Some(text.clone()).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}

fn texts(text: &Value) -> Vec<&str> {
    text.as_str().into_iter().filter(|text| !text.is_empty()).collect()
}

/// SQLite keeps some dates with a fraction of a second.
fn whole(date: &Value) -> Option<i64> {
    date.as_i64().or_else(|| date.as_f64().map(|date| date as i64))
}

/// The upload cache of schema 2 has no type, and is of another sort.
fn file(row: &Value) -> Option<Value> {
    let kind = match row["type"].as_i64()? {
        0 => "document",
        1 => "photo",
        _ => return None,
    };
    let md5 = &row["md5_digest"]["hex"];
    let (size, id, hash) = (&row["file_size"], &row["id"], &row["hash"]);
    Some(json!({"md5": md5, "size": size, "kind": kind, "id": id, "access_hash": hash}))
}

/// By these keys, numbers before text and each in its own order.
fn sorted(mut rows: Vec<Value>, keys: &[&str]) -> Vec<Value> {
    let rank = |row: &Value| -> Vec<(Option<i64>, Option<String>)> {
        keys.iter().map(|key| (row[key].as_i64(), row[key].as_str().map(str::to_owned))).collect()
    };
    rows.sort_by_key(rank);
    rows
}

/// The keys of an object in the order in which its text has them.
pub(crate) fn keys_in_order(line: &str) -> Result<Vec<String>> {
    let object: Map<String, Value> = serde_json::from_str(line)?;
    let mut keys: Vec<_> = object.keys().cloned().collect();
    keys.sort_by_key(|key| line.find(&format!("\"{key}\": ")));
    Ok(keys)
}
