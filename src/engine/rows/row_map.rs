//! The rows of one table in memory.

use std::collections::{BTreeMap, HashMap, btree_map, hash_map};
use std::sync::OnceLock;

use foldhash::fast::RandomState;

use super::{RowKey, Span, Table};

/// Rows by key.
///
/// Tables that are in segments get many rows at a time and are listed seldom. Their rows are in a hash
/// table, which finds a row with one cache miss, where a tree needs one a level. Their order is
/// computed when it is asked for.
#[derive(Debug)]
pub(crate) enum RowMap<V> {
    Sorted(BTreeMap<RowKey, V>),
    /// Allocated with the first row: most batches have no rows of such a table.
    Hashed(Option<Box<HashedRows<V>>>),
}

/// Rows in a hash table.
#[derive(Debug)]
pub(crate) struct HashedRows<V> {
    rows: HashMap<RowKey, V, RandomState>,
    /// The keys, sorted at their first use. A new key drops them.
    order: OnceLock<Box<[RowKey]>>,
}

impl<V> Default for HashedRows<V> {
    fn default() -> Self {
        Self { rows: HashMap::default(), order: OnceLock::new() }
    }
}

impl<V> RowMap<V> {
    /// No rows of this table.
    pub(crate) fn of(table: Table) -> Self {
        if table.is_in_segments() { Self::Hashed(None) } else { Self::Sorted(BTreeMap::new()) }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Sorted(rows) => rows.len(),
            Self::Hashed(hashed) => hashed.as_ref().map_or(0, |hashed| hashed.rows.len()),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for this many more rows.
    pub(crate) fn reserve(&mut self, more: usize) {
        if let (Self::Hashed(hashed), 1..) = (self, more) {
            hashed.get_or_insert_default().rows.reserve(more);
        }
    }

    #[inline]
    pub(crate) fn get(&self, key: &RowKey) -> Option<&V> {
        match self {
            Self::Sorted(rows) => rows.get(key),
            Self::Hashed(hashed) => hashed.as_ref()?.rows.get(key),
        }
    }

    /// Inserts a row. If the key has a row already, `replace` gets the stored value and the new one instead.
    #[inline]
    pub(crate) fn put(&mut self, key: RowKey, value: V, replace: impl FnOnce(&mut V, V)) {
        match self {
            Self::Sorted(rows) => match rows.entry(key) {
                btree_map::Entry::Vacant(vacant) => drop(vacant.insert(value)),
                btree_map::Entry::Occupied(mut old) => replace(old.get_mut(), value),
            },
            Self::Hashed(hashed) => {
                let HashedRows { rows, order } = &mut **hashed.get_or_insert_default();
                match rows.entry(key) {
                    hash_map::Entry::Vacant(vacant) => {
                        order.take();
                        vacant.insert(value);
                    }
                    hash_map::Entry::Occupied(mut old) => replace(old.get_mut(), value),
                }
            }
        }
    }

    /// The rows of a span, in the order of their keys.
    pub(crate) fn range(&self, span: &Span) -> Box<dyn Iterator<Item = (&RowKey, &V)> + '_> {
        match self {
            Self::Sorted(rows) => match span.bounds() {
                Some(bounds) => Box::new(rows.range(bounds)),
                None => Box::new(std::iter::empty()),
            },
            Self::Hashed(None) => Box::new(std::iter::empty()),
            Self::Hashed(Some(hashed)) => {
                let HashedRows { rows, order } = &**hashed;
                let keys = order.get_or_init(|| sorted_keys(rows));
                Box::new(span.of_sorted(keys).iter().filter_map(|key| rows.get_key_value(key)))
            }
        }
    }

    /// Calls `visit` with every row, in any order.
    pub(crate) fn for_each(self, mut visit: impl FnMut(RowKey, V)) {
        match self {
            Self::Sorted(rows) => rows.into_iter().for_each(|(key, value)| visit(key, value)),
            Self::Hashed(hashed) => {
                let rows = hashed.into_iter().flat_map(|hashed| hashed.rows);
                rows.for_each(|(key, value)| visit(key, value));
            }
        }
    }
}

fn sorted_keys<V>(rows: &HashMap<RowKey, V, RandomState>) -> Box<[RowKey]> {
    let mut keys: Box<[RowKey]> = rows.keys().cloned().collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::*;

    /// Short keys and keys that are allocated, with many duplicates.
    fn key() -> impl Strategy<Value = RowKey> {
        let text =
            prop_oneof![prop::collection::vec(0..3u8, 0..4), prop::collection::vec(7..9u8, 29..33)];
        text.prop_map(|text| RowKey::from(&*text))
    }

    fn bound() -> impl Strategy<Value = Bound<RowKey>> {
        prop_oneof![
            key().prop_map(Bound::Included),
            key().prop_map(Bound::Excluded),
            Just(Bound::Unbounded)
        ]
    }

    fn span() -> impl Strategy<Value = Span> {
        (bound(), bound()).prop_map(|(from, to)| Span { from, to })
    }

    fn listed(rows: &RowMap<u32>, span: &Span) -> Vec<(Vec<u8>, u32)> {
        rows.range(span).map(|(key, value)| (key.to_vec(), *value)).collect()
    }

    proptest! {
        /// A span may also be empty, or end before it begins.
        #[test]
        fn a_hash_table_lists_what_a_tree_lists(
            steps in prop::collection::vec((prop::collection::vec(key(), 0..12), span()), 1..6)
        ) {
            let (mut sorted, mut hashed) = (RowMap::of(Table::Dcs), RowMap::of(Table::Entities));
            prop_assert!(matches!((&sorted, &hashed), (RowMap::Sorted(_), RowMap::Hashed(..))));
            for (keys, span) in steps {
                for (number, key) in (0_u32..).zip(keys) {
                    for rows in [&mut sorted, &mut hashed] {
                        rows.put(key.clone(), number, |old: &mut u32, new| {
                            *old = old.wrapping_mul(31).wrapping_add(new);
                        });
                        prop_assert!(rows.get(&key).is_some());
                    }
                }
                prop_assert_eq!(listed(&sorted, &span), listed(&hashed, &span));
                prop_assert_eq!(listed(&sorted, &Span::ALL), listed(&hashed, &Span::ALL));
                prop_assert_eq!(sorted.len(), hashed.len());
            }
            let mut all = Vec::new();
            hashed.for_each(|key, value| all.push((key.to_vec(), value)));
            all.sort_unstable();
            prop_assert_eq!(listed(&sorted, &Span::ALL), all);
        }
    }
}
