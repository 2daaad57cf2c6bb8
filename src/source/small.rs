//! The forms that are read at once: strings, JSON, binary files and folders.

use std::path::Path;

use serde_json::Value;

use super::open::{stranger, wrong_kind};
use crate::dump;
use crate::error::{Damaged, Error, Result};
use crate::file::FileKindFound;
#[cfg(feature = "tdata")]
use crate::format::tdata;
use crate::format::{
    Files, Parsed, ParsedSession, android, apple, gogram, gotd, gotgproto, gramjs_store,
    grammers_tl, hex_key, pyrogram_json, tdlib, telethon, telethon_json, web, wtelegram,
};
use crate::portable::{self, PortableError};
use crate::string::{self, StringError};
use crate::types::DcId;

/// What the caller knows of a source.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) passphrase: Option<&'a [u8]>,
    pub(super) dc: Option<DcId>,
}

/// Reads a file that is neither a store nor a SQLite database.
pub(super) fn file(
    path: &Path,
    kind: FileKindFound,
    bytes: &[u8],
    given: Given<'_>,
) -> Result<Parsed> {
    if portable::is_portable(bytes) {
        return sealed(path, bytes, given.passphrase);
    }
    if grammers_tl::looks_like(bytes) {
        let session = grammers_tl::decode(bytes).map_err(|why| damaged(path, why))?;
        let form = format!("grammers-tl {}", session.release);
        let (account, notes) = (session.account, session.notes);
        return Ok(Parsed::one(form, ParsedSession { account, notes, ..ParsedSession::default() }));
    }
    if telethon::is_pickle(bytes) {
        let found = "a Python pickle, as Telethon wrote sessions before 0.11";
        let hint = "reading a pickle runs the code in it, so nobody should; log in again";
        return Err(Error::WrongKind { path: path.to_owned(), found: found.to_owned(), hint });
    }
    if tdlib::looks_like(bytes) {
        return tdlib::read_file(path, bytes, given.passphrase);
    }
    if android::looks_like(bytes) {
        return android::read_file(path, bytes);
    }
    if wtelegram::looks_like(bytes) {
        return wtelegram::read(bytes, given.passphrase).map_err(|closed| match closed {
            wtelegram::Closed::NeedsKey => Error::NeedsPassphrase { path: path.to_owned() },
            wtelegram::Closed::WrongKey => Error::WrongPassphrase { path: path.to_owned() },
            wtelegram::Closed::Form(why) => damaged(path, why),
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if kind == FileKindFound::Json => json(path, text),
        Ok(text) => line(path, text, given),
        Err(_) => Err(wrong_kind(path, kind)),
    }
}

/// Reads a folder that is a session itself.
pub(super) fn folder(files: &dyn Files, path: &Path, passphrase: Option<&[u8]>) -> Result<Parsed> {
    let fitting: Vec<_> = FOLDERS.iter().filter(|form| (form.looks_like)(files, path)).collect();
    match fitting[..] {
        [form] => (form.read)(files, path, passphrase),
        [] => Err(stranger(path, "a folder".to_owned())),
        _ => {
            let names: Vec<_> = fitting.iter().map(|form| form.name).collect();
            Err(stranger(path, format!("{} at once", names.join(" and "))))
        }
    }
}

type FolderReader = fn(&dyn Files, &Path, Option<&[u8]>) -> Result<Parsed>;

/// A client whose sessions are folders.
struct FolderForm {
    /// As in "it is ...".
    name: &'static str,
    looks_like: fn(&dyn Files, &Path) -> bool,
    read: FolderReader,
}

const FOLDERS: [FolderForm; 4] = [
    FolderForm { name: "a tdata folder", looks_like: is_tdata, read: read_tdata },
    FolderForm {
        name: "a GramJS store",
        looks_like: gramjs_store::looks_like,
        read: |files, path, _| gramjs_store::read(files, path),
    },
    FolderForm {
        name: "the folder of Telegram for Android",
        looks_like: android::is_in,
        read: |files, path, _| android::read_folder(files, path),
    },
    FolderForm {
        name: "a folder with TDLib's td.binlog",
        looks_like: tdlib::is_in,
        read: tdlib::read_folder,
    },
];

#[cfg(feature = "tdata")]
fn is_tdata(files: &dyn Files, path: &Path) -> bool {
    tdata::looks_like(files, path)
}

#[cfg(feature = "tdata")]
fn read_tdata(files: &dyn Files, path: &Path, passphrase: Option<&[u8]>) -> Result<Parsed> {
    let accounts = tdata::read(files, path, passphrase)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let alone = accounts.len() == 1;
    let sessions = accounts.into_iter().map(|account| {
        let index = account.as_ref().map_or_else(|bad| bad.index, |good| good.index);
        let name = (!alone).then(|| format!("{stem}-{}", i64::from(index) + 1));
        match account {
            Ok(account) => ParsedSession {
                name,
                account: account.account,
                notes: account.notes,
                ..ParsedSession::default()
            },
            Err(bad) => {
                let cause = std::error::Error::source(&bad.error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                let unreadable = Some(format!("{}{cause}", bad.error));
                ParsedSession { name, unreadable, ..ParsedSession::default() }
            }
        }
    });
    Ok(Parsed { form: "tdata".to_owned(), sessions: sessions.collect() })
}

#[cfg(not(feature = "tdata"))]
fn is_tdata(_: &dyn Files, _: &Path) -> bool {
    false
}

#[cfg(not(feature = "tdata"))]
fn read_tdata(_: &dyn Files, path: &Path, _: Option<&[u8]>) -> Result<Parsed> {
    Err(stranger(path, "a folder".to_owned()))
}

fn sealed(path: &Path, bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Parsed> {
    // A passphrase is given for all sources at once, and not all are sealed.
    let opened = match portable::decode(bytes, None) {
        Err(PortableError::NeedsPassphrase) if passphrase.is_some() => {
            portable::decode(bytes, passphrase)
        }
        opened => opened,
    };
    let session = opened.map_err(|error| match error {
        PortableError::NeedsPassphrase => Error::NeedsPassphrase { path: path.to_owned() },
        PortableError::WrongPassphrase => Error::WrongPassphrase { path: path.to_owned() },
        PortableError::Newer { found } => Error::Newer {
            path: path.to_owned(),
            what: "portable format",
            found: found.into(),
            newest: portable::VERSION.into(),
        },
        error => damaged(path, error.to_string()),
    })?;
    let session = ParsedSession {
        name: session.name,
        account: session.account,
        entities: session.entities,
        ..ParsedSession::default()
    };
    Ok(Parsed::one(format!("portable v{}", portable::VERSION), session))
}

fn json(path: &Path, text: &str) -> Result<Parsed> {
    if dump::looks_like(text) {
        return dump::read(text).map_err(|why| damaged(path, why));
    }
    let value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        stranger(path, format!("JSON that is broken at line {line}, column {column}"))
    })?;
    let fitting: Vec<_> = JSON.iter().filter(|form| (form.looks_like)(&value)).collect();
    match fitting[..] {
        [form] => (form.read)(&value).map_err(|why| damaged(path, why)),
        [] => Err(stranger(path, "JSON of no session's form".to_owned())),
        _ => {
            let names: Vec<_> = fitting.iter().map(|form| form.name).collect();
            let names = names.join(" and of ");
            Err(stranger(path, format!("a JSON session of {names} at once")))
        }
    }
}

/// A client whose sessions are JSON.
struct JsonForm {
    name: &'static str,
    looks_like: fn(&Value) -> bool,
    read: fn(&Value) -> Result<Parsed, String>,
}

const JSON: [JsonForm; 6] = [
    JsonForm { name: "Pyrogram", looks_like: pyrogram_json::looks_like, read: pyrogram_json::read },
    JsonForm { name: "Telethon", looks_like: telethon_json::looks_like, read: telethon_json::read },
    JsonForm { name: "gotd", looks_like: gotd::looks_like, read: gotd::read },
    JsonForm { name: "Telegram Web", looks_like: web::looks_like, read: web::read },
    JsonForm { name: "macOS or iOS", looks_like: apple::looks_like, read: apple::read },
    JsonForm {
        name: "gotgproto",
        looks_like: gotgproto::looks_like_json,
        read: gotgproto::read_json,
    },
];

/// Reads one line of text: a session string.
fn line(path: &Path, text: &str, given: Given<'_>) -> Result<Parsed> {
    if portable::is_text(text) {
        let bytes = portable::from_text(text).map_err(|error| damaged(path, error.to_string()))?;
        return sealed(path, &bytes, given.passphrase);
    }
    if let Some(read) = gogram::read_text(text).or_else(|| gotgproto::read_text(text)) {
        return read.map_err(|why| damaged(path, why));
    }
    if let Some(read) = hex_key::read_text(text, given.dc) {
        return read.map_err(|hex_key::NoDc| Error::WrongKind {
            path: path.to_owned(),
            found: "an auth key in 512 hexadecimal digits without the number of its DC".to_owned(),
            hint: "write the number of the DC behind it, as KEY:DC, or give it with --dc",
        });
    }
    let decoded = string::decode(text).map_err(|error| match error {
        StringError::Empty => stranger(path, "empty".to_owned()),
        StringError::TooLong | StringError::Base64 { .. } | StringError::Unknown { .. } => {
            let again = string::may_be_cut(text);
            let again = if again { "; a part of it may be missing: copy it again" } else { "" };
            stranger(path, format!("text that is no session string ({error}{again})"))
        }
        error => damaged(path, error.to_string()),
    })?;
    let (account, notes) = (decoded.account, decoded.notes);
    let session = ParsedSession { account, notes, ..ParsedSession::default() };
    Ok(Parsed::one(decoded.form.name().to_owned(), session))
}

fn damaged(path: &Path, why: String) -> Error {
    Error::damaged(path, Damaged::Form(why))
}
