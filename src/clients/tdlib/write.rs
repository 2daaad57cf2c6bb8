//! A plain log of a few events, which TDLib encrypts when it opens it under a key.

use zeroize::Zeroizing;

use super::events::{HEAD, KEY_VALUE, TAIL};
use crate::clients::gotd;
use crate::error::{Error, Result};
use crate::format::{AccountTarget, Capabilities, Need, OtherDcs};
use crate::types::{Account, AuthKey, DcOption};

pub(super) const FORMAT: &str = "tdlib";

/// The flag of a key that is logged in.
pub(super) const AUTHORISED: u32 = 1;

/// `td.binlog`.
pub(super) const TARGET: AccountTarget = AccountTarget {
    name: FORMAT,
    capabilities: &Capabilities {
        other_dcs: OtherDcs::WithKey,
        user: Need::Needed,
        bot: Need::Needed,
        ..Capabilities::MINIMAL
    },
    encode: log,
};

fn log(account: &Account) -> Result<Zeroizing<Vec<u8>>> {
    let lacks = |what| Error::Lacks { format: FORMAT, what };
    let home = account.login.home_dc.ok_or(lacks("the home DC"))?;
    let user = account.login.user.ok_or(lacks("the account's own user id"))?;
    let mut log = Log::new(account.dcs.len());
    log.text("main_dc_id", &home.to_string());
    for dc in &account.dcs {
        if dc.id.0 <= 0 {
            let why = format!("DC {} has no number that the client knows", dc.id);
            return Err(Error::Unfit { format: FORMAT, why });
        }
        if let Some(key) = &dc.auth_key {
            // Of other DCs it is not known; the client then asks for the login anew.
            let flags = if dc.id == home { AUTHORISED } else { 0 };
            log.auth(dc, key, flags);
        }
    }
    log.text("auth", "ok");
    if user.bot == Some(true) {
        log.text("auth_is_bot", "true");
    }
    log.text("my_id", &user.id.to_string());
    Ok(log.bytes)
}

/// Events, one after the other.
struct Log {
    bytes: Zeroizing<Vec<u8>>,
    last_id: u64,
}

impl Log {
    /// With room for all: growing would leave copies of keys behind.
    fn new(dcs: usize) -> Self {
        let room = ROOM + dcs * ROOM_A_DC;
        Self { bytes: Zeroizing::new(Vec::with_capacity(room)), last_id: 0 }
    }

    fn text(&mut self, name: &str, value: &str) {
        let mut data = Vec::new();
        put_bytes(&mut data, name.as_bytes());
        put_bytes(&mut data, value.as_bytes());
        self.event(&data);
    }

    fn auth(&mut self, dc: &DcOption, key: &AuthKey, flags: u32) {
        let mut value = Zeroizing::new(Vec::with_capacity(ROOM_A_DC));
        value.extend_from_slice(&gotd::id_of(key));
        value.extend_from_slice(&flags.to_le_bytes());
        put_bytes(&mut value, key.as_bytes());
        let mut data = Zeroizing::new(Vec::with_capacity(ROOM_A_DC));
        put_bytes(&mut data, format!("auth{}", dc.id).as_bytes());
        put_bytes(&mut data, &value);
        self.event(&data);
    }

    fn event(&mut self, data: &[u8]) {
        self.last_id += 1;
        let start = self.bytes.len();
        let size = u32::try_from(HEAD + data.len() + TAIL).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&size.to_le_bytes());
        self.bytes.extend_from_slice(&self.last_id.to_le_bytes());
        self.bytes.extend_from_slice(&KEY_VALUE.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 12]);
        self.bytes.extend_from_slice(data);
        let checksum = crc32fast::hash(self.bytes.get(start..).unwrap_or_default());
        self.bytes.extend_from_slice(&checksum.to_le_bytes());
    }
}

/// A byte string of TL; none here has 2^24 bytes.
fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    match u8::try_from(bytes.len()) {
        Ok(len @ ..254) => out.push(len),
        _ => {
            let [low, middle, high, ..] = bytes.len().to_le_bytes();
            out.extend([254, low, middle, high]);
        }
    }
    out.extend_from_slice(bytes);
    let padded = start + (out.len() - start).next_multiple_of(4);
    out.resize(padded, 0);
}

/// More than the events without a key take.
const ROOM: usize = 512;
/// More than the event of a key takes.
const ROOM_A_DC: usize = 400;
