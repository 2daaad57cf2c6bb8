//! Authenticated encryption, and keys made from passphrases.
//!
//! The cipher is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), the derivation Argon2id (RFC 9106).
//! Without the feature `encryption` both are missing: no [`Cipher`] can be made then.

#[cfg(not(feature = "encryption"))]
mod absent;
mod costs;
#[cfg(feature = "encryption")]
mod xchacha;

#[cfg(not(feature = "encryption"))]
pub(crate) use self::absent::{Cipher, derive, random};
pub(crate) use self::costs::Costs;
#[cfg(feature = "encryption")]
pub(crate) use self::xchacha::{Cipher, derive, random};

/// Length of a key in bytes.
pub(crate) const KEY: usize = 32;

/// Length of a nonce in bytes. No key seals two messages under one nonce.
pub(crate) const NONCE: usize = 24;

/// Length of an authentication tag in bytes.
pub(crate) const TAG: usize = 16;

/// A passphrase could not be made a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "encryption"), expect(dead_code, reason = "no key is made"))]
pub(crate) enum DeriveError {
    /// Argon2 refuses these costs.
    Costs,
    /// There is not enough memory.
    NoMemory,
    /// This build has no cipher.
    #[cfg_attr(feature = "encryption", allow(dead_code, reason = "only without the feature"))]
    NoFeature,
}
