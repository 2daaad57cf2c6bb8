//! Sessions of the clients in Go.

use crate::clients::{gogram, gotd, gotgproto};

/// Reads `data` as gotd's JSON, and as what lies under gotgproto's string.
pub fn gotd(data: &[u8]) {
    let Ok(json) = serde_json::from_slice(data) else { return };
    let _ = (gotd::looks_like(&json), gotgproto::looks_like_json(&json));
    let _ = (gotd::read(&json), gotgproto::read_json(&json));
}

/// Reads `data` as gogram's string, and as what lies under its base64.
pub fn string_gogram(data: &[u8]) {
    let _ = str::from_utf8(data).map(gogram::read_text);
    gogram::fuzz_content(data);
}

/// Reads `data` as gotgproto's string.
pub fn string_gotgproto(data: &[u8]) {
    let _ = str::from_utf8(data).map(gotgproto::read_text);
}

#[cfg(test)]
mod tests {
    use super::super::replay;
    use super::*;

    #[test]
    fn the_whole_corpora_of_sessions_of_go_clients_read_without_a_panic() {
        replay("gotd", gotd);
        replay("string_gogram", string_gogram);
        replay("string_gotgproto", string_gotgproto);
    }
}
