//! TDLib's `td.binlog` (on test servers `td_test.binlog`): a log of events, plain or encrypted.
//!
//! ```text
//! event     size u32 · id u64 · type i32 · flags i32 · extra u64 · data · CRC-32 of all before it
//! key-value type 0x4327, data: key bytes · value bytes; the later event of an id replaces the other
//! auth      "ok" once logged in          auth_is_bot  "true"
//! main_dc_id, my_id                      decimal digits
//! authN     key id u64 · flags i32 (1 logged in, 4 created, 8 expires) · key bytes · [times]
//! ```
//!
//! All numbers are little-endian, byte strings are those of TL. Users, groups and channels are in
//! `db.sqlite`, which is encrypted by other means and not read. The layout is that of
//! `tddb/td/db/binlog` in tdlib/td; files of TDLib 1.8.69 were compared.

mod cipher;
mod closed;
mod events;
#[cfg(test)]
mod tests;
mod write;

use self::closed::Closed;
use self::events::Values;
use self::write::{AUTHORISED, FORMAT, TARGET};
use std::path::{Path, PathBuf};

use self::events::Log;
use crate::error::{DamagedPart, Error, Result};
use crate::format::{Files, Notes, Parsed, ParsedSession};
use crate::format::{FormatSpec, Reader};
use crate::types::{Account, AuthKey, DcId, DcOption, SelfUser, UpdateState};

/// The readers of TDLib.
pub(super) const READERS: &[Reader] = &[
    Reader::File {
        has_magic: false,
        looks_like,
        read: |path, bytes, known| read_file(path, bytes, known.passphrase),
    },
    Reader::Folder {
        name: "a folder with TDLib's td.binlog",
        looks_like: is_in,
        read: |files, path, known| read_folder(files, path, known.passphrase),
    },
];

pub(super) const FILE: FormatSpec =
    FormatSpec { ending: ".binlog", ..FormatSpec::file(FORMAT, &TARGET) };

/// Whether a file is one: its first event is whole.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    events::starts_like(bytes)
}

/// Reads a file that [`looks_like`] one.
///
/// # Errors
///
/// [`Error::NeedsPassphrase`], [`Error::WrongPassphrase`], [`Error::Damaged`].
pub(crate) fn read_file(path: &Path, bytes: &[u8], key: Option<&[u8]>) -> Result<Parsed> {
    Ok(Parsed::one(FORMAT.to_owned(), session_of(path, bytes, key)?))
}

/// Whether a folder holds such a file.
pub(crate) fn is_in(files: &dyn Files, folder: &Path) -> bool {
    !logs_in(files, folder).is_empty()
}

/// Reads the log in a folder; where there is one of the test servers too, both.
///
/// # Errors
///
/// Those of [`read_file`] and of reading the file.
pub(crate) fn read_folder(files: &dyn Files, folder: &Path, key: Option<&[u8]>) -> Result<Parsed> {
    let logs = logs_in(files, folder);
    let stem = folder.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut sessions = Vec::new();
    for path in &logs {
        let bytes = files.read(path, MOST_BYTES + 1);
        let bytes = bytes.map_err(|error| Error::io("read", path, error))?;
        if bytes.len() as u64 > MOST_BYTES {
            let why = format!("it is larger than {MOST_BYTES} bytes");
            return Err(Error::damaged(path, DamagedPart::Format(why)));
        }
        let mut session = session_of(path, &bytes, key)?;
        if path.ends_with(TEST_NAME) && logs.len() > 1 {
            session.name = Some(format!("{stem}-test"));
        }
        sessions.push(session);
    }
    Ok(Parsed { format: FORMAT.to_owned(), sessions })
}

/// Reads bytes as a log under the default key.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_file(bytes: &[u8]) {
    let _ = read(bytes, None, None);
}

const NAME: &str = "td.binlog";
const TEST_NAME: &str = "td_test.binlog";

/// Real ones have some megabytes.
const MOST_BYTES: u64 = 1 << 28;

fn logs_in(files: &dyn Files, folder: &Path) -> Vec<PathBuf> {
    let paths = [NAME, TEST_NAME].map(|name| folder.join(name));
    paths.into_iter().filter(|path| files.file(path).is_some()).collect()
}

fn session_of(path: &Path, bytes: &[u8], key: Option<&[u8]>) -> Result<ParsedSession> {
    // The client has nothing else to tell its test servers by.
    let test_mode = match path.file_name().and_then(|name| name.to_str()) {
        Some(NAME) => Some(false),
        Some(TEST_NAME) => Some(true),
        _ => None,
    };
    read(bytes, key, test_mode).map_err(|closed| match closed {
        Closed::NeedsKey => {
            Error::NeedsPassphrase { path: path.to_owned(), what: "the database key of TDLib" }
        }
        Closed::WrongKey => Error::WrongPassphrase { path: path.to_owned() },
        Closed::Format(why) => Error::damaged(path, DamagedPart::Format(why)),
    })
}

fn read(
    bytes: &[u8],
    key: Option<&[u8]>,
    test_mode: Option<bool>,
) -> Result<ParsedSession, Closed> {
    let opened = cipher::opened(bytes, key)?;
    let mut log = Log::default();
    for part in opened.parts(bytes) {
        log.take(part)?;
    }
    let mut notes = Notes::default();
    log.notes(&mut notes);
    let values = log.values()?;
    let mut account = account(&values, &mut notes)?;
    account.login.test_mode = test_mode;
    let notes = notes.into_sentences();
    Ok(ParsedSession { account, notes, ..ParsedSession::default() })
}

fn account(values: &Values<'_>, notes: &mut Notes) -> Result<Account, String> {
    let text =
        |name: &str| values.get(name.as_bytes()).and_then(|value| str::from_utf8(value).ok());
    let mut account = Account::default();
    if text("auth") != Some("ok") {
        notes.add("the login never finished, or was logged out".into());
    }
    account.login.home_dc = number(text("main_dc_id"), "main_dc_id", notes).map(DcId);
    let bot = text("auth_is_bot") == Some("true");
    let user: Option<i64> = number(text("my_id"), "my_id", notes);
    account.login.user = user.filter(|id| *id > 0).map(|id| SelfUser { id, bot: Some(bot) });
    for (name, value) in values {
        let Some(id) = dc_of(name) else { continue };
        account.dcs.extend(auth(id, value, notes)?);
    }
    account.dcs.sort_by_key(|dc| dc.id);
    account.dcs.dedup_by_key(|dc| dc.id);
    if let Some(home) = account.login.home_dc
        && account.dcs.iter().all(|dc| dc.id != home)
    {
        notes.add(format!("there is no key of DC {home}, the home DC"));
    }
    account.update_state = update_state(&text, notes);
    let others = values.keys().filter(|name| !is_known(name)).count();
    if others > 0 {
        notes.add(format!("{others} values of the client's own (salts, counters, keys of its database) are not kept"));
    }
    Ok(account)
}

/// The number in `authN`.
fn dc_of(name: &[u8]) -> Option<DcId> {
    let digits = name.strip_prefix(b"auth")?;
    let numeric = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| numeric)?.parse().ok().map(DcId)
}

fn is_known(name: &[u8]) -> bool {
    let known = [&b"auth"[..], b"auth_is_bot", b"main_dc_id", b"my_id"];
    known.contains(&name) || dc_of(name).is_some() || name.starts_with(b"updates.")
}

fn number<T: std::str::FromStr>(
    text: Option<&str>,
    name: &'static str,
    notes: &mut Notes,
) -> Option<T> {
    let number = text?.parse().ok();
    if number.is_none() {
        notes.add(format!("{name} is no number that can be, not kept"));
    }
    number
}

/// The key of a DC; none where there is no key yet.
fn auth(id: DcId, value: &[u8], notes: &mut Notes) -> Result<Option<DcOption>, String> {
    let short = || format!("the value of auth{id} ends too early");
    let mut reader = events::Fields::new(value);
    let key_id = reader.array::<8>().ok_or_else(short)?;
    let flags = reader.array().map(u32::from_le_bytes).ok_or_else(short)?;
    let bytes = reader.bytes().ok_or_else(short)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let wrong =
        || format!("the auth key of DC {id} is {} bytes long, and a key has 256", bytes.len());
    let key = AuthKey::from_slice(bytes).ok_or_else(wrong)?;
    if u64::from_str_radix(&key.id(), 16).map(u64::to_be_bytes) != Ok(key_id) {
        return Err(format!("the auth key of DC {id} is not the one of its id"));
    }
    if flags & AUTHORISED == 0 {
        notes.add(format!("DC {id}: its key is not logged in yet"));
    }
    Ok(Some(DcOption::new(id).with_key(key)))
}

/// The client keeps no `seq` between its runs.
fn update_state<'a>(
    text: &impl Fn(&str) -> Option<&'a str>,
    notes: &mut Notes,
) -> Option<UpdateState> {
    let mut value = |name, key: &str| number::<i32>(text(key), name, notes);
    let pts = value("updates.pts", "updates.pts");
    let qts = value("updates.qts", "updates.qts");
    let date = value("updates.date", "updates.date");
    let (pts, date) = (pts?, date?);
    notes.add("the update state has no seq; 0 is taken".into());
    Some(UpdateState { pts, qts: qts.unwrap_or(0), date: date.into(), seq: 0 })
}
