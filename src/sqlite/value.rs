//! The value of a column.

use std::borrow::Cow;

use super::SqliteError;

/// One value of a row, borrowed from it.
///
/// ```
/// use tgsession::sqlite::Value;
///
/// let show = |value: Value<'_>| match value {
///     Value::Integer(number) => number.to_string(),
///     Value::Text(text) => text.to_str_lossy().into_owned(),
///     other => format!("{other:?}"),
/// };
/// assert_eq!(show(Value::Integer(7)), "7");
/// assert_eq!(show(Value::from("Ada")), "Ada");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `NULL`.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A float; never a NaN, which SQLite reads as `NULL`.
    Real(f64),
    /// A text in the database's encoding.
    Text(Text<'a>),
    /// Bytes.
    Blob(&'a [u8]),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl Value<'_> {
    /// Whether this is `NULL`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// A text as it is stored: bytes and their encoding, checked only when decoded.
///
/// ```
/// use tgsession::sqlite::{Encoding, Value};
///
/// let Value::Text(text) = Value::from("Ada") else { unreachable!("it is a text") };
/// assert_eq!((text.as_bytes(), text.encoding()), (b"Ada".as_slice(), Encoding::Utf8));
/// assert_eq!(text.to_str()?, "Ada");
/// # Ok::<(), tgsession::sqlite::SqliteError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Text<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a [u8], encoding: Encoding) -> Self {
        Self { bytes, encoding }
    }

    /// The text, borrowed where the database is in UTF-8.
    ///
    /// # Errors
    ///
    /// [`SqliteError::Encoding`] if the bytes are not valid; SQLite never checked them.
    #[inline]
    pub fn to_str(&self) -> Result<Cow<'a, str>, SqliteError> {
        match self.encoding {
            Encoding::Utf8 => std::str::from_utf8(self.bytes)
                .map(Cow::Borrowed)
                .map_err(|error| invalid(error.valid_up_to())),
            Encoding::Utf16Le | Encoding::Utf16Be => self.utf16().map(Cow::Owned),
        }
    }

    /// The text with a replacement character for each part that is not valid.
    #[must_use]
    pub fn to_str_lossy(&self) -> Cow<'a, str> {
        match self.encoding {
            Encoding::Utf8 => String::from_utf8_lossy(self.bytes),
            Encoding::Utf16Le | Encoding::Utf16Be => {
                let chars = char::decode_utf16(self.units());
                Cow::Owned(chars.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
            }
        }
    }

    /// The bytes as stored.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The encoding of those bytes.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn utf16(&self) -> Result<String, SqliteError> {
        let mut text = String::with_capacity(self.bytes.len());
        let mut at = 0;
        for char in char::decode_utf16(self.units()) {
            let char = char.map_err(|_| invalid(at))?;
            at += char.len_utf16() * 2;
            text.push(char);
        }
        if at == self.bytes.len() { Ok(text) } else { Err(invalid(at)) }
    }

    fn units(&self) -> impl Iterator<Item = u16> + 'a {
        let (pairs, _) = self.bytes.as_chunks();
        let from = match self.encoding {
            Encoding::Utf16Be => u16::from_be_bytes,
            _ => u16::from_le_bytes,
        };
        pairs.iter().map(move |pair| from(*pair))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    /// A text in UTF-8.
    fn from(text: &'a str) -> Self {
        Self::new(text.as_bytes(), Encoding::Utf8)
    }
}

/// How the texts of a database are stored (file format, section 1.3.13).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// SQLite looks at the two lowest bits only, and takes 0 for UTF-8.
    pub(super) fn from_header(field: u32) -> Self {
        match field & 3 {
            2 => Self::Utf16Le,
            3 => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    /// `text` as this encoding stores it.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

fn invalid(at: usize) -> SqliteError {
    SqliteError::Encoding { at: u32::try_from(at).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_reads_back_beyond_the_first_plane() {
        for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
            let bytes = encoding.encode("a\u{1f600}\u{416}");
            let text = Text::new(&bytes, encoding);
            assert_eq!(text.to_str().unwrap(), "a\u{1f600}\u{416}");
            assert_eq!(text.to_str_lossy(), "a\u{1f600}\u{416}");
        }
    }

    #[test]
    fn a_text_that_is_not_valid_says_where() {
        let err = |bytes, encoding| Text::new(bytes, encoding).to_str().unwrap_err();
        assert_eq!(err(b"ab\xff", Encoding::Utf8), SqliteError::Encoding { at: 2 });
        assert_eq!(err(b"a\0b", Encoding::Utf16Le), SqliteError::Encoding { at: 2 });
        assert_eq!(err(b"\0a\xd8\0", Encoding::Utf16Be), SqliteError::Encoding { at: 2 });
    }
}
