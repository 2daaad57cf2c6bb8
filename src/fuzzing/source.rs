//! Telling what something is.

use crate::source::SourceOptions;

/// Opens `data` as whatever it looks like, and reads all sessions that it then has.
pub fn source_detect(data: &[u8]) {
    for salvage in [false, true] {
        let opened = SourceOptions::new().salvage(salvage).open_bytes("fuzz", data);
        let Ok(source) = opened else { continue };
        assert!(!source.format().is_empty(), "it has no format");
        for name in source.session_names().unwrap_or_default() {
            let Ok(session) = source.session(&name) else { continue };
            session.for_each(drop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay;
    use super::*;

    #[test]
    fn the_whole_corpus_of_sources_is_told_apart_without_a_panic() {
        replay("source_detect", source_detect);
    }
}
