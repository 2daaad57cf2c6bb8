//! A passphrase made a key, and bytes sealed under it: Argon2id and XChaCha20-Poly1305.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::PortableError;
use super::costs::Costs;
use super::lock::Lock;

/// The costs of newly sealed sessions. OWASP's least for Argon2id is 19 MiB, 2 passes and 1 lane
/// (Password Storage Cheat Sheet), for servers that compute it at every login. Here it is computed
/// once, for a file that an attacker can take home: memory and passes are those of the second
/// recommendation of RFC 9106, section 4. One thread does the work, so there is one lane.
const WRITTEN: Costs = Costs { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

/// A lock that was never used before.
pub(super) fn new_lock() -> Result<Lock, PortableError> {
    let (mut salt, mut nonce) = ([0; 16], [0; 24]);
    for random in [salt.as_mut_slice(), nonce.as_mut_slice()] {
        getrandom::fill(random).map_err(|_| PortableError::NoRandomness)?;
    }
    Ok(Lock { costs: WRITTEN, salt, nonce })
}

/// Encrypts `body` in its place, and gives the tag that also vouches for `head`.
pub(super) fn seal(
    passphrase: &[u8],
    lock: &Lock,
    head: &[u8],
    body: &mut [u8],
) -> Result<[u8; 16], PortableError> {
    let tag = cipher(passphrase, lock)?
        .encrypt_inout_detached(&lock.nonce.into(), head, InOutBuf::from(body))
        .map_err(|_| PortableError::TooLarge { what: "the whole session" })?;
    Ok(tag.into())
}

/// Decrypts `body` in its place, if this passphrase sealed it with this head.
pub(super) fn open(
    passphrase: &[u8],
    lock: &Lock,
    head: &[u8],
    body: &mut [u8],
    tag: [u8; 16],
) -> Result<(), PortableError> {
    cipher(passphrase, lock)?
        .decrypt_inout_detached(&lock.nonce.into(), head, InOutBuf::from(body), &tag.into())
        .map_err(|_| PortableError::WrongPassphrase)
}

fn cipher(passphrase: &[u8], lock: &Lock) -> Result<XChaCha20Poly1305, PortableError> {
    let Costs { memory_kib, passes, lanes } = lock.costs;
    let refused = |_| PortableError::Costs(lock.costs);
    let params = Params::new(memory_kib, passes, lanes, Some(KEY)).map_err(refused)?;
    let mut memory = Zeroizing::new(Vec::new());
    memory
        .try_reserve_exact(params.block_count())
        .map_err(|_| PortableError::NoMemory { kib: memory_kib })?;
    memory.resize(params.block_count(), Block::new());
    let mut key = Zeroizing::new([0; KEY]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase, &lock.salt, &mut *key, &mut *memory)
        .map_err(refused)?;
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

/// Length of a key in bytes.
const KEY: usize = 32;
