//! A file, written: a head and one block.

use std::net::IpAddr;

use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::cbc::{self, Key};
use super::layout::{AES, FORMAT, HASH, HEAD, MOST_BLOCK};
use crate::error::{Error, Result};
use crate::format::written;
use crate::format::{Address, Capabilities, Need, OtherDcs, Target, Writing, key_text};
use crate::types::{Account, AuthKey, DcOption};

/// The file of this session key.
pub(crate) struct WTelegramFile(Key);

impl WTelegramFile {
    /// With the session key in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`Error::Lacks`] without one, [`Error::Unfit`] for an invalid one.
    pub(crate) fn new(key: Option<&[u8]>) -> Result<Self> {
        let what = "the session_key as passphrase (where none was set, the api_hash)";
        let key = key.filter(|key| !key.is_empty()).ok_or(Error::Lacks { format: FORMAT, what })?;
        let why = "the session_key is 32, 48 or 64 hexadecimal digits".to_owned();
        Key::from_hex(key).map(Self).ok_or(Error::Unfit { format: FORMAT, why })
    }
}

impl Target for WTelegramFile {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn capabilities(&self) -> &'static Capabilities {
        const CAPABILITIES: Capabilities = Capabilities {
            other_dcs: OtherDcs::WithKey,
            address: Address::One,
            api_id: Need::Kept,
            user: Need::Kept,
            ..Capabilities::MINIMAL
        };
        &CAPABILITIES
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let (session, _, out) = work.of_one(FORMAT)?;
        let content = content(&session.account)?;
        let mut vector = [0; AES];
        getrandom::fill(&mut vector)
            .map_err(|error| Error::Other(format!("no random numbers: {error}").into()))?;
        let encrypted = cbc::encrypt(&self.0, &vector, content);
        let len = AES + encrypted.len();
        let (Ok(position), Ok(length)) = (i32::try_from(HEAD), i32::try_from(len)) else {
            return Err(too_long());
        };
        if len >= MOST_BLOCK {
            return Err(too_long());
        }
        for part in [&position.to_le_bytes()[..], &length.to_le_bytes(), &vector, &encrypted] {
            written(out.write_all(part))?;
        }
        Ok(())
    }
}

fn too_long() -> Error {
    let why = format!("the client reads no block of {MOST_BLOCK} bytes or more");
    Error::Unfit { format: FORMAT, why }
}

/// The hash and the JSON, with room for the padding.
fn content(account: &Account) -> Result<Zeroizing<Vec<u8>>> {
    let text = text(account)?;
    let mut content = Zeroizing::new(Vec::with_capacity(HASH + text.len() + AES));
    content.extend_from_slice(&Sha256::digest(text.as_bytes()));
    content.extend_from_slice(text.as_bytes());
    Ok(content)
}

/// Zero and unknown values are left out, as the client does.
fn text(account: &Account) -> Result<Zeroizing<String>> {
    let lacks = |what| Error::Lacks { format: FORMAT, what };
    let home = account.login.home_dc.ok_or(lacks("the home DC"))?;
    let user = account.login.user.map(|user| user.id);
    // Growing would leave copies of the keys behind.
    let room = account.dcs.iter().map(|dc| ROOM_A_DC + host_len(dc)).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(ROOM + room));
    text.push('{');
    if let Some(id) = account.login.api_id {
        text.push_str(&format!("\"ApiId\":{id},"));
    }
    if let Some(id) = user {
        text.push_str(&format!("\"UserId\":{id},"));
    }
    text.push_str(&format!("\"MainDC\":{home},\"DCSessions\":{{"));
    let keyed = account.dcs.iter().filter_map(|dc| Some((dc, dc.auth_key.as_ref()?)));
    for (at, (dc, key)) in keyed.enumerate() {
        if dc.id.0 < 0 {
            let why = format!("DC {} has the number of a media DC there", dc.id);
            return Err(Error::Unfit { format: FORMAT, why });
        }
        text.push_str(if at == 0 { "" } else { "," });
        push_dc(&mut text, dc, key, user)?;
    }
    text.push_str("}}");
    Ok(text)
}

fn push_dc(text: &mut String, dc: &DcOption, key: &AuthKey, user: Option<i64>) -> Result<()> {
    text.push_str(&format!("\"{}\":{{\"AuthKey\":\"", dc.id));
    text.push_str(&key_text::base64_of(key));
    text.push('"');
    if let Some(user) = user {
        text.push_str(&format!(",\"UserId\":{user}"));
    }
    if let Some(end) = dc.ipv4.as_ref().or(dc.ipv6.as_ref()) {
        if end.host.parse::<IpAddr>().is_err() {
            let why = format!("the host of DC {} is a name, and the client takes addresses", dc.id);
            return Err(Error::Unfit { format: FORMAT, why });
        }
        let (id, host, port) = (dc.id, Value::from(end.host.as_str()), end.port);
        let ipv6 = u8::from(end.is_ipv6());
        text.push_str(&format!(",\"DataCenter\":{{\"flags\":{ipv6},\"id\":{id},"));
        text.push_str(&format!("\"ip_address\":{host},\"port\":{port}}}"));
    }
    text.push('}');
    Ok(())
}

fn host_len(dc: &DcOption) -> usize {
    let ends = dc.ipv4.iter().chain(&dc.ipv6);
    // Each character can take six in JSON.
    ends.map(|end| 6 * end.host.len()).sum()
}

/// More than what stands around the DCs takes.
const ROOM: usize = 256;
/// More than one DC takes without its host.
const ROOM_A_DC: usize = 640;
