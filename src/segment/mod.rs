//! Segments: sorted runs of entities that are never changed once they are written.
//!
//! An entity is found by its id with a search in a sorted index, and by a username or a phone
//! number in one bucket of a hash table. A segment is read in place: the checksum of each sector is
//! verified before its first use. FORMAT.md has each byte.

mod builder;
mod cursor;
mod group;
mod interpolation_search;
mod key_filter;
mod layout;
mod reader;
mod secondary_index;
#[cfg(test)]
mod tests;
mod unit_cache;
mod varint;
mod verified_sectors;

use std::fmt;
use std::io;

pub(crate) use self::builder::{NewSegment, SegmentBuilder};
pub(crate) use self::cursor::Cursor;
pub(crate) use self::key_filter::entity_hash;
pub(crate) use self::layout::{GROUP, PartSizes, SegmentInfo, parse_header};
pub(crate) use self::reader::{Segment, SegmentRow};
pub(crate) use self::secondary_index::{Collision, IndexKind};
pub(crate) use self::unit_cache::{SegmentSlice, UnitCache};
use crate::file::FileDamage;
use crate::record::RecordError;

/// A key of an entity: account and marked id, in sortable form.
pub(crate) type Key = [u8; 12];

/// Why a segment cannot be read or written.
#[derive(Debug)]
pub(crate) enum SegmentError {
    Io(io::Error),
    Damage(FileDamage),
    /// A record in it is not one.
    Record(Key, RecordError),
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Damage(damage) => damage.fmt(f),
            Self::Record(_, error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for SegmentError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<FileDamage> for SegmentError {
    fn from(damage: FileDamage) -> Self {
        Self::Damage(damage)
    }
}

pub(crate) type Result<T> = std::result::Result<T, SegmentError>;

/// The vectors of this module in FORMAT.md, for the test that reads it.
#[cfg(all(test, feature = "convert"))]
pub(crate) mod vectors {
    use super::layout::Layout;
    use super::*;
    use crate::file::{Disk, FileSeal, MemoryDisk, SECTOR};
    use crate::record::{AccountNo, PeerKey, encode};
    use crate::types::{Entity, fold_phone, folded_username};

    /// The parts of segment 5 with these entities, without the zeros after each.
    pub(crate) fn vectors(
        file_id: [u8; 16],
        account: AccountNo,
        entities: &[Entity],
    ) -> Vec<(&'static str, Vec<u8>)> {
        let (layout, header, bytes) = written(&FileSeal::plain(file_id), account, entities);
        let part = |from: usize, to: usize| trimmed(&bytes[from..to]);
        vec![
            ("segment: header", trimmed(&header)),
            ("segment: rows", part(0, layout.groups)),
            ("segment: groups", part(layout.groups, layout.tops)),
            ("segment: top", part(layout.tops, layout.accounts)),
            ("segment: accounts", part(layout.accounts, layout.usernames)),
            ("segment: usernames", part(layout.usernames, layout.phones)),
            ("segment: phones", part(layout.phones, layout.sums)),
            ("segment: first checksum", bytes[layout.sums..layout.sums + 4].to_vec()),
        ]
    }

    /// Header and parts of the same segment of an encrypted file: the header, and of its only unit the
    /// first 32 bytes, the tag and the checksum of the first sector.
    #[cfg(feature = "encryption")]
    pub(crate) fn encrypted(
        seal: &FileSeal,
        account: AccountNo,
        entities: &[Entity],
    ) -> Vec<(&'static str, Vec<u8>)> {
        use super::verified_sectors::{ChecksumSeed, UNIT_KIND, VerifiedSectors};
        use crate::cipher::{TAG, with_known_random};
        use crate::file::BlockCipher;
        let file_id = seal.file_id();
        let (plain_layout, _, plain) = written(&FileSeal::plain(file_id), account, entities);
        let (layout, header, bytes) = with_known_random(|| written(seal, account, entities));
        assert_eq!(layout.tags, plain_layout.sums, "the parts are as long");
        let (number, salt, _) = parse_header(seal, &header).unwrap();
        let cipher = BlockCipher::of(seal, UNIT_KIND, number, salt).unwrap();
        let (sums, owned) = (ChecksumSeed::new(file_id, number), bytes.clone().into());
        let cache = UnitCache::new(0);
        let sectors = VerifiedSectors::new(
            crate::file::Bytes::Owned(owned),
            sums,
            layout,
            Some((cipher, &cache)),
        );
        let decrypted = sectors.copied(0, layout.tags).unwrap().unwrap();
        assert_eq!(**decrypted, plain[..layout.tags]);
        let behind = [
            &bytes[..32],
            &bytes[layout.tags..layout.tags + TAG],
            &bytes[layout.sums..layout.sums + 4],
        ];
        vec![
            ("segment: header, encrypted", header[..104].to_vec()),
            ("segment: unit, encrypted", behind.concat()),
        ]
    }

    fn written(
        seal: &FileSeal,
        account: AccountNo,
        entities: &[Entity],
    ) -> (Layout, [u8; SECTOR], Vec<u8>) {
        let (disk, space) = (MemoryDisk::default(), std::sync::Arc::default());
        let mut builder = SegmentBuilder::new(&disk, seal, &space, 5);
        for entity in entities {
            let record = encode(entity).unwrap();
            builder.push(&PeerKey::of(account, entity.id), Some(&record[1..])).unwrap();
            for name in &entity.usernames {
                builder.index(IndexKind::Usernames, &folded_username(name));
            }
            if let Some(phone) = entity.phone.as_deref().and_then(fold_phone) {
                builder.index(IndexKind::Phones, &phone);
            }
        }
        let info = builder.finish().unwrap().0.info;
        let layout = Layout::of(&info.sizes, seal.is_encrypted()).unwrap();
        let (mut header, mut bytes) = ([0; SECTOR], vec![0; layout.len]);
        disk.read(info.extent.at(), &mut header).unwrap();
        disk.read(info.extent.at() + SECTOR as u64, &mut bytes).unwrap();
        assert_eq!(parse_header(seal, &header), Some((5, info.salt, info.sizes)));
        (layout, header, bytes)
    }

    fn trimmed(part: &[u8]) -> Vec<u8> {
        let zeros = part.iter().rev().take_while(|byte| **byte == 0).count();
        part[..part.len() - zeros].to_vec()
    }
}
