//! Big-endian numbers and varints out of a slice; nothing here can run off its end.

/// Two bytes at `at`.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// Four bytes at `at`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// A varint and its length (file format, section 1.6, "varint").
#[inline]
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    match bytes {
        [a, ..] if *a < 0x80 => Some((u64::from(*a), 1)),
        [a, b, ..] if *b < 0x80 => Some(((u64::from(a & 0x7f) << 7) | u64::from(*b), 2)),
        _ => long_varint(bytes),
    }
}

/// Three bytes and more; the ninth byte gives all its eight bits.
fn long_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value = (value << 7) | u64::from(byte & 0x7f);
        if *byte < 0x80 {
            return Some((value, at + 1));
        }
    }
    bytes.get(8).map(|last| ((value << 8) | u64::from(*last), 9))
}

/// A varint that names a length. SQLite keeps 32 bits of it and saturates, so do we.
#[inline]
pub(super) fn varint32(bytes: &[u8]) -> Option<(u32, usize)> {
    let (value, len) = varint(bytes)?;
    Some((u32::try_from(value).unwrap_or(u32::MAX), len))
}

/// A payload length: SQLite shifts seven bits of each byte into 32 and drops what falls out.
#[inline]
pub(super) fn payload_len(bytes: &[u8]) -> Option<(u32, usize)> {
    let (value, len) = varint(bytes)?;
    match u32::try_from(value) {
        Ok(value) => Some((value, len)),
        Err(_) => wrapped_len(bytes, len),
    }
}

fn wrapped_len(bytes: &[u8], len: usize) -> Option<(u32, usize)> {
    let seven = |value: u32, byte: &u8| (value << 7) | u32::from(byte & 0x7f);
    Some((bytes.get(..len)?.iter().fold(0, seven), len))
}

/// A signed big-endian integer of 0 to 8 bytes.
#[inline]
pub(super) fn int(bytes: &[u8]) -> i64 {
    match *bytes {
        [a] => i64::from(a.cast_signed()),
        [a, b] => i64::from(i16::from_be_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_be_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => i64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => odd_int(bytes),
    }
}

/// Three or six bytes, or none.
#[inline]
fn odd_int(bytes: &[u8]) -> i64 {
    let Some((first, rest)) = bytes.split_first() else {
        return 0;
    };
    let start = i64::from(first.cast_signed());
    rest.iter().fold(start, |value, byte| (value << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_have_one_to_nine_bytes() {
        assert_eq!(varint(&[0x7f]), Some((0x7f, 1)));
        assert_eq!(varint(&[0x81, 0x00]), Some((0x80, 2)));
        assert_eq!(varint(&[0x81, 0x80, 0x00]), Some((0x4000, 3)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
    }

    #[test]
    fn a_varint_cut_short_is_none() {
        assert_eq!(varint(&[]), None);
        assert_eq!(varint(&[0x80]), None);
        assert_eq!(varint(&[0xff; 8]), None);
    }

    #[test]
    fn a_payload_length_of_minus_one_is_all_ones() {
        assert_eq!(payload_len(&[0xff; 9]), Some((u32::MAX, 9)));
        assert_eq!(varint32(&[0xff; 9]), Some((u32::MAX, 9)));
    }

    #[test]
    fn integers_are_signed() {
        assert_eq!(int(&[0xff, 0xfe]), -2);
        assert_eq!(int(&[0x00, 0xff, 0xfe]), 65534);
        assert_eq!(int(&[0xff, 0, 0, 0, 0, 1]), 1 - (1 << 40));
        assert_eq!(int(&[0x80, 0, 0, 0]), i64::from(i32::MIN));
        assert_eq!(int(&[0x7f]), 127);
        assert_eq!(int(&[]), 0);
    }
}
