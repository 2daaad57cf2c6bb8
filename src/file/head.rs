//! The engine's header: the one block that is written in place, kept twice.
//!
//! redb's commit turns on one write of 320 bytes that no seal of the block's rest may stand in
//! the way of. They are kept twice in the block, in different sectors, each under a checksum of
//! its own: a torn write leaves one copy whole, a flipped bit is mended from the other, and what
//! redb itself does not check (the byte that says which commit is current) is checked here.

use super::{BLOCK, Damage};

/// Length of redb's header (`DB_HEADER_SIZE` of its file format 3) in bytes.
pub(super) const HEAD: usize = 320;

/// Where the two copies begin within the block. A checksum follows each.
const COPIES: [usize; 2] = [0, BLOCK / 2];

/// How many bytes of the block are in use.
pub(super) const HEAD_SPAN: usize = BLOCK / 2 + HEAD + 4;

/// What redb's header begins with.
const ENGINE_MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";

/// redb's byte of flags, and the flag that says that the last writer did not finish.
const FLAGS_AT: usize = 9;
const RECOVERY_REQUIRED: u8 = 2;

/// redb's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head(pub(super) [u8; HEAD]);

impl Head {
    /// The copies as they stand in the block's first [`HEAD_SPAN`] bytes.
    pub(super) fn to_span(self) -> [u8; HEAD_SPAN] {
        let mut span = [0; HEAD_SPAN];
        for at in COPIES {
            if let Some(place) = span.get_mut(at..at + HEAD + 4) {
                let (head, sum) = place.split_at_mut(HEAD);
                head.copy_from_slice(&self.0);
                sum.copy_from_slice(&crc32fast::hash(&self.0).to_le_bytes());
            }
        }
        span
    }

    /// The first copy whose checksum holds.
    pub(super) fn parse(span: &[u8; HEAD_SPAN]) -> Result<Self, Damage> {
        COPIES.iter().find_map(|at| copy_at(span, *at)).ok_or(Damage::BothHeads)
    }

    /// How many of the two copies are whole.
    pub(super) fn whole_copies(span: &[u8; HEAD_SPAN]) -> usize {
        COPIES.iter().filter(|at| copy_at(span, **at).is_some()).count()
    }

    /// The same header, saying that the last writer finished.
    pub(super) fn finished(mut self) -> Self {
        if let Some(flags) = self.0.get_mut(FLAGS_AT) {
            *flags &= !RECOVERY_REQUIRED;
        }
        self
    }

    /// Whether redb has made its image to the end: it writes the first bytes of its header last.
    pub(super) fn is_begun(&self) -> bool {
        self.0.starts_with(ENGINE_MAGIC)
    }

    /// How many blocks the image has at least: its own, and its regions' with their headers.
    pub(super) fn blocks(&self) -> u64 {
        let field = |at: usize| {
            let bytes = self.0.get(at..).and_then(|rest| rest.first_chunk());
            u64::from(u32::from_le_bytes(bytes.copied().unwrap_or_default()))
        };
        let [header, full_data, full, trailing_data] = [16, 20, 24, 28].map(field);
        let trailing = if trailing_data > 0 { header + trailing_data } else { 0 };
        (header + full_data).saturating_mul(full).saturating_add(trailing).saturating_add(1)
    }

    /// Whether the last writer left without closing, so that blocks may be torn.
    pub(super) fn recovery_required(&self) -> bool {
        self.0.get(FLAGS_AT).is_some_and(|flags| flags & RECOVERY_REQUIRED != 0)
    }
}

fn copy_at(span: &[u8; HEAD_SPAN], at: usize) -> Option<Head> {
    let (head, rest) = span.get(at..)?.split_first_chunk::<HEAD>()?;
    let sum = u32::from_le_bytes(*rest.first_chunk()?);
    (crc32fast::hash(head) == sum).then_some(Head(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head(std::array::from_fn(|at| at as u8))
    }

    #[test]
    fn any_flipped_bit_is_mended_from_the_other_copy() {
        let span = head().to_span();
        for bit in 0..HEAD_SPAN * 8 {
            let mut damaged = span;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Head::parse(&damaged) == Ok(head()), "bit {bit}");
        }
    }

    #[test]
    fn a_write_torn_at_any_byte_leaves_the_old_header_or_the_new_one() {
        let (old, new) = (head(), Head([7; HEAD]));
        for torn in 0..=HEAD_SPAN {
            let mut span = old.to_span();
            span[..torn].copy_from_slice(&new.to_span()[..torn]);
            let found = Head::parse(&span);
            assert!(found == Ok(old) || found == Ok(new), "torn after {torn}");
        }
    }

    #[test]
    fn two_damaged_copies_are_damage() {
        let mut span = head().to_span();
        span[0] ^= 1;
        span[BLOCK / 2] ^= 1;
        assert!(Head::parse(&span) == Err(Damage::BothHeads));
    }
}
