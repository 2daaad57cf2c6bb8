//! Errors in a session string. A message contains no part of the string: it is a login.

use std::fmt;

/// The most characters that a string may have. The longest of a real client has 519.
pub(crate) const MOST_LETTERS: usize = 2048;

/// An error in a session string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StringError {
    /// There is nothing but white space.
    Empty,
    /// It is longer than any session string.
    TooLong,
    /// A character does not belong to base64, or there is padding before the end.
    Base64 {
        /// The number of the character, from 1.
        at: usize,
    },
    /// It has the length or the beginning of no format that is known.
    Unknown {
        /// Its characters, white space and padding left out.
        letters: usize,
    },
    /// It would be Telethon's or that of GramJS, if there were a `1` in front.
    Version,
    /// It ends before its last field.
    Truncated {
        /// The format that it begins like.
        format: &'static str,
    },
    /// There is something after its last field.
    Trailing {
        /// The format that it has up to there.
        format: &'static str,
        /// How many bytes.
        bytes: usize,
    },
    /// The auth key does not have 256 bytes.
    KeyLength {
        /// The format that it has otherwise.
        format: &'static str,
        /// How many bytes the key has.
        found: usize,
    },
    /// A field has an invalid value.
    Value {
        /// The format that it has otherwise.
        format: &'static str,
        /// The name of the field.
        field: &'static str,
    },
    /// It can be read in two ways.
    Ambiguous {
        /// Both formats that fit.
        formats: [&'static str; 2],
    },
}

impl fmt::Display for StringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the session string is empty"),
            Self::TooLong => write!(
                f,
                "no session string is longer than {MOST_LETTERS} characters: give one, alone"
            ),
            Self::Base64 { at } => {
                write!(f, "character {at} cannot stand there in a session string, which is base64")
            }
            Self::Unknown { letters } => write!(
                f,
                "no known session string has {letters} characters and begins like this one"
            ),
            Self::Version => f.write_str(
                "it has the length of a string of Telethon or GramJS, but the version 1 in front \
                 is missing or is another: copy it again with its first character",
            ),
            Self::Truncated { format } => {
                write!(f, "it begins as {format} and its end is missing: copy it again")
            }
            Self::Trailing { format, bytes } => {
                write!(f, "it is {format}, but {bytes} more bytes follow: copy it again")
            }
            Self::KeyLength { format, found } => write!(
                f,
                "it reads as {format}, but the auth key has {found} bytes and not 256: copy it again"
            ),
            Self::Value { format, field } => {
                write!(f, "it reads as {format}, but the {field} in it is invalid: copy it again")
            }
            Self::Ambiguous { formats: [one, other] } => {
                write!(f, "it reads as {one} and as {other}, and nothing in it says which it is")
            }
        }
    }
}

/// A shorter text is no session string that lost a part.
const LEAST_LETTERS: usize = 250;

/// Whether a text that is no session string may have been one before it was cut or changed, so
/// that copying it again can help.
pub(crate) fn may_be_cut(text: &str) -> bool {
    let belongs = |c: &char| c.is_ascii_alphanumeric() || "+/-_= \r\n".contains(*c);
    let letters = text.chars().filter(belongs).count();
    let strange = text.chars().count() - letters;
    let hex = text.chars().all(|c| c.is_ascii_hexdigit() || !belongs(&c) || c.is_whitespace());
    (LEAST_LETTERS..=MOST_LETTERS).contains(&letters) && strange <= 2 && !hex
}

impl std::error::Error for StringError {}
