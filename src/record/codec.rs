use bincode::config::{self, Configuration, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use bincode::{BorrowDecode, Encode};

use super::RecordError;

/// The longest record in bytes. Longer ones are refused when written.
pub(crate) const MAX_RECORD: usize = 1 << 20;

/// What decoding one record may ask for: its own length, and sixteen bytes for each text in a
/// list, which takes two in the record at least.
const MEMORY: usize = 9 * MAX_RECORD;

const CONFIG: Configuration<LittleEndian, Varint, config::Limit<MEMORY>> =
    config::standard().with_limit();

/// A value that is stored as a record under a key. The record does not repeat the key.
pub(crate) trait Record: Sized {
    /// The first byte: which record this is, and in which version.
    const TAG: u8;

    /// How long most records are, or somewhat less, in bytes.
    const USUAL: usize = 64;

    /// The part of the value that is in the key.
    type Key;

    /// The payload's fields in their order, as bincode writes them.
    type Fields<'a>: Encode + BorrowDecode<'a, ()>
    where
        Self: 'a;

    fn fields(&self) -> Self::Fields<'_>;

    fn from_fields(key: Self::Key, fields: Self::Fields<'_>) -> Result<Self, RecordError>;
}

/// The record of this value, or `None` when it would be longer than [`MAX_RECORD`].
pub(crate) fn encode<R: Record>(value: &R) -> Option<Vec<u8>> {
    let mut record = Vec::with_capacity(R::USUAL);
    encode_into(value, &mut record).then_some(record)
}

/// Appends the record of this value to `place`. Returns false, and appends nothing, if the record would
/// be longer than [`MAX_RECORD`].
pub(crate) fn encode_into<R: Record>(value: &R, place: &mut Vec<u8>) -> bool {
    let before = place.len();
    let encoded = bincode::encode_into_writer((R::TAG, value.fields()), Append(place), CONFIG);
    let fits = encoded.is_ok() && place.len() - before <= MAX_RECORD;
    if !fits {
        place.truncate(before);
    }
    fits
}

struct Append<'a>(&'a mut Vec<u8>);

impl Writer for Append<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Decodes the value of a record. A record with bytes left over is an error.
pub(crate) fn decode<R: Record>(key: R::Key, record: &[u8]) -> Result<R, RecordError> {
    R::from_fields(key, fields::<R>(record)?)
}

/// Decodes the fields of a record. A record with bytes left over is an error.
fn fields<R: Record>(record: &[u8]) -> Result<R::Fields<'_>, RecordError> {
    let (tag, payload) = record.split_first().ok_or(RecordError::Empty)?;
    if *tag != R::TAG {
        return Err(RecordError::Tag { found: *tag, expected: R::TAG });
    }
    fields_of::<R>(payload)
}

/// Decodes the fields of a record from its payload, which is the record without its tag. A payload with
/// bytes left over is an error.
pub(crate) fn fields_of<R: Record>(payload: &[u8]) -> Result<R::Fields<'_>, RecordError> {
    let (fields, used) = bincode::borrow_decode_from_slice::<R::Fields<'_>, _>(payload, CONFIG)
        .map_err(|_| RecordError::Payload)?;
    match payload.len() - used {
        0 => Ok(fields),
        len => Err(RecordError::Leftover { len }),
    }
}
