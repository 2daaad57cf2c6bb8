//! Authenticated encryption, and keys made from passphrases.
//!
//! The cipher is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), the derivation Argon2id (RFC 9106).
//! Without the feature `encryption` both are missing: no [`Cipher`] can be made then.

#[cfg(not(feature = "encryption"))]
mod absent;
mod costs;
#[cfg(all(test, feature = "encryption"))]
pub(crate) mod nonce_recorder;
mod sizes;
#[cfg(feature = "encryption")]
mod xchacha;

#[cfg(not(feature = "encryption"))]
pub(crate) use self::absent::{Cipher, derive, random};
pub(crate) use self::costs::{Costs, DeriveError};
pub(crate) use self::sizes::{KEY, NONCE, TAG};
#[cfg(all(test, feature = "encryption", feature = "convert"))]
pub(crate) use self::xchacha::with_known_random;
#[cfg(feature = "encryption")]
pub(crate) use self::xchacha::{Cipher, derive, random};
