//! Clients whose sessions are JSON and that are not in Go.

use crate::clients::{apple, web};

/// Reads `data` as the `localStorage` of Telegram Web, and as the shared data of the apps for macOS
/// and iOS.
pub fn json_apps(data: &[u8]) {
    let Ok(json) = serde_json::from_slice(data) else { return };
    let _ = (web::looks_like(&json), apple::looks_like(&json));
    let _ = (web::read(&json), apple::read(&json));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_whole_corpus_of_json_of_apps_reads_without_a_panic() {
        super::super::replay("json_apps", super::json_apps);
    }
}
