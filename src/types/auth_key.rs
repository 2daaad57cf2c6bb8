use std::fmt;

use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::hex;

/// The 256-byte permanent authorization key of one DC. It is a login for everyone who has it.
///
/// It never prints: `Debug` shows only its [id](Self::id), which is public on the wire. The
/// bytes are wiped when the value is dropped, and two keys are compared in constant time.
///
/// ```
/// use tgsession::AuthKey;
///
/// let key = AuthKey::new(&[7; AuthKey::LEN]);
/// assert!(format!("{key:?}").starts_with("AuthKey(id "));
/// assert_eq!(AuthKey::from_slice(&[7; 255]), None);
/// ```
#[derive(Clone)]
pub struct AuthKey(Box<[u8; AuthKey::LEN]>);

impl AuthKey {
    /// Length of a key in bytes.
    pub const LEN: usize = 256;

    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8; Self::LEN]) -> Self {
        Self(Box::new(*bytes))
    }

    /// A key of these bytes, or `None` when there are not exactly [`AuthKey::LEN`] of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::new)
    }

    /// The secret itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The `auth_key_id` of MTProto as 16 hexadecimal digits: the lower 64 bits of the key's
    /// SHA-1, that is its last eight bytes, in the order in which they go over the wire.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = Sha1::digest(self.0.as_slice());
        hex::encode(digest.last_chunk::<8>().map_or(&[], |id| id.as_slice()))
    }

    /// The secret as 512 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_slice())
    }

    /// The key that [`AuthKey::to_hex`] wrote.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).as_ref().map(Self::new)
    }
}

impl Drop for AuthKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for AuthKey {}

impl PartialEq for AuthKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_ref()).into()
    }
}

impl Eq for AuthKey {}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthKey(id {}, ..)", self.id())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for AuthKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&zeroize::Zeroizing::new(self.to_hex()))
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for AuthKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = zeroize::Zeroizing::new(String::deserialize(deserializer)?);
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("not 512 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_end_of_the_sha_1_of_the_key() {
        // sha1(bytes 0..=255) = 4916d6bdb7f78e6803698cab32d1586ea457dfc8
        let bytes: [u8; 256] = std::array::from_fn(|at| at as u8);
        assert_eq!(AuthKey::new(&bytes).id(), "32d1586ea457dfc8");
    }

    #[test]
    fn debug_shows_the_id_and_no_byte_of_the_key() {
        let shown = format!("{:?}", AuthKey::new(&[0xab; 256]));
        assert!(shown.starts_with("AuthKey(id "), "{shown}");
        assert!(!shown.contains("abab"), "{shown}");
        assert!(!shown.contains("171"), "{shown}");
    }

    #[test]
    fn keys_of_another_length_are_refused() {
        for len in [0, 255, 257] {
            assert_eq!(AuthKey::from_slice(&vec![1; len]), None);
        }
    }

    #[test]
    fn hexadecimal_text_comes_back_as_the_same_key() {
        let key = AuthKey::new(&std::array::from_fn(|at| (at * 7) as u8));
        assert_eq!(AuthKey::from_hex(&key.to_hex()), Some(key.clone()));
        assert_eq!(AuthKey::from_hex(&key.to_hex().replace('0', "g")), None);
        assert_ne!(key, AuthKey::new(&[0; 256]));
    }
}
