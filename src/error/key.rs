//! Errors with the keys of an encrypted store.

use std::fmt;

/// Why a key of a store was refused, or a change of its keys.
///
/// ```
/// # #[cfg(feature = "encryption")]
/// # fn main() -> tgsession::Result<()> {
/// use tgsession::{Error, KeyError, Store, StoreKey};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// Store::options().key(&StoreKey::raw([1; 32])).create(&path)?.close()?;
///
/// let error = Store::open(&path).unwrap_err();
/// assert!(matches!(error, Error::Key { why: KeyError::Missing, .. }));
/// let error = Store::options().key(&StoreKey::raw([2; 32])).open(&path).unwrap_err();
/// assert!(matches!(error, Error::Key { why: KeyError::Wrong, .. }));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "encryption"))]
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The store is encrypted, and no key was given.
    Missing,
    /// The key opens none of its key slots.
    Wrong,
    /// A key was given, and the store is not encrypted. It may not be the store that was meant.
    NotEncrypted,
    /// A passphrase has at least one byte.
    Empty,
    /// A passphrase has at most this many bytes.
    TooLong {
        /// How many.
        most: usize,
    },
    /// The costs of a passphrase are outside of the bounds.
    Costs {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
    },
    /// There is not enough memory to derive the key from the passphrase.
    NoMemory {
        /// How much it takes, in KiB.
        kib: u32,
    },
    /// All key slots are in use.
    SlotsFull,
    /// There is no key in this slot.
    NoSlot {
        /// The slot, from 1 on.
        slot: usize,
    },
    /// Without its last key nothing would open the store again.
    LastSlot,
    /// The store is encrypted by a cipher of a newer release.
    OtherCipher {
        /// The number of the cipher.
        found: u32,
    },
    /// This build has no cipher.
    NoFeature,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the store is encrypted; give its key to open it"),
            Self::Wrong => f.write_str("wrong key: it opens no key slot of this store; give another key"),
            Self::NotEncrypted => f.write_str(
                "a key was given, and the store is not encrypted; check that it is the right file, then open it without a key",
            ),
            Self::Empty => f.write_str("the passphrase is empty; give one of at least one character"),
            Self::TooLong { most } => {
                write!(f, "the passphrase has more than {most} bytes; give a shorter one")
            }
            Self::Costs { memory_kib, passes } => write!(
                f,
                "{memory_kib} KiB and {passes} passes of Argon2 are outside of the bounds: 8 to 262144 KiB, 1 to 16 passes"
            ),
            Self::NoMemory { kib } => {
                write!(f, "there is not enough memory to derive the key: it takes {kib} KiB")
            }
            Self::SlotsFull => {
                f.write_str("all 4 key slots of the store are in use; remove a key first")
            }
            Self::NoSlot { slot } => {
                write!(f, "there is no key in slot {slot} of the store; list its keys")
            }
            Self::LastSlot => f.write_str(
                "cannot remove the last key: nothing could open the store afterwards; add another key first",
            ),
            Self::OtherCipher { found } => write!(
                f,
                "the store is encrypted by cipher {found}, which this build does not know; update tgsession"
            ),
            Self::NoFeature => f.write_str(
                "this build cannot open encrypted stores; build it with the feature `encryption`",
            ),
        }
    }
}
