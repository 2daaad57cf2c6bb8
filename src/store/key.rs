//! The keys of an encrypted store.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Store, open_error, store_path};
use crate::cipher::{Cipher, Costs, random};
use crate::error::{Error, KeyError, Result};
use crate::file::{
    Access, FileDamage, FileSeal, Identity, KeySecret, KeySlot, KeySlots, MasterKey, SlotError,
    SlotKind, StoreFile, UnlockError, random_id,
};

/// A passphrase has at most this many bytes.
const LONGEST_PASSPHRASE: usize = 1 << 20;

/// The key of an encrypted store: a passphrase, or a raw key of 32 bytes.
///
/// Opening with a passphrase takes 64 MiB of memory and about 0.2 s, which makes guessing slow.
/// A key of 32 random bytes cannot be guessed, and opens at once: it is for keyrings, secret
/// stores and key files.
///
/// The key is wiped from memory when the last clone is dropped.
///
/// ```
/// # #[cfg(feature = "encryption")]
/// # fn main() -> tgsession::Result<()> {
/// use tgsession::{Store, StoreKey};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let key = StoreKey::raw([7; 32]); // Take 32 random bytes.
/// let store = Store::options().key(&key).create(&path)?;
/// store.session("alice")?;
/// store.close()?;
///
/// assert!(Store::open(&path).is_err(), "nobody opens it without the key");
/// assert_eq!(Store::options().key(&key).open(&path)?.list()?, ["alice"]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "encryption"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct StoreKey(Arc<KeySecret>);

impl StoreKey {
    /// A passphrase: its bytes as they were typed. It has 1 to 1,048,576 bytes, which need not be
    /// UTF-8.
    #[must_use]
    pub fn passphrase(passphrase: impl AsRef<[u8]>) -> Self {
        let passphrase = Zeroizing::new(passphrase.as_ref().to_vec());
        Self(Arc::new(KeySecret::Passphrase(passphrase, Costs::WRITTEN)))
    }

    /// A key of 32 random bytes.
    #[must_use]
    pub fn raw(key: [u8; 32]) -> Self {
        Self(Arc::new(KeySecret::Raw(Zeroizing::new(key))))
    }

    /// The costs of Argon2id where this passphrase becomes a new key of a store: memory in KiB, 8
    /// to 262,144, and passes, 1 to 16. 65,536 KiB and 3 passes unless set, the second
    /// recommendation of RFC 9106. A store keeps the costs of each of its keys; opening does not
    /// depend on what is set here.
    #[must_use]
    pub fn costs(self, memory_kib: u32, passes: u32) -> Self {
        match &*self.0 {
            KeySecret::Passphrase(passphrase, costs) => {
                let costs = Costs { memory_kib, passes, ..*costs };
                Self(Arc::new(KeySecret::Passphrase(passphrase.clone(), costs)))
            }
            KeySecret::Raw(_) => self,
        }
    }

    fn checked(&self) -> Result<&KeySecret, KeyError> {
        if !cfg!(feature = "encryption") {
            return Err(KeyError::NoFeature);
        }
        if let KeySecret::Passphrase(passphrase, Costs { memory_kib, passes, .. }) = &*self.0 {
            let costs = Costs { memory_kib: *memory_kib, passes: *passes, lanes: 1 };
            if passphrase.is_empty() {
                return Err(KeyError::Empty);
            }
            if passphrase.len() > LONGEST_PASSPHRASE {
                return Err(KeyError::TooLong { most: LONGEST_PASSPHRASE });
            }
            if !costs.are_bounded() {
                return Err(KeyError::Costs { memory_kib: *memory_kib, passes: *passes });
            }
        }
        Ok(&self.0)
    }
}

/// Shows the kind of the key, never the key.
impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0 {
            KeySecret::Passphrase(..) => "StoreKey(passphrase)",
            KeySecret::Raw(_) => "StoreKey(raw)",
        })
    }
}

/// The kind of a key.
///
/// ```
/// use tgsession::KeyKind;
///
/// let kind = KeyKind::Passphrase { memory_kib: 65_536, passes: 3 };
/// let text = match kind {
///     KeyKind::Passphrase { memory_kib, .. } => format!("a passphrase, {memory_kib} KiB"),
///     KeyKind::Raw => "a key of 32 bytes".to_owned(),
///     _ => "a key that this build cannot read".to_owned(),
/// };
/// assert_eq!(text, "a passphrase, 65536 KiB");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// A passphrase, with the costs of deriving a key from it.
    Passphrase {
        /// Memory of Argon2id, in KiB.
        memory_kib: u32,
        /// Passes of Argon2id.
        passes: u32,
    },
    /// A key of 32 bytes.
    Raw,
    /// The slot is damaged, or of a kind that a newer release writes.
    Unreadable,
}

/// A key slot of an encrypted store that is in use.
///
/// ```
/// # #[cfg(feature = "encryption")]
/// # fn main() -> tgsession::Result<()> {
/// use tgsession::{KeyKind, Store, StoreKey};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// Store::options().key(&StoreKey::raw([1; 32])).create(&path)?.close()?;
///
/// // No key is needed to see which keys there are.
/// for key in Store::keys_of(&path)?.unwrap_or_default() {
///     assert_eq!((key.slot, key.kind), (1, KeyKind::Raw));
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "encryption"))]
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Its number, 1 to 4.
    pub slot: usize,
    /// The kind of the key that opens it.
    pub kind: KeyKind,
}

fn infos(slots: &KeySlots) -> Vec<KeyInfo> {
    let slots = slots.whole.iter().zip(slots.in_use).zip(1..).filter(|((_, in_use), _)| *in_use);
    let kind = |slot: &Option<KeySlot>| match slot.map(|slot| slot.kind) {
        Some(SlotKind::Passphrase(Costs { memory_kib, passes, .. })) => {
            KeyKind::Passphrase { memory_kib, passes }
        }
        Some(SlotKind::Raw) => KeyKind::Raw,
        None => KeyKind::Unreadable,
    };
    slots.map(|((slot, _), number)| KeyInfo { slot: number, kind: kind(slot) }).collect()
}

/// The protection of a new store.
#[derive(Clone, Copy)]
pub(super) enum Protection<'a> {
    None,
    /// A new master key, which this key opens.
    New(&'a StoreKey),
    /// The master key of another store, which its keys open.
    Same(&'a Unlocked),
}

/// The master key of a store, and its key slots as they were when it was opened.
#[derive(Clone)]
pub(super) struct Unlocked {
    master: Arc<MasterKey>,
    slots: KeySlots,
    /// The number of the slot that gave the master key, from 0 on.
    opened: usize,
}

impl Protection<'_> {
    /// The seal of a new file, and its key slots.
    pub(super) fn new_file(self, path: &Path) -> Result<(FileSeal, Option<Unlocked>)> {
        let file_id = random_id();
        let unlocked = match self {
            Self::None => return Ok((FileSeal::plain(file_id), None)),
            Self::Same(unlocked) => unlocked.clone(),
            Self::New(key) => new_master(path, key)?,
        };
        let seal = unlocked.seal(file_id).map_err(|why| key_error(path, why))?;
        Ok((seal, Some(unlocked)))
    }
}

impl Unlocked {
    pub(super) fn slots(&self) -> &KeySlots {
        &self.slots
    }

    pub(super) fn with_slots(&self, slots: KeySlots) -> Self {
        Self { master: Arc::clone(&self.master), slots, ..*self }
    }

    fn seal(&self, file_id: [u8; 16]) -> Result<FileSeal, KeyError> {
        let cipher = Cipher::new(&self.master).ok_or(KeyError::NoFeature)?;
        Ok(FileSeal::encrypted(file_id, Arc::new(cipher)))
    }
}

fn new_master(path: &Path, key: &StoreKey) -> Result<Unlocked> {
    let io = |source| Error::io("create", path, source);
    let master = MasterKey::new(random().map_err(io)?);
    let slots = KeySlots::of(new_slot(path, key, &master)?);
    Ok(Unlocked { master: Arc::new(master), slots, opened: 0 })
}

fn new_slot(path: &Path, key: &StoreKey, master: &MasterKey) -> Result<KeySlot> {
    let secret = key.checked().map_err(|why| key_error(path, why))?;
    KeySlot::new(secret, master).map_err(|error| match error {
        SlotError::Io(source) => Error::io("create a key of", path, source),
        SlotError::Key(error) => unlock_error(path, error),
    })
}

/// Unlocks a store with these key slots. Gives its seal, and the master key if it is encrypted.
pub(super) fn unlocked(
    path: &Path,
    identity: Identity,
    slots: &KeySlots,
    key: Option<&StoreKey>,
) -> Result<(FileSeal, Option<Unlocked>)> {
    let failed = |why| key_error(path, why);
    let key = match (identity.is_encrypted, key) {
        (false, None) => return Ok((FileSeal::plain(identity.file_id), None)),
        (false, Some(_)) => return Err(failed(KeyError::NotEncrypted)),
        (true, None) => return Err(failed(KeyError::Missing)),
        (true, Some(key)) => key.checked().map_err(failed)?,
    };
    let (master, opened) = slots.unlock(key).map_err(|error| unlock_error(path, error))?;
    let unlocked = Unlocked { master: Arc::new(master), slots: *slots, opened };
    let seal = unlocked.seal(identity.file_id).map_err(failed)?;
    Ok((seal, Some(unlocked)))
}

pub(super) fn key_error(path: &Path, why: KeyError) -> Error {
    Error::Key { path: path.to_owned(), why }
}

fn unlock_error(path: &Path, error: UnlockError) -> Error {
    let why = match error {
        UnlockError::WrongKey => KeyError::Wrong,
        UnlockError::NoSlots => return Error::damaged(path, FileDamage::KeySlots),
        UnlockError::Costs(Costs { memory_kib, passes, .. }) => {
            KeyError::Costs { memory_kib, passes }
        }
        UnlockError::NoMemory(kib) => KeyError::NoMemory { kib },
        UnlockError::NoFeature => KeyError::NoFeature,
    };
    key_error(path, why)
}

impl Store {
    /// Whether the file is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.unlocked.is_some()
    }

    /// The keys that open this store; none if it is not encrypted.
    ///
    /// # Errors
    ///
    /// Only those of reading the file.
    pub fn keys(&self) -> Result<Vec<KeyInfo>> {
        if !self.is_encrypted() {
            return Ok(Vec::new());
        }
        self.engine.key_slots().map(|slots| infos(&slots))
    }

    /// The keys that open the store at this path, which can be seen without any of them. `None` if
    /// it is not encrypted.
    ///
    /// # Errors
    ///
    /// Those of [`Store::open_read_only`] but [`Error::Key`].
    pub fn keys_of(path: impl AsRef<Path>) -> Result<Option<Vec<KeyInfo>>> {
        let path = &store_path(path.as_ref());
        let file = StoreFile::open(path, Access::Read).map_err(|error| open_error(path, error))?;
        Ok(file.identity.is_encrypted.then(|| infos(&file.key_slots)))
    }

    /// The key slot that the key of this handle opened, as [`KeyInfo::slot`] has it. `None` if the
    /// store is not encrypted.
    ///
    /// ```
    /// # #[cfg(feature = "encryption")]
    /// # fn main() -> tgsession::Result<()> {
    /// # use tgsession::{Store, StoreKey};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("accounts");
    /// let (old, new) = (StoreKey::raw([1; 32]), StoreKey::raw([2; 32])); // Take random bytes.
    /// Store::options().key(&old).create(&path)?.close()?;
    ///
    /// // Change the key.
    /// let store = Store::options().key(&old).open(&path)?;
    /// store.add_key(&new)?;
    /// if let Some(slot) = store.opened_key_slot() {
    ///     store.remove_key(slot)?;
    /// }
    /// store.close()?;
    /// assert!(Store::options().key(&old).open(&path).is_err());
    /// assert_eq!(Store::options().key(&new).open(&path)?.opened_key_slot(), Some(2));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "encryption"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn opened_key_slot(&self) -> Option<usize> {
        self.unlocked.as_ref().map(|unlocked| unlocked.opened + 1)
    }

    /// Gives an encrypted store another key, beside those that it has, and returns the number of its
    /// slot, 1 to 4. The key is durable when this returns. After an error it may be in the file
    /// all the same. A store has at most 4 keys.
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: the store is not encrypted, its slots are full, or the passphrase or its costs
    /// are out of bounds; [`Error::ReadOnly`]; [`Error::Replaced`]; [`Error::Io`].
    pub fn add_key(&self, key: &StoreKey) -> Result<usize> {
        let path = self.path();
        let failed = |why| key_error(path, why);
        let unlocked = self.unlocked.as_ref().ok_or(failed(KeyError::NotEncrypted))?;
        let new = new_slot(path, key, &unlocked.master)?;
        self.engine.change_key_slots(|slots| {
            let free = slots.in_use.iter().position(|in_use| !in_use);
            Ok((free.ok_or(failed(KeyError::SlotsFull))?, Some(new)))
        })
    }

    /// Removes a key from an encrypted store: writes zeros over its slot, 1 to 4, durably. An old copy
    /// of the file, and blocks that an SSD or a snapshot keeps, still have the slot. Where the key
    /// may be known to others, make a copy under a new master key:
    /// [`Store::backup_encrypted`].
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: there is no key in the slot, or it is the last; [`Error::ReadOnly`];
    /// [`Error::Replaced`]; [`Error::Io`].
    pub fn remove_key(&self, slot: usize) -> Result<()> {
        let path = self.path();
        let failed = |why| key_error(path, why);
        if !self.is_encrypted() {
            return Err(failed(KeyError::NotEncrypted));
        }
        let removed = self.engine.change_key_slots(|slots| {
            let number =
                slot.checked_sub(1).filter(|number| slots.in_use.get(*number) == Some(&true));
            let number = number.ok_or(failed(KeyError::NoSlot { slot }))?;
            let mut others = slots.whole.iter().enumerate().filter(|(other, _)| *other != number);
            if others.all(|(_, slot)| slot.is_none()) {
                return Err(failed(KeyError::LastSlot));
            }
            Ok((number, None))
        });
        removed.map(drop)
    }
}
