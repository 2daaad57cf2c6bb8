//! Segments whose checksums match and whose content is anything.

use crate::segment::{Cursor, IndexKind, Key, PartSizes, Segment};

/// Sixteen bytes that say how many of everything there are, then the parts one after the other.
pub fn segment(data: &[u8]) {
    let Some((counts, content)) = data.split_first_chunk::<16>() else { return };
    let count = |at: usize| counts.get(at).copied().map_or(0, u32::from);
    let sizes = PartSizes {
        rows: u64::from(count(0) << 8 | count(1)),
        groups: count(2),
        accounts: count(3),
        usernames: count(4),
        phones: count(5),
        first: 0,
        last: u32::MAX,
    };
    let Some(segment) = Segment::sealed(sizes, content) else { return };
    let key: Key = counts.last_chunk().copied().unwrap_or_default();
    let account = u32::from_be_bytes(key.first_chunk().copied().unwrap_or_default());
    for key in [key, Key::default(), [0xff; 12]] {
        let _ = segment.has(&key);
        if let Ok(mut walk) = Cursor::from(&segment, &key) {
            while matches!(walk.next(), Ok(Some(_))) {}
        }
    }
    for index in [IndexKind::Usernames, IndexKind::Phones] {
        let hash = segment.hash(account, "durov");
        let _ = segment.find_by_text(index, account, "durov", hash, &mut |_| Ok(false));
    }
    for slot in 0..u32::from(u8::MAX) {
        let _ = segment.row_at(slot, |_| Ok(()));
    }
    let _ = segment.count(account);
    assert!(segment.bad_sectors().is_empty(), "the checksums match");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_of_segments_comes_back() {
        super::super::replay("segment", super::segment);
    }
}
