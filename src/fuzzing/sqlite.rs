//! SQLite databases.

use crate::sqlite::{Database, OpenOptions, Salvage};

/// Reads `data` as a database file.
pub fn sqlite_read(data: &[u8]) {
    read(data.to_vec(), None, None);
    salvage(data.to_vec(), None, None);
}

/// Reads a database with its `-wal` and `-journal`.
///
/// The first byte says what there is, the next four how long the database and its `-wal` are, in
/// units of 8 bytes; the `-journal` is the rest.
pub fn sqlite_wal_journal(data: &[u8]) {
    let Some((head, rest)) = data.split_first_chunk::<5>() else {
        return;
    };
    let [flags, m1, m0, w1, w0] = *head;
    let len = |high, low| usize::from(u16::from_be_bytes([high, low])) * 8;
    let (main, rest) = rest.split_at(len(m1, m0).min(rest.len()));
    let (wal, journal) = rest.split_at(len(w1, w0).min(rest.len()));
    let some = |flag, bytes: &[u8]| (flags & flag != 0).then(|| bytes.to_vec());
    read(main.to_vec(), some(1, wal), some(2, journal));
    salvage(main.to_vec(), some(1, wal), some(2, journal));
}

/// Saves every row that can be saved.
fn salvage(main: Vec<u8>, wal: Option<Vec<u8>>, journal: Option<Vec<u8>>) {
    let options = OpenOptions::new().max_memory(1 << 24);
    let salvage = Salvage::from_bytes(main, wal, journal, &options);
    for table in salvage.tables() {
        for row in salvage.rows(table) {
            for column in 0..table.columns().len() {
                assert!(row.get(column).is_ok(), "a row that is not whole was given");
            }
        }
    }
}

/// Reads every value of every table, forwards and by key.
fn read(main: Vec<u8>, wal: Option<Vec<u8>>, journal: Option<Vec<u8>>) {
    let options = OpenOptions::new().max_memory(1 << 24);
    let Ok(db) = Database::from_bytes(main, wal, journal, &options) else {
        return;
    };
    for table in db.tables() {
        let mut last = 0;
        for row in db.rows(table).map_while(Result::ok) {
            last = row.rowid().unwrap_or(last);
            for column in 0..table.columns().len() {
                let _ = row.get(column).map(|value| format!("{value:?}"));
            }
            let _ = row.get(0);
        }
        let _ = db.row(table, last).map(|row| row.map(|row| row.get(0).is_ok()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay;
    use super::*;

    #[test]
    fn the_whole_corpus_of_databases_reads_without_a_panic() {
        replay("sqlite_read", sqlite_read);
    }

    #[test]
    fn the_whole_corpus_of_journals_reads_without_a_panic() {
        replay("sqlite_wal_journal", sqlite_wal_journal);
    }
}
