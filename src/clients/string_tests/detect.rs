//! Detection of texts that have no format, or two.

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::clients::gramjs::string as gramjs;
use crate::clients::pyrogram::string as pyrogram;
use crate::clients::strings::decode;
use crate::clients::telethon::string as telethon;
use crate::string::base64::{text, versioned_text};
use crate::string::{Decoded, StringError};

const KEY: [u8; 256] = [0x41; 256];

fn format(text: &str) -> Result<&'static str, StringError> {
    decode(text).map(|Decoded { format, .. }| format)
}

#[test]
fn a_text_of_nothing_is_empty() {
    for text in ["", " \r\n\t ", "====", "\u{3000}"] {
        assert_eq!(format(text), Err(StringError::Empty));
    }
}

#[test]
fn a_missing_version_or_another_one_is_told() {
    let bytes = [&[2, 149, 154, 167, 51, 1, 0xbb][..], &KEY].concat();
    let whole = versioned_text(&STANDARD, &bytes);
    assert_eq!(format(&whole), Ok(telethon::FORMAT));
    for wrong in [whole[1..].to_owned(), format!("2{}", &whole[1..])] {
        assert_eq!(format(&wrong), Err(StringError::Version), "{wrong}");
    }
    let gramjs = [&[2, 0, 8][..], b"10.0.0.1", &[1, 0xbb], &KEY].concat();
    let gramjs = versioned_text(&STANDARD, &gramjs);
    assert_eq!(format(&gramjs), Ok(gramjs::FORMAT));
    assert_eq!(format(&gramjs[1..]), Err(StringError::Version));
}

#[test]
fn another_length_is_of_no_form() {
    let bytes = [&[2, 149, 154, 167, 51, 1, 0xbb][..], &KEY].concat();
    let whole = versioned_text(&STANDARD, &bytes);
    for len in (1..352).chain(353..367) {
        let text: String = whole.chars().chain("A".repeat(20).chars()).take(len).collect();
        let text = text.replace('=', "A");
        assert_eq!(format(&text), Err(StringError::Unknown { letters: len }));
    }
}

#[test]
fn a_gramjs_string_of_telethons_length_is_told_by_its_host() {
    let bytes = [&[2, 0, 14][..], b"149.154.167.51", &[1, 0xbb], &KEY].concat();
    assert_eq!(format(&versioned_text(&STANDARD, &bytes)), Ok(gramjs::FORMAT));
    // The same host as an IPv6 address would be e:3134::, if there were such addresses.
    let damaged = [&[2, 0, 14][..], b"149.154.167\x0051", &[1, 0xbb], &KEY].concat();
    let wrong = StringError::Value { format: gramjs::FORMAT, field: "DC's address" };
    assert_eq!(format(&versioned_text(&STANDARD, &damaged)), Err(wrong));
    let damaged = [&[2, 0x20, 1][..], b"149.154.167.51", &[1, 0xbb], &KEY].concat();
    let unknown = Err(StringError::Unknown { letters: 368 });
    assert_eq!(format(&versioned_text(&STANDARD, &damaged)), unknown);
    let ipv6 = [&[2, 0x20, 1][..], b"149.154.167\x0051", &[1, 0xbb], &KEY].concat();
    assert_eq!(format(&versioned_text(&STANDARD, &ipv6)), Ok(telethon::FORMAT));
}

#[test]
fn a_text_that_is_of_two_forms_is_not_guessed() {
    // That of GramJS with DC 0, a host of five letters and a key that ends so that the last byte
    // of the whole is 0, is also Pyrogram's with DC 212.
    let bytes = [&[0, 0, 5][..], b"tg.me", &[1, 0xbb], &KEY[..255], &[0]].concat();
    let both = versioned_text(&STANDARD, &bytes);
    let formats = [gramjs::FORMAT, pyrogram::FORMAT_267];
    assert_eq!(format(&both), Err(StringError::Ambiguous { formats }));
    assert_eq!(
        StringError::Ambiguous { formats }.to_string(),
        "it reads as gramjs-string and as pyrogram-string 267 bytes, and nothing in it says \
         which it is"
    );
}

#[test]
fn messages_hold_nothing_of_the_string() {
    let bytes = [&[2, 2][..], &KEY].concat();
    let wrong = text(&URL_SAFE_NO_PAD, &bytes);
    let error = decode(&wrong).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no known session string has 344 characters and begins like this one"
    );
    assert!(!format!("{error:?}").contains("AgJB"));
}
