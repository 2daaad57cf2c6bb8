//! Which form a session string has, by its content.

use super::{Decoded, Reading, StringError, base64, gramjs, mtcute, mtkruto, pyrogram, telethon};

/// Reads the session string of any client.
///
/// White space is dropped, line breaks in the middle too; padding may be missing or too much, and
/// both alphabets of base64 are taken, mixed as well.
pub(crate) fn decode(text: &str) -> Result<Decoded, StringError> {
    let letters = base64::letters(text)?;
    if letters.is_empty() {
        return Err(StringError::Empty);
    }
    let (mut fitting, mut wrong) = (Vec::new(), None);
    for reading in readings(&letters).into_iter().flatten() {
        match reading {
            Ok(decoded) => fitting.push(decoded),
            Err(error) => wrong = wrong.or(Some(error)),
        }
    }
    let mut fitting = fitting.into_iter();
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (Some(one), Some(other)) => Err(StringError::Ambiguous { forms: [one.form, other.form] }),
        (None, _) => Err(wrong.unwrap_or_else(|| unfitting(&letters))),
    }
}

fn readings(letters: &[u8]) -> [Reading; 5] {
    let whole = base64::bytes(letters);
    let versioned = letters.strip_prefix(b"1").and_then(base64::bytes);
    let (whole, versioned) = (whole.as_deref(), versioned.as_deref());
    [
        versioned.and_then(|bytes| telethon::decode(bytes)),
        versioned.and_then(|bytes| gramjs::decode(bytes)),
        whole.and_then(|bytes| pyrogram::decode(bytes)),
        whole.and_then(|bytes| mtcute::decode(bytes)),
        whole.and_then(|bytes| mtkruto::decode(bytes)),
    ]
}

/// The error for letters that are of no form.
fn unfitting(letters: &[u8]) -> StringError {
    let fits = |letters: &[u8]| {
        base64::bytes(letters).is_some_and(|bytes| {
            let mut readings = [telethon::decode(&bytes), gramjs::decode(&bytes)].into_iter();
            readings.any(|reading| matches!(reading, Some(Ok(_))))
        })
    };
    // The version is missing, or another letter stands in its place. With it, letters are missing.
    match letters.split_first() {
        Some((b'1', _)) | None => {}
        Some((_, rest)) if fits(letters) || fits(rest) => return StringError::Version,
        Some(_) => {}
    }
    StringError::Unknown { letters: letters.len() }
}
