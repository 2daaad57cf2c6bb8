//! The order of keys in an index ("Datatypes in SQLite", section 4.1): `NULL`, numbers, texts,
//! blobs; texts byte by byte (`BINARY`).

use std::cmp::Ordering;

use super::super::record::{HeaderCursor, Record};
use super::super::{Encoding, Value};

/// Compares the first `fields` fields of two records.
pub(super) fn records(a: &[u8], b: &[u8], fields: u16) -> Ordering {
    let (mut left, mut right) = (Fields::of(a), Fields::of(b));
    for field in 0..fields {
        let order = values(left.get(field), right.get(field));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Whether the first `fields` fields are the same, and none is `NULL`, which differs from itself.
pub(super) fn same_key(a: &[u8], b: &[u8], fields: u16) -> bool {
    let mut left = Fields::of(a);
    records(a, b, fields).is_eq() && (0..fields).all(|field| !left.get(field).is_null())
}

/// A field that is an integer: the rowid at the end of a key.
pub(super) fn integer(record: &[u8], field: u16) -> i64 {
    match Fields::of(record).get(field) {
        Value::Integer(value) => value,
        _ => 0,
    }
}

/// Where a value is in the order, roughly: of two values, the lower never has the higher rank.
pub(super) fn rank(value: Value<'_>) -> u64 {
    let (class, within) = match value {
        Value::Null => (0, 0),
        #[expect(clippy::cast_precision_loss, reason = "a rounded number is still in order")]
        Value::Integer(value) => (1, real_rank(value as f64)),
        Value::Real(value) if value.is_nan() => (0, 0),
        Value::Real(value) => (1, real_rank(value)),
        Value::Text(text) => (2, bytes_rank(text.as_bytes())),
        Value::Blob(bytes) => (3, bytes_rank(bytes)),
    };
    (class << 62) | (within >> 2)
}

/// The bits of a real, turned so that they are in order as a number.
fn real_rank(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits(); // -0 becomes 0, to which it is equal
    if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
}

fn bytes_rank(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_be_bytes(first)
}

fn values(a: Value<'_>, b: Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(&b),
        (Value::Integer(a), Value::Real(b)) => integer_and_real(a, b),
        (Value::Real(a), Value::Integer(b)) => integer_and_real(b, a).reverse(),
        (Value::Real(a), Value::Real(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
        _ => class(a).cmp(&class(b)),
    }
}

fn class(value: Value<'_>) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    }
}

/// Exact, although neither type holds all values of the other.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "what a cast loses is looked at afterwards"
)]
fn integer_and_real(a: i64, b: f64) -> Ordering {
    const END: f64 = 9_223_372_036_854_775_808.0; // one above the largest integer
    if b >= END {
        return Ordering::Less;
    }
    if b < -END {
        return Ordering::Greater;
    }
    let whole = b as i64;
    a.cmp(&whole).then_with(|| (whole as f64).partial_cmp(&b).unwrap_or(Ordering::Equal))
}

/// The fields of a record that this module made: nothing can be wrong with it.
struct Fields<'a> {
    record: Record<'a>,
    place: HeaderCursor,
}

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { record: Record { bytes, total: bytes.len() }, place: HeaderCursor::default() }
    }

    fn get(&mut self, field: u16) -> Value<'a> {
        let found = self.place.seek(&self.record, field).ok().flatten();
        found.and_then(|field| self.record.value(field, Encoding::Utf8)).unwrap_or(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In order; the values of one row are equal.
    fn ladder() -> Vec<Vec<Value<'static>>> {
        let two_53 = 1_i64 << 53;
        vec![
            vec![Value::Null, Value::Real(f64::NAN)],
            vec![Value::Real(f64::NEG_INFINITY)],
            vec![Value::Real(-1e300)],
            vec![Value::Integer(i64::MIN), Value::Real(-9_223_372_036_854_775_808.0)],
            vec![Value::Real(-5.5)],
            vec![Value::Integer(-5), Value::Real(-5.0)],
            vec![Value::Real(-4.5)],
            vec![Value::Integer(0), Value::Real(0.0), Value::Real(-0.0)],
            vec![Value::Real(0.5)],
            vec![Value::Integer(1), Value::Real(1.0)],
            vec![Value::Integer(two_53), Value::Real(9_007_199_254_740_992.0)],
            vec![Value::Integer(two_53 + 1)],
            vec![Value::Integer(two_53 + 2), Value::Real(9_007_199_254_740_994.0)],
            vec![Value::Integer(i64::MAX)],
            vec![Value::Real(9_223_372_036_854_775_808.0)],
            vec![Value::from("")],
            vec![Value::from("\0")],
            vec![Value::from("Z")],
            vec![Value::from("a")],
            vec![Value::from("a\0")],
            vec![Value::from("abcdefgh")],
            vec![Value::from("abcdefghi")],
            vec![Value::from("\u{e9}")],
            vec![Value::Blob(b"")],
            vec![Value::Blob(b"\0")],
            vec![Value::Blob(b"\xff")],
        ]
    }

    #[test]
    fn values_of_every_class_are_in_sqlites_order() {
        let ladder = ladder();
        for (i, low) in ladder.iter().enumerate() {
            for (j, high) in ladder.iter().enumerate() {
                for (a, b) in low.iter().flat_map(|a| high.iter().map(move |b| (*a, *b))) {
                    let nan = |v| matches!(v, Value::Real(v) if f64::is_nan(v));
                    if !nan(a) && !nan(b) {
                        assert_eq!(values(a, b), i.cmp(&j), "{a:?} {b:?}");
                    }
                    assert!(
                        rank(a).cmp(&rank(b)) == i.cmp(&j) || rank(a) == rank(b),
                        "{a:?} {b:?}"
                    );
                }
            }
        }
    }
}
