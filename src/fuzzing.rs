//! Bodies of the fuzz targets, and a test that replays their corpora.
//!
//! A target hands over bytes; whatever they are, the body has to come back.

use zeroize::Zeroizing;

use crate::sqlite::{Database, OpenOptions, Salvage};
use crate::string::{
    self, Reading, StringError, Unfit, gramjs, mtcute, mtkruto, pyrogram, telethon,
};
use crate::types::Account;

/// Reads `data` as a database file.
pub fn sqlite_read(data: &[u8]) {
    read(data.to_vec(), None, None);
    salvage(data.to_vec(), None, None);
}

/// Reads a database with what lies beside it.
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

type Encode = fn(&Account) -> Result<Zeroizing<String>, Unfit>;

/// Reads `data` as the text of a session string of any form, and writes it in every form.
pub fn string_detect(data: &[u8]) {
    let forms: [Encode; 5] =
        [telethon::encode, pyrogram::encode, gramjs::encode, mtcute::encode, mtkruto::encode];
    if let Ok(Ok(read)) = str::from_utf8(data).map(string::decode) {
        forms.iter().for_each(|encode| comes_back(&read.account, *encode));
    }
}

/// Reads `data` as the bytes of Telethon's string.
pub fn string_telethon(data: &[u8]) {
    string_form(telethon::decode(data), telethon::encode);
}

/// Reads `data` as the bytes of Pyrogram's string.
pub fn string_pyrogram(data: &[u8]) {
    string_form(pyrogram::decode(data), pyrogram::encode);
}

/// Reads `data` as the bytes of the string of GramJS.
pub fn string_gramjs(data: &[u8]) {
    string_form(gramjs::decode(data), gramjs::encode);
}

/// Reads `data` as the bytes of mtcute's string.
pub fn string_mtcute(data: &[u8]) {
    string_form(mtcute::decode(data), mtcute::encode);
}

/// Reads `data` as the bytes of MTKruto's string.
pub fn string_mtkruto(data: &[u8]) {
    string_form(mtkruto::decode(data), mtkruto::encode);
}

fn string_form(reading: Reading, encode: Encode) {
    if let Some(Ok(read)) = reading {
        comes_back(&read.account, encode);
    }
}

/// An account that can be written is written, read and written again as the same text.
fn comes_back(account: &Account, encode: Encode) {
    let Ok(text) = encode(account) else { return };
    match string::decode(&text) {
        Ok(again) => assert!(encode(&again.account) == Ok(text), "it changed on its way"),
        Err(error) => assert!(matches!(error, StringError::Ambiguous { .. }), "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn replay(target: &str, body: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let files: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "nothing in {}", folder.display());
        files.iter().for_each(|file| body(&fs::read(file).unwrap()));
    }

    #[test]
    fn the_whole_corpus_of_databases_reads_without_a_panic() {
        replay("sqlite_read", sqlite_read);
    }

    #[test]
    fn the_whole_corpus_of_journals_reads_without_a_panic() {
        replay("sqlite_wal_journal", sqlite_wal_journal);
    }

    #[test]
    fn the_whole_corpus_of_session_strings_comes_back() {
        replay("string_detect", string_detect);
        replay("string_telethon", string_telethon);
        replay("string_pyrogram", string_pyrogram);
        replay("string_gramjs", string_gramjs);
        replay("string_mtcute", string_mtcute);
        replay("string_mtkruto", string_mtkruto);
    }
}
