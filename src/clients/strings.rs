//! Recognises the format of a session string by its content.

use super::registry::readers;
use crate::format::Reader;
use crate::string::{Decoded, StringError, base64};

/// Reads the session string of any client.
///
/// White space is dropped, line breaks in the middle too; padding may be missing or too much, and
/// both alphabets of base64 are taken, mixed as well.
pub(crate) fn decode(text: &str) -> Result<Decoded, StringError> {
    let letters = base64::letters(text)?;
    if letters.is_empty() {
        return Err(StringError::Empty);
    }
    let whole = base64::bytes(&letters);
    let behind_version = letters.strip_prefix(b"1").and_then(base64::bytes);
    let (mut fitting, mut wrong) = (Vec::new(), None);
    for reader in readers() {
        let Reader::String { versioned, decode } = reader else { continue };
        let bytes = if *versioned { &behind_version } else { &whole };
        match bytes.as_ref().and_then(|bytes| decode(bytes)) {
            Some(Ok(decoded)) => fitting.push(decoded),
            Some(Err(error)) => wrong = wrong.or(Some(error)),
            None => {}
        }
    }
    let mut fitting = fitting.into_iter();
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (Some(one), Some(other)) => {
            Err(StringError::Ambiguous { formats: [one.format, other.format] })
        }
        (None, _) => Err(wrong.unwrap_or_else(|| unfitting(&letters))),
    }
}

/// The error for a text of no known format.
fn unfitting(letters: &[u8]) -> StringError {
    let fits = |letters: &[u8]| {
        base64::bytes(letters).is_some_and(|bytes| {
            readers().any(|reader| match reader {
                Reader::String { versioned: true, decode } => matches!(decode(&bytes), Some(Ok(_))),
                _ => false,
            })
        })
    };
    // The version is missing, or another letter replaces it. With it, letters are missing.
    match letters.split_first() {
        Some((b'1', _)) | None => {}
        Some((_, rest)) if fits(letters) || fits(rest) => return StringError::Version,
        Some(_) => {}
    }
    StringError::Unknown { letters: letters.len() }
}
