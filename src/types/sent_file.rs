use std::fmt;

use super::{AccessHash, hex};

/// The MD5 digest of a file's content.
///
/// ```
/// use tgsession::Md5;
///
/// let md5: Md5 = "d41d8cd98f00b204e9800998ecf8427e".parse().expect("32 hexadecimal digits");
/// assert_eq!(md5.0[..2], [0xd4, 0x1d]);
/// assert_eq!(md5.to_string(), "d41d8cd98f00b204e9800998ecf8427e");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Md5(pub [u8; 16]);

impl fmt::Display for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Md5({self})")
    }
}

impl std::str::FromStr for Md5 {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::decode(text).map(Self).ok_or("not 32 hexadecimal digits")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Md5 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Md5 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// As what a file was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum FileKind {
    /// As a document.
    Document,
    /// As a photo.
    Photo,
}

impl FileKind {
    /// The kind's name in dumps.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Photo => "photo",
        }
    }
}

/// The key of a sent file: its content and how it was sent.
///
/// ```
/// use tgsession::{FileKey, FileKind, Md5};
///
/// // One content has two keys.
/// let document = FileKey { md5: Md5([9; 16]), size: 1_024, kind: FileKind::Document };
/// let photo = FileKey { kind: FileKind::Photo, ..document };
/// assert_ne!(document, photo);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FileKey {
    /// The MD5 of the content.
    pub md5: Md5,
    /// The length of the content in bytes.
    pub size: i64,
    /// As what it was sent.
    pub kind: FileKind,
}

/// A file that was uploaded before and can be sent again by reference.
///
/// ```
/// use tgsession::{AccessHash, FileKey, FileKind, Md5, MemorySession, SentFile, Session};
///
/// let session = MemorySession::new("alice");
/// let key = FileKey { md5: Md5([9; 16]), size: 1_024, kind: FileKind::Photo };
/// session.save_sent_file(&SentFile { key, id: 5, access_hash: AccessHash(-6) })?;
/// assert_eq!(session.sent_file(key)?.map(|file| file.id), Some(5));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SentFile {
    /// The key of the file.
    pub key: FileKey,
    /// Telegram's id of the document or photo.
    pub id: i64,
    /// The hash that goes with the id.
    pub access_hash: AccessHash,
}
