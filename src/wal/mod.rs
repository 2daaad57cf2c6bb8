//! The write-ahead log: recent changes, one record after the other.
//!
//! Each generation has a log of its own. It begins with a manifest, which names everything else
//! that the generation consists of. A record is durable after one write and one sync. A mark after
//! it says so: it tells a record that is damaged from one that was being written when the power
//! went. This module does not interpret the content of records.

mod reader;
mod record;
mod writer;

pub(crate) use self::reader::{Found, Tail, scan};
pub(crate) use self::record::{Kind, Log, LogRecord};
pub(crate) use self::writer::{Append, LogWriter};

/// The vectors of this module in FORMAT.md, for the test that reads it.
#[cfg(all(test, feature = "convert"))]
pub(crate) mod vectors {
    use super::record::RECORD_HEAD;
    use super::*;
    use crate::file::Extent;
    use crate::file::FileSeal;

    /// Record 9 of generation 2, which begins at byte 512 of a log at page 5, and the mark after it.
    /// Each without the zeros after its kind and at its end.
    pub(crate) fn vectors(file_id: [u8; 16], content: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let log = Log::new(&FileSeal::plain(file_id), (2, 6), Extent { page: 5, pages: 128 }, 8);
        let record = log.seal((512, &[0; 16]), 9, 12, Kind::Changes, content).unwrap();
        let read = log.parse(512, &record).unwrap();
        assert_eq!((read.number, read.sequence, read.kind), (9, 12, Kind::Changes));
        assert_eq!(read.content.as_slice(), content);
        let mark = log.seal((1024, &[0; 16]), 9, 0, Kind::Mark, &[]).unwrap();
        assert_eq!(log.parse(1024, &mark).unwrap().kind, Kind::Mark);
        vec![
            ("log: changes", [&record[..48], &record[RECORD_HEAD..][..content.len()]].concat()),
            ("log: mark", mark[..48].to_vec()),
        ]
    }

    /// The same of an encrypted file, without the zeros at the end.
    #[cfg(feature = "encryption")]
    pub(crate) fn encrypted(seal: &FileSeal, content: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        use crate::file::vectors::with_known_random;
        let log = Log::new(seal, (2, 6), Extent { page: 5, pages: 128 }, 8);
        let record =
            with_known_random(|| log.seal((512, &[9; 16]), 9, 12, Kind::Changes, content)).unwrap();
        assert_eq!(log.parse(512, &record).unwrap().content.as_slice(), content);
        assert_eq!(log.parse(1024, &record), None, "at another place");
        let mark = with_known_random(|| log.seal((1024, &[0; 16]), 9, 0, Kind::Mark, &[])).unwrap();
        assert_eq!(log.parse(512, &mark).unwrap().kind, Kind::Mark, "wherever it is");
        vec![
            ("log: changes, encrypted", record[..RECORD_HEAD + 16 + content.len()].to_vec()),
            ("log: mark, encrypted", mark[..RECORD_HEAD].to_vec()),
        ]
    }
}
