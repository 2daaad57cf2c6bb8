//! AES in CBC mode with the padding of PKCS #7, under a key of any of its three sizes.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use zeroize::Zeroizing;

use super::layout::AES;
use crate::format::key_text;

/// A session key.
pub(super) enum Key {
    Of16(Box<Aes128>),
    Of24(Box<Aes192>),
    Of32(Box<Aes256>),
}

impl Key {
    /// The key of these hexadecimal digits, white space around them left out.
    pub(super) fn from_hex(digits: &[u8]) -> Option<Self> {
        let bytes = key_text::bytes_of_hex(str::from_utf8(digits).ok()?.trim())?;
        if let Ok(key) = <&[u8; 16]>::try_from(bytes.as_slice()) {
            return Some(Self::Of16(Box::new(Aes128::new(key.into()))));
        }
        if let Ok(key) = <&[u8; 24]>::try_from(bytes.as_slice()) {
            return Some(Self::Of24(Box::new(Aes192::new(key.into()))));
        }
        let key = <&[u8; 32]>::try_from(bytes.as_slice()).ok()?;
        Some(Self::Of32(Box::new(Aes256::new(key.into()))))
    }

    fn decrypt(&self, block: &mut [u8; AES]) {
        match self {
            Self::Of16(aes) => aes.decrypt_block(block.into()),
            Self::Of24(aes) => aes.decrypt_block(block.into()),
            Self::Of32(aes) => aes.decrypt_block(block.into()),
        }
    }

    fn encrypt(&self, block: &mut [u8; AES]) {
        match self {
            Self::Of16(aes) => aes.encrypt_block(block.into()),
            Self::Of24(aes) => aes.encrypt_block(block.into()),
            Self::Of32(aes) => aes.encrypt_block(block.into()),
        }
    }
}

/// The content. A wrong padding is an error: the key is another one.
pub(super) fn decrypt(
    key: &Key,
    vector: &[u8; AES],
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (blocks, []) = encrypted.as_chunks::<AES>() else { return None };
    let mut plain = Zeroizing::new(encrypted.to_vec());
    let mut before = vector;
    for (block, encrypted) in plain.as_chunks_mut::<AES>().0.iter_mut().zip(blocks) {
        key.decrypt(block);
        mix(block, before);
        before = encrypted;
    }
    let padding = *plain.last()?;
    let len = plain.len().checked_sub(padding.into())?;
    let whole = (1..=16).contains(&padding)
        && plain.get(len..).is_some_and(|tail| tail.iter().all(|byte| *byte == padding));
    plain.truncate(len);
    whole.then_some(plain)
}

/// Pads the content and encrypts it. `content` has room for the padding.
pub(super) fn encrypt(key: &Key, vector: &[u8; AES], mut content: Zeroizing<Vec<u8>>) -> Vec<u8> {
    let padding = AES - content.len() % AES;
    let byte = u8::try_from(padding).unwrap_or_default();
    content.extend(std::iter::repeat_n(byte, padding));
    let mut before = *vector;
    for block in content.as_chunks_mut::<AES>().0 {
        mix(block, &before);
        key.encrypt(block);
        before = *block;
    }
    content.to_vec()
}

fn mix(block: &mut [u8; AES], with: &[u8; AES]) {
    block.iter_mut().zip(with).for_each(|(byte, with)| *byte ^= with);
}
