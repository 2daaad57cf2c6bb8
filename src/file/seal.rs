//! What protects the structures of one file.

use std::io;
use std::sync::Arc;

use crate::cipher::{Cipher, NONCE, TAG, random};

/// What protects the structures of one file: their checksums depend on the id of the file, and in
/// an encrypted store a cipher seals them.
#[derive(Clone, Debug)]
pub(crate) struct FileSeal {
    file_id: [u8; 16],
    cipher: Option<Arc<Cipher>>,
}

/// Nonce and tag of a message, as they stand in the file: [`Sealing::LEN`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealing {
    pub(crate) nonce: [u8; NONCE],
    pub(crate) tag: [u8; TAG],
}

impl Sealing {
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
    /// That of a file that is not encrypted.
    pub(crate) fn plain(file_id: [u8; 16]) -> Self {
        Self { file_id, cipher: None }
    }

    /// That of an encrypted file.
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

    /// In an encrypted file: encrypts `text` in its place under a new nonce, and gives what stands
    /// in the file beside it. The tag also vouches for `bound`.
    pub(crate) fn seal(&self, bound: &[u8], text: &mut [u8]) -> io::Result<Option<Sealing>> {
        let Some(cipher) = &self.cipher else { return Ok(None) };
        let nonce = random()?;
        let tag = cipher.seal(&nonce, bound, text)?;
        Ok(Some(Sealing { nonce, tag }))
    }

    /// Decrypts `text` in its place. `bytes` has nonce and tag at `at`. False if they do not belong
    /// together. In a file that is not encrypted there is nothing to do.
    pub(crate) fn open(&self, bound: &[u8], text: &mut [u8], bytes: &[u8], at: usize) -> bool {
        let Some(cipher) = &self.cipher else { return true };
        Sealing::at(bytes, at)
            .is_some_and(|Sealing { nonce, tag }| cipher.open(&nonce, bound, text, &tag))
    }
}

impl From<[u8; 16]> for FileSeal {
    fn from(file_id: [u8; 16]) -> Self {
        Self::plain(file_id)
    }
}
