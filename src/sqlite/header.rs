//! The 100-byte header at the start of page 1 (file format, section 1.3).

use super::{Encoding, SqliteError, bytes};

/// The header, parsed; holding one means the database can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) page_size: u32,
    pub(super) usable_size: u32,
    /// The page count the header vouches for, if it does.
    pub(super) page_count: Option<u32>,
    pub(super) encoding: Encoding,
    pub(super) schema_format: u8,
    pub(super) freelist_count: u32,
    pub(super) user_version: u32,
    pub(super) application_id: u32,
}

impl Header {
    /// What SQLite takes an empty file for.
    pub(super) const EMPTY: Self = Self {
        page_size: 4096,
        usable_size: 4096,
        page_count: Some(0),
        encoding: Encoding::Utf8,
        schema_format: 1,
        freelist_count: 0,
        user_version: 0,
        application_id: 0,
    };

    /// Checks in SQLite's order: what makes it "not a database" comes first.
    pub(super) fn parse(page: &[u8; SIZE]) -> Result<Self, SqliteError> {
        let u32_at = |at| bytes::u32_at(page, at).unwrap_or_default();
        let [_, _, read, reserved, fractions @ .., _] = page_fields(page);
        if !page.starts_with(MAGIC) {
            return Err(SqliteError::NotADatabase);
        }
        if read > 2 {
            return Err(SqliteError::ReadVersion { found: read });
        }
        if fractions != [64, 32, 32] {
            return Err(SqliteError::PayloadFractions { found: fractions });
        }
        let page_size = page_size(page)?;
        let usable_size = page_size - u32::from(reserved);
        if usable_size < 480 {
            return Err(SqliteError::ReservedBytes { found: reserved, page_size });
        }
        let vouched = u32_at(24) == u32_at(92) && u32_at(28) != 0;
        Ok(Self {
            page_size,
            usable_size,
            page_count: vouched.then(|| u32_at(28)),
            encoding: Encoding::from_header(u32_at(56)),
            schema_format: u32_at(44).to_be_bytes()[3].max(1),
            freelist_count: u32_at(36),
            user_version: u32_at(60),
            application_id: u32_at(68),
        })
    }
}

/// Bytes 17 to 24 as an array: the one place that knows them one by one.
fn page_fields(page: &[u8; SIZE]) -> [u8; 8] {
    page.get(17..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
}

/// The page size alone, which the files beside the database have to agree with.
pub(super) fn page_size(page: &[u8; SIZE]) -> Result<u32, SqliteError> {
    match bytes::u16_at(page, 16).unwrap_or_default() {
        1 => Ok(65_536), // it does not fit in the field's 16 bits
        raw @ 512..=32_768 if raw.is_power_of_two() => Ok(raw.into()),
        found => Err(SqliteError::PageSize { found }),
    }
}

/// Bytes the header takes.
pub(super) const SIZE: usize = 100;

pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> [u8; SIZE] {
        let mut page = [0; SIZE];
        page[..16].copy_from_slice(MAGIC);
        page[16..18].copy_from_slice(&[0x10, 0x00]); // page size 4096
        page[18..20].copy_from_slice(&[1, 1]); // write version, read version
        page[21..24].copy_from_slice(&[64, 32, 32]); // payload fractions
        page[27] = 7; // change counter
        page[31] = 5; // pages
        page[47] = 4; // schema format
        page[59] = 2; // UTF-16le
        page[95] = 7; // the change counter the page count is valid for
        page
    }

    fn parse_with(at: usize, byte: u8) -> Result<Header, SqliteError> {
        let mut page = header();
        page[at] = byte;
        Header::parse(&page)
    }

    #[test]
    fn a_whole_header_parses() {
        let header = Header::parse(&header()).unwrap();
        assert_eq!((header.page_size, header.usable_size), (4096, 4096));
        assert_eq!((header.page_count, header.schema_format), (Some(5), 4));
        assert_eq!(header.encoding, Encoding::Utf16Le);
    }

    #[test]
    fn a_page_size_of_1_means_65536() {
        let mut page = header();
        page[16..18].copy_from_slice(&[0, 1]);
        assert_eq!(Header::parse(&page).unwrap().page_size, 65_536);
    }

    #[test]
    fn a_page_count_written_by_old_software_is_not_believed() {
        assert_eq!(parse_with(95, 6).unwrap().page_count, None);
        assert_eq!(parse_with(31, 0).unwrap().page_count, None);
    }

    #[test]
    fn each_wrong_field_has_its_error() {
        let err = |at, byte| parse_with(at, byte).unwrap_err();
        assert_eq!(err(15, b'!'), SqliteError::NotADatabase);
        assert_eq!(err(16, 0x11), SqliteError::PageSize { found: 0x1100 });
        assert_eq!(err(19, 3), SqliteError::ReadVersion { found: 3 });
        assert_eq!(err(22, 33), SqliteError::PayloadFractions { found: [64, 33, 32] });
    }

    #[test]
    fn too_many_reserved_bytes_are_refused() {
        let mut page = header();
        page[16..18].copy_from_slice(&[2, 0]); // page size 512
        page[20] = 33; // one more than leaves 480
        let err = Header::parse(&page).unwrap_err();
        assert_eq!(err, SqliteError::ReservedBytes { found: 33, page_size: 512 });
    }
}
