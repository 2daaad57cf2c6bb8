//! The seal of a block: a checksum of which block of which file it is and of its content.

use crc32fast::Hasher;

use super::BLOCK;

/// Length of a seal in bytes.
pub(super) const SEAL: usize = 4;

/// Makes and checks the seals of one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seals {
    /// CRC-32 of the file id, carried on into every block's.
    seed: u32,
}

impl Seals {
    pub(super) fn new(file_id: [u8; 16]) -> Self {
        Self { seed: crc32fast::hash(&file_id) }
    }

    /// The seal of this content as block `number`.
    pub(super) fn of(self, number: u64, content: &[u8]) -> [u8; SEAL] {
        let mut crc = Hasher::new_with_initial(self.seed);
        crc.update(&number.to_le_bytes());
        crc.update(content);
        crc.finalize().to_le_bytes()
    }

    /// Whether this is block `number` as it was written. A block that was never written has no
    /// valid seal: redb reads none.
    pub(super) fn holds(self, number: u64, content: &[u8], seal: &[u8]) -> bool {
        content.len() == BLOCK && self.of(number, content) == seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_holds_for_its_block_of_its_file_only() {
        let seals = Seals::new([1; 16]);
        let content = [9; BLOCK];
        let seal = seals.of(3, &content);
        assert!(seals.holds(3, &content, &seal));
        assert!(!seals.holds(4, &content, &seal));
        assert!(!Seals::new([2; 16]).holds(3, &content, &seal));
        assert!(!seals.holds(3, &[8; BLOCK], &seal));
    }

    #[test]
    fn a_block_that_the_disk_forgot_is_no_block() {
        let seals = Seals::new([0; 16]);
        assert!(!seals.holds(0, &[0; BLOCK], &[0; SEAL]));
        assert!(!seals.holds(5, &[0; BLOCK], &[0; SEAL]));
    }
}
