//! Base64 as people hand it on: broken over lines, padding lost, in either alphabet.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use zeroize::Zeroizing;

use super::error::{MOST_LETTERS, StringError};

/// Ignores bits after the last whole byte, as the clients' own decoders do.
const READER: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// The characters of a text in the standard alphabet, without white space and without padding at
/// the end.
pub(crate) fn letters(text: &str) -> Result<Zeroizing<Vec<u8>>, StringError> {
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len().min(MOST_LETTERS)));
    let mut padding = None;
    for (at, c) in (1..).zip(text.chars()).filter(|(_, c)| !c.is_whitespace()) {
        if c == '=' {
            padding = padding.or(Some(at));
            continue;
        }
        if let Some(at) = padding {
            return Err(StringError::Base64 { at });
        }
        if letters.len() == MOST_LETTERS {
            return Err(StringError::TooLong);
        }
        letters.push(letter(c).ok_or(StringError::Base64 { at })?);
    }
    Ok(letters)
}

fn letter(c: char) -> Option<u8> {
    match c {
        '-' => Some(b'+'),
        '_' => Some(b'/'),
        '+' | '/' => u8::try_from(c).ok(),
        _ if c.is_ascii_alphanumeric() => u8::try_from(c).ok(),
        _ => None,
    }
}

/// The bytes of [`letters`]; none where there is one character too many.
pub(crate) fn bytes(letters: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(letters.len())]);
    let len = READER.decode_slice(letters, &mut bytes).ok()?;
    bytes.truncate(len);
    Some(bytes)
}

/// The bytes as text.
pub(crate) fn text(alphabet: &impl Engine, bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(alphabet.encode(bytes))
}

/// The bytes as text after the version that Telethon and GramJS put in front.
pub(crate) fn versioned_text(alphabet: &impl Engine, bytes: &[u8]) -> Zeroizing<String> {
    let text = text(alphabet, bytes);
    let mut versioned = Zeroizing::new(String::with_capacity(1 + text.len()));
    versioned.push('1');
    versioned.push_str(&text);
    versioned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_padding_and_the_alphabet_do_not_matter() {
        for text in ["-_8=", "+/8", " -/8\r\n", "\t+_\n8====", "\u{a0}+/8= =\u{3000}"] {
            assert_eq!(bytes(&letters(text).unwrap()).unwrap().as_slice(), [0xfb, 0xff], "{text}");
        }
    }

    #[test]
    fn what_does_not_belong_is_told_by_its_place() {
        for (text, at) in [("AB*D", 3), (" A\n\u{e9}", 4), ("AB=D", 3), ("\0", 1), ("A B.", 4)] {
            assert_eq!(letters(text).err(), Some(StringError::Base64 { at }), "{text}");
        }
    }

    #[test]
    fn a_text_of_any_length_is_refused_before_it_is_kept() {
        let most = "A".repeat(MOST_LETTERS);
        assert_eq!(letters(&format!("{most}====\n\n")).unwrap().len(), MOST_LETTERS);
        assert_eq!(letters(&format!("{most}A")).err(), Some(StringError::TooLong));
        let spaces = " ".repeat(4 * MOST_LETTERS);
        assert!(letters(&spaces).unwrap().capacity() <= MOST_LETTERS);
    }

    #[test]
    fn a_letter_that_makes_no_byte_is_no_base64() {
        assert!(bytes(b"AAAAA").is_none());
        assert!(bytes(b"").unwrap().is_empty());
    }
}
