//! The layout of a record.

use std::io;

use crc32fast::Hasher;
use zeroize::Zeroizing;

use crate::cipher::{NONCE, TAG};
use crate::file::{Extent, FileSeal, Root, SECTOR, put, u32_at, u64_at};

/// Length of what stands before a record's content.
pub(crate) const RECORD_HEAD: usize = 88;

/// No number is greater, so that there is always a next one.
const MOST_NUMBERS: u64 = 1 << 61;

/// The first bytes of every record.
const MAGIC: [u8; 4] = *b"\x89log";

const SUM_AT: usize = 4;
const NUMBER_AT: usize = 8;
const GENERATION_AT: usize = 16;
const SEQUENCE_AT: usize = 24;
const LEN_AT: usize = 32;
const KIND_AT: usize = 36;
const SALT_AT: usize = 40;

/// The place of nonce and tag in a record of an encrypted file.
const NONCE_AT: usize = 48;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The manifest of the generation: the first record of every log, and no other.
    Manifest = 1,
    /// Changes of rows.
    Changes = 2,
    /// The record of this number, which comes before it, is durable. It is no record itself: the
    /// next one takes its place.
    Mark = 3,
}

impl Kind {
    fn of(code: u8) -> Option<Self> {
        [Self::Manifest, Self::Changes, Self::Mark].into_iter().find(|kind| *kind as u8 == code)
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRecord {
    pub(crate) number: u64,
    pub(crate) generation: u64,
    pub(crate) salt: u64,
    /// The last batch whose changes are in this record or in one before it.
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    /// It may hold keys.
    pub(crate) content: Zeroizing<Vec<u8>>,
    /// Its own tag and that of the record before it. Zeros in a file that is not encrypted.
    pub(super) tag: Tag,
    pub(super) previous: Tag,
}

/// The tag of a record. Each record of an encrypted log repeats that of the record before it, so that
/// no record of a copy that went on separately passes for one of this log.
pub(super) type Tag = [u8; TAG];

/// The log of one generation.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    seal: FileSeal,
    /// CRC-32 of the file id, carried on into every record's.
    seed: u32,
    pub(crate) generation: u64,
    pub(crate) salt: u64,
    pub(crate) extent: Extent,
    /// The number of its first record.
    pub(crate) first: u64,
}

/// The bytes of a record, up to the next sector. They may hold keys.
pub(crate) type Sealed = Zeroizing<Vec<u8>>;

impl Log {
    pub(crate) fn new(
        seal: &FileSeal,
        (generation, salt): (u64, u64),
        extent: Extent,
        first: u64,
    ) -> Self {
        let seed = crc32fast::hash(&seal.file_id());
        Self { seal: seal.clone(), seed, generation, salt, extent, first }
    }

    /// The log that a root names.
    pub(crate) fn of(seal: &FileSeal, root: &Root) -> Self {
        Self::new(seal, (root.generation, root.salt), root.log, root.first)
    }

    /// How many bytes before the content repeat the tag of the record before it. A mark is
    /// valid wherever it is found.
    fn link(&self, kind: Kind) -> usize {
        if kind == Kind::Mark { 0 } else { link(&self.seal) }
    }

    /// How many bytes a record with so much content takes.
    pub(super) fn padded(&self, content: usize) -> usize {
        padded(&self.seal, content)
    }

    /// How many bytes it may have.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.extent.len()).unwrap_or(usize::MAX)
    }

    /// The record as it stands at this place of the log, after a record with the tag `previous`.
    pub(crate) fn seal(
        &self,
        (at, previous): (usize, &Tag),
        number: u64,
        sequence: u64,
        kind: Kind,
        content: &[u8],
    ) -> io::Result<Sealed> {
        let previous = previous.get(..self.link(kind)).unwrap_or_default();
        let end = RECORD_HEAD + previous.len() + content.len();
        let mut bytes = Zeroizing::new(vec![0; end.next_multiple_of(SECTOR)]);
        put(&mut bytes, 0, &MAGIC);
        put(&mut bytes, NUMBER_AT, &number.to_le_bytes());
        put(&mut bytes, GENERATION_AT, &self.generation.to_le_bytes());
        put(&mut bytes, SALT_AT, &self.salt.to_le_bytes());
        put(&mut bytes, SEQUENCE_AT, &sequence.to_le_bytes());
        put(&mut bytes, LEN_AT, &((end - RECORD_HEAD) as u32).to_le_bytes());
        put(&mut bytes, KIND_AT, &[kind as u8]);
        put(&mut bytes, RECORD_HEAD, previous);
        put(&mut bytes, RECORD_HEAD + previous.len(), content);
        if self.seal.is_encrypted() {
            let associated_data = self.associated_data(at, &bytes);
            let text = bytes.get_mut(RECORD_HEAD..end).unwrap_or_default();
            if let Some(nonce_and_tag) = self.seal.seal(&associated_data, text)? {
                put(&mut bytes, NONCE_AT, &nonce_and_tag.to_bytes());
            }
        }
        let sum = self.sum(at, bytes.get(..end).unwrap_or_default());
        put(&mut bytes, SUM_AT, &sum.to_le_bytes());
        Ok(bytes)
    }

    /// Makes the checksum of what stands at this place right, if it can be a record.
    #[cfg(any(all(test, feature = "encryption"), all(any(test, fuzzing), feature = "convert")))]
    pub(crate) fn mend(&self, at: usize, log: &mut [u8]) {
        let Some(bytes) = log.get_mut(at..) else { return };
        let len = Self::len_of(bytes);
        if let Some(record) = len.and_then(|len| bytes.get(..len)) {
            let sum = self.sum(at, record);
            put(bytes, SUM_AT, &sum.to_le_bytes());
        }
    }

    /// Whether a record is of this log.
    pub(super) fn has(&self, record: &LogRecord) -> bool {
        (record.generation, record.salt) == (self.generation, self.salt)
    }

    /// How long the record is whose head this is, if it can be one.
    pub(super) fn len_of(head: &[u8]) -> Option<usize> {
        let whole = head.len() >= RECORD_HEAD && head.starts_with(&MAGIC);
        whole.then(|| RECORD_HEAD.saturating_add(u32_at(head, LEN_AT) as usize))
    }

    /// The record that stands at this place, if its checksum matches and every field is known.
    pub(super) fn parse(&self, at: usize, bytes: &[u8]) -> Option<LogRecord> {
        let bytes = bytes.get(..Self::len_of(bytes)?)?;
        if u32_at(bytes, SUM_AT) != self.sum(at, bytes) {
            return None;
        }
        let (head, content) = bytes.split_at_checked(RECORD_HEAD)?;
        if [NUMBER_AT, SEQUENCE_AT].iter().any(|at| u64_at(bytes, *at) >= MOST_NUMBERS) {
            return None;
        }
        let mut content = Zeroizing::new(content.to_vec());
        if self.seal.is_encrypted()
            && !self.seal.open(&self.associated_data(at, head), &mut content, head, NONCE_AT)
        {
            return None;
        }
        let kind = Kind::of(*bytes.get(KIND_AT)?)?;
        let link = self.link(kind);
        let mut previous = Tag::default();
        previous.get_mut(..link)?.copy_from_slice(content.get(..link)?);
        if link > 0 {
            content = Zeroizing::new(content.get(link..)?.to_vec());
        }
        Some(LogRecord {
            number: u64_at(bytes, NUMBER_AT),
            generation: u64_at(bytes, GENERATION_AT),
            salt: u64_at(bytes, SALT_AT),
            sequence: u64_at(bytes, SEQUENCE_AT),
            kind,
            content,
            tag: tag_of(head),
            previous,
        })
    }

    /// The checksum covers the file id, the place in the log and the record, so that a record is
    /// invalid at any other place. A mark is valid at any place: it proves that a record was durable.
    fn sum(&self, at: usize, record: &[u8]) -> u32 {
        let place = self.place(at, record);
        let mut crc = Hasher::new_with_initial(self.seed);
        crc.update(&place.to_le_bytes());
        crc.update(record.get(NUMBER_AT..).unwrap_or_default());
        crc.finalize()
    }

    fn place(&self, at: usize, record: &[u8]) -> u64 {
        let is_mark = record.get(KIND_AT) == Some(&(Kind::Mark as u8));
        if is_mark { 0 } else { self.extent.at() + at as u64 }
    }

    /// The fields that the checksum covers too.
    fn associated_data(&self, at: usize, record: &[u8]) -> Vec<u8> {
        let place = self.place(at, record).to_le_bytes();
        let head = record.get(NUMBER_AT..NONCE_AT).unwrap_or_default();
        [&MAGIC, self.seal.file_id().as_slice(), &place, head].concat()
    }
}

fn link(seal: &FileSeal) -> usize {
    if seal.is_encrypted() { TAG } else { 0 }
}

/// How many bytes a record with so much content takes in a file with this seal.
pub(super) fn padded(seal: &FileSeal, content: usize) -> usize {
    (RECORD_HEAD + link(seal) + content).next_multiple_of(SECTOR)
}

/// The tag of this record.
pub(super) fn tag_of(record: &[u8]) -> Tag {
    let tag = record.get(NONCE_AT + NONCE..).and_then(|rest| rest.first_chunk());
    tag.copied().unwrap_or_default()
}
