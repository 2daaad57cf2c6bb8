use std::fmt;

use zeroize::Zeroizing;

/// A small value that a client defines and only that client reads: see
/// [`Session::set_extra`](crate::Session::set_extra).
///
/// It may be a secret: it does not print, and its bytes are wiped when it is dropped.
///
/// ```
/// use tgsession::Extra;
///
/// let extra = Extra::new("my_client.date", b"2026").expect("a short name and value");
/// assert_eq!((extra.name(), extra.value()), ("my_client.date", b"2026".as_slice()));
/// assert!(Extra::new("", b"no name").is_none());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Extra {
    name: String,
    value: Zeroizing<Vec<u8>>,
}

impl Extra {
    /// The longest name in bytes.
    pub const LONGEST_NAME: usize = 64;

    /// The longest value in bytes.
    pub const LONGEST_VALUE: usize = 4096;

    /// The most extras that a session holds.
    pub const MOST: usize = 64;

    /// An extra of this name and value; `None` unless the name has 1 to [`Self::LONGEST_NAME`]
    /// bytes and no control characters, and the value at most [`Self::LONGEST_VALUE`] bytes.
    #[must_use]
    pub fn new(name: &str, value: &[u8]) -> Option<Self> {
        let fits = (1..=Self::LONGEST_NAME).contains(&name.len())
            && !name.chars().any(char::is_control)
            && value.len() <= Self::LONGEST_VALUE;
        fits.then(|| Self { name: name.to_owned(), value: Zeroizing::new(value.to_vec()) })
    }

    /// The name, which is unique in a session. Begin it with your client's name:
    /// `telethon.tmp_auth_key`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The bytes as hexadecimal digits.
    #[cfg(any(feature = "convert", feature = "serde"))]
    pub(crate) fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(super::hex::encode(&self.value))
    }

    /// The extra of this name whose bytes are these hexadecimal digits.
    #[cfg(any(feature = "convert", feature = "serde"))]
    pub(crate) fn from_hex(name: &str, digits: &str) -> Option<Self> {
        let pairs = digits.as_bytes().chunks(2);
        let bytes: Option<Vec<u8>> = pairs
            .map(|pair| super::hex::decode(str::from_utf8(pair).ok()?).map(|[byte]| byte))
            .collect();
        Self::new(name, &Zeroizing::new(bytes?))
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extra({:?}, {} bytes)", self.name, self.value.len())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Extra {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.name, self.to_hex().as_str()).serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Extra {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, digits) = <(String, String)>::deserialize(deserializer)?;
        let digits = Zeroizing::new(digits);
        let extra = Self::from_hex(&name, &digits);
        extra.ok_or_else(|| serde::de::Error::custom("not a name and hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_have_bounds_and_nothing_prints() {
        let fits = |name: &str, len| Extra::new(name, &vec![7; len]).is_some();
        assert!(fits("a", 0) && fits(&"a".repeat(64), 4096));
        assert!(!fits("", 0) && !fits(&"a".repeat(65), 0) && !fits("a\n", 0) && !fits("a", 4097));
        let shown = format!("{:?}", Extra::new("key", &[0xab; 3]).unwrap());
        assert_eq!(shown, "Extra(\"key\", 3 bytes)");
    }

    #[cfg(feature = "convert")]
    #[test]
    fn hexadecimal_digits_come_back_as_the_same_bytes() {
        for value in [&[][..], &[0, 1, 0xff]] {
            let extra = Extra::new("a", value).unwrap();
            assert_eq!(Extra::from_hex("a", &extra.to_hex()), Some(extra));
        }
        for digits in ["0", "0g", "\u{e9}\u{e9}"] {
            assert_eq!(Extra::from_hex("a", digits), None);
        }
    }
}
