//! The same bytes as text: base64url without padding (RFC 4648, section 5).

use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use base64::{Engine, decoded_len_estimate, encoded_len};
use zeroize::Zeroizing;

use super::PortableError;

/// The magic as text.
const PREFIX: &str = "tgsession---";

/// Whether this text, blanks aside, begins as a portable session does.
pub(crate) fn is_text(text: &str) -> bool {
    let mut found = letters(text);
    PREFIX.chars().all(|expected| found.next() == Some(expected))
}

/// These bytes as one word of letters, digits, `-` and `_`.
pub(crate) fn to_text(bytes: &[u8]) -> Zeroizing<String> {
    // Room for all of it: text that moved as it grew would stay behind.
    let len = encoded_len(bytes.len(), false).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(len));
    BASE64URL.encode_string(bytes, &mut text);
    text
}

/// The bytes in this text. White space in it, and padding after it, mean nothing.
///
/// # Errors
///
/// [`PortableError::NotPortable`] when it begins otherwise, and [`PortableError::Damaged`].
pub(crate) fn from_text(text: &str) -> Result<Zeroizing<Vec<u8>>, PortableError> {
    if !is_text(text) {
        return Err(PortableError::NotPortable);
    }
    let mut word = Zeroizing::new(String::with_capacity(text.len()));
    word.extend(letters(text));
    let word = word.trim_end_matches('=');
    let mut bytes = Zeroizing::new(vec![0; decoded_len_estimate(word.len())]);
    let len = BASE64URL
        .decode_slice(word, &mut bytes)
        .map_err(|_| PortableError::Damaged { what: "its text is not whole base64url" })?;
    bytes.truncate(len);
    Ok(bytes)
}

fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| !c.is_whitespace())
}
