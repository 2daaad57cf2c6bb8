//! A record: a header of serial types, then the values (file format, section 2.1).

use super::{Encoding, SqliteError, Value, bytes};

/// How far a record's header has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeaderCursor {
    /// The next field.
    field: u32,
    /// Where its serial type is; 0 before the header's length has been read.
    header: u32,
    /// Where its value is.
    body: u32,
    /// Where the header ends.
    end: u32,
}

/// One field of a record.
// Whole words, here and in `Record`: halves of words make the processor wait at each field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    serial: usize,
    start: usize,
    end: usize,
}

impl HeaderCursor {
    /// Goes on to `field`, as lazily as SQLite does: what comes after it is not looked at.
    ///
    /// `Ok(None)` says that the record is shorter than that.
    #[inline]
    pub(super) fn seek(&mut self, record: &Record<'_>, field: u16) -> Result<Option<Field>, Flaw> {
        let field = u32::from(field);
        if self.header == 0 || field < self.field {
            *self = Self::open(record)?;
        }
        if self.end == 0 {
            return Ok(None); // SQLite takes a header of no bytes for a row of nothing
        }
        // A header of one byte has no fields, and SQLite still reads a first one.
        while self.header < self.end || self.field == 0 {
            let found = self.step(record)?;
            if self.field > field {
                self.check(record.total)?;
                return Ok(Some(found));
            }
        }
        self.check(record.total)?;
        Ok(None)
    }

    /// Reads the header's length.
    #[inline]
    fn open(record: &Record<'_>) -> Result<Self, Flaw> {
        let (end, len) = bytes::varint32(record.bytes).ok_or(Flaw::Header(0))?;
        let here = end as usize <= record.bytes.len();
        if !here && end as usize > MAX_HEADER.min(record.total) {
            return Err(Flaw::Header(end));
        }
        let header = u32::try_from(len).unwrap_or_default();
        Ok(Self { field: 0, header, body: end, end })
    }

    /// Reads one serial type.
    #[inline]
    fn step(&mut self, record: &Record<'_>) -> Result<Field, Flaw> {
        let types = record.bytes.get(self.header as usize..).unwrap_or_default();
        let (serial, len) = bytes::varint32(types).ok_or(self.flaw())?;
        let start = self.body;
        let end = start.saturating_add(serial_len(serial));
        if end as usize > record.total {
            return Err(self.flaw());
        }
        self.body = end;
        self.header += u32::try_from(len).unwrap_or_default();
        self.field += 1;
        Ok(Field { serial: serial as usize, start: start as usize, end: end as usize })
    }

    /// A header read to its end has to have described the whole payload.
    #[inline]
    fn check(&self, total: usize) -> Result<(), Flaw> {
        let over = self.header > self.end;
        let short = self.header == self.end && self.body as usize != total;
        if over || short { Err(self.flaw()) } else { Ok(()) }
    }

    fn flaw(&self) -> Flaw {
        Flaw::Body(u16::try_from(self.field).unwrap_or(u16::MAX))
    }
}

/// The bytes of a record, or the part of them that is in its cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) bytes: &'a [u8],
    /// The length of the whole payload.
    pub(super) total: usize,
}

impl<'a> Record<'a> {
    /// Whether the bytes reach to the end of the header.
    pub(super) fn header_is_local(&self) -> bool {
        bytes::varint32(self.bytes).is_none_or(|(end, _)| end as usize <= self.bytes.len())
    }

    /// The value of a field, `None` if it is not all within these bytes.
    #[inline]
    pub(super) fn value(&self, field: Field, encoding: Encoding) -> Option<Value<'a>> {
        let body = self.bytes.get(field.start..field.end)?;
        Some(match field.serial {
            0 | 10 | 11 => Value::Null,
            1..=6 => Value::Integer(bytes::int(body)),
            7 => real(body),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            blob if blob % 2 == 0 => Value::Blob(body),
            _ => Value::Text(super::Text::new(body, encoding)),
        })
    }
}

/// Why a record cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// The header's length is wrong.
    Header(u32),
    /// The serial types do not add up, seen at this field.
    Body(u16),
}

impl Flaw {
    #[cold]
    pub(super) fn on(self, page: u32) -> SqliteError {
        match self {
            Self::Header(found) => SqliteError::RecordHeader { page, found },
            Self::Body(column) => SqliteError::RecordBody { page, column },
        }
    }
}

/// Bytes of a value.
#[inline]
fn serial_len(serial: u32) -> u32 {
    match serial {
        0 | 8..=11 => 0,
        1..=4 => serial,
        5 => 6,
        6 | 7 => 8,
        _ => (serial - 12) / 2,
    }
}

/// SQLite reads a NaN as `NULL`.
fn real(body: &[u8]) -> Value<'static> {
    let bits = body.first_chunk().copied().map_or(0, u64::from_be_bytes);
    let real = f64::from_bits(bits);
    if real.is_nan() { Value::Null } else { Value::Real(real) }
}

/// The longest header that SQLite believes.
const MAX_HEADER: usize = 98_307;

#[cfg(test)]
mod tests {
    use super::*;

    fn values(bytes: &[u8]) -> Result<Vec<Value<'_>>, Flaw> {
        let record = Record { bytes, total: bytes.len() };
        let (mut place, mut values) = (HeaderCursor::default(), Vec::new());
        while let Some(field) = place.seek(&record, u16::try_from(values.len()).unwrap())? {
            values.push(record.value(field, Encoding::Utf8).unwrap());
        }
        Ok(values)
    }

    #[test]
    fn every_serial_type_reads() {
        let bytes = [
            11, // header length
            0, 1, 2, 8, 9, 7, 12, 14, 13, 15,   // the types
            0xff, // -1
            1, 0, // 256
            0x3f, 0xf8, 0, 0, 0, 0, 0, 0,    // 1.5
            0xaa, // a blob of one byte
            b'x', // a text of one byte
        ];
        let expected = [
            Value::Null,
            Value::Integer(-1),
            Value::Integer(256),
            Value::Integer(0),
            Value::Integer(1),
            Value::Real(1.5),
            Value::Blob(&[]),
            Value::Blob(&[0xaa]),
            Value::Text(super::super::Text::new(b"", Encoding::Utf8)),
            Value::Text(super::super::Text::new(b"x", Encoding::Utf8)),
        ];
        assert_eq!(values(&bytes).unwrap(), expected);
    }

    #[test]
    fn wide_integers_and_reserved_types_read() {
        let bytes = [
            6, 3, 5, 6, 10, 11, // header length, the types
            0xff, 0xff, 0xfe, // -2 in three bytes
            0, 0, 0, 0, 1, 0, // 256 in six
            0x80, 0, 0, 0, 0, 0, 0, 0, // the smallest in eight
        ];
        let ints = [-2, 256, i64::MIN].map(Value::Integer);
        assert_eq!(values(&bytes).unwrap(), [&ints[..], &[Value::Null; 2]].concat());
    }

    #[test]
    fn a_nan_is_null() {
        assert_eq!(values(&[2, 7, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]).unwrap(), [Value::Null]);
    }

    #[test]
    fn a_header_longer_than_the_payload_is_a_flaw() {
        assert_eq!(values(&[127, 0]), Err(Flaw::Header(127)));
        assert_eq!(values(&[]), Err(Flaw::Header(0)));
    }

    #[test]
    fn types_that_do_not_add_up_are_a_flaw() {
        assert_eq!(values(&[2, 2, 0]), Err(Flaw::Body(0))); // one byte short
        assert_eq!(values(&[2, 1, 0, 0]), Err(Flaw::Body(1))); // one byte over
        assert_eq!(values(&[2, 0x80, 0]), Err(Flaw::Body(1))); // a type across the header's end
        assert_eq!(values(&[1, 0]), Err(Flaw::Body(1))); // no types at all
    }

    #[test]
    fn a_header_of_no_bytes_is_a_row_of_nothing() {
        assert_eq!(values(&[0, 1, 2]), Ok(vec![]));
    }

    #[test]
    fn fields_can_be_asked_for_in_any_order() {
        let record = Record { bytes: &[3, 1, 1, 5, 6], total: 5 };
        let mut place = HeaderCursor::default();
        for (field, value) in [(1, 6), (0, 5), (0, 5), (1, 6)] {
            let found = place.seek(&record, field).unwrap().unwrap();
            assert_eq!(record.value(found, Encoding::Utf8), Some(Value::Integer(value)));
        }
        assert!(place.seek(&record, 2).unwrap().is_none());
    }
}
