//! Whatever byte is wrong, reading ends, and ends well.

use std::fs;

use super::super::{Database, OpenOptions, SqliteError};
use super::telethon;

/// Reads everything there is to read; the number of values.
fn read(main: &[u8], wal: Option<&[u8]>, journal: Option<&[u8]>) -> Result<usize, SqliteError> {
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let options = OpenOptions::new();
    let db = Database::from_bytes(main.to_vec(), owned(wal), owned(journal), &options)?;
    let mut values = 0;
    for table in db.tables() {
        for row in db.rows(table).map_while(Result::ok) {
            let value = |column| row.get(column).is_ok();
            values += (0..table.columns().len()).filter(|column| value(*column)).count();
        }
        let _ = db.row(table, 1);
    }
    Ok(values)
}

/// Each byte is changed in all of these ways with `TGSESSION_SWEEP=full`, else in two.
fn is_full() -> bool {
    std::env::var("TGSESSION_SWEEP").is_ok_and(|value| value == "full")
}

const FLIPS: [u8; 8] = [0x01, 0x02, 0x08, 0x40, 0x80, 0x7f, 0xaa, 0xff];

#[test]
fn no_byte_of_a_database_can_do_harm() {
    // Rowid tables, tables without rowid, and b-trees of several pages.
    let files = [("empty_0.16.session", 1), ("empty_0.17.session", 1), ("wal_ps512.session", 3)];
    for (name, step) in files {
        let mut bytes = fs::read(telethon(name)).unwrap();
        assert!(read(&bytes, None, None).is_ok(), "{name}");
        for at in (0..bytes.len()).step_by(step) {
            let was = bytes[at];
            let (first, each) = if is_full() { (0, 1) } else { ((at + at / 4) % 4, 4) };
            for flip in FLIPS.into_iter().skip(first).step_by(each) {
                bytes[at] = was ^ flip;
                let _ = read(&bytes, None, None);
            }
            bytes[at] = was;
        }
    }
}

#[test]
fn no_byte_of_a_log_can_do_harm() {
    let main = fs::read(telethon("wal_ps512.session")).unwrap();
    let mut wal = fs::read(telethon("wal_ps512.session-wal")).unwrap();
    for at in (0..wal.len()).step_by(31) {
        wal[at] ^= 0xff;
        let _ = read(&main, Some(&wal), None);
        wal[at] ^= 0xff;
    }
}

#[test]
fn no_byte_of_a_journal_can_do_harm() {
    let main = fs::read(telethon("hot_spilled_ps512.session")).unwrap();
    let mut journal = fs::read(telethon("hot_spilled_ps512.session-journal")).unwrap();
    for at in (0..journal.len()).step_by(61).chain(0..28) {
        journal[at] ^= 0xff;
        let _ = read(&main, None, Some(&journal));
        journal[at] ^= 0xff;
    }
}

#[test]
fn no_length_of_a_file_can_do_harm() {
    let main = fs::read(telethon("page_512.session")).unwrap();
    for len in (0..main.len()).step_by(101) {
        let _ = read(&main[..len], None, None);
    }
}
