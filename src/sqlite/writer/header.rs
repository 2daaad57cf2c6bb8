//! The 100-byte header (file format, section 1.3), the counterpart of `sqlite::header`.

pub(super) use super::super::header::SIZE;

use super::super::header::MAGIC;
use super::WriterOptions;

/// The header of a database of `pages` pages.
pub(super) fn encode(options: &WriterOptions, pages: u32) -> [u8; SIZE] {
    let page_size = u16::try_from(options.page_size).unwrap_or(1); // 1 stands for 65536
    let fields: [&[u8]; 19] = [
        MAGIC,
        &page_size.to_be_bytes(),
        &[1, 1], // rollback journal to write, to read
        &[0],    // reserved bytes of each page
        &[64, 32, 32],
        &CHANGES.to_be_bytes(),
        &pages.to_be_bytes(),
        &[0; 8],       // no free pages
        &[0, 0, 0, 1], // schema cookie
        &[0, 0, 0, 4], // schema format
        &[0; 4],       // default cache size
        &[0; 4],       // no auto-vacuum
        &[0, 0, 0, 1], // UTF-8
        &options.user_version.to_be_bytes(),
        &[0; 4], // no incremental vacuum
        &options.application_id.to_be_bytes(),
        &[0; 20],               // reserved
        &CHANGES.to_be_bytes(), // the change counter for which pages and version are valid
        &VERSION.to_be_bytes(),
    ];
    let mut header = [0; SIZE];
    for (to, from) in header.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
    header
}

const CHANGES: u32 = 1;

/// The version of SQLite that is said to have written the file: the first that knows a page count
/// and all else that is in it.
const VERSION: u32 = 3_007_000;

#[cfg(test)]
mod tests {
    use super::super::super::Encoding;
    use super::super::super::header::Header;
    use super::*;

    #[test]
    fn a_header_reads_back() {
        for page_size in [512, 4096, 32_768, 65_536] {
            let options = WriterOptions::new().page_size(page_size).user_version(-7);
            let bytes = encode(&options.application_id(0x1234_5678), 77);
            let header = Header::parse(&bytes).unwrap();
            assert_eq!((header.page_size, header.usable_size), (page_size, page_size));
            assert_eq!((header.page_count, header.schema_format), (Some(77), 4));
            assert_eq!((header.encoding, header.freelist_count), (Encoding::Utf8, 0));
            assert_eq!(header.user_version.cast_signed(), -7);
            assert_eq!(header.application_id, 0x1234_5678);
            assert_eq!(bytes[92..], [0, 0, 0, 1, 0, 0x2d, 0xe2, 0x18]);
        }
    }
}
