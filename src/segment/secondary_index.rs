//! Tables of hashes: which row has a username or a phone number.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// The kind of text that finds an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexKind {
    Usernames,
    Phones,
}

/// Length of a bucket in bytes: the least significant halves of ten hashes, ten slots, how many
/// of them are in use, and three zeros.
pub(super) const BUCKET: usize = 64;

/// Entries of a bucket.
const ENTRIES: usize = 10;

/// On average this many entries of a bucket are in use.
const FILL: usize = 8;

const SLOTS_AT: usize = 2 * ENTRIES;
const COUNT_AT: usize = BUCKET - 4;

/// The hash of a text of an account.
pub(super) fn hash_of(file_id: [u8; 16], account: u32, text: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_key(&file_id);
    hasher.write(&account.to_be_bytes());
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// Slots whose texts have one hash: they may be the same text.
pub(crate) type Collision = Vec<u32>;

/// The hashes of one index while a segment is written.
#[derive(Debug, Default)]
pub(super) struct Hashes(Vec<(u64, u32)>);

impl Hashes {
    pub(super) fn push(&mut self, hash: u64, slot: u32) {
        self.0.push((hash, slot));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The buckets, and all slots that share a hash with another.
    pub(super) fn into_buckets(mut self) -> (Vec<u8>, Vec<Collision>) {
        self.0.sort_unstable();
        let buckets = self.0.len().div_ceil(FILL);
        let mut table = vec![0; buckets * BUCKET];
        for (hash, slot) in &self.0 {
            put(&mut table, buckets, *hash, *slot);
        }
        let collisions =
            self.0.chunk_by(|a, b| a.0 == b.0).filter(|collisions| collisions.len() > 1);
        let collisions =
            collisions.map(|collisions| collisions.iter().map(|(_, slot)| *slot).collect());
        (table, collisions.collect())
    }
}

/// The bucket where a hash is looked for first.
fn home(hash: u64, buckets: usize) -> usize {
    ((u128::from(hash) * buckets as u128) >> 64) as usize
}

/// Puts an entry into the first bucket from its home on that has room; one of eight has.
fn put(table: &mut [u8], buckets: usize, hash: u64, slot: u32) {
    let home = home(hash, buckets);
    for number in (home..buckets).chain(0..home) {
        let Some(bucket) = table.get_mut(number * BUCKET..(number + 1) * BUCKET) else { return };
        let count = bucket.get(COUNT_AT).copied().map_or(ENTRIES, usize::from);
        if count == ENTRIES {
            continue;
        }
        if let Some(place) = bucket.get_mut(2 * count..2 * count + 2) {
            place.copy_from_slice(&(hash as u16).to_le_bytes());
        }
        if let Some(place) = bucket.get_mut(SLOTS_AT + 4 * count..SLOTS_AT + 4 * count + 4) {
            place.copy_from_slice(&slot.to_le_bytes());
        }
        if let Some(place) = bucket.get_mut(COUNT_AT) {
            *place = count as u8 + 1;
        }
        return;
    }
}

/// The numbers of the buckets in which a hash may stand, the first one first. Who finds one with
/// room stops.
pub(super) fn probe(hash: u64, buckets: usize) -> impl Iterator<Item = usize> {
    let home = home(hash, buckets);
    (home..buckets).chain(0..home)
}

/// Whether a bucket certainly has no entry with this hash and no bucket after it can have one.
/// Inlined and without a loop, since a write of a new text asks this of a bucket of each segment: the
/// hashes of 10 entries are compared at once, as 16-bit lanes.
#[inline(always)]
pub(super) fn lacks(bucket: &[u8], hash: u64) -> bool {
    const ONES: u128 = u128::MAX / 0xffff;
    const HIGHS: u128 = ONES << 15;
    let (Some(first), Some(behind)) = (bucket.first_chunk(), bucket.get(16..)) else {
        return false;
    };
    let (Some(rest), Some(count)) = (behind.first_chunk(), bucket.get(COUNT_AT)) else {
        return false;
    };
    let wanted = u128::from(hash as u16) * ONES;
    let first = u128::from_le_bytes(*first) ^ wanted;
    // Lanes 8 and 9, and six lanes that are never zero.
    let rest = (u128::from(u32::from_le_bytes(*rest)) ^ wanted) | ONES << 32;
    let has_zero = |lanes: u128| lanes.wrapping_sub(ONES) & !lanes & HIGHS != 0;
    usize::from(*count) < ENTRIES && !has_zero(first) && !has_zero(rest)
}

/// The slots in a bucket that may have this hash, and whether the next bucket is to be looked into
/// as well; `None` where the bucket is none.
pub(super) fn candidates(
    bucket: &[u8],
    hash: u64,
) -> Option<(impl Iterator<Item = u32> + '_, bool)> {
    let count = usize::from(*bucket.get(COUNT_AT)?);
    if count > ENTRIES || bucket.len() != BUCKET {
        return None;
    }
    let (halves, rest) = bucket.split_at(SLOTS_AT);
    let wanted = (hash as u16).to_le_bytes();
    let entries = halves.chunks_exact(2).zip(rest.chunks_exact(4)).take(count);
    let like = entries.filter(move |(half, _)| *half == wanted);
    let slots = like.filter_map(|(_, slot)| Some(u32::from_le_bytes(*slot.first_chunk()?)));
    Some((slots, count == ENTRIES))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(table: &[u8], hash: u64) -> Vec<u32> {
        let buckets = table.len() / BUCKET;
        let mut found = Vec::new();
        for number in probe(hash, buckets) {
            let bucket = &table[number * BUCKET..][..BUCKET];
            let (slots, goes_on) = candidates(bucket, hash).unwrap();
            let before = found.len();
            found.extend(slots);
            // It may be unsure of one that lacks the hash, and is never wrong.
            assert!(!lacks(bucket, hash) || found.len() == before && !goes_on);
            if !goes_on {
                break;
            }
        }
        found
    }

    proptest! {
        /// Also where many share a home: hashes of few values.
        #[test]
        fn every_hash_finds_its_slot(hashes in prop::collection::vec(prop_oneof![
            any::<u64>(), 0..40u64, (0..40u64).prop_map(|few| few << 60),
        ], 1..400)) {
            let mut all = Hashes::default();
            for (slot, hash) in hashes.iter().enumerate() {
                all.push(*hash, slot as u32);
            }
            let (table, collisions) = all.into_buckets();
            for (slot, hash) in hashes.iter().enumerate() {
                prop_assert!(found(&table, *hash).contains(&(slot as u32)));
                let same = hashes.iter().filter(|other| *other == hash).count();
                let listed = collisions.iter().find(|collisions| collisions.contains(&(slot as u32)));
                prop_assert_eq!(listed.map_or(1, Vec::len), same);
            }
        }
    }

    #[test]
    fn a_bucket_lacks_what_none_of_its_entries_has() {
        let mut table = vec![0; BUCKET];
        for entry in 1..ENTRIES as u64 {
            assert!(lacks(&table, entry), "{entry} is not in yet");
            put(&mut table, 1, entry, 7);
            for hash in 1..=entry {
                assert!(!lacks(&table, hash), "{hash} is in");
            }
            assert!(lacks(&table, 0x8000) && lacks(&table, 0xffff) && lacks(&table, entry + 1));
        }
        put(&mut table, 1, ENTRIES as u64, 7);
        assert!(!lacks(&table, 0x8000), "the next bucket may have it");
        assert!(!lacks(&table[..BUCKET - 4], 1) && !lacks(&[], 1));
    }

    #[test]
    fn the_hash_depends_on_account_and_file() {
        let hash = hash_of([1; 16], 7, "durov");
        assert_ne!(hash, hash_of([2; 16], 7, "durov"));
        assert_ne!(hash, hash_of([1; 16], 8, "durov"));
    }
}
