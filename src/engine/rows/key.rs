//! The keys of rows in memory.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A key of up to this many bytes lies in place, which spares a cache miss for each comparison.
/// Nine of ten usernames fit.
const SHORT_KEY: usize = 30;

/// The key of a row in memory.
#[derive(Clone)]
pub(crate) struct RowKey(Bytes<SHORT_KEY>);

/// Bytes that lie in place where they are few.
#[derive(Clone)]
pub(super) enum Bytes<const SHORT: usize> {
    /// Their length, and the bytes with zeros after them.
    Short(u8, [u8; SHORT]),
    Shared(Arc<[u8]>),
}

impl<const SHORT: usize> Bytes<SHORT> {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut place = [0; SHORT];
        match (place.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(short), Ok(len)) => {
                short.copy_from_slice(bytes);
                Self::Short(len, place)
            }
            _ => Self::Shared(bytes.into()),
        }
    }
}

impl<const SHORT: usize> Deref for Bytes<SHORT> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Shared(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for RowKey {
    fn from(bytes: &[u8]) -> Self {
        Self(Bytes::of(bytes))
    }
}

impl Deref for RowKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for RowKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for RowKey {}

/// Keys of the same bytes have the same form, so they have the same hash.
impl Hash for RowKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Bytes::Short(len, bytes) => {
                let (first, last) = words(bytes);
                state.write_u128(first);
                // The last word repeats two bytes of the first.
                state.write_u128(last ^ u128::from(*len) << 120);
            }
            Bytes::Shared(bytes) => state.write(bytes),
        }
    }
}

impl PartialOrd for RowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As their bytes. A look-up makes some forty comparisons, so they are in line also where the crate is
/// built for size.
impl Ord for RowKey {
    #[inline(always)]
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // A call of memcmp takes longer than two comparisons of numbers. The zeros after the
            // bytes come before everything, as the end of a key does.
            (Bytes::Short(len, bytes), Bytes::Short(other_len, other)) => {
                let order = words(bytes).cmp(&words(other));
                order.then(len.cmp(other_len))
            }
            _ => (**self).cmp(&**other),
        }
    }
}

/// The bytes as two numbers that have their order.
#[inline(always)]
fn words(bytes: &[u8; SHORT_KEY]) -> (u128, u128) {
    let first = bytes.first_chunk().map_or(0, |first| u128::from_be_bytes(*first));
    // Two bytes are in both, which changes nothing.
    let last = bytes.last_chunk().map_or(0, |last| u128::from_be_bytes(*last));
    (first, last)
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_as_their_bytes() {
        let all: Vec<Vec<u8>> =
            (0..=SHORT_KEY + 2).flat_map(|len| [vec![0; len], vec![1; len]]).collect();
        for one in &all {
            for other in &all {
                let keys = (RowKey::from(&**one), RowKey::from(&**other));
                assert_eq!(keys.0.cmp(&keys.1), one.cmp(other), "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn keys_are_small() {
        assert_eq!(size_of::<RowKey>(), SHORT_KEY + 2);
    }
}
