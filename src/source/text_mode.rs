//! Files that were copied in text mode: every line feed in them became a carriage return and a
//! line feed.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use super::database_location::DatabaseLocation;
use crate::file::FileKindFound;

/// A database that was copied in text mode.
pub(super) enum TextMode {
    /// The file as it was before.
    Undone(Vec<u8>),
    /// It looks like one, and what it was before cannot be proven.
    Suspected,
}

/// A larger file is left as it is.
const MOST_BYTES: u64 = 256 << 20;

/// With as many line feeds, none of them alone, the file was copied in text mode.
const MANY: usize = 2;

/// Looks for the traces of such a copy; `None` where there are none, or where a file lies beside
/// it that would have been spoilt too. A file of a whole number of pages is not read.
pub(super) fn traces(path: &Path, location: DatabaseLocation<'_>) -> Option<TextMode> {
    let bytes = match location {
        DatabaseLocation::Memory(bytes, [None, None]) => Cow::Borrowed(bytes),
        DatabaseLocation::Memory(..) => return None,
        DatabaseLocation::File => {
            let beside = ["-wal", "-journal"].iter().any(|ending| {
                let mut name = path.as_os_str().to_owned();
                name.push(ending);
                fs::metadata(name).is_ok_and(|file| file.len() > 0)
            });
            let len = fs::metadata(path).ok()?.len();
            // The smallest page has 512 bytes, and the others are a multiple of it.
            if beside || len > MOST_BYTES || len.is_multiple_of(512) {
                return None;
            }
            Cow::Owned(fs::read(path).ok()?)
        }
    };
    let count = feeds(&bytes)?;
    if FileKindFound::of(&bytes) != FileKindFound::Sqlite {
        return None;
    }
    let before = undone(&bytes);
    if is_whole(&before) {
        return Some(TextMode::Undone(before));
    }
    (count >= MANY).then_some(TextMode::Suspected)
}

/// How many line feeds there are, if each has a carriage return before it.
fn feeds(bytes: &[u8]) -> Option<usize> {
    let (mut count, mut last) = (0, 0);
    for byte in bytes {
        if *byte == b'\n' {
            if last != b'\r' {
                return None;
            }
            count += 1;
        }
        last = *byte;
    }
    (count > 0).then_some(count)
}

/// The bytes without the carriage return before each line feed.
fn undone(bytes: &[u8]) -> Vec<u8> {
    let mut before = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if *byte == b'\n' && before.last() == Some(&b'\r') {
            before.pop();
        }
        before.push(*byte);
    }
    before
}

/// Whether it is a whole number of pages, and as many as the header says.
fn is_whole(bytes: &[u8]) -> bool {
    let two = |at| bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two));
    let four = |at| bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four));
    let size = match two(16) {
        Some(1) => 65_536,
        Some(size) if size >= 512 && size.is_power_of_two() => usize::from(size),
        _ => return false,
    };
    // Before SQLite 3.7 the count was left at 0, or at what an older writer knew.
    let counted = four(24) == four(92) && four(28) != Some(0);
    let pages = bytes.len() / size;
    let fits = u32::try_from(pages).ok() == four(28);
    bytes.len().is_multiple_of(size) && pages > 0 && (fits || !counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoilt(bytes: &[u8]) -> Vec<u8> {
        let each = |byte: &u8| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] };
        bytes.iter().flat_map(each).collect()
    }

    fn found(bytes: &[u8]) -> Option<TextMode> {
        traces(Path::new("x"), DatabaseLocation::Memory(bytes, &[None, None]))
    }

    #[test]
    fn what_text_mode_did_is_undone_to_the_byte() {
        for name in ["plain_1.45.0", "page_512", "utf16le", "two_dc"] {
            let path = format!("tests/fixtures/telethon/{name}.session");
            let whole = fs::read(path).unwrap();
            assert!(found(&whole).is_none(), "{name}");
            let copy = spoilt(&whole);
            assert_ne!(copy, whole, "{name}: no line feed: this shows nothing");
            let Some(TextMode::Undone(before)) = found(&copy) else { panic!("{name}") };
            assert!(before == whole, "{name}");
            // One byte less, and nothing can be proven.
            let Some(TextMode::Suspected) = found(&copy[..copy.len() - 1]) else {
                panic!("{name}")
            };
        }
    }

    #[test]
    fn a_file_with_one_bare_line_feed_was_not_copied_in_text_mode() {
        let mut copy = spoilt(&fs::read("tests/fixtures/telethon/two_dc.session").unwrap());
        let at = copy.iter().rposition(|byte| *byte == b'\n').unwrap();
        copy[at - 1] = 0;
        assert!(found(&copy).is_none());
        assert!(found(b"\r\nSQLite").is_none());
    }
}
