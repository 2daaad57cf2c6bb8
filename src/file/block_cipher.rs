//! Seals the blocks of a structure that is written once: a segment or a base.

use std::io;
use std::sync::Arc;

use super::fields::put;
use super::seal::FileSeal;
use crate::cipher::{Cipher, NONCE, TAG, random};

/// Random bytes of an encrypted segment or base, with which its nonces begin. Zeros in a file that
/// is not encrypted.
pub(crate) type Salt = [u8; SALT];

pub(crate) const SALT: usize = 16;

/// Seals and opens the blocks of one encrypted structure. The nonce of a block is the salt and the
/// number of the block.
#[derive(Clone, Debug)]
pub(crate) struct BlockCipher {
    cipher: Arc<Cipher>,
    salt: Salt,
    /// The kind of the structure, the file id, and the number of the structure.
    associated_data: [u8; 28],
}

impl BlockCipher {
    /// For the structure of this kind and number. `None` if the file is not encrypted.
    pub(crate) fn of(seal: &FileSeal, kind: &[u8; 4], number: u64, salt: Salt) -> Option<Self> {
        let cipher = Arc::clone(seal.cipher()?);
        let mut associated_data = [0; 28];
        put(&mut associated_data, 0, kind);
        put(&mut associated_data, 4, &seal.file_id());
        put(&mut associated_data, 20, &number.to_le_bytes());
        Some(Self { cipher, salt, associated_data })
    }

    /// For a new structure, with a new salt.
    pub(crate) fn new(seal: &FileSeal, kind: &[u8; 4], number: u64) -> io::Result<Option<Self>> {
        if !seal.is_encrypted() {
            return Ok(None);
        }
        Ok(Self::of(seal, kind, number, random()?))
    }

    pub(crate) fn salt(&self) -> Salt {
        self.salt
    }

    /// Encrypts a block in its place and gives its tag. A number is used once.
    pub(crate) fn seal(&self, block: u64, text: &mut [u8]) -> io::Result<[u8; TAG]> {
        self.cipher.seal(&self.nonce(block), &self.associated_data, text)
    }

    /// Decrypts a block in its place. False if the tag does not match.
    pub(crate) fn open(&self, block: u64, text: &mut [u8], tag: &[u8; TAG]) -> bool {
        self.cipher.open(&self.nonce(block), &self.associated_data, text, tag)
    }

    fn nonce(&self, block: u64) -> [u8; NONCE] {
        let mut nonce = [0; NONCE];
        put(&mut nonce, 0, &self.salt);
        put(&mut nonce, SALT, &block.to_le_bytes());
        nonce
    }
}
