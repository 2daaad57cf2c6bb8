//! The session file of WTelegramClient (C#): JSON, encrypted under the client's `session_key`,
//! which is its `api_hash` where nothing else was set.
//!
//! ```text
//! file  = position i32 LE · length i32 LE · blocks, of which the head names the live one
//! block = vector (16) · AES-CBC, PKCS #7, of SHA-256 of the JSON (32) · JSON
//! ```
//!
//! The key is 16, 24 or 32 bytes, given as twice as many hexadecimal digits. The JSON has `ApiId`,
//! `UserId`, `MainDC`, `DCSessions` (by the DC's number, below zero for media: `AuthKey` in base64,
//! `UserId`, `Salt`, `DataCenter` with `id`, `ip_address`, `port`) and `DcOptions`; what is zero is
//! left out. The layout is that of `src/Session.cs`, June 2026; fields of before April 2025 (`Id`,
//! `AuthKeyID`, `Seqno`, `ServerTicksOffset`, `LastSentMsgId`) belong to one connection.

mod cbc;
mod json;
mod layout;
#[cfg(test)]
mod tests;
mod write;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use self::cbc::Key;
use self::layout::{AES, FORMAT, HASH, HEAD, LEAST_BLOCK, MOST_BLOCK, MOST_POSITION};
pub(crate) use self::write::WTelegramFile;
use crate::error::Error;
use crate::format::{FormatSpec, Known, OutputKind, Reader, Writer, damaged};
use crate::format::{Parsed, ParsedSession};
use std::path::Path;

/// The readers of WTelegramClient.
pub(super) const READERS: &[Reader] =
    &[Reader::File { has_magic: false, looks_like, read: read_file }];

pub(super) const FILE: FormatSpec = FormatSpec {
    name: FORMAT,
    ending: ".session",
    kind: OutputKind::File,
    takes_passphrase: true,
    holds_many: false,
    writer: Writer::Sealed(|key| Ok(Box::new(WTelegramFile::new(key)?))),
};

fn read_file(path: &Path, bytes: &[u8], known: Known<'_>) -> Result<Parsed, Error> {
    read(bytes, known.passphrase).map_err(|closed| match closed {
        Closed::NeedsKey => Error::NeedsPassphrase {
            path: path.to_owned(),
            what: "the session_key of WTelegramClient, or the api_hash if none was set",
        },
        Closed::WrongKey => Error::WrongPassphrase { path: path.to_owned() },
        Closed::Format(why) => damaged(path, why),
    })
}

/// Why a file is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// No key was given.
    NeedsKey,
    /// The key is another one, or the file is damaged.
    WrongKey,
    /// The opened JSON is no session, in these words.
    Format(String),
}

/// Whether it is such a file, as far as the head of an encrypted one can tell.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    live_block(bytes).is_some()
}

/// Reads a file with the session key in hexadecimal digits.
///
/// # Errors
///
/// [`Closed`].
pub(crate) fn read(bytes: &[u8], key: Option<&[u8]>) -> Result<Parsed, Closed> {
    let key = key.filter(|key| !key.is_empty()).ok_or(Closed::NeedsKey)?;
    let key = Key::from_hex(key).ok_or(Closed::WrongKey)?;
    let block = live_block(bytes).ok_or_else(|| Closed::Format("it has no live block".into()))?;
    let content = opened(block, &key).ok_or(Closed::WrongKey)?;
    let text = content.get(HASH..).unwrap_or_default();
    let mut session = ParsedSession::default();
    session.account = json::read(text, &mut session.notes).map_err(Closed::Format)?;
    Ok(Parsed::one(FORMAT.to_owned(), session))
}

/// Reads bytes as an opened JSON.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_content(bytes: &[u8]) {
    let _ = json::read(bytes, &mut Vec::new());
}

/// Opens bytes as a file, under a key that fits none.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_file(bytes: &[u8]) {
    let _ = read(bytes, Some(b"000102030405060708090a0b0c0d0e0f"));
}

/// The block that the head names. Blocks lie one after the other and are whole AES blocks, so
/// that few other files begin like this.
fn live_block(bytes: &[u8]) -> Option<&[u8]> {
    let (position, rest) = bytes.split_first_chunk::<4>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    let position = usize::try_from(i32::from_le_bytes(*position)).ok()?;
    let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
    let placed = (HEAD..MOST_POSITION).contains(&position) && (position - HEAD).is_multiple_of(AES);
    let sized = (LEAST_BLOCK..MOST_BLOCK).contains(&length) && length.is_multiple_of(AES);
    let end = position.checked_add(length).filter(|_| placed && sized)?;
    bytes.get(position..end)
}

/// The hash and the JSON of a block, if this is its key.
fn opened(block: &[u8], key: &Key) -> Option<Zeroizing<Vec<u8>>> {
    let (vector, encrypted) = block.split_first_chunk::<AES>()?;
    let content = cbc::decrypt(key, vector, encrypted)?;
    let (hash, text) = content.split_first_chunk::<HASH>()?;
    let found: [u8; HASH] = Sha256::digest(text).into();
    bool::from(found.ct_eq(hash)).then_some(content)
}
