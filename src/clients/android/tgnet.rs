//! `tgnet.dat`.
//!
//! ```text
//! file  = length u32 · version u32 (1 to 5) · test Bool · [3: blocked Bool] · [4: language string]
//!         · has state Bool · home DC u32 · time difference i32 · last update i32 · push session i64
//!         · [2: push Bool] · [5: server time i32] · sessions to destroy u32, i64… · DCs u32, DC…
//! DC    = version u32 (2 to 13) · id u32 · [3: init u32] · [10: media init u32]
//!         · addresses: IPv4, [5: IPv6, IPv4 for downloads, IPv6 for downloads] · [6: CDN Bool]
//!         · key · id i64 (before 4: u32, id i64 if it is not 0)
//!         · [8: temporary key · id i64] · [12: of media · id i64] · logged in i32
//!         · salts · [13: salts of media]
//! addresses = u32, (host string · port u32 · [7: flags u32] · [9: secret string])…
//! key   = length u32 · bytes          salts = u32, (since i32 · until i32 · salt i64)…
//! ```
//!
//! Little-endian; strings and Bools are those of TL; `[n: …]` is there since that version.

use std::iter;

use crate::format::Notes;
use crate::types::{Account, AuthKey, DcId, DcOption, Endpoint};

/// Why a file is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    Newer { what: &'static str, found: u32, newest: u32 },
    Format(String),
}

impl<E: Into<String>> From<E> for Unread {
    fn from(why: E) -> Self {
        Self::Format(why.into())
    }
}

/// Whether the length is that of the rest, and a version and a Bool follow.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let mut reader = Reader(bytes);
    let (Ok(len), Ok(version)) = (reader.u32(), reader.u32()) else { return false };
    usize::try_from(len).is_ok_and(|len| len == bytes.len() - 4)
        && (1..=255).contains(&version)
        && reader.bool().is_ok()
}

/// Reads a file.
pub(super) fn decode(bytes: &[u8], notes: &mut Notes) -> Result<Account, Unread> {
    let mut reader = Reader(bytes);
    reader.u32()?;
    let version = reader.u32()?;
    if version > NEWEST {
        return Err(Unread::Newer { what: "tgnet.dat version", found: version, newest: NEWEST });
    }
    let mut account = Account::default();
    account.login.test_mode = Some(reader.bool()?);
    if version >= 3 {
        reader.bool()?;
    }
    if version >= 4 {
        reader.string()?;
    }
    if !reader.bool()? {
        notes.add("there is no state in it: the app never connected".into());
        return Ok(account);
    }
    let home = dc_id(reader.u32()?)?;
    reader.take(4 + 4 + 8)?;
    if version >= 2 {
        reader.bool()?;
    }
    if version >= 5 {
        reader.take(4)?;
    }
    reader.list(8)?;
    account.login.home_dc = (home.0 != 0).then_some(home);
    for _ in 0..reader.count(LEAST_DC)? {
        account.dcs.extend(dc(&mut reader, home, notes)?);
    }
    match reader.0.len() {
        0 => {}
        left => notes.add(format!("{left} bytes after the DCs were not read")),
    }
    account.dcs.sort_by_key(|dc| dc.id);
    account.dcs.dedup_by_key(|dc| dc.id);
    if !account.dcs.iter().any(|dc| dc.id == home && dc.auth_key.is_some()) {
        notes.add(format!("there is no key of DC {home}, the home DC"));
    }
    Ok(account)
}

/// A DC; `None` for one that only caches files.
fn dc(reader: &mut Reader<'_>, home: DcId, notes: &mut Notes) -> Result<Option<DcOption>, Unread> {
    let version = reader.u32()?;
    match version {
        2..=NEWEST_DC => {}
        found if found > NEWEST_DC => {
            return Err(Unread::Newer { what: "tgnet.dat DC version", found, newest: NEWEST_DC });
        }
        found => return Err(format!("a DC of version {found} is unknown").into()),
    }
    let id = dc_id(reader.u32()?)?;
    reader.take(if version >= 3 { 4 } else { 0 })?;
    reader.take(if version >= 10 { 4 } else { 0 })?;
    let mut dc = DcOption::new(id);
    for list in 0..if version >= 5 { 4 } else { 1 } {
        let end = addresses(reader, version)?;
        // The others are for downloads.
        if let (0 | 1, Some(end)) = (list, end) {
            dc = dc.at(end);
        }
    }
    let cdn = version >= 6 && reader.bool()?;
    keys(reader, version, &mut dc, notes)?;
    let logged_in = reader.u32()? != 0;
    for _ in 0..if version >= 13 { 2 } else { 1 } {
        reader.list(16)?;
    }
    if cdn {
        notes.add(format!("DC {id} only caches files and is not kept"));
        return Ok(None);
    }
    if id == home && dc.auth_key.is_some() && !logged_in {
        notes.add(format!("DC {id}: its key is not logged in yet"));
    }
    Ok(Some(dc))
}

/// The first address that needs no proxy's secret.
fn addresses(reader: &mut Reader<'_>, version: u32) -> Result<Option<Endpoint>, Unread> {
    let mut first = None;
    for _ in 0..reader.count(LEAST_ADDRESS)? {
        let (host, port) = (reader.string()?, reader.u32()?);
        reader.take(if version >= 7 { 4 } else { 0 })?;
        let secret = if version >= 9 { reader.string()? } else { &[] };
        if let (None, true, Ok(host), Ok(port)) =
            (&first, secret.is_empty(), str::from_utf8(host), u16::try_from(port))
            && !host.is_empty()
        {
            first = Some(Endpoint::new(host, port));
        }
    }
    Ok(first)
}

fn keys(
    reader: &mut Reader<'_>,
    version: u32,
    dc: &mut DcOption,
    notes: &mut Notes,
) -> Result<(), Unread> {
    let permanent = reader.key()?;
    let id = match version {
        4.. => reader.take(8)?,
        _ if reader.u32()? != 0 => reader.take(8)?,
        _ => &[],
    };
    if !permanent.is_empty() {
        let (dc_id, len) = (dc.id, permanent.len());
        let wrong = || format!("the auth key of DC {dc_id} is {len} bytes long, and a key has 256");
        let key = AuthKey::from_slice(permanent).ok_or_else(wrong)?;
        if u64::from_str_radix(&key.id(), 16).is_ok_and(|found| found.to_be_bytes() != *id) {
            notes.add(format!("DC {dc_id}: the id beside its key is another"));
        }
        dc.auth_key = Some(key);
    }
    let mut temporary = 0;
    for since in [8, 12] {
        if version >= since {
            temporary += usize::from(!reader.key()?.is_empty());
            reader.take(8)?;
        }
    }
    if temporary > 0 {
        notes.add(format!("DC {}: {temporary} temporary keys are not kept", dc.id));
    }
    Ok(())
}

fn dc_id(number: u32) -> Result<DcId, String> {
    i32::try_from(number).map(DcId).map_err(|_| format!("there is no DC {number}"))
}

/// Values off the front of bytes.
struct Reader<'a>(&'a [u8]);

const ENDS: &str = "it ends too early";

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(ENDS)?;
        self.0 = rest;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32, String> {
        let (head, rest) = self.0.split_first_chunk().ok_or(ENDS)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*head))
    }

    fn bool(&mut self) -> Result<bool, String> {
        match self.u32()? {
            TRUE => Ok(true),
            FALSE => Ok(false),
            other => Err(format!("{other:08x} is neither true nor false")),
        }
    }

    /// A byte string of TL.
    fn string(&mut self) -> Result<&'a [u8], String> {
        let [short, low, middle, high] = *self.0.first_chunk::<4>().ok_or(ENDS)?;
        let (head, len) = match short {
            254 => (4, u32::from_le_bytes([low, middle, high, 0])),
            _ => (1, short.into()),
        };
        let end = head + usize::try_from(len).map_err(|_| ENDS)?;
        let whole = self.take(end.next_multiple_of(4))?;
        whole.get(head..end).ok_or_else(|| ENDS.to_owned())
    }

    fn key(&mut self) -> Result<&'a [u8], String> {
        let len = self.u32()?;
        self.take(usize::try_from(len).map_err(|_| ENDS)?)
    }

    /// A count of things that take at least this many bytes each, and for which there is room.
    fn count(&mut self, least: usize) -> Result<u32, String> {
        let count = self.u32()?;
        let most = self.0.len() / least;
        let fits = usize::try_from(count).is_ok_and(|count| count <= most);
        if fits { Ok(count) } else { Err(format!("it says {count} entries where {most} fit")) }
    }

    /// Passes over a list of things of this size.
    fn list(&mut self, size: usize) -> Result<(), String> {
        let count = self.count(size)?;
        iter::repeat_n((), usize::try_from(count).unwrap_or(0)).try_for_each(|()| {
            self.take(size)?;
            Ok(())
        })
    }
}

/// The newest versions that are known.
const NEWEST: u32 = 5;
const NEWEST_DC: u32 = 13;

/// Fewer bytes than any DC and any address have.
const LEAST_DC: usize = 24;
const LEAST_ADDRESS: usize = 8;

const TRUE: u32 = 0x9972_75b5;
const FALSE: u32 = 0xbc79_9737;
