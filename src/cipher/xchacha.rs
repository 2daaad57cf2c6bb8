//! XChaCha20-Poly1305 and Argon2id.

use std::{fmt, io};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::costs::{Costs, DeriveError};
use super::sizes::{KEY, NONCE, TAG};

/// A key that seals and opens messages. It is wiped when it is dropped.
pub(crate) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    /// `None` in a build without the feature `encryption`, and only there.
    pub(crate) fn new(key: &[u8; KEY]) -> Option<Self> {
        Some(Self(XChaCha20Poly1305::new(key.into())))
    }

    /// Encrypts `text` in its place, and gives the tag of it and of the associated data. The nonce
    /// must be new under this key.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE],
        associated_data: &[u8],
        text: &mut [u8],
    ) -> io::Result<[u8; TAG]> {
        #[cfg(test)]
        super::nonce_recorder::used(nonce);
        let sealed =
            self.0.encrypt_inout_detached(nonce.into(), associated_data, InOutBuf::from(text));
        sealed.map(Into::into).map_err(|_| io::ErrorKind::FileTooLarge.into())
    }

    /// Decrypts `text` in its place if the tag matches. Else it returns false, and `text` is as it
    /// was.
    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE],
        associated_data: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG],
    ) -> bool {
        let text = InOutBuf::from(text);
        self.0.decrypt_inout_detached(nonce.into(), associated_data, text, tag.into()).is_ok()
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher")
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    #[cfg(all(test, feature = "convert"))]
    if let Some(byte) = NEXT.get() {
        NEXT.set(byte.checked_add(1));
        return Ok([byte; N]);
    }
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

#[cfg(all(test, feature = "convert"))]
thread_local! {
    /// The value of all bytes that `random` gives next to this thread.
    static NEXT: std::cell::Cell<Option<u8>> = const { std::cell::Cell::new(None) };
}

/// While `make` runs, the first call of `random` gives bytes 1, the second bytes 2, and so on.
#[cfg(all(test, feature = "convert"))]
pub(crate) fn with_known_random<T>(make: impl FnOnce() -> T) -> T {
    NEXT.set(Some(1));
    let made = make();
    NEXT.set(None);
    made
}

/// The key that this passphrase makes, with Argon2id version 0x13, without secret and associated data.
pub(crate) fn derive(
    passphrase: &[u8],
    salt: &[u8; 16],
    costs: Costs,
) -> Result<Zeroizing<[u8; KEY]>, DeriveError> {
    let Costs { memory_kib, passes, lanes } = costs;
    let refused = |_| DeriveError::Costs;
    let params = Params::new(memory_kib, passes, lanes, Some(KEY)).map_err(refused)?;
    let mut memory = Zeroizing::new(Vec::new());
    memory.try_reserve_exact(params.block_count()).map_err(|_| DeriveError::NoMemory)?;
    memory.resize(params.block_count(), Block::new());
    let mut key = Zeroizing::new([0; KEY]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase, salt, &mut *key, &mut *memory)
        .map_err(refused)?;
    Ok(key)
}
