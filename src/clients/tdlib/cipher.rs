//! The encryption: AES-256 in CTR mode over all that lies after one event.
//!
//! ```text
//! data of the event  flags u32 (0) · salt bytes · vector bytes (16) · hash bytes (32)
//! key   PBKDF2-HMAC-SHA256(database key, salt, 2 rounds); 60,002 where the database key is a
//!       password, which the client's interface does not offer
//! hash  HMAC-SHA256(key, "cucumbers everywhere")
//! ```
//!
//! An empty database key means the key "cucumber".

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use pbkdf2::hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::closed::Closed;
use super::events::{ENCRYPTED, Event, Fields, Next, next};
use crate::format::key_text;

/// A decrypted log.
pub(super) struct Opened {
    /// Where the plain part ends.
    plain: usize,
    /// The decrypted bytes after it.
    rest: Zeroizing<Vec<u8>>,
}

impl Opened {
    pub(super) fn parts<'a>(&'a self, bytes: &'a [u8]) -> [&'a [u8]; 2] {
        [bytes.get(..self.plain).unwrap_or_default(), &self.rest]
    }
}

/// Opens a log, plain or encrypted.
pub(super) fn opened(bytes: &[u8], key: Option<&[u8]>) -> Result<Opened, Closed> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        match next(rest) {
            Next::Event(event) if event.kind == ENCRYPTED => {
                let rest = rest.get(event.size..).unwrap_or_default();
                return Ok(Opened { plain: at, rest: decrypted(&event, rest, key)? });
            }
            Next::Event(event) => at += event.size,
            // Damage is reported when the bytes are read.
            _ => return Ok(Opened { plain: bytes.len(), rest: Zeroizing::new(Vec::new()) }),
        }
    }
}

fn decrypted(
    event: &Event<'_>,
    rest: &[u8],
    given: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let lock = Lock::read(event.data).ok_or("the event that begins the encryption is invalid")?;
    let mut plain = Zeroizing::new(rest.to_vec());
    lock.key(given)?.apply(lock.vector, &mut plain);
    if let Next::Event(event) = next(&plain)
        && event.kind == ENCRYPTED
    {
        return Err("it is encrypted twice".into());
    }
    Ok(plain)
}

struct Lock<'a> {
    salt: &'a [u8],
    vector: [u8; 16],
    hash: &'a [u8],
}

impl<'a> Lock<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::new(data);
        let flags = fields.array().map(u32::from_le_bytes)?;
        let (salt, vector, hash) = (fields.bytes()?, fields.bytes()?, fields.bytes()?);
        let vector = vector.try_into().ok()?;
        (flags == 0).then_some(Self { salt, vector, hash })
    }

    /// The default key, else the given one: as it is, as base64 or hexadecimal digits of it, and
    /// as a password.
    fn key(&self, given: Option<&[u8]>) -> Result<Key, Closed> {
        let fits = |key: &[u8], rounds| {
            let key = Key::new(key, self.salt, rounds);
            key.has_hash(self.hash).then_some(key)
        };
        if let Some(key) = fits(DEFAULT_KEY, ROUNDS) {
            return Ok(key);
        }
        let given = given.filter(|key| !key.is_empty()).ok_or(Closed::NeedsKey)?;
        let text = str::from_utf8(given).unwrap_or_default().trim();
        let coded = key_text::bytes_of(text, &key_text::STANDARD);
        let digits = key_text::bytes_of_hex(text);
        let candidates = [
            Some(given),
            coded.as_deref().map(Vec::as_slice),
            digits.as_deref().map(Vec::as_slice),
        ];
        let mut raw = candidates.into_iter().flatten();
        raw.find_map(|key| fits(key, ROUNDS))
            .or_else(|| fits(given, ROUNDS_OF_A_PASSWORD))
            .ok_or(Closed::WrongKey)
    }
}

/// The key of an encrypted log.
pub(super) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    pub(super) fn new(database_key: &[u8], salt: &[u8], rounds: u32) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(database_key, salt, rounds, key.as_mut_slice());
        Self(key)
    }

    pub(super) fn has_hash(&self, hash: &[u8]) -> bool {
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.as_slice()) else {
            return false;
        };
        mac.update(b"cucumbers everywhere");
        mac.verify_slice(hash).is_ok()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The counter is the vector as one big-endian number.
    pub(super) fn apply(&self, vector: [u8; 16], bytes: &mut [u8]) {
        let aes = Aes256::new((&*self.0).into());
        let mut counter = u128::from_be_bytes(vector);
        for chunk in bytes.chunks_mut(16) {
            let mut block = Zeroizing::new(counter.to_be_bytes());
            aes.encrypt_block((&mut *block).into());
            chunk.iter_mut().zip(block.iter()).for_each(|(byte, with)| *byte ^= with);
            counter = counter.wrapping_add(1);
        }
    }
}

const DEFAULT_KEY: &[u8] = b"cucumber";
const ROUNDS: u32 = 2;
const ROUNDS_OF_A_PASSWORD: u32 = 60_002;
