//! Runs whose checksums hold and whose content is anything.

use crate::run::{Index, Key, Run, RunRow};

/// Sixteen bytes that say how many of everything there are, then the parts one after the other.
pub fn run(data: &[u8]) {
    let Some((counts, content)) = data.split_first_chunk::<16>() else { return };
    let count = |at: usize| counts.get(at).copied().map_or(0, u32::from);
    let row = RunRow {
        page: 1,
        pages: 1,
        rows: u64::from(count(0) << 8 | count(1)),
        groups: count(2),
        accounts: count(3),
        usernames: count(4),
        phones: count(5),
        first: 0,
        last: u32::MAX,
    };
    let Some(run) = Run::sealed(row, content) else { return };
    let key: Key = counts.last_chunk().copied().unwrap_or_default();
    let account = u32::from_be_bytes(key.first_chunk().copied().unwrap_or_default());
    for key in [key, Key::default(), [0xff; 12]] {
        let _ = run.get(&key);
        if let Ok(mut walk) = run.walk(&key) {
            while walk.front().is_some() && walk.advance().is_ok() {}
        }
    }
    for index in [Index::Usernames, Index::Phones] {
        let _ = run.holders(index, account, "durov", &mut |_| Ok(false));
    }
    for slot in 0..u32::from(u8::MAX) {
        let _ = run.row_at(slot);
    }
    let _ = run.count(account);
    assert!(run.bad_sectors().is_empty(), "the checksums hold");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_of_runs_comes_back() {
        super::super::replay("run", super::run);
    }
}
