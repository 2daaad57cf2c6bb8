use super::{Record, RecordError};
use crate::types::{AccessHash, FileKey, SentFile};

impl Record for SentFile {
    const TAG: u8 = 0x51;

    type Key = FileKey;

    /// id, little-endian; access hash, little-endian.
    type Fields<'a> = ([u8; 8], [u8; 8]);

    fn fields(&self) -> Self::Fields<'_> {
        (self.id.to_le_bytes(), self.access_hash.0.to_le_bytes())
    }

    fn from_fields(key: FileKey, (id, hash): Self::Fields<'_>) -> Result<Self, RecordError> {
        let access_hash = AccessHash(i64::from_le_bytes(hash));
        Ok(Self { key, id: i64::from_le_bytes(id), access_hash })
    }
}
