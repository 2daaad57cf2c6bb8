use bincode::config::{self, Configuration, LittleEndian, Varint};
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

    /// What the key says of the value.
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
    let mut record = bincode::encode_to_vec((R::TAG, value.fields()), CONFIG).ok()?;
    record.shrink_to_fit();
    (record.len() <= MAX_RECORD).then_some(record)
}

/// The value of this record, all of which must be in use.
pub(crate) fn decode<R: Record>(key: R::Key, record: &[u8]) -> Result<R, RecordError> {
    let (tag, payload) = record.split_first().ok_or(RecordError::Empty)?;
    if *tag != R::TAG {
        return Err(RecordError::Tag { found: *tag, expected: R::TAG });
    }
    let (fields, used) = bincode::borrow_decode_from_slice::<R::Fields<'_>, _>(payload, CONFIG)
        .map_err(|_| RecordError::Payload)?;
    match payload.len() - used {
        0 => R::from_fields(key, fields),
        len => Err(RecordError::Leftover { len }),
    }
}
