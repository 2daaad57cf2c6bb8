//! Bodies of the fuzz targets, and tests that replay their corpora.
//!
//! A target passes bytes to the body, which must return for any bytes.

mod client;
#[cfg(feature = "encryption")]
mod encrypted;
mod go;
mod json;
mod portable;
mod segment;
mod source;
mod sqlite;
mod store;
mod string;

pub use self::client::{android_tgnet, grammers_tl, tdlib, wtelegram};
#[cfg(feature = "tdata")]
pub use self::client::{tdata_content, tdata_file};
#[cfg(feature = "encryption")]
pub use self::encrypted::{key_slots, sealed};
pub use self::go::{gotd, string_gogram, string_gotgproto};
pub use self::json::json_apps;
pub use self::portable::portable;
pub use self::segment::segment;
pub use self::source::source_detect;
pub use self::sqlite::{sqlite_read, sqlite_wal_journal};
pub use self::store::{store_log, store_ops, wal};
pub use self::string::{
    string_detect, string_gramjs, string_mtcute, string_mtkruto, string_pyrogram, string_telethon,
};

/// The most files of a corpus. CONTRIBUTING.md says how to minimise one.
#[cfg(test)]
const MOST_FILES: usize = 500;

/// Runs a body over every file of its corpus.
#[cfg(test)]
fn replay(target: &str, body: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty(), "nothing in {}", folder.display());
    assert!(files.len() <= MOST_FILES, "{} has {} files", folder.display(), files.len());
    files.iter().for_each(|file| body(&std::fs::read(file).unwrap()));
}
