//! The lengths in a file, and its limits.

pub(super) const FORMAT: &str = "wtelegram";

/// Bytes before the first block.
pub(super) const HEAD: usize = 8;

/// Bytes of an AES block and of a vector.
pub(super) const AES: usize = 16;

/// Bytes of a SHA-256.
pub(super) const HASH: usize = 32;

/// A vector, the hash, and as much as an empty JSON takes.
pub(super) const LEAST_BLOCK: usize = AES + HASH + AES;

/// The client's own limits; beyond them it takes the file for one without a head.
pub(super) const MOST_POSITION: usize = 65_536;

pub(super) const MOST_BLOCK: usize = 32_768;
