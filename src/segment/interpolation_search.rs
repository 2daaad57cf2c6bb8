//! Finds a key in an index of keys.

use super::Key;
use super::layout::{GROUP_ENTRY, KEY, TOP};

/// A key as a number, which is quicker to compare.
pub(super) type Number = u128;

#[inline]
pub(super) fn number(key: &Key) -> Number {
    let (account, id) = (key.first_chunk(), key.last_chunk());
    let account = account.copied().map_or(0, u32::from_be_bytes);
    let id = id.copied().map_or(0, u64::from_be_bytes);
    Number::from(account) << 64 | Number::from(id)
}

pub(super) fn key(number: Number) -> Key {
    let bytes = number.to_be_bytes();
    bytes.last_chunk().copied().unwrap_or_default()
}

/// Keys one after the other.
pub(super) fn keys_in(bytes: &[u8]) -> impl Iterator<Item = Number> {
    bytes.as_chunks::<KEY>().0.iter().map(number)
}

/// Entries of the index of ids. Those of an encrypted segment may lie in two units, and one of them
/// in both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries<'a>(pub(super) [&'a [u8]; 2]);

impl Entries<'_> {
    /// The first key of a group, and where its rows begin. `None`: there are fewer entries.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<(Number, usize)> {
        let Self([front, back]) = self;
        let at = at * GROUP_ENTRY;
        if let Some(entry) = front.get(at..).and_then(|rest| rest.first_chunk()) {
            return split(entry);
        }
        if let Some(at) = at.checked_sub(front.len()) {
            return split(back.get(at..)?.first_chunk()?);
        }
        let mut entry = [0; GROUP_ENTRY];
        let both = front.get(at..)?.iter().chain(*back);
        let copied = entry.iter_mut().zip(both).map(|(place, byte)| *place = *byte).count();
        if copied == GROUP_ENTRY { split(&entry) } else { None }
    }
}

#[inline]
fn split(entry: &[u8; GROUP_ENTRY]) -> Option<(Number, usize)> {
    let (key, offset) = entry.split_first_chunk()?;
    let mut bytes = [0; 8];
    bytes.get_mut(..offset.len())?.copy_from_slice(offset);
    Some((number(key), usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX)))
}

/// Between the first two of these keys: the number of the group of a key, if the keys are spread evenly.
pub(super) fn guess(tops: Option<&[Number]>, wanted: Number) -> usize {
    let Some([first, next, ..]) = tops else { return TOP / 2 };
    let behind = |number: Number| number.saturating_sub(*first).min(Number::from(u64::MAX)) as u64;
    (behind(wanted) as f64 / behind(*next).max(1) as f64 * TOP as f64) as usize
}

/// The partition point: how many of the first `count` entries satisfy `holds`; these come first. The
/// search goes outward from `guess`, because nearby entries share cache lines.
#[inline]
pub(super) fn partition_point_near(
    guess: usize,
    count: usize,
    holds: impl Fn(usize) -> bool,
) -> usize {
    let (mut low, mut high, mut step) = (0, count, 1);
    if holds(guess) {
        low = guess + 1;
        while low < high && holds((low + step).min(high) - 1) {
            (low, step) = ((low + step).min(high), step * 2);
        }
        high = high.min(low + step - 1).max(low);
    } else {
        high = guess;
        while high > low && !holds(high.saturating_sub(step)) {
            (high, step) = (high.saturating_sub(step), step * 2);
        }
        low = low.max((high + 1).saturating_sub(step));
    }
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_whatever_guess_the_same_place_is_found() {
        for count in 0..70 {
            for holding in 0..=count {
                for guess in 0..count {
                    let found = partition_point_near(guess, count, |at| at < holding);
                    assert_eq!(found, holding, "{count} from {guess}");
                }
            }
        }
    }
}
