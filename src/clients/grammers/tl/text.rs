//! The text files of releases 0.1 and 0.2.
//!
//! ```text
//! 1
//! home DC, or nothing
//! address:port, or nothing         not in every release
//! key as 512 hexadecimal digits, or nothing
//! ```

use std::net::SocketAddr;

use super::session::GrammersTl;
use crate::types::{Account, AuthKey, DcId, DcOption, Endpoint};

/// Whether what is there of a file could be one.
pub(super) fn looks_like(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"1\n") else { return false };
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return false };
    let (dc, rest) = rest.split_at(end);
    let in_key_or_address = |byte: &u8| byte.is_ascii_hexdigit() || b".:[]\n".contains(byte);
    dc.len() <= 11 && dc.iter().all(u8::is_ascii_digit) && rest.iter().all(in_key_or_address)
}

pub(super) fn decode(bytes: &[u8]) -> Result<GrammersTl, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text")?;
    let lines: Vec<&str> = text.lines().collect();
    let (dc, address, key) = match lines[..] {
        ["1", dc, key] => (dc, "", key),
        ["1", dc, address, key] => (dc, address, key),
        _ => return Err(format!("it has {} lines, not the 3 or 4 of a session", lines.len())),
    };
    let mut found = GrammersTl { release: "0.1-0.2", account: Account::default(), notes: vec![] };
    let key = match key {
        "" => None,
        hex => Some(AuthKey::from_hex(hex).ok_or("the auth key is not 512 hexadecimal digits")?),
    };
    let id = match dc {
        "" if key.is_some() => return Err("there is an auth key and no DC that it is for".into()),
        "" => return Ok(found),
        id => DcId(id.parse().map_err(|_| "the home DC is no number")?),
    };
    let mut dc = DcOption::new(id);
    dc.auth_key = key;
    match address.parse::<SocketAddr>() {
        Ok(at) => dc = dc.at(Endpoint::new(&at.ip().to_string(), at.port())),
        Err(_) if address.is_empty() => {}
        Err(_) => found.notes.push(format!("DC {id}: the address is invalid, not kept")),
    }
    found.account.login.home_dc = Some(id);
    found.account.dcs.push(dc);
    Ok(found)
}
