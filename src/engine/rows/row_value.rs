//! The values of rows in memory.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Table;
use super::key::Bytes;

/// A value of up to this many bytes lies in place: those of the indexes do.
const SHORT_VALUE: usize = 22;

/// The value of a row in memory.
#[derive(Clone)]
pub(crate) struct RowValue(Content);

#[derive(Clone)]
enum Content {
    Open(Bytes<SHORT_VALUE>),
    /// Wiped when the last reference goes.
    Secret(Arc<Zeroizing<Vec<u8>>>),
}

impl RowValue {
    /// The value of a row of this table.
    pub(crate) fn of(table: Table, bytes: &[u8]) -> Self {
        if table.is_secret() {
            Self(Content::Secret(Arc::new(Zeroizing::new(bytes.to_vec()))))
        } else {
            Self(Content::Open(Bytes::of(bytes)))
        }
    }
}

impl Deref for RowValue {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Content::Open(bytes) => bytes,
            Content::Secret(bytes) => bytes,
        }
    }
}

/// Never the bytes, which may be a key's.
impl fmt::Debug for RowValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowValue({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_was_put_in() {
        for len in 0..=SHORT_VALUE + 2 {
            let bytes: Vec<u8> = (1..).take(len).collect();
            for table in Table::ALL {
                assert_eq!(*RowValue::of(table, &bytes), *bytes);
            }
        }
    }

    #[test]
    fn values_are_small() {
        assert_eq!(size_of::<Option<RowValue>>(), SHORT_VALUE + 2);
    }
}
