//! Lengths in bytes.

/// Length of a key in bytes.
pub(crate) const KEY: usize = 32;

/// Length of a nonce in bytes. No key seals two messages under one nonce.
pub(crate) const NONCE: usize = 24;

/// Length of an authentication tag in bytes.
pub(crate) const TAG: usize = 16;
