//! Values as a record (file format, section 2.1), the counterpart of `sqlite::record`.

use zeroize::Zeroizing;

use super::super::Value;

/// Replaces the content of `to` by the record of `values`. `to` is wiped first if it has to grow.
pub(super) fn encode<'v>(
    values: impl Iterator<Item = Value<'v>> + Clone,
    to: &mut Zeroizing<Vec<u8>>,
) {
    let (mut types, mut body) = (0, 0);
    for value in values.clone() {
        let (serial, len) = serial_type(value);
        types += varint_len(serial);
        body += len;
    }
    let header = header_len(types);
    make_room(to, header + body);
    put_varint(to, header as u64);
    for value in values.clone() {
        put_varint(to, serial_type(value).0);
    }
    for value in values {
        put_body(to, value);
    }
}

/// Empties `buffer` and makes room for `len` bytes without leaving a copy of its old content.
pub(super) fn make_room(buffer: &mut Zeroizing<Vec<u8>>, len: usize) {
    if buffer.capacity() < len {
        *buffer = Zeroizing::new(Vec::with_capacity(len.next_power_of_two()));
    }
    buffer.clear();
}

/// The header's length, which counts its own bytes too.
fn header_len(types: usize) -> usize {
    let len = types + 1;
    let own = varint_len(len as u64);
    types + varint_len((types + own) as u64)
}

/// The serial type of a value and the length of its body; a NaN is `NULL`, as with SQLite.
fn serial_type(value: Value<'_>) -> (u64, usize) {
    match value {
        Value::Null => (0, 0),
        Value::Integer(value) => integer_type(value),
        Value::Real(value) if value.is_nan() => (0, 0),
        Value::Real(_) => (7, 8),
        Value::Text(text) => (13 + 2 * text.as_bytes().len() as u64, text.as_bytes().len()),
        Value::Blob(bytes) => (12 + 2 * bytes.len() as u64, bytes.len()),
    }
}

/// The smallest type that holds it.
fn integer_type(value: i64) -> (u64, usize) {
    // A negative number takes as many bits as its complement, and one more for the sign.
    match 65 - (value ^ (value >> 63)).leading_zeros() {
        _ if value == 0 => (8, 0),
        _ if value == 1 => (9, 0),
        0..=8 => (1, 1),
        9..=16 => (2, 2),
        17..=24 => (3, 3),
        25..=32 => (4, 4),
        33..=48 => (5, 6),
        _ => (6, 8),
    }
}

fn put_body(to: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Null => {}
        Value::Integer(value) => {
            let (_, len) = integer_type(value);
            to.extend(value.to_be_bytes().iter().skip(8 - len));
        }
        Value::Real(value) if value.is_nan() => {}
        Value::Real(value) => to.extend(value.to_be_bytes()),
        Value::Text(text) => to.extend_from_slice(text.as_bytes()),
        Value::Blob(bytes) => to.extend_from_slice(bytes),
    }
}

/// Appends a varint: seven bits a byte, the highest first, and eight in a ninth byte.
pub(super) fn put_varint(to: &mut Vec<u8>, value: u64) {
    let len = varint_len(value);
    if len == 9 {
        to.extend((0..8).map(|at| 0x80 | (value >> (57 - 7 * at)) as u8));
        to.push(value as u8);
        return;
    }
    let more = (1..len).rev().map(|at| 0x80 | (value >> (7 * at)) as u8);
    to.extend(more);
    to.push(value as u8 & 0x7f);
}

fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7).min(9)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::{Encoding, bytes, record};
    use super::*;

    fn encoded(values: &[Value<'_>]) -> Vec<u8> {
        let mut to = Zeroizing::default();
        encode(values.iter().copied(), &mut to);
        to.to_vec()
    }

    #[test]
    fn every_value_has_the_smallest_type() {
        let types = |value| encoded(&[Value::Integer(value)])[1];
        let bits = |bits: u32| (types((1 << (bits - 1)) - 1), types(-(1 << (bits - 1))));
        assert_eq!((types(0), types(1)), (8, 9));
        assert_eq!((types(2), types(-1)), (1, 1));
        assert_eq!([8, 16, 24, 32, 48].map(bits), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
        assert_eq!((types(128), types(-129)), (2, 2));
        assert_eq!((types(1 << 47), types(-(1 << 47) - 1)), (6, 6));
        assert_eq!((types(i64::MAX), types(i64::MIN)), (6, 6));
        assert_eq!(encoded(&[Value::Real(f64::NAN), Value::Null]), [3, 0, 0]);
        assert_eq!(encoded(&[Value::from("x"), Value::Blob(b"yz")]), b"\x03\x0f\x10xyz");
    }

    #[test]
    fn a_header_of_128_bytes_says_so_in_two() {
        for columns in [1, 125, 126, 127, 128, 16_381, 16_382, 20_000] {
            let bytes = encoded(&vec![Value::Null; columns]);
            let (header, _) = bytes::varint(&bytes).unwrap();
            assert_eq!(header, bytes.len() as u64, "{columns} columns");
        }
    }

    proptest! {
        #[test]
        fn a_varint_reads_back(value in any::<u64>(), shift in 0..64) {
            let mut to = Vec::new();
            put_varint(&mut to, value >> shift);
            prop_assert_eq!(bytes::varint(&to), Some((value >> shift, to.len())));
        }

        #[test]
        fn an_integer_reads_back(value in any::<i64>(), shift in 0..64) {
            let value = value >> shift;
            let bytes = encoded(&[Value::Integer(value)]);
            let record = record::Record { bytes: &bytes, total: bytes.len() };
            let field = record::HeaderCursor::default().seek(&record, 0).unwrap().unwrap();
            prop_assert_eq!(record.value(field, Encoding::Utf8), Some(Value::Integer(value)));
        }
    }
}
