//! Bytes sealed under a passphrase.

use super::PortableError;
use super::lock::Lock;
use crate::cipher::{Cipher, Costs, DeriveError, derive, random};

/// A lock that was never used before.
pub(super) fn new_lock() -> Result<Lock, PortableError> {
    let no_randomness = |_| PortableError::NoRandomness;
    let salt = random().map_err(no_randomness)?;
    let nonce = random().map_err(no_randomness)?;
    Ok(Lock { costs: Costs::WRITTEN, salt, nonce })
}

/// Encrypts `body` in its place, and gives the tag, which authenticates `head` too.
pub(super) fn seal(
    passphrase: &[u8],
    lock: &Lock,
    head: &[u8],
    body: &mut [u8],
) -> Result<[u8; 16], PortableError> {
    let sealed = cipher(passphrase, lock)?.seal(&lock.nonce, head, body);
    sealed.map_err(|_| PortableError::TooLarge { what: "the whole session" })
}

/// Decrypts `body` in its place, if this passphrase sealed it with this head.
pub(super) fn open(
    passphrase: &[u8],
    lock: &Lock,
    head: &[u8],
    body: &mut [u8],
    tag: [u8; 16],
) -> Result<(), PortableError> {
    let opened = cipher(passphrase, lock)?.open(&lock.nonce, head, body, &tag);
    if opened { Ok(()) } else { Err(PortableError::WrongPassphrase) }
}

fn cipher(passphrase: &[u8], lock: &Lock) -> Result<Cipher, PortableError> {
    let key = derive(passphrase, &lock.salt, lock.costs).map_err(|error| match error {
        DeriveError::Costs => PortableError::Costs(lock.costs),
        DeriveError::NoMemory => PortableError::NoMemory { kib: lock.costs.memory_kib },
        DeriveError::NoFeature => PortableError::NoFeature,
    })?;
    Cipher::new(&key).ok_or(PortableError::NoFeature)
}
