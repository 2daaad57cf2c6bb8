//! Auth keys as text, as clients put them into JSON.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::types::AuthKey;

/// The key in standard base64, padded or not; `None` for empty text.
///
/// # Errors
///
/// In words, without what is in the text.
pub(crate) fn of_base64(text: &str) -> Result<Option<AuthKey>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let bytes = bytes_of(text, &STANDARD).ok_or("the auth key is not base64")?;
    let wrong = || format!("the auth key is {} bytes long, and a key has 256", bytes.len());
    AuthKey::from_slice(&bytes).map(Some).ok_or_else(wrong)
}

/// The key as standard base64 with padding.
pub(crate) fn base64_of(key: &AuthKey) -> Zeroizing<String> {
    text_of(key.as_bytes(), &STANDARD)
}

/// Bytes that may hold a key, out of base64 in one of the alphabets below. The room is made at
/// once, so that no part of a key is left behind by growing.
pub(crate) fn bytes_of(text: &str, alphabet: &GeneralPurpose) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let len = alphabet.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(len);
    Some(bytes)
}

/// The opposite of [`bytes_of`].
pub(crate) fn text_of(bytes: &[u8], alphabet: &GeneralPurpose) -> Zeroizing<String> {
    Zeroizing::new(alphabet.encode(bytes))
}

/// Bytes that may hold a key, out of hexadecimal digits in either case.
pub(crate) fn bytes_of_hex(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push((nibble(*high)? << 4) | nibble(*low)?);
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Standard base64, read with and without padding.
pub(crate) const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// URL-safe base64, written without padding.
pub(crate) const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_other_text_is_refused_without_being_shown() {
        let key = AuthKey::new(&[0xfb; 256]);
        let text = base64_of(&key);
        assert_eq!(of_base64(&text), Ok(Some(key.clone())));
        assert_eq!(of_base64(text.trim_end_matches('=')), Ok(Some(key)));
        assert_eq!(of_base64(""), Ok(None));
        assert_eq!(of_base64("%%%"), Err("the auth key is not base64".to_owned()));
        let short = text_of(&[0xfb; 255], &STANDARD);
        let error = of_base64(&short).unwrap_err();
        assert!(error.contains("255 bytes") && !error.contains(&*short), "{error}");
    }
}
