//! What the detection says of texts that are of no form, or of two.

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::super::base64::{text, versioned_text};
use super::super::{Decoded, StringError, StringForm, decode};

const KEY: [u8; 256] = [0x41; 256];

fn form(text: &str) -> Result<StringForm, StringError> {
    decode(text).map(|Decoded { form, .. }| form)
}

#[test]
fn a_text_of_nothing_is_empty() {
    for text in ["", " \r\n\t ", "====", "\u{3000}"] {
        assert_eq!(form(text), Err(StringError::Empty));
    }
}

#[test]
fn a_missing_version_or_another_one_is_told() {
    let bytes = [&[2, 149, 154, 167, 51, 1, 0xbb][..], &KEY].concat();
    let whole = versioned_text(&STANDARD, &bytes);
    assert_eq!(form(&whole), Ok(StringForm::Telethon));
    for wrong in [whole[1..].to_owned(), format!("2{}", &whole[1..])] {
        assert_eq!(form(&wrong), Err(StringError::Version), "{wrong}");
    }
    let gramjs = [&[2, 0, 8][..], b"10.0.0.1", &[1, 0xbb], &KEY].concat();
    let gramjs = versioned_text(&STANDARD, &gramjs);
    assert_eq!(form(&gramjs), Ok(StringForm::GramJs));
    assert_eq!(form(&gramjs[1..]), Err(StringError::Version));
}

#[test]
fn another_length_is_of_no_form() {
    let bytes = [&[2, 149, 154, 167, 51, 1, 0xbb][..], &KEY].concat();
    let whole = versioned_text(&STANDARD, &bytes);
    for len in (1..352).chain(353..367) {
        let text: String = whole.chars().chain("A".repeat(20).chars()).take(len).collect();
        let text = text.replace('=', "A");
        assert_eq!(form(&text), Err(StringError::Unknown { letters: len }));
    }
}

#[test]
fn a_gramjs_string_of_telethons_length_is_told_by_its_host() {
    let bytes = [&[2, 0, 14][..], b"149.154.167.51", &[1, 0xbb], &KEY].concat();
    assert_eq!(form(&versioned_text(&STANDARD, &bytes)), Ok(StringForm::GramJs));
    // The same host as an IPv6 address would be e:3134::, if there were such addresses.
    let damaged = [&[2, 0, 14][..], b"149.154.167\x0051", &[1, 0xbb], &KEY].concat();
    let wrong = StringError::Value { form: StringForm::GramJs, field: "DC's address" };
    assert_eq!(form(&versioned_text(&STANDARD, &damaged)), Err(wrong));
    let damaged = [&[2, 0x20, 1][..], b"149.154.167.51", &[1, 0xbb], &KEY].concat();
    let unknown = Err(StringError::Unknown { letters: 368 });
    assert_eq!(form(&versioned_text(&STANDARD, &damaged)), unknown);
    let ipv6 = [&[2, 0x20, 1][..], b"149.154.167\x0051", &[1, 0xbb], &KEY].concat();
    assert_eq!(form(&versioned_text(&STANDARD, &ipv6)), Ok(StringForm::Telethon));
}

#[test]
fn a_text_that_is_of_two_forms_is_not_guessed() {
    // That of GramJS with DC 0, a host of five letters and a key that ends so that the last byte
    // of the whole is 0, is also Pyrogram's with DC 212.
    let bytes = [&[0, 0, 5][..], b"tg.me", &[1, 0xbb], &KEY[..255], &[0]].concat();
    let both = versioned_text(&STANDARD, &bytes);
    let forms = [StringForm::GramJs, StringForm::Pyrogram267];
    assert_eq!(form(&both), Err(StringError::Ambiguous { forms }));
    assert_eq!(
        StringError::Ambiguous { forms }.to_string(),
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
