//! The first bytes of a portable session.

/// The format that this build writes, and the newest that it reads.
pub(crate) const VERSION: u8 = 2;

/// base64url of "tgsession---": so does the text begin.
pub(super) const MAGIC: [u8; 9] = [0xb6, 0x0b, 0x1e, 0xb2, 0xc8, 0xa8, 0x9f, 0xef, 0xbe];

pub(super) const PLAIN: u8 = 0;

pub(super) const PASSPHRASE: u8 = 1;
