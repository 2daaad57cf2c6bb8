use super::{Record, RecordError};
use crate::types::Extra;

impl Record for Extra {
    const TAG: u8 = 0x61;

    type Key = String;

    /// The value.
    type Fields<'a> = &'a [u8];

    fn fields(&self) -> &[u8] {
        self.value()
    }

    fn from_fields(name: String, value: &[u8]) -> Result<Self, RecordError> {
        Self::new(&name, value).ok_or(RecordError::Value { field: "name or length" })
    }
}
