//! The keys and values of rows in memory.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Table;

/// A key of up to so many bytes lies in place, which spares a cache miss for each comparison.
/// Nine of ten usernames fit.
const SHORT_KEY: usize = 30;

/// A value of up to so many bytes lies in place: those of the indexes do.
const SHORT_VALUE: usize = 22;

/// The key of a row in memory.
#[derive(Clone)]
pub(crate) struct RowKey(Bytes<SHORT_KEY>);

/// The value of a row in memory.
#[derive(Clone)]
pub(crate) struct Row(Content);

#[derive(Clone)]
enum Content {
    Open(Bytes<SHORT_VALUE>),
    /// Wiped when the last reference goes.
    Secret(Arc<Zeroizing<Vec<u8>>>),
}

#[derive(Clone)]
enum Bytes<const SHORT: usize> {
    /// Their length, and the bytes with zeros behind them.
    Short(u8, [u8; SHORT]),
    Shared(Arc<[u8]>),
}

impl<const SHORT: usize> Bytes<SHORT> {
    fn of(bytes: &[u8]) -> Self {
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

impl PartialOrd for RowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As their bytes.
impl Ord for RowKey {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // A call of memcmp takes longer than two comparisons of numbers. The zeros behind the
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
#[inline]
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

impl Row {
    /// The value of a row of this table.
    pub(crate) fn of(table: Table, bytes: &[u8]) -> Self {
        if table.is_secret() {
            Self(Content::Secret(Arc::new(Zeroizing::new(bytes.to_vec()))))
        } else {
            Self(Content::Open(Bytes::of(bytes)))
        }
    }
}

impl Deref for Row {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Content::Open(bytes) => bytes,
            Content::Secret(bytes) => bytes,
        }
    }
}

/// Never the bytes, which may be a key's.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} bytes)", self.len())
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
    fn values_are_what_was_put_in() {
        for len in 0..=SHORT_VALUE + 2 {
            let bytes: Vec<u8> = (1..).take(len).collect();
            for table in Table::ALL {
                assert_eq!(*Row::of(table, &bytes), *bytes);
            }
        }
    }

    #[test]
    fn keys_and_values_are_small() {
        assert_eq!(size_of::<RowKey>(), SHORT_KEY + 2);
        assert_eq!(size_of::<Option<Row>>(), SHORT_VALUE + 2);
    }
}
