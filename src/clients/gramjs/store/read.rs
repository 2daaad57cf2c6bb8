//! A store, read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zeroize::Zeroizing;

use super::FORMAT;
use super::encoding::{auth_key, key_of, unmarked};
use crate::error::{DamagedPart, Error, Result};
use crate::format::{Files, Notes, Parsed, ParsedSession};
use crate::types::{AccessHash, Account, AuthKey, DcId, DcOption, Endpoint, Entity};

/// No file of a store is longer; the whole store may have 5 MiB.
const MOST_BYTES: usize = 1 << 16;

/// Whether the folder is such a store.
pub(crate) fn looks_like(files: &dyn Files, folder: &Path) -> bool {
    keys(files, folder, &mut Notes::default()).is_ok_and(|keys| prefix(&keys).is_some())
}

/// Reads the store in a folder.
///
/// # Errors
///
/// [`Error::Io`], [`Error::BadAuthKey`], [`Error::Damaged`] if it has no session.
pub(crate) fn read(files: &dyn Files, folder: &Path) -> Result<Parsed> {
    let mut notes = Notes::default();
    let keys = keys(files, folder, &mut notes)?;
    let Some(prefix) = prefix(&keys) else {
        return Err(Error::damaged(folder, DamagedPart::Format("there is no dcId in it".into())));
    };
    let mut session = ParsedSession::default();
    let mut login = BTreeMap::new();
    for (key, path) in &keys {
        let Some(key) = key.strip_prefix(&prefix) else {
            notes.add(format!("{key:?} is not of this session and was not read"));
            continue;
        };
        if let Some(known) = LOGIN.into_iter().find(|known| *known == key) {
            login.insert(known, content(files, path)?);
        } else if key.parse::<i64>().is_ok() {
            match content(files, path)?.as_deref().map_or(Err("too long"), |row| entity(key, row)) {
                Ok(entity) => session.entities.push(entity),
                Err(why) => notes.add(format!("entity {key} is {why}, skipped")),
            }
        } else {
            notes.add(format!("key {key:?} is not the client's and was not read"));
        }
    }
    session.account = account(folder, &login, &mut notes)?;
    session.entities.sort_by_key(|entity| entity.id);
    session.entities.dedup_by_key(|entity| entity.id);
    session.notes = notes.into_sentences();
    Ok(Parsed::one(FORMAT.to_owned(), session))
}

const LOGIN: [&str; 4] = ["dcId", "port", "serverAddress", "authKey"];

/// The keys and their files, in their order.
fn keys(files: &dyn Files, folder: &Path, notes: &mut Notes) -> Result<BTreeMap<String, PathBuf>> {
    let failed = |source| Error::io("list", folder, source);
    let mut keys = BTreeMap::new();
    for (path, is_file) in files.list(folder).map_err(failed)? {
        let name = path.file_name().unwrap_or_default();
        match name.to_str().and_then(key_of) {
            Some(key) if is_file => drop(keys.insert(key, path)),
            _ => notes.add(format!("{name:?} is no file of a store, not read")),
        }
    }
    Ok(keys)
}

/// The prefix of the session's keys: its name and the divider.
fn prefix(keys: &BTreeMap<String, PathBuf>) -> Option<String> {
    let has = |prefix: &str, key: &str| keys.contains_key(&format!("{prefix}{key}"));
    let mut prefixes = keys.keys().filter_map(|key| key.strip_suffix("dcId"));
    let found = prefixes.find(|prefix| {
        !prefix.is_empty() && (has(prefix, "serverAddress") || has(prefix, "authKey"))
    });
    found.map(str::to_owned)
}

/// The text of a file; `None` if it is too long to be one of a store, or no text.
fn content(files: &dyn Files, path: &Path) -> Result<Option<Zeroizing<String>>> {
    let failed = |source| Error::io("read", path, source);
    let bytes = files.read(path, MOST_BYTES as u64 + 1).map_err(failed)?;
    if bytes.len() > MOST_BYTES {
        return Ok(None);
    }
    Ok(std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned())))
}

type Login = BTreeMap<&'static str, Option<Zeroizing<String>>>;

fn account(folder: &Path, login: &Login, notes: &mut Notes) -> Result<Account> {
    let text = |key: &str| login.get(key).and_then(Option::as_deref);
    let json = |key| text(key).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let id = json("dcId").and_then(|id| i32::try_from(id.as_i64()?).ok());
    let Some(id) = id else {
        return Err(Error::damaged(folder, DamagedPart::Format("dcId is no DC's number".into())));
    };
    let mut dc = DcOption::new(DcId(id));
    dc.auth_key = key(folder, id, login)?;
    let port = json("port").and_then(|port| u16::try_from(port.as_u64()?).ok());
    match (json("serverAddress").as_ref().and_then(Value::as_str), port) {
        (Some(host), Some(port)) if !host.is_empty() => dc = dc.at(Endpoint::new(host, port)),
        _ => notes.add("serverAddress and port are no address, not kept".into()),
    }
    let mut account = Account::default();
    account.login.home_dc = Some(dc.id);
    account.dcs = vec![dc];
    Ok(account)
}

fn key(folder: &Path, dc: i32, login: &Login) -> Result<Option<AuthKey>> {
    let found = match login.get("authKey") {
        None => return Ok(None),
        // The client's values for a key that it has not made yet.
        Some(Some(text)) if matches!(text.as_str(), "undefined" | "null" | "") => return Ok(None),
        Some(Some(text)) => auth_key(text),
        Some(None) => Err("no text".to_owned()),
    };
    let bad = |found| Error::BadAuthKey { path: folder.to_owned(), dc, found };
    found.map(Some).map_err(bad)
}

/// The entity of a row; the error says what the row is instead.
fn entity(key: &str, row: &str) -> Result<Entity, &'static str> {
    let row: Value = serde_json::from_str(row).map_err(|_| "no JSON")?;
    let row = row.as_array().ok_or("no row")?;
    let text = |at: usize| match row.get(at) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err("a row of other values than text"),
    };
    let number = |at| -> Result<Option<i64>, &'static str> {
        text(at)?.map(|text| text.parse().map_err(|_| "a row without its numbers")).transpose()
    };
    if text(0)?.as_deref() != Some(key) {
        return Err("the row of another");
    }
    let hash = number(1)?.ok_or("a row without a hash")?;
    let id = unmarked(key, hash).ok_or("no peer")?;
    let mut entity = Entity::new(id);
    entity.access_hash = Some(AccessHash(hash));
    entity.usernames.extend(text(2)?);
    (entity.phone, entity.name) = (text(3)?, text(4)?);
    entity.date = number(5)?.map(|milliseconds| milliseconds.div_euclid(1000));
    Ok(entity)
}
