//! Bytes and text in another encoding: UTF-16, percent signs, base64 and hexadecimal digits.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use zeroize::Zeroizing;

use super::layer::{Bytes, Inside, Layer};
use crate::clients::readers;
use crate::file::FileKindFound;
use crate::format::Reader;

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// The text of UTF-16 with a byte order mark, or of ASCII letters as little-endian UTF-16.
pub(super) fn utf16(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let (little, rest) = match bytes {
        [0xff, 0xfe, rest @ ..] => (true, rest),
        [0xfe, 0xff, rest @ ..] => (false, rest),
        _ => {
            let (pairs, rest) = bytes.as_chunks::<2>();
            let ascii = pairs.iter().all(|[low, high]| low.is_ascii() && *low != 0 && *high == 0);
            (!pairs.is_empty() && rest.is_empty() && ascii).then_some((true, bytes))?
        }
    };
    let (pairs, odd) = rest.as_chunks::<2>();
    let unit = if little { u16::from_le_bytes } else { u16::from_be_bytes };
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text = Zeroizing::new(String::with_capacity(bytes.len()));
    for letter in char::decode_utf16(units) {
        text.push(letter.ok()?);
    }
    odd.is_empty().then_some(text)
}

/// Takes off what an encoder put around a text or a file.
pub(super) fn step(text: &str) -> Option<Layer> {
    if let Some(bytes) = without_percent(text) {
        return Some(Layer { name: "percent encoding".to_owned(), inside: Inside::One(bytes) });
    }
    let data = text.trim().strip_prefix("data:");
    let word = data.and_then(|uri| uri.split_once("base64,")).map_or(text, |(_, data)| data);
    let (name, bytes) = match hex(word).filter(|bytes| is_file(bytes)) {
        Some(bytes) => ("hexadecimal digits", bytes),
        None => ("base64", base64(word).filter(|bytes| is_file(bytes))?),
    };
    Some(Layer { name: name.to_owned(), inside: Inside::One(bytes) })
}

/// Whether these bytes begin as a file of sessions, or one with such a file in it.
fn is_file(bytes: &[u8]) -> bool {
    let json = bytes.starts_with(b"{") && std::str::from_utf8(bytes).is_ok();
    FileKindFound::of(bytes) == FileKindFound::Sqlite
        || json
        || has_magic(bytes)
        || bytes.starts_with(b"\x1f\x8b\x08")
        || bytes.starts_with(b"PK\x03\x04")
}

fn has_magic(bytes: &[u8]) -> bool {
    readers().any(|reader| match reader {
        Reader::File { has_magic: true, looks_like, .. } => looks_like(bytes),
        _ => false,
    })
}

fn base64(text: &str) -> Option<Bytes> {
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    for c in text.trim_end_matches(|c: char| c == '=' || c.is_whitespace()).chars() {
        match c {
            '-' => letters.push(b'+'),
            '_' => letters.push(b'/'),
            '+' | '/' => letters.push(u8::try_from(c).ok()?),
            c if c.is_ascii_alphanumeric() => letters.push(u8::try_from(c).ok()?),
            c if c.is_whitespace() => {}
            _ => return None,
        }
    }
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(letters.len())]);
    let len = BASE64.decode_slice(&*letters, &mut bytes).ok()?;
    bytes.truncate(len);
    Some(bytes)
}

fn hex(text: &str) -> Option<Bytes> {
    let text = text.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let mut high = None;
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        let digit = u8::try_from(c.to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push(high << 4 | digit),
        }
    }
    high.is_none().then_some(bytes)
}

/// Decodes `%3D` and the like; `None` for a text without them.
fn without_percent(text: &str) -> Option<Bytes> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut rest, mut any) = (text.as_bytes(), false);
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(|code| *first == b'%' && code.is_ascii_graphic()) {
            Some(code) => {
                bytes.push(code);
                rest = behind.get(2..).unwrap_or_default();
                any = true;
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    any.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(text: &str) -> Option<(String, Vec<u8>)> {
        let layer = step(text)?;
        let Inside::One(bytes) = layer.inside else { panic!() };
        Some((layer.name, bytes.to_vec()))
    }

    #[test]
    fn encoded_files_are_told_by_what_they_begin_with() {
        let file = b"SQLite format 3\0 and so on";
        let (base64, hex) = (STANDARD_TEXT, file.map(|byte| format!("{byte:02x}")).concat());
        for text in [base64, &base64.replace('A', "\r\nA"), &format!("data:x;base64,{base64}\n")] {
            assert_eq!(inside(text), Some(("base64".into(), file.to_vec())), "{text}");
        }
        for text in [&hex, &hex.to_uppercase(), &format!(" 0x{hex}\n")] {
            assert_eq!(inside(text), Some(("hexadecimal digits".into(), file.to_vec())), "{text}");
        }
        for text in ["", "U1FMaXRl", "abcdef0123456789", &hex[1..], "caf\u{e9}"] {
            assert_eq!(inside(text), None, "{text}");
        }
    }

    const STANDARD_TEXT: &str = "U1FMaXRlIGZvcm1hdCAzACBhbmQgc28gb24=";

    #[test]
    fn percent_signs_are_decoded_where_two_digits_follow() {
        assert_eq!(inside("a%3Db%2B%2f"), Some(("percent encoding".into(), b"a=b+/".to_vec())));
        for text in ["a%", "%3", "%zz", "%00", "%c3%a9"] {
            assert_eq!(inside(text), None, "{text}");
        }
    }

    #[test]
    fn utf16_is_read_with_a_mark_in_both_orders_and_without_one() {
        let little =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        assert_eq!(**utf16(&little("\u{feff}a\u{e9}")).unwrap(), *"a\u{e9}");
        assert_eq!(**utf16(b"\xfe\xff\0a").unwrap(), *"a");
        assert_eq!(**utf16(&little("ab")).unwrap(), *"ab");
        for bytes in [&b""[..], b"a", b"ab", b"\xff\xfea", b"\xff\xfe\0\xd8"] {
            assert_eq!(utf16(bytes), None, "{bytes:?}");
        }
    }
}
