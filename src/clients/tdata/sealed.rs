//! Encrypted blocks: the two kinds of key, and AES-256 in IGE mode with MTProto 1.0's key schedule.
//!
//! ```text
//! block = message key (16) · AES-256-IGE(plain)      message key = SHA1(plain), first 16 bytes
//! plain = length u32 LE, itself included · content · random padding to 16
//! ```

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use sha1::{Digest, Sha1};
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A key that seals blocks.
pub(super) struct LocalKey(Zeroizing<[u8; LocalKey::LEN]>);

/// Why a block cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It has no bytes, or is no whole number of AES blocks.
    Length(usize),
    /// The key is another one, or a bit of the block is.
    Key,
    /// The content's own length is invalid.
    Content,
}

impl From<Unopened> for String {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::Length(len) => format!("a sealed block of {len} bytes is invalid"),
            Unopened::Key => "a sealed block does not open with the folder's own key".into(),
            Unopened::Content => "the length in a sealed block is invalid".into(),
        }
    }
}

impl LocalKey {
    /// Length of a key in bytes.
    pub(super) const LEN: usize = 256;

    /// The key of these bytes, if there are as many as it takes.
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; Self::LEN]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The key that a passcode makes. The empty one is no secret and takes one round.
    pub(super) fn from_passcode(passcode: &[u8], salt: &[u8]) -> Self {
        let rounds = if passcode.is_empty() { 1 } else { 100_000 };
        let hash = Sha512::new().chain_update(salt).chain_update(passcode).chain_update(salt);
        let hash: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
        let mut key = Zeroizing::new([0; Self::LEN]);
        pbkdf2::pbkdf2_hmac::<Sha512>(hash.as_slice(), salt, rounds, key.as_mut_slice());
        Self(key)
    }

    /// The content of a sealed block, wiped when it is dropped.
    pub(super) fn open(&self, sealed: &[u8]) -> Result<Content, Unopened> {
        let length = Unopened::Length(sealed.len());
        let (message_key, encrypted) = sealed.split_first_chunk::<16>().ok_or(length)?;
        let (blocks @ [_, ..], []) = encrypted.as_chunks::<16>() else { return Err(length) };
        let (key, iv) = self.schedule(message_key).ok_or(Unopened::Key)?;
        let plain = decrypt(&key, &iv, blocks);
        let digest: Zeroizing<[u8; 20]> = Zeroizing::new(Sha1::digest(plain.as_slice()).into());
        let found = digest.first_chunk::<16>().ok_or(Unopened::Key)?;
        if !bool::from(found.ct_eq(message_key)) {
            return Err(Unopened::Key);
        }
        Content::new(plain).ok_or(Unopened::Content)
    }

    /// Seals content, which [`open`](Self::open) gives back. The padding is `noise`.
    pub(super) fn seal(&self, content: &[u8], noise: [u8; 16]) -> Option<Vec<u8>> {
        let length = u32::try_from(LENGTH + content.len()).ok()?;
        let len = (LENGTH + content.len()).next_multiple_of(16);
        let mut plain = Zeroizing::new(Vec::with_capacity(len));
        plain.extend_from_slice(&length.to_le_bytes());
        plain.extend_from_slice(content);
        let padding = len - plain.len();
        plain.extend(noise.iter().take(padding));
        let digest: Zeroizing<[u8; 20]> = Zeroizing::new(Sha1::digest(plain.as_slice()).into());
        let message_key = digest.first_chunk::<16>()?;
        let (key, iv) = self.schedule(message_key)?;
        let aes = Aes256::new((&*key).into());
        let (mut encrypted_before, mut plain_before) = halves(&iv);
        let mut sealed = message_key.to_vec();
        for block in plain.as_chunks::<16>().0 {
            let mut encrypted = *block;
            mix(&mut encrypted, &encrypted_before);
            aes.encrypt_block((&mut encrypted).into());
            mix(&mut encrypted, &plain_before);
            (*plain_before, *encrypted_before) = (*block, encrypted);
            sealed.extend(encrypted);
        }
        Some(sealed)
    }

    /// The AES key and the two halves of the initialization vector for one block, by the
    /// [schedule of MTProto 1.0](https://core.telegram.org/mtproto/description_v1) with x = 8.
    fn schedule(&self, message_key: &[u8; 16]) -> Option<Schedule> {
        let [a, b, c, d, ..] = self.0.get(8..)?.as_chunks::<32>().0 else { return None };
        let (b_before, b_after) = b.split_at(16);
        let a = sha1(&[message_key, a]);
        let b = sha1(&[b_before, message_key, b_after]);
        let c = sha1(&[c, message_key]);
        let d = sha1(&[message_key, d]);
        let key = joined([a.get(..8)?, b.get(8..)?, c.get(4..16)?, &[]]);
        let iv = joined([a.get(8..)?, b.get(..8)?, c.get(16..)?, d.get(..8)?]);
        Some((key, iv))
    }
}

/// An AES key and an initialization vector.
type Schedule = (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>);

fn sha1(parts: &[&[u8]]) -> Zeroizing<[u8; 20]> {
    let hash = parts.iter().fold(Sha1::new(), |hash, part| hash.chain_update(part));
    Zeroizing::new(hash.finalize().into())
}

fn joined(parts: [&[u8]; 4]) -> Zeroizing<[u8; 32]> {
    let mut whole = Zeroizing::new([0; 32]);
    whole.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
    whole
}

/// IGE: a block is mixed with the plain one before it on its way in, with the encrypted one
/// before it on its way out. The vector stands for those two at the first block.
fn decrypt(key: &[u8; 32], iv: &[u8; 32], encrypted: &[[u8; 16]]) -> Zeroizing<Vec<u8>> {
    let aes = Aes256::new(key.into());
    let (mut encrypted_before, mut plain_before) = halves(iv);
    let mut plain = Zeroizing::new(encrypted.as_flattened().to_vec());
    for (block, encrypted) in plain.as_chunks_mut().0.iter_mut().zip(encrypted) {
        mix(block, &plain_before);
        aes.decrypt_block(block.into());
        mix(block, &encrypted_before);
        (*plain_before, *encrypted_before) = (*block, *encrypted);
    }
    plain
}

/// The vector's part for the encrypted block before the first, and that for the plain one.
fn halves(iv: &[u8; 32]) -> (Zeroizing<[u8; 16]>, Zeroizing<[u8; 16]>) {
    let half = |bytes: Option<&[u8; 16]>| Zeroizing::new(bytes.copied().unwrap_or_default());
    (half(iv.first_chunk()), half(iv.last_chunk()))
}

fn mix(block: &mut [u8; 16], with: &[u8; 16]) {
    block.iter_mut().zip(with).for_each(|(byte, with)| *byte ^= with);
}

/// The decrypted content of a block, without its length and its padding.
pub(super) struct Content {
    plain: Zeroizing<Vec<u8>>,
    end: usize,
}

impl Content {
    /// The padding is less than an AES block; a length that says otherwise is not from here.
    fn new(plain: Zeroizing<Vec<u8>>) -> Option<Self> {
        let end = usize::try_from(u32::from_le_bytes(*plain.first_chunk()?)).ok()?;
        let possible = end >= LENGTH && end <= plain.len() && plain.len() - end < 16;
        possible.then_some(Self { plain, end })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.plain.get(LENGTH..self.end).unwrap_or_default()
    }
}

/// Bytes of the length before the content.
const LENGTH: usize = 4;
