//! Bloom filters of the keys of segments, held in memory. A look-up skips each segment whose filter does
//! not contain the key. A call that stores new entities looks up many keys that do not exist.

use super::Key;

/// Filters have whole blocks of 64 bytes, so that a question costs one cache miss.
type Block = [u64; 8];

const BITS: u64 = 512;

/// A hash sets this many bits of one block.
const BITS_A_KEY: u32 = 6;

/// With this many keys a block, which are 12.8 bits a key, about one question of a hundred for a key
/// that is not there is answered wrongly.
const KEYS_A_BLOCK: usize = 40;

/// A set of hashes that may seem to have more than was put in, and never less.
#[derive(Debug, Default)]
pub(crate) struct KeyFilter {
    blocks: Vec<Block>,
}

impl KeyFilter {
    /// A filter of these hashes.
    pub(crate) fn of(hashes: &[u64]) -> Self {
        let mut filter = Self::for_keys(hashes.len());
        hashes.iter().for_each(|hash| filter.add(*hash));
        filter
    }

    fn for_keys(keys: usize) -> Self {
        Self { blocks: vec![Block::default(); keys.div_ceil(KEYS_A_BLOCK)] }
    }

    fn add(&mut self, hash: u64) {
        let at = self.block_of(hash);
        let Some(block) = self.blocks.get_mut(at) else { return };
        for (word, bit) in bits_of(hash) {
            if let Some(word) = block.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether a key of this hash may have been put in. False is certain.
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        let Some(block) = self.blocks.get(self.block_of(hash)) else { return false };
        // No branch for each bit: half of them would be mispredicted.
        let missing = bits_of(hash).map(|(word, bit)| !block.get(word).unwrap_or(&0) & bit);
        missing.fold(0, |all, bit| all | bit) == 0
    }

    /// The most significant bits of a hash choose its block, the others its bits.
    fn block_of(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.blocks.len() as u128) >> 64) as usize
    }
}

/// The words of a block, and in each of them the bit, that belong to a hash.
fn bits_of(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    let bits = (0..BITS_A_KEY).map(move |number| (hash >> (9 * number)) % BITS);
    bits.map(|bit| ((bit / 64) as usize, 1 << (bit % 64)))
}

/// The hash of an entity in the filter of a segment. Filters are not stored, so it may change from one
/// release to the next.
pub(crate) fn entity_hash(key: &Key) -> u64 {
    const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
    const SECOND: u64 = 0xd6e8_feb8_6659_fd93;
    let (first, rest) = key.split_at(8);
    let number = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    folded(folded(number(first), FIRST) ^ number(rest), SECOND)
}

/// Both halves of a product, so that every bit of the factors counts.
fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one ^ 0x2545_f491_4f6c_dd1d) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(number: u64) -> Key {
        let mut key = Key::default();
        key[4..].copy_from_slice(&number.to_be_bytes());
        key
    }

    proptest! {
        /// Also hashes that are far from even.
        #[test]
        fn what_was_put_in_is_there(hashes in prop::collection::vec(
            prop_oneof![any::<u64>(), 0..40u64, (0..40u64).prop_map(|few| few << 58)], 1..300
        )) {
            let filter = KeyFilter::of(&hashes);
            prop_assert!(hashes.iter().all(|hash| filter.may_have(*hash)));
        }
    }

    #[test]
    fn few_keys_seem_to_be_there_that_are_not() {
        let hashes = |range: std::ops::Range<u64>| range.map(|number| entity_hash(&key(number)));
        let filter = KeyFilter::of(&hashes(0..50_000).collect::<Vec<_>>());
        let wrong = hashes(50_000..150_000).filter(|hash| filter.may_have(*hash)).count();
        assert!(wrong < 1_500, "{wrong} of 100000");
        assert!(!KeyFilter::default().may_have(1), "an empty filter has no key");
    }

    #[test]
    fn the_hash_depends_on_each_byte() {
        let hash = entity_hash(&[7; 12]);
        for at in 0..12 {
            let mut other = [7; 12];
            other[at] ^= 1;
            assert_ne!(hash, entity_hash(&other), "byte {at}");
        }
    }
}
