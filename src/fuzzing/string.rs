//! Session strings.

use zeroize::Zeroizing;

use crate::clients::decode_string;
use crate::clients::gramjs::string as gramjs;
use crate::clients::mtcute::string as mtcute;
use crate::clients::mtkruto::string as mtkruto;
use crate::clients::pyrogram::string as pyrogram;
use crate::clients::telethon::string as telethon;
use crate::string::{Reading, StringError, Unfit};
use crate::types::Account;

type Encode = fn(&Account) -> Result<Zeroizing<String>, Unfit>;

/// Reads `data` as the text of a session string of any format, and writes it in every format.
pub fn string_detect(data: &[u8]) {
    let formats: [Encode; 5] =
        [telethon::encode, pyrogram::encode, gramjs::encode, mtcute::encode, mtkruto::encode];
    if let Ok(Ok(read)) = str::from_utf8(data).map(decode_string) {
        formats.iter().for_each(|encode| comes_back(&read.account, *encode));
    }
}

/// Reads `data` as the bytes of Telethon's string.
pub fn string_telethon(data: &[u8]) {
    string_format(telethon::decode(data), telethon::encode);
}

/// Reads `data` as the bytes of Pyrogram's string.
pub fn string_pyrogram(data: &[u8]) {
    string_format(pyrogram::decode(data), pyrogram::encode);
}

/// Reads `data` as the bytes of the string of GramJS.
pub fn string_gramjs(data: &[u8]) {
    string_format(gramjs::decode(data), gramjs::encode);
}

/// Reads `data` as the bytes of mtcute's string.
pub fn string_mtcute(data: &[u8]) {
    string_format(mtcute::decode(data), mtcute::encode);
}

/// Reads `data` as the bytes of MTKruto's string.
pub fn string_mtkruto(data: &[u8]) {
    string_format(mtkruto::decode(data), mtkruto::encode);
}

fn string_format(reading: Reading, encode: Encode) {
    if let Some(Ok(read)) = reading {
        comes_back(&read.account, encode);
    }
}

/// An account that can be written is written, read and written again as the same text.
fn comes_back(account: &Account, encode: Encode) {
    let Ok(text) = encode(account) else { return };
    match decode_string(&text) {
        Ok(again) => assert!(encode(&again.account) == Ok(text), "it changed on its way"),
        Err(error) => assert!(matches!(error, StringError::Ambiguous { .. }), "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay;
    use super::*;

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
