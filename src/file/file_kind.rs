//! Recognises a file format by its first bytes, for error messages.

use super::header::MAGIC;

/// A file format that the first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKindFound {
    Empty,
    Store,
    Sqlite,
    /// It begins like a SQLite database and ends before the first 16 bytes are over.
    SqliteCut,
    Json,
    Text,
    Unknown,
}

const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

impl FileKindFound {
    /// Tells the kind from the first bytes; 64 of them are enough.
    pub(crate) fn of(head: &[u8]) -> Self {
        if head.is_empty() {
            Self::Empty
        } else if head.starts_with(&MAGIC) {
            Self::Store
        } else if head.starts_with(SQLITE_MAGIC) {
            Self::Sqlite
        } else if SQLITE_MAGIC.starts_with(head) {
            Self::SqliteCut
        } else if head.starts_with(b"{") {
            Self::Json
        } else if is_text(head) {
            Self::Text
        } else {
            Self::Unknown
        }
    }

    /// The kind in words, as in "it is ...".
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Store => "a tgsession store",
            Self::Sqlite => "a SQLite database",
            Self::SqliteCut => "the beginning of a SQLite database",
            Self::Json => "JSON text",
            Self::Text => "text",
            Self::Unknown => "a file of unknown format",
        }
    }
}

fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The head may end within a character.
        Err(error) if error.error_len().is_none() => {
            return !head.iter().any(|byte| *byte < 9);
        }
        Err(_) => return false,
    };
    !valid.chars().any(|c| c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let cases: [(&[u8], FileKindFound); 8] = [
            (b"", FileKindFound::Empty),
            (&MAGIC, FileKindFound::Store),
            (b"SQLite format 3\0\x10\0", FileKindFound::Sqlite),
            (b"SQLite for", FileKindFound::SqliteCut),
            (b"{\"port\": 443}", FileKindFound::Json),
            (b"hello\nworld", FileKindFound::Text),
            (b"\x80\x03ctelethon", FileKindFound::Unknown),
            (&[0; 64], FileKindFound::Unknown),
        ];
        for (head, kind) in cases {
            assert_eq!(FileKindFound::of(head), kind, "{head:?}");
        }
    }
}
