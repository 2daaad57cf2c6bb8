//! Changes of rows as the content of a record of the log.

use super::RecordError;

/// The length that stands for a deletion.
const DELETED: u32 = u32::MAX;

/// A row that was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowChange<'a> {
    /// The number of its table.
    pub(crate) table: u8,
    pub(crate) key: &'a [u8],
    /// `None`: it was deleted.
    pub(crate) value: Option<&'a [u8]>,
}

impl<'a> RowChange<'a> {
    /// Appends the change. Keys and values are far shorter than what the lengths can say.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.push(self.table);
        out.extend_from_slice(&(self.key.len() as u32).to_le_bytes());
        let len = self.value.map_or(DELETED, |value| value.len() as u32);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(self.key);
        out.extend_from_slice(self.value.unwrap_or_default());
    }

    /// How long it is when written.
    pub(crate) fn len(self) -> usize {
        9 + self.key.len() + self.value.map_or(0, <[u8]>::len)
    }

    /// The first change, and the bytes after it.
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (table, rest) = bytes.split_first()?;
        let (key_len, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_len) as usize)?;
        let (value, rest) = match u32::from_le_bytes(*len) {
            DELETED => (None, rest),
            len => {
                let (value, rest) = rest.split_at_checked(len as usize)?;
                (Some(value), rest)
            }
        };
        Some((Self { table: *table, key, value }, rest))
    }
}

/// The changes of a record, in their order; the first that is not whole ends them.
pub(crate) fn changes(content: &[u8]) -> impl Iterator<Item = Result<RowChange<'_>, RecordError>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((change, behind)) = RowChange::split(rest) else {
            rest = &[];
            return Some(Err(RecordError::Payload));
        };
        rest = behind;
        Some(Ok(change))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn changes_come_back_as_they_were_and_cut_short_are_an_error(
            rows in prop::collection::vec(
                (any::<u8>(), prop::collection::vec(any::<u8>(), 0..40),
                 prop::option::of(prop::collection::vec(any::<u8>(), 0..300))), 1..9),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            let mut ends = vec![0];
            for (table, key, value) in &rows {
                let change = RowChange { table: *table, key, value: value.as_deref() };
                change.write(&mut bytes);
                ends.push(bytes.len());
                prop_assert_eq!(change.len(), ends[ends.len() - 1] - ends[ends.len() - 2]);
            }
            let read: Vec<_> = changes(&bytes).map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), rows.len());
            for (change, (table, key, value)) in read.iter().zip(&rows) {
                prop_assert_eq!(change.table, *table);
                prop_assert_eq!((change.key, change.value), (&key[..], value.as_deref()));
            }
            let cut = cut.index(bytes.len());
            let whole = changes(&bytes[..cut]).all(|change| change.is_ok());
            prop_assert_eq!(whole, ends.contains(&cut));
        }
    }
}
