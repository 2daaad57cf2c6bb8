//! The protection of the structures of one file.

use std::io;
use std::sync::Arc;

use crate::cipher::{Cipher, NONCE, TAG, random};

/// The protection of the structures of one file: the file id, which their checksums include, and
/// the cipher of an encrypted store.
#[derive(Clone, Debug)]
pub(crate) struct FileSeal {
    file_id: [u8; 16],
    cipher: Option<Arc<Cipher>>,
}

/// Nonce and tag of a message, as they stand in the file: [`NonceAndTag::LEN`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NonceAndTag {
    pub(crate) nonce: [u8; NONCE],
    pub(crate) tag: [u8; TAG],
}

impl NonceAndTag {
    pub(crate) const LEN: usize = NONCE + TAG;

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        super::put(&mut bytes, 0, &self.nonce);
        super::put(&mut bytes, NONCE, &self.tag);
        bytes
    }

    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let (nonce, tag) = bytes.get(at..at.checked_add(Self::LEN)?)?.split_first_chunk()?;
        Some(Self { nonce: *nonce, tag: *tag.first_chunk()? })
    }
}

impl FileSeal {
    /// For a file that is not encrypted.
    pub(crate) fn plain(file_id: [u8; 16]) -> Self {
        Self { file_id, cipher: None }
    }

    /// For an encrypted file.
    pub(crate) fn encrypted(file_id: [u8; 16], cipher: Arc<Cipher>) -> Self {
        Self { file_id, cipher: Some(cipher) }
    }

    pub(crate) fn file_id(&self) -> [u8; 16] {
        self.file_id
    }

    /// The cipher, if the file is encrypted.
    pub(crate) fn cipher(&self) -> Option<&Arc<Cipher>> {
        self.cipher.as_ref()
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.cipher.is_some()
    }

    /// In an encrypted file: encrypts `text` in its place under a new nonce, and gives the nonce and
    /// the tag.
    pub(crate) fn seal(
        &self,
        associated_data: &[u8],
        text: &mut [u8],
    ) -> io::Result<Option<NonceAndTag>> {
        let Some(cipher) = &self.cipher else { return Ok(None) };
        let nonce = random()?;
        let tag = cipher.seal(&nonce, associated_data, text)?;
        Ok(Some(NonceAndTag { nonce, tag }))
    }

    /// In an encrypted file: decrypts `text` in its place. `bytes` has nonce and tag at `at`. False
    /// if the tag does not match.
    pub(crate) fn open(
        &self,
        associated_data: &[u8],
        text: &mut [u8],
        bytes: &[u8],
        at: usize,
    ) -> bool {
        let Some(cipher) = &self.cipher else { return true };
        NonceAndTag::at(bytes, at)
            .is_some_and(|at| cipher.open(&at.nonce, associated_data, text, &at.tag))
    }
}
