//! The formats that are read at once: strings, JSON, binary files and folders.

use std::path::Path;

use serde_json::Value;

use super::refuse::{stranger, wrong_kind};
use crate::clients::{decode_string, readers};
use crate::error::Result;
use crate::file::FileKindFound;
use crate::format::{Files, Known, Parsed, ParsedSession, Reader, damaged};
use crate::string::{self, StringError};

/// Reads a file that is neither a store nor a SQLite database.
pub(super) fn file(
    path: &Path,
    kind: FileKindFound,
    bytes: &[u8],
    known: Known<'_>,
) -> Result<Parsed> {
    for reader in readers() {
        if let Reader::File { looks_like, read, .. } = reader
            && looks_like(bytes)
        {
            return read(path, bytes, known);
        }
    }
    let Ok(text) = str::from_utf8(bytes) else { return Err(wrong_kind(path, kind)) };
    for reader in readers() {
        if let Reader::Text(read) = reader
            && let Some(read) = read(path, text, known)
        {
            return read;
        }
    }
    if kind == FileKindFound::Json { json(path, text) } else { line(path, text) }
}

/// Reads a folder that is a session itself.
pub(super) fn folder(files: &dyn Files, path: &Path, known: Known<'_>) -> Result<Parsed> {
    let fitting = readers().filter_map(|reader| match reader {
        Reader::Folder { name, looks_like, read } if looks_like(files, path) => Some((name, read)),
        _ => None,
    });
    let fitting: Vec<_> = fitting.collect();
    match fitting[..] {
        [(_, read)] => read(files, path, known),
        [] => Err(stranger(path, "a folder".to_owned())),
        _ => {
            let names: Vec<_> = fitting.iter().map(|(name, _)| **name).collect();
            Err(stranger(
                path,
                format!("a directory that matches several formats: {}", names.join(", ")),
            ))
        }
    }
}

fn json(path: &Path, text: &str) -> Result<Parsed> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        stranger(path, format!("JSON that is broken at line {line}, column {column}"))
    })?;
    let fitting = readers().filter_map(|reader| match reader {
        Reader::Json { name, looks_like, read } if looks_like(&value) => Some((name, read)),
        _ => None,
    });
    let fitting: Vec<_> = fitting.collect();
    match fitting[..] {
        [(_, read)] => read(&value).map_err(|why| damaged(path, why)),
        [] => Err(stranger(path, "JSON of no session's format".to_owned())),
        _ => {
            let names: Vec<_> = fitting.iter().map(|(name, _)| **name).collect();
            let names = names.join(", ");
            Err(stranger(path, format!("JSON that matches several formats: {names}")))
        }
    }
}

/// Reads a session string.
fn line(path: &Path, text: &str) -> Result<Parsed> {
    let decoded = decode_string(text).map_err(|error| match error {
        StringError::Empty => stranger(path, "empty".to_owned()),
        StringError::TooLong | StringError::Base64 { .. } | StringError::Unknown { .. } => {
            let again = string::may_be_cut(text);
            let again = if again { "; a part of it may be missing: copy it again" } else { "" };
            stranger(path, format!("text, but not a session string ({error}{again})"))
        }
        error => damaged(path, error.to_string()),
    })?;
    let (account, notes) = (decoded.account, decoded.notes);
    let session = ParsedSession { account, notes, ..ParsedSession::default() };
    Ok(Parsed::one(decoded.format.to_owned(), session))
}
