//! grammers' own storages: what they make of a session, and a session as they write it.
//!
//! `sqlite read FILE ACCOUNT` prints what `SqliteSession` of 0.11 gives back, as JSON; `sqlite write
//! FILE ACCOUNT` writes FILE with it, and `sqlite meet FILE ACCOUNT` adds the peers that the account
//! has met. `tl read` and `tl write` do so with the binary `Session` of 0.7, which keeps no peers.

mod sqlite;
mod tl;

use std::error::Error;

use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [storage, action, file, account] = arguments.as_slice() else {
        return Err("grammers STORAGE ACTION FILE ACCOUNT".into());
    };
    let account: Value = serde_json::from_slice(&std::fs::read(account)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let found = match (storage.as_str(), action.as_str()) {
        ("sqlite", "read") => runtime.block_on(sqlite::read(file, &account))?,
        ("sqlite", "write") => runtime.block_on(sqlite::write(file, &account))?,
        ("sqlite", "meet") => runtime.block_on(sqlite::meet(file, &account))?,
        ("tl", "read") => tl::read(file)?,
        ("tl", "write") => tl::write(file, &account)?,
        _ => return Err(format!("there is no {action} for {storage}").into()),
    };
    println!("{found}");
    Ok(())
}

fn number(value: &Value, what: &str) -> Result<i64> {
    value.as_i64().ok_or_else(|| format!("{what} is no number").into())
}

fn small(value: &Value, what: &str) -> Result<i32> {
    Ok(number(value, what)?.try_into()?)
}

fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str> {
    value.as_str().ok_or_else(|| format!("{what} is no text").into())
}

fn list<'a>(value: &'a Value, what: &str) -> Result<&'a [Value]> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| format!("{what} is no list").into())
}

fn key_of(dc: &Value) -> Result<[u8; 256]> {
    let hex = text(&dc["key"], "key")?;
    let mut key = [0; 256];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2).ok_or("a short key")?, 16)?;
    }
    Ok(key)
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The account's channel states: bare id and pts.
fn channels_of(account: &Value) -> Result<Vec<(i64, i32)>> {
    let channels = account["channels"].as_object().ok_or("channels is no object")?;
    channels.iter().map(|(id, pts)| Ok((id.parse()?, small(pts, "pts")?))).collect()
}

/// Update states as every client's script prints them.
fn channels_found(channels: impl IntoIterator<Item = (i64, i32)>) -> Value {
    channels.into_iter().map(|(id, pts)| (id.to_string(), json!(pts))).collect()
}
