//! The engine's header: the one block that is written in place, kept twice.
//!
//! redb's commit turns on one write of 320 bytes that no seal of the block's rest may stand in
//! the way of. They are kept twice in the block, in different sectors, each under a checksum of
//! its own: a torn write leaves one copy whole, a flipped bit is mended from the other, and what
//! redb itself does not check (the byte that says which commit is current) is checked here. Behind
//! redb's bytes stands where the blocks lie that they speak of.

use super::space::{Extent, MOST_EXTENTS, Places};
use super::{BLOCK, Damage};

/// Length of redb's header (`DB_HEADER_SIZE` of its file format 3) in bytes.
pub(super) const HEAD: usize = 320;

/// Where the two copies begin within the block.
const COPIES: [usize; 2] = [0, BLOCK / 2];

/// What redb's header begins with.
const ENGINE_MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";

/// redb's byte of flags, and the flag that says that the last writer did not finish.
const FLAGS_AT: usize = 9;
const RECOVERY_REQUIRED: u8 = 2;

/// redb's header and where the image lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) engine: [u8; HEAD],
    pub(super) places: Places,
}

impl Head {
    /// The block with both copies.
    pub(super) fn to_block(&self) -> [u8; BLOCK] {
        let Places { end, extents } = &self.places;
        let mut copy = self.engine.to_vec();
        copy.extend_from_slice(&end.to_le_bytes());
        copy.extend_from_slice(&(extents.len() as u32).to_le_bytes());
        for Extent { start, blocks } in extents {
            copy.extend_from_slice(&start.to_le_bytes());
            copy.extend_from_slice(&blocks.to_le_bytes());
        }
        copy.extend_from_slice(&crc32fast::hash(&copy).to_le_bytes());
        let mut block = [0; BLOCK];
        for at in COPIES {
            if let Some(place) = block.get_mut(at..at + copy.len()) {
                place.copy_from_slice(&copy);
            }
        }
        block
    }

    /// The first copy whose checksum holds.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, Damage> {
        COPIES.iter().find_map(|at| copy_at(block, *at)).ok_or(Damage::BothHeads)
    }

    /// How many of the two copies are whole.
    pub(super) fn whole_copies(block: &[u8; BLOCK]) -> usize {
        COPIES.iter().filter(|at| copy_at(block, **at).is_some()).count()
    }

    /// The same header, saying that the last writer finished.
    pub(super) fn finished(mut self) -> Self {
        if let Some(flags) = self.engine.get_mut(FLAGS_AT) {
            *flags &= !RECOVERY_REQUIRED;
        }
        self
    }

    /// Whether redb has made its image to the end: it writes the first bytes of its header last.
    pub(super) fn is_begun(&self) -> bool {
        self.engine.starts_with(ENGINE_MAGIC)
    }

    /// How many blocks the image has at least: its own, and its regions' with their headers.
    pub(super) fn blocks(&self) -> u64 {
        let field = |at: usize| {
            let bytes = self.engine.get(at..).and_then(|rest| rest.first_chunk());
            u64::from(u32::from_le_bytes(bytes.copied().unwrap_or_default()))
        };
        let [header, full_data, full, trailing_data] = [16, 20, 24, 28].map(field);
        let trailing = if trailing_data > 0 { header + trailing_data } else { 0 };
        (header + full_data).saturating_mul(full).saturating_add(trailing).saturating_add(1)
    }

    /// Whether the last writer left without closing, so that blocks may be torn.
    pub(super) fn recovery_required(&self) -> bool {
        self.engine.get(FLAGS_AT).is_some_and(|flags| flags & RECOVERY_REQUIRED != 0)
    }
}

fn copy_at(block: &[u8; BLOCK], at: usize) -> Option<Head> {
    let copy = block.get(at..at + BLOCK / 2)?;
    let (engine, rest) = copy.split_first_chunk::<HEAD>()?;
    let (end, rest) = rest.split_first_chunk()?;
    let (count, rest) = rest.split_first_chunk()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    let (extents, rest) = rest.split_at_checked(8 * count.min(MOST_EXTENTS + 1))?;
    let sum = u32::from_le_bytes(*rest.first_chunk()?);
    if count > MOST_EXTENTS || crc32fast::hash(copy.get(..HEAD + 8 + 8 * count)?) != sum {
        return None;
    }
    let extents = extents.chunks_exact(8).filter_map(|extent| {
        let (start, blocks) = (extent.first_chunk()?, extent.last_chunk()?);
        Some(Extent { start: u32::from_le_bytes(*start), blocks: u32::from_le_bytes(*blocks) })
    });
    let places = Places { end: u32::from_le_bytes(*end), extents: extents.collect() };
    Some(Head { engine: *engine, places })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let extents = vec![Extent { start: 1, blocks: 9 }, Extent { start: 700, blocks: 18 }];
        let engine = std::array::from_fn(|at| at as u8);
        Head { engine, places: Places { end: 1000, extents } }
    }

    #[test]
    fn any_flipped_bit_is_mended_from_the_other_copy() {
        let block = head().to_block();
        for bit in 0..BLOCK * 8 {
            let mut damaged = block;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Head::parse(&damaged) == Ok(head()), "bit {bit}");
        }
    }

    #[test]
    fn a_write_torn_at_any_byte_leaves_the_old_header_or_the_new_one() {
        let places = Places { end: 12, extents: vec![Extent { start: 1, blocks: 9 }] };
        let (old, new) = (head(), Head { engine: [7; HEAD], places });
        for torn in 0..=BLOCK {
            let mut block = old.to_block();
            block[..torn].copy_from_slice(&new.to_block()[..torn]);
            let found = Head::parse(&block);
            assert!(found == Ok(old.clone()) || found == Ok(new.clone()), "torn after {torn}");
        }
    }

    #[test]
    fn two_damaged_copies_are_damage() {
        let mut block = head().to_block();
        block[0] ^= 1;
        block[BLOCK / 2] ^= 1;
        assert!(Head::parse(&block) == Err(Damage::BothHeads));
    }

    #[test]
    fn as_many_pieces_as_there_may_be_find_room() {
        let extents = vec![Extent { start: 3, blocks: 4 }; MOST_EXTENTS];
        let full = Head { places: Places { end: 5, extents }, ..head() };
        let mut block = full.to_block();
        assert_eq!(Head::whole_copies(&block), 2);
        block[0] ^= 1;
        assert_eq!(Head::parse(&block), Ok(full));
    }
}
