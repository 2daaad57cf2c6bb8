//! The whole: a head, the rows, and the seal around them.

use zeroize::Zeroizing;

use super::bytes::{Reader, Writer};
use super::head::{MAGIC, PASSPHRASE, PLAIN, VERSION};
use super::lock::Lock;
use super::rows::Portable;
use super::{PortableError, cipher, rows};
use crate::types::{Account, Entity};

/// How the rows are protected: against accidents, or against an adversary.
pub(crate) enum Seal<'a> {
    Crc,
    Passphrase(&'a [u8], Lock),
}

/// Whether this is the beginning of a portable session; 9 bytes are enough.
pub(crate) fn is_portable(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// The session as bytes, sealed if there is a passphrase.
///
/// A name is as a store has them; rows may come in any order. The whole is held in memory.
///
/// # Errors
///
/// [`PortableError::Name`], [`PortableError::Twice`] and [`PortableError::TooLarge`] for values
/// that the format cannot hold; with a passphrase also [`PortableError::EmptyPassphrase`],
/// [`PortableError::NoFeature`], [`PortableError::NoMemory`] and [`PortableError::NoRandomness`].
pub(crate) fn encode(
    name: Option<&str>,
    account: &Account,
    entities: &[Entity],
    passphrase: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, PortableError> {
    let seal = match passphrase {
        None => Seal::Crc,
        Some([]) => return Err(PortableError::EmptyPassphrase),
        Some(passphrase) => Seal::Passphrase(passphrase, cipher::new_lock()?),
    };
    encode_under(&seal, name, account, entities)
}

/// [`encode`] with the seal as it is given; a salt and a nonce must never be used twice.
pub(crate) fn encode_under(
    seal: &Seal<'_>,
    name: Option<&str>,
    account: &Account,
    entities: &[Entity],
) -> Result<Zeroizing<Vec<u8>>, PortableError> {
    let mut out = Writer::default();
    out.put(&MAGIC);
    match seal {
        Seal::Crc => {
            out.put(&[VERSION, PLAIN, 0]);
            rows::write(&mut out, name, account, entities)?;
            let checksum = crc32fast::hash(out.bytes());
            out.put(&checksum.to_le_bytes());
        }
        Seal::Passphrase(passphrase, lock) => {
            out.put(&[VERSION, PASSPHRASE, 0]);
            lock.write(&mut out);
            let head = out.bytes().len();
            rows::write(&mut out, name, account, entities)?;
            let (head, body) = out.bytes_mut().split_at_mut(head);
            let tag = cipher::seal(passphrase, lock, head, body)?;
            out.put(&tag);
        }
    }
    Ok(out.into_bytes())
}

/// The session in these bytes. A passphrase that nothing asks for is not looked at.
///
/// # Errors
///
/// [`PortableError::NotPortable`], [`PortableError::Newer`]; for a sealed one
/// [`PortableError::Costs`], [`PortableError::NoFeature`], [`PortableError::NeedsPassphrase`],
/// [`PortableError::WrongPassphrase`] and [`PortableError::NoMemory`]; for everything else that
/// does not hold [`PortableError::Damaged`] and [`PortableError::Record`].
pub(crate) fn decode(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Portable, PortableError> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(PortableError::NotPortable)?;
    let mut rest = Reader::new(rest);
    match rest.byte()? {
        VERSION => {}
        ..VERSION => {
            return Err(PortableError::Damaged { what: "it has a version that no release writes" });
        }
        found => return Err(PortableError::Newer { found }),
    }
    match rest.array()? {
        [PLAIN, 0] => plain(bytes, rest.rest()),
        [PASSPHRASE, 0] => sealed(bytes, rest, passphrase),
        _ => Err(PortableError::Damaged { what: "its kind of encryption is unknown" }),
    }
}

/// `rest` is the part of `whole` after the head. Both end with the checksum.
fn plain(whole: &[u8], rest: &[u8]) -> Result<Portable, PortableError> {
    let ends = PortableError::Damaged { what: "it ends within its checksum" };
    let (body, _) = rest.split_last_chunk::<4>().ok_or(ends)?;
    let (vouched, checksum) = whole.split_last_chunk().ok_or(ends)?;
    if crc32fast::hash(vouched) != u32::from_le_bytes(*checksum) {
        return Err(PortableError::Damaged { what: "its checksum does not hold" });
    }
    rows::read(body)
}

/// `rest` begins with the lock.
fn sealed(
    whole: &[u8],
    mut rest: Reader<'_>,
    passphrase: Option<&[u8]>,
) -> Result<Portable, PortableError> {
    let lock = Lock::read(&mut rest)?;
    let behind = rest.rest();
    let (body, tag) = behind
        .split_last_chunk()
        .ok_or(PortableError::Damaged { what: "it ends within its authentication tag" })?;
    let head = whole.strip_suffix(behind).unwrap_or_default();
    if !cfg!(feature = "passphrase") {
        return Err(PortableError::NoFeature);
    }
    let passphrase = passphrase.ok_or(PortableError::NeedsPassphrase)?;
    let mut body = Zeroizing::new(body.to_vec());
    cipher::open(passphrase, &lock, head, &mut body, *tag)?;
    rows::read(&body)
}

/// A plain portable session with these bytes where the rows belong, for those who break them.
#[cfg(any(test, fuzzing))]
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    let mut whole = [&MAGIC, [VERSION, PLAIN, 0].as_slice(), body].concat();
    let checksum = crc32fast::hash(&whole);
    whole.extend_from_slice(&checksum.to_le_bytes());
    whole
}
