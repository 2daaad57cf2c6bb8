//! Clients' files that are neither SQLite nor text.

use crate::clients::grammers::tl;
#[cfg(feature = "tdata")]
use crate::clients::tdata;
use crate::clients::{android, tdlib as td, wtelegram as wt};

/// Reads `data` as a session file of grammers before SQLite; what it writes again is the same.
pub fn grammers_tl(data: &[u8]) {
    let _ = tl::looks_like(data);
    let Ok(read) = tl::decode(data) else { return };
    let Ok(written) = tl::encode(&read.account) else { return };
    let again = tl::decode(&written).map(|again| tl::encode(&again.account));
    assert!(matches!(again, Ok(Ok(again)) if again == written), "it is not written as it was read");
}

/// Opens `data` as a file of a `tdata` folder.
#[cfg(feature = "tdata")]
pub fn tdata_file(data: &[u8]) {
    tdata::fuzz_file(data);
}

/// Reads `data` as what such a file holds, opened.
#[cfg(feature = "tdata")]
pub fn tdata_content(data: &[u8]) {
    tdata::fuzz_content(data);
}

/// Opens `data` as WTelegramClient's file, and reads it as the JSON of an opened one.
pub fn wtelegram(data: &[u8]) {
    let _ = wt::looks_like(data);
    wt::fuzz_file(data);
    wt::fuzz_content(data);
}

/// Reads `data` as `tgnet.dat` of Telegram for Android, and as the file of its user.
pub fn android_tgnet(data: &[u8]) {
    android::fuzz(data);
}

/// Reads `data` as TDLib's log, plain or encrypted under the default key.
pub fn tdlib(data: &[u8]) {
    let _ = td::looks_like(data);
    td::fuzz_file(data);
}

#[cfg(test)]
mod tests {
    use super::super::replay;
    use super::*;

    #[test]
    fn the_whole_corpus_of_grammers_files_reads_without_a_panic() {
        replay("grammers_tl", grammers_tl);
    }

    #[test]
    fn the_whole_corpus_of_android_files_reads_without_a_panic() {
        replay("android_tgnet", android_tgnet);
    }

    #[test]
    fn the_whole_corpus_of_tdlib_logs_reads_without_a_panic() {
        replay("tdlib", tdlib);
    }

    #[test]
    fn the_whole_corpus_of_wtelegram_files_reads_without_a_panic() {
        replay("wtelegram", wtelegram);
    }

    #[cfg(feature = "tdata")]
    #[test]
    fn the_whole_corpora_of_tdata_folders_read_without_a_panic() {
        replay("tdata_file", tdata_file);
        replay("tdata_content", tdata_content);
    }
}
