//! Key slots: the master key of an encrypted store, sealed under each key that opens the store.

use std::io;

use zeroize::Zeroizing;

use super::disk::Disk;
use super::fields::{put, u32_at};
use super::{SECTOR, write_durably};
use crate::cipher::{Cipher, Costs, DeriveError, KEY, NONCE, TAG, derive, random};

/// The places of the slots. Each slot has a sector of its own, so that a write of one cannot damage
/// the others.
pub(crate) const KEY_SLOTS: [u64; 4] = [1024, 1536, 2560, 3072];

/// The key of all content of a store.
pub(crate) type MasterKey = Zeroizing<[u8; KEY]>;

const MAGIC: [u8; 4] = *b"slot";
const SUM_AT: usize = 4;
const FIELDS_AT: usize = 8;
const KIND_AT: usize = 8;
const COSTS_AT: usize = 12;
const SALT_AT: usize = 32;
const NONCE_AT: usize = 48;
const KEY_AT: usize = NONCE_AT + NONCE;
const TAG_AT: usize = KEY_AT + KEY;

const PASSPHRASE: u32 = 1;
const RAW: u32 = 2;

/// A key that opens a slot.
pub(crate) enum KeySecret {
    /// The costs are for a new slot.
    Passphrase(Zeroizing<Vec<u8>>, Costs),
    Raw(Zeroizing<[u8; KEY]>),
}

/// The kind of key that opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotKind {
    Passphrase(Costs),
    Raw,
}

/// One slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeySlot {
    pub(crate) kind: SlotKind,
    salt: [u8; 16],
    nonce: [u8; NONCE],
    /// The master key, sealed.
    key: [u8; KEY],
    tag: [u8; TAG],
}

/// The slots of a file, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeySlots {
    /// Those that this build can read.
    pub(crate) whole: [Option<KeySlot>; KEY_SLOTS.len()],
    /// Which sectors are not zero: a damaged slot, or one of a newer release, is not free.
    pub(crate) in_use: [bool; KEY_SLOTS.len()],
}

/// Why no slot gave the master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnlockError {
    /// No slot is for this key.
    WrongKey,
    /// No slot is whole.
    NoSlots,
    /// A slot asks for more memory or time than any release does.
    Costs(Costs),
    /// A passphrase takes so much memory, in KiB.
    NoMemory(u32),
    /// This build has no cipher.
    NoFeature,
}

impl KeySlot {
    /// A slot that this key opens.
    pub(crate) fn new(secret: &KeySecret, master: &MasterKey) -> Result<Self, SlotError> {
        let kind = match secret {
            KeySecret::Passphrase(_, costs) => SlotKind::Passphrase(*costs),
            KeySecret::Raw(_) => SlotKind::Raw,
        };
        let (salt, nonce) = (random()?, random()?);
        let mut slot = Self { kind, salt, nonce, key: [0; KEY], tag: [0; TAG] };
        let cipher = slot.cipher(secret)?;
        let mut key = Zeroizing::new(**master);
        slot.tag = cipher.seal(&nonce, &slot.associated_data(), key.as_mut_slice())?;
        slot.key = *key;
        Ok(slot)
    }

    /// The master key, if this is the key.
    fn unlock(&self, secret: &KeySecret) -> Result<MasterKey, UnlockError> {
        let fits = matches!(
            (secret, self.kind),
            (KeySecret::Passphrase(..), SlotKind::Passphrase(_))
                | (KeySecret::Raw(_), SlotKind::Raw)
        );
        if !fits {
            return Err(UnlockError::WrongKey);
        }
        let cipher = self.cipher(secret)?;
        let mut key = Zeroizing::new(self.key);
        let opened =
            cipher.open(&self.nonce, &self.associated_data(), key.as_mut_slice(), &self.tag);
        if opened { Ok(key) } else { Err(UnlockError::WrongKey) }
    }

    /// The cipher that seals the master key.
    fn cipher(&self, secret: &KeySecret) -> Result<Cipher, UnlockError> {
        match (secret, self.kind) {
            (KeySecret::Passphrase(passphrase, _), SlotKind::Passphrase(costs)) => {
                if !costs.are_bounded() {
                    return Err(UnlockError::Costs(costs));
                }
                let key = derive(passphrase, &self.salt, costs).map_err(|error| match error {
                    DeriveError::Costs => UnlockError::Costs(costs),
                    DeriveError::NoMemory => UnlockError::NoMemory(costs.memory_kib),
                    DeriveError::NoFeature => UnlockError::NoFeature,
                })?;
                Cipher::new(&key).ok_or(UnlockError::NoFeature)
            }
            (KeySecret::Raw(key), _) => Cipher::new(key).ok_or(UnlockError::NoFeature),
            (KeySecret::Passphrase(..), SlotKind::Raw) => Err(UnlockError::WrongKey),
        }
    }

    fn associated_data(&self) -> Vec<u8> {
        let bytes = self.to_bytes();
        [&MAGIC, bytes.get(FIELDS_AT..KEY_AT).unwrap_or_default()].concat()
    }

    pub(crate) fn to_bytes(self) -> [u8; SECTOR] {
        let mut bytes = [0; SECTOR];
        put(&mut bytes, 0, &MAGIC);
        match self.kind {
            SlotKind::Passphrase(Costs { memory_kib, passes, lanes }) => {
                put(&mut bytes, KIND_AT, &PASSPHRASE.to_le_bytes());
                for (at, cost) in (COSTS_AT..).step_by(4).zip([memory_kib, passes, lanes]) {
                    put(&mut bytes, at, &cost.to_le_bytes());
                }
            }
            SlotKind::Raw => put(&mut bytes, KIND_AT, &RAW.to_le_bytes()),
        }
        put(&mut bytes, SALT_AT, &self.salt);
        put(&mut bytes, NONCE_AT, &self.nonce);
        put(&mut bytes, KEY_AT, &self.key);
        put(&mut bytes, TAG_AT, &self.tag);
        let sum = sum_of(&bytes);
        put(&mut bytes, SUM_AT, &sum.to_le_bytes());
        bytes
    }

    /// The slot in this sector, if there is one and its checksum matches.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SECTOR] = bytes.first_chunk()?;
        if !bytes.starts_with(&MAGIC) || u32_at(bytes, SUM_AT) != sum_of(bytes) {
            return None;
        }
        let cost = |number: usize| u32_at(bytes, COSTS_AT + 4 * number);
        let kind = match u32_at(bytes, KIND_AT) {
            PASSPHRASE => {
                SlotKind::Passphrase(Costs { memory_kib: cost(0), passes: cost(1), lanes: cost(2) })
            }
            RAW => SlotKind::Raw,
            _ => return None,
        };
        Some(Self {
            kind,
            salt: array_at(bytes, SALT_AT)?,
            nonce: array_at(bytes, NONCE_AT)?,
            key: array_at(bytes, KEY_AT)?,
            tag: array_at(bytes, TAG_AT)?,
        })
    }
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn sum_of(bytes: &[u8; SECTOR]) -> u32 {
    crc32fast::hash(bytes.get(FIELDS_AT..).unwrap_or_default())
}

/// Why a slot could not be made.
#[derive(Debug)]
pub(crate) enum SlotError {
    Io(io::Error),
    Key(UnlockError),
}

impl From<io::Error> for SlotError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<UnlockError> for SlotError {
    fn from(error: UnlockError) -> Self {
        Self::Key(error)
    }
}

impl KeySlots {
    /// The slots in the first page of a file.
    pub(crate) fn parse(head: &[u8]) -> Self {
        let sector = |at: u64| head.get(at as usize..).and_then(|rest| rest.get(..SECTOR));
        let in_use = |at| sector(at).is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0));
        Self {
            whole: KEY_SLOTS.map(|at| KeySlot::parse(sector(at)?)),
            in_use: KEY_SLOTS.map(in_use),
        }
    }

    /// The slots of a new file, which one key opens.
    pub(crate) fn of(slot: KeySlot) -> Self {
        let mut slots = Self::default();
        let [first, ..] = &mut slots.whole;
        *first = Some(slot);
        slots
    }

    pub(crate) fn read(disk: &dyn Disk) -> io::Result<Self> {
        let mut head = [0; super::PAGE];
        disk.read(0, &mut head)?;
        Ok(Self::parse(&head))
    }

    /// Puts the slots into the first page of a new file.
    pub(crate) fn put_into(&self, head: &mut [u8]) {
        for (at, slot) in KEY_SLOTS.into_iter().zip(self.whole) {
            if let Some(slot) = slot {
                put(head, at as usize, &slot.to_bytes());
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.whole.iter().all(Option::is_none)
    }

    /// The master key and the number of the slot that gave it.
    pub(crate) fn unlock(&self, secret: &KeySecret) -> Result<(MasterKey, usize), UnlockError> {
        let mut error = if self.is_empty() { UnlockError::NoSlots } else { UnlockError::WrongKey };
        for (number, slot) in self.whole.iter().enumerate() {
            match slot.as_ref().map(|slot| slot.unlock(secret)) {
                Some(Ok(master)) => return Ok((master, number)),
                Some(Err(UnlockError::WrongKey)) | None => {}
                Some(Err(other)) => error = other,
            }
        }
        Err(error)
    }

    /// Writes a slot into its sector, or zeros over it, and makes that durable.
    pub(crate) fn write(disk: &dyn Disk, number: usize, slot: Option<&KeySlot>) -> io::Result<()> {
        let at = KEY_SLOTS.get(number).ok_or(io::ErrorKind::InvalidInput)?;
        let bytes = slot.map_or([0; SECTOR], |slot| slot.to_bytes());
        write_durably(disk, || disk.write(*at, &bytes))
    }
}
