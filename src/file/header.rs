//! Page 0: the identity of the file, two copies of its root, and its writer stamp.
//!
//! The identity is written once. The root says which generation is current and where its log lies.
//! It is written in place, alternately into two slots, so that a write that is cut leaves the other
//! slot whole.

use std::io;

use super::damage::FileDamage;
use super::disk::Disk;
use super::fields::{put, u32_at, u64_at};
use super::page_allocator::Extent;
use super::seal::FileSeal;
use super::{PAGE, SECTOR};

/// The format that this build writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 4;

/// The only format before the first release that a file is likely to have.
const OLD_VERSION: u32 = 3;

/// A byte above 127, the name, both line ends and a DOS end-of-file: a transfer that changes any
/// of them shows at once.
pub(super) const MAGIC: [u8; 16] = *b"\x89tgsession\r\n\x1a\n\0\0";

/// The content is not encrypted.
const PLAIN: u32 = 0;

/// The content is sealed by XChaCha20-Poly1305.
const XCHACHA20_POLY1305: u32 = 1;

const VERSION_AT: usize = 16;
const PAGE_AT: usize = 20;
const CIPHER_AT: usize = 24;
const FILE_ID_AT: usize = 32;
const IDENTITY_SUM_AT: usize = SECTOR - 4;

/// Where format 3 and earlier had the checksum of the first page.
const OLD_SUM_AT: usize = PAGE - 4;

/// Where the two slots of the root begin.
pub(crate) const SLOTS: [u64; 2] = [512, 2048];

/// Where the stamp of the writer begins.
pub(super) const WRITER_STAMP_AT: u64 = 3584;

/// No number is greater, so that there is always a next one.
const MOST_NUMBERS: u64 = 1 << 61;

const ROOT_MAGIC: [u8; 4] = *b"root";

/// Where a root repeats the file id, for a file whose first sector is lost.
const ROOT_FILE_ID_AT: usize = 56;

/// The identity of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Random, so that a page of another store does not pass for one of this.
    pub(crate) file_id: [u8; 16],
    /// Whether the content is sealed by the cipher.
    pub(crate) is_encrypted: bool,
}

/// Why the first bytes of a file are not a valid header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// The file is not a store.
    NotOurs,
    /// It is a store of a format that this build does not read.
    OtherVersion { found: u32 },
    /// It is encrypted by a cipher that this build does not know.
    OtherCipher { found: u32 },
    /// It is a store, and its header is damaged.
    Damaged(FileDamage),
}

impl Identity {
    pub(crate) fn to_bytes(self) -> [u8; SECTOR] {
        let cipher = if self.is_encrypted { XCHACHA20_POLY1305 } else { PLAIN };
        let mut bytes = [0; SECTOR];
        put(&mut bytes, 0, &MAGIC);
        put(&mut bytes, VERSION_AT, &FORMAT_VERSION.to_le_bytes());
        put(&mut bytes, PAGE_AT, &(PAGE as u32).to_le_bytes());
        put(&mut bytes, CIPHER_AT, &cipher.to_le_bytes());
        put(&mut bytes, FILE_ID_AT, &self.file_id);
        let sum = crc32fast::hash(bytes.split_at(IDENTITY_SUM_AT).0);
        put(&mut bytes, IDENTITY_SUM_AT, &sum.to_le_bytes());
        bytes
    }

    /// Parses the first bytes of a file. A page is enough.
    pub(crate) fn parse(head: &[u8]) -> Result<Self, HeaderError> {
        let damaged = |damage| Err(HeaderError::Damaged(damage));
        let magic_holds = head.starts_with(&MAGIC);
        let Some(sector) = head.first_chunk::<SECTOR>() else {
            return if magic_holds {
                damaged(FileDamage::Cut { len: head.len() as u64, needed: PAGE as u64 })
            } else {
                Err(HeaderError::NotOurs)
            };
        };
        if !sum_holds(sector) {
            if magic_holds && is_old(head) {
                return Err(HeaderError::OtherVersion { found: u32_at(head, VERSION_AT) });
            }
            // A flipped bit in the magic alone must not make a store a foreign file.
            let mut mended = *sector;
            put(&mut mended, 0, &MAGIC);
            return if magic_holds || sum_holds(&mended) || file_id_of_roots(head).is_some() {
                damaged(FileDamage::Identity)
            } else {
                Err(HeaderError::NotOurs)
            };
        }
        if !magic_holds {
            return Err(HeaderError::NotOurs);
        }
        match u32_at(sector, VERSION_AT) {
            FORMAT_VERSION => {}
            found => return Err(HeaderError::OtherVersion { found }),
        }
        let found = u32_at(sector, PAGE_AT);
        if found != PAGE as u32 {
            return damaged(FileDamage::IdentityField { at: PAGE_AT, found });
        }
        let is_encrypted = match u32_at(sector, CIPHER_AT) {
            PLAIN => false,
            XCHACHA20_POLY1305 => true,
            found => return Err(HeaderError::OtherCipher { found }),
        };
        let file_id = sector.get(FILE_ID_AT..).and_then(|rest| rest.first_chunk());
        Ok(Self { file_id: file_id.copied().unwrap_or_default(), is_encrypted })
    }
}

fn sum_holds(sector: &[u8; SECTOR]) -> bool {
    u32_at(sector, IDENTITY_SUM_AT) == crc32fast::hash(sector.split_at(IDENTITY_SUM_AT).0)
}

/// Whether this is the whole first page of format 3 or before.
fn is_old(head: &[u8]) -> bool {
    let holds = head.get(..OLD_SUM_AT).map(crc32fast::hash) == Some(u32_at(head, OLD_SUM_AT));
    head.len() >= PAGE && holds && (1..=OLD_VERSION).contains(&u32_at(head, VERSION_AT))
}

/// The place of nonce and tag in a root of an encrypted file.
const ROOT_NONCE_AT: usize = 80;

/// Names the current generation and the place of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// Counts the writes of the root. The slot with the greater number is current.
    pub(crate) revision: u64,
    /// The current generation. Each has a log of its own.
    pub(crate) generation: u64,
    /// Where that log lies, and how far it may go.
    pub(crate) log: Extent,
    /// Random. A log that was written for this generation before, and did not become current, has
    /// another one.
    pub(crate) salt: u64,
    /// The number of the first record of that log.
    pub(crate) first: u64,
    /// The log has at least all records up to this number.
    pub(crate) last: u64,
    /// The file has at least this many pages.
    pub(crate) pages: u32,
}

/// Both slots as they were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roots {
    slots: [Option<Root>; 2],
}

impl Root {
    /// Whether this root is of the same generation as another. The number alone does not tell: after
    /// a failed sync and the death of the writer, the next writer may give the number again.
    pub(crate) fn is_of_generation(&self, other: &Self) -> bool {
        (self.generation, self.salt) == (other.generation, other.salt)
    }

    /// In an encrypted file the tag authenticates the root. Its fields are not encrypted.
    pub(crate) fn to_bytes(self, seal: &FileSeal) -> io::Result<[u8; SECTOR]> {
        let mut bytes = [0; SECTOR];
        put(&mut bytes, 0, &ROOT_MAGIC);
        put(&mut bytes, 8, &self.revision.to_le_bytes());
        put(&mut bytes, 16, &self.generation.to_le_bytes());
        put(&mut bytes, 24, &self.log.page.to_le_bytes());
        put(&mut bytes, 28, &self.log.pages.to_le_bytes());
        put(&mut bytes, 32, &self.first.to_le_bytes());
        put(&mut bytes, 40, &self.last.to_le_bytes());
        put(&mut bytes, 48, &self.pages.to_le_bytes());
        put(&mut bytes, ROOT_FILE_ID_AT, &seal.file_id());
        put(&mut bytes, 72, &self.salt.to_le_bytes());
        if let Some(nonce_and_tag) = seal.seal(&associated_data(&bytes), &mut [])? {
            put(&mut bytes, ROOT_NONCE_AT, &nonce_and_tag.to_bytes());
        }
        let sum = root_sum(seal.file_id(), &bytes);
        put(&mut bytes, 4, &sum.to_le_bytes());
        Ok(bytes)
    }

    pub(crate) fn parse(seal: &FileSeal, bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SECTOR] = bytes.first_chunk()?;
        if !bytes.starts_with(&ROOT_MAGIC) || u32_at(bytes, 4) != root_sum(seal.file_id(), bytes) {
            return None;
        }
        let file_id = bytes.get(ROOT_FILE_ID_AT..).and_then(|rest| rest.first_chunk());
        if file_id != Some(&seal.file_id()) {
            return None;
        }
        if !seal.open(&associated_data(bytes), &mut [], bytes, ROOT_NONCE_AT) {
            return None;
        }
        let root = Self {
            revision: u64_at(bytes, 8),
            generation: u64_at(bytes, 16),
            log: Extent { page: u32_at(bytes, 24), pages: u32_at(bytes, 28) },
            first: u64_at(bytes, 32),
            last: u64_at(bytes, 40),
            pages: u32_at(bytes, 48),
            salt: u64_at(bytes, 72),
        };
        let fits = root.log.page > 0 && root.log.pages > 0 && root.log.end().is_some();
        let numbers = [root.revision, root.generation, root.first, root.last];
        let small = numbers.iter().all(|number| *number < MOST_NUMBERS) && root.first > 0;
        (fits && small && root.pages > root.log.page).then_some(root)
    }
}

/// The file id that a whole root repeats.
pub(crate) fn file_id_of_roots(head: &[u8]) -> Option<[u8; 16]> {
    SLOTS.iter().find_map(|at| {
        let slot = head.get(*at as usize..)?;
        let file_id = *slot.get(ROOT_FILE_ID_AT..)?.first_chunk()?;
        Root::parse(&FileSeal::plain(file_id), slot).map(|_| file_id)
    })
}

/// The associated data of a root: its magic and its fields.
fn associated_data(bytes: &[u8; SECTOR]) -> Vec<u8> {
    [&ROOT_MAGIC, bytes.get(8..ROOT_NONCE_AT).unwrap_or_default()].concat()
}

fn root_sum(file_id: [u8; 16], bytes: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&file_id);
    crc.update(bytes.get(8..SECTOR).unwrap_or_default());
    crc.finalize()
}

impl Roots {
    /// Reads both slots.
    pub(crate) fn read(disk: &dyn Disk, seal: &FileSeal) -> io::Result<Self> {
        // One read, so that both are of the same moment.
        let mut head = [0; SLOTS[1] as usize + SECTOR];
        disk.read(0, &mut head).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                FileDamage::Cut { len: disk.len().unwrap_or_default(), needed: PAGE as u64 }.into()
            }
            _ => error,
        })?;
        let slot = |at: u64| Root::parse(seal, head.get(at as usize..).unwrap_or_default());
        Ok(Self { slots: SLOTS.map(slot) })
    }

    /// The current root and the number of its slot.
    pub(crate) fn current(&self) -> Result<(Root, usize), FileDamage> {
        let slots = self.slots.into_iter().enumerate();
        let whole = slots.filter_map(|(slot, root)| Some((root?, slot)));
        whole.max_by_key(|(root, _)| root.revision).ok_or(FileDamage::Roots)
    }

    /// The slot that a new writer must write last, given the slot of the current root. If both slots name
    /// one generation, it is the older slot: a writer changes the bounds of the root in the other
    /// slot, without a sync. If they name two generations, a writer was stopped between the slots:
    /// without a mark nothing was acknowledged in the newer generation, so that the older slot may
    /// become current again.
    pub(crate) fn durable_slot(&self, newest: usize, is_marked: bool) -> usize {
        if self.agree() || self.are_whole() && !is_marked { 1 - newest } else { newest }
    }

    pub(crate) fn are_whole(&self) -> bool {
        self.slots.iter().all(Option::is_some)
    }

    /// Whether both slots are whole and name the same generation, as they do unless a writer was
    /// stopped while it wrote one.
    pub(crate) fn agree(&self) -> bool {
        matches!(self.slots, [Some(one), Some(other)] if one.generation == other.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Identity = Identity { file_id: *b"0123456789abcdef", is_encrypted: false };

    #[test]
    fn an_identity_is_read_back() {
        assert_eq!(Identity::parse(&OURS.to_bytes()), Ok(OURS));
    }

    #[test]
    fn every_flipped_bit_is_damage_and_never_another_identity() {
        let bytes = OURS.to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            let found = Identity::parse(&damaged);
            assert!(matches!(found, Err(HeaderError::Damaged(_))), "bit {bit}: {found:?}");
        }
    }

    #[test]
    fn another_format_is_named_when_its_identity_is_whole() {
        let mut bytes = OURS.to_bytes();
        put(&mut bytes, VERSION_AT, &7u32.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..IDENTITY_SUM_AT]);
        put(&mut bytes, IDENTITY_SUM_AT, &sum.to_le_bytes());
        assert_eq!(Identity::parse(&bytes), Err(HeaderError::OtherVersion { found: 7 }));
    }

    #[test]
    fn a_store_of_format_3_is_named_and_not_called_damaged() {
        let mut page = [0; PAGE];
        put(&mut page, 0, &MAGIC);
        put(&mut page, VERSION_AT, &3u32.to_le_bytes());
        let sum = crc32fast::hash(&page[..OLD_SUM_AT]);
        put(&mut page, OLD_SUM_AT, &sum.to_le_bytes());
        assert_eq!(Identity::parse(&page), Err(HeaderError::OtherVersion { found: 3 }));
    }

    #[test]
    fn a_foreign_file_is_not_ours_however_short() {
        assert_eq!(Identity::parse(b""), Err(HeaderError::NotOurs));
        assert_eq!(Identity::parse(&[0; PAGE]), Err(HeaderError::NotOurs));
        assert_eq!(Identity::parse(&[b'x'; 9000]), Err(HeaderError::NotOurs));
    }

    #[test]
    fn every_flipped_bit_of_a_root_is_noticed() {
        let log = Extent { page: 1, pages: 9 };
        let root = Root { revision: 4, generation: 2, log, salt: 6, first: 7, last: 9, pages: 5 };
        let seal = FileSeal::plain(OURS.file_id);
        let bytes = root.to_bytes(&seal).unwrap();
        assert_eq!(Root::parse(&seal, &bytes), Some(root));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Root::parse(&seal, &damaged), None, "bit {bit}");
        }
        assert_eq!(Root::parse(&FileSeal::plain([7; 16]), &bytes), None, "of another file");
    }
}
