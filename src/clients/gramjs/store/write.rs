//! A store, written.

use serde_json::json;
use zeroize::Zeroizing;

use super::FORMAT;
use super::encoding::{buffer, file_of, marked};
use crate::error::{Error, Result};
use crate::format::{Address, EntityCapabilities, Need};
use crate::format::{Capabilities, Losses, Outgoing};
use crate::types::{Entity, PeerKind};

/// The fields of a store.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    address: Address::One,
    auth_key: Need::Kept,
    entities: Some(EntityCapabilities::TELETHON),
    ..Capabilities::MINIMAL
};

/// The client throws when its store would exceed 5 MiB. Half of that, some
/// 30,000 entities, leaves room for the entities that it will see later.
const MOST_BYTES: usize = 5 << 19;

/// The files of a fitted session in a folder of this name: their names and contents.
///
/// The client looks in `./NAME` for keys that begin with `NAME:`, so it is the folder that names
/// the session.
///
/// # Errors
///
/// [`Error::Unfit`] for a name that the client refuses, or what reading the session says.
pub(crate) fn files(
    name: &str,
    session: &mut Outgoing<'_>,
    lost: &mut Losses,
) -> Result<Vec<(String, Zeroizing<Vec<u8>>)>> {
    if name.is_empty() || name == "session" {
        return Err(Error::Unfit {
            format: FORMAT,
            why: format!("the client refuses a folder of the name {name:?}"),
        });
    }
    let file = |key: &str, content| (file_of(&format!("{name}:{key}")), content);
    let text = |text: String| Zeroizing::new(text.into_bytes());
    let home = session.home().ok_or(Error::Lacks { format: FORMAT, what: "the home DC" })?;
    let mut files = vec![file("dcId", text(home.id.to_string()))];
    if let Some(end) = home.ipv4.as_ref().or(home.ipv6.as_ref()) {
        files.push(file("port", text(end.port.to_string())));
        files.push(file("serverAddress", text(json!(end.host).to_string())));
    }
    if let Some(key) = &home.auth_key {
        files.push(file("authKey", buffer(key)));
    }
    let Some(capabilities) = &CAPABILITIES.entities else { return Ok(files) };
    let mut bytes = 0;
    while let Some(entity) = session.entity(capabilities, lost) {
        let entity = entity?;
        let id = entity.id;
        let row = row(entity, lost);
        if bytes + row.len() > MOST_BYTES {
            lost.add("entities", "the client's store holds no more than 5 MiB", id);
            continue;
        }
        bytes += row.len();
        files.push(file(&marked(id), text(row)));
    }
    Ok(files)
}

/// A row of an entity. Groups have the hash 0, and usernames are looked up in lower case.
fn row(entity: Entity, lost: &mut Losses) -> String {
    let id = entity.id;
    let hash = entity.access_hash.filter(|_| id.kind() != PeerKind::Group);
    let hash = hash.map_or(0, |hash| hash.0).to_string();
    let username = entity.usernames.first().map(|name| name.to_lowercase());
    let date = entity.date.and_then(|seconds| {
        let milliseconds = seconds.checked_mul(1000);
        if milliseconds.is_none() {
            lost.add("entities.date", "it is too far away in milliseconds", id);
        }
        milliseconds.map(|milliseconds| milliseconds.to_string())
    });
    json!([marked(id), hash, username, entity.phone, entity.name, date]).to_string()
}
