//! An auth key as 512 hexadecimal digits, with the number of its DC after a colon or from the
//! caller, as many scripts hand it on: no client's format.

use crate::error::Error;
use crate::format::Reader;
use crate::format::{Parsed, ParsedSession};
use crate::types::{AuthKey, DcId, DcOption};

/// The readers of keys in hexadecimal digits.
pub(super) const READERS: &[Reader] = &[Reader::Text(|path, text, known| {
    Some(read_text(text, known.dc)?.map_err(|NoDc| Error::WrongKind {
        path: path.to_owned(),
        found: "an auth key in 512 hexadecimal digits without the number of its DC".to_owned(),
        hint: "write the number of the DC after it, as KEY:DC, or give it with --dc",
    }))
})];

const FORMAT: &str = "auth key in hexadecimal digits";

/// The number of the DC is neither in the text nor given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoDc;

/// Reads the key; `None` for any other text. A given DC is taken before the one
/// in the text.
pub(crate) fn read_text(text: &str, given: Option<DcId>) -> Option<Result<Parsed, NoDc>> {
    let text = text.trim();
    let (key, dc) = match text.split_once(':') {
        Some((key, dc)) => (key.trim_end(), Some(DcId(dc_number(dc.trim())?))),
        None => (text, None),
    };
    let key = AuthKey::from_hex(key)?;
    let Some(id) = given.or(dc) else { return Some(Err(NoDc)) };
    let mut session = ParsedSession::default();
    if let Some(other) = dc.filter(|dc| *dc != id) {
        session.notes.push(format!("the text says DC {other}; DC {id} was given and is taken"));
    }
    session.account.login.home_dc = Some(id);
    session.account.dcs = vec![DcOption::new(id).with_key(key)];
    Some(Ok(Parsed::one(FORMAT.to_owned(), session)))
}

fn dc_number(text: &str) -> Option<i32> {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others")
    }

    fn fixture(name: &str) -> String {
        fs::read_to_string(fixtures().join(name)).unwrap()
    }

    fn said() -> AuthKey {
        let json: serde_json::Value = serde_json::from_str(&fixture("hex_key.json")).unwrap();
        assert_eq!(json["home_dc"], 2);
        AuthKey::from_hex(json["auth_key"].as_str().unwrap()).unwrap()
    }

    fn read(text: &str, given: Option<i32>) -> ParsedSession {
        read_text(text, given.map(DcId)).unwrap().unwrap().sessions.remove(0)
    }

    #[test]
    fn a_key_with_its_dc_is_read_and_one_without_needs_a_given_dc() {
        let (alone, with_dc) = (fixture("hex_key.txt"), fixture("hex_key_dc.txt"));
        for session in [read(&with_dc, None), read(&alone, Some(2)), read(&with_dc, Some(2))] {
            let expected = DcOption::new(DcId(2)).with_key(said());
            assert_eq!(session.account.dcs, [expected]);
            assert_eq!(session.account.login.home_dc, Some(DcId(2)));
            assert_eq!(session.notes, Vec::<String>::new());
        }
        assert_eq!(read_text(&alone, None).unwrap().unwrap_err(), NoDc);
    }

    #[test]
    fn a_given_dc_is_taken_before_that_of_the_text_and_it_is_said() {
        let session = read(&fixture("hex_key_dc.txt"), Some(4));
        assert_eq!(session.account.login.home_dc, Some(DcId(4)));
        assert_eq!(session.notes, ["the text says DC 2; DC 4 was given and is taken"]);
    }

    #[test]
    fn digits_in_either_case_with_white_space_around_are_read_and_other_text_is_not() {
        let key = said().to_hex();
        let session = read(&format!(" {} :\t4 \r\n", key.to_uppercase()), None);
        assert_eq!(session.account.dcs, [DcOption::new(DcId(4)).with_key(said())]);
        for other in [
            String::new(),
            key[1..].to_owned(),
            format!("{key}0"),
            format!("{key}:"),
            format!("{key}:-1"),
            format!("{key}:123456"),
            format!("{key}:2:2"),
            key.replace('0', "g"),
        ] {
            assert!(read_text(&other, Some(DcId(2))).is_none(), "{} characters", other.len());
        }
    }
}
