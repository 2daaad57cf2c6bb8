//! Bloom filters of keys, held in memory. A look-up skips each memtable and each segment whose filter
//! does not contain the key. A call that stores new entities looks up many keys that do not exist.

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
    // Inlining would not make it faster, because the time is a cache miss, and makes the code longer.
    #[inline(never)]
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

/// A filter that hashes are put into one after the other.
#[derive(Debug, Default)]
pub(crate) struct GrowingFilter {
    filter: KeyFilter,
    hashes: Vec<u64>,
}

impl GrowingFilter {
    pub(crate) fn insert(&mut self, hash: u64) {
        self.hashes.push(hash);
        let keys = self.hashes.len();
        if keys <= self.filter.blocks.len() * KEYS_A_BLOCK {
            self.filter.add(hash);
            return;
        }
        // Each key is put in anew about once in all.
        let mut larger = KeyFilter::for_keys(2 * keys);
        self.hashes.iter().for_each(|hash| larger.add(*hash));
        self.filter = larger;
    }

    /// Whether a key of this hash may have been put in. False is certain.
    #[inline]
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        self.filter.may_have(hash)
    }
}

/// The hash of a key of a table. It is the same in this process alone.
pub(crate) fn key_hash(table: u8, key: &[u8]) -> u64 {
    const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
    const SECOND: u64 = 0xd6e8_feb8_6659_fd93;
    let (words, rest) = key.as_chunks();
    let mut hash = u64::from(table) << 56 ^ key.len() as u64;
    for word in words {
        hash = folded(hash ^ u64::from_le_bytes(*word), FIRST);
    }
    let mut last = [0; 8];
    if let Some(place) = last.get_mut(..rest.len()) {
        place.copy_from_slice(rest);
    }
    folded(folded(hash ^ u64::from_le_bytes(last), FIRST), SECOND)
}

/// The hash of an entity in the filter of a segment.
pub(crate) fn entity_hash(key: &Key) -> u64 {
    key_hash(0, key)
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

    fn hashes(from: u64, to: u64) -> Vec<u64> {
        (from..to).map(|number| key_hash(4, &number.to_be_bytes())).collect()
    }

    proptest! {
        /// Also hashes that are far from even.
        #[test]
        fn what_was_put_in_is_there(hashes in prop::collection::vec(
            prop_oneof![any::<u64>(), 0..40u64, (0..40u64).prop_map(|few| few << 58)], 1..300
        )) {
            let filter = KeyFilter::of(&hashes);
            let mut growing = GrowingFilter::default();
            for (count, hash) in hashes.iter().enumerate() {
                growing.insert(*hash);
                prop_assert!(filter.may_have(*hash));
                prop_assert!(hashes[..=count].iter().all(|hash| growing.may_have(*hash)));
            }
        }
    }

    #[test]
    fn few_keys_seem_to_be_there_that_are_not() {
        let (those_in, others) = (hashes(0, 50_000), hashes(50_000, 150_000));
        let mut growing = GrowingFilter::default();
        those_in.iter().for_each(|hash| growing.insert(*hash));
        let filter = KeyFilter::of(&those_in);
        let wrong =
            |may_have: &dyn Fn(u64) -> bool| others.iter().filter(|h| may_have(**h)).count();
        let (fixed, grown) = (wrong(&|h| filter.may_have(h)), wrong(&|h| growing.may_have(h)));
        assert!(fixed < 1_500 && grown < 1_500, "{fixed} and {grown} of 100000");
        assert!(!KeyFilter::default().may_have(1) && !GrowingFilter::default().may_have(0));
    }

    #[test]
    fn the_hash_depends_on_table_length_and_each_byte() {
        let key = [7; 21];
        let hash = key_hash(1, &key);
        assert_ne!(hash, key_hash(2, &key));
        for at in 0..key.len() {
            let mut other = key;
            other[at] ^= 1;
            assert_ne!(hash, key_hash(1, &other), "byte {at}");
        }
        let zeros = [0; 20];
        let of_zeros: std::collections::BTreeSet<_> =
            (0..20).map(|len| key_hash(1, &zeros[..len])).collect();
        assert_eq!(of_zeros.len(), 20);
    }
}
