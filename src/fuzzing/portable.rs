//! Portable sessions.

use crate::portable;

/// Reads `data` as a portable session, as its text, and as the rows of one with a right checksum.
/// Writes a session that could be read, and reads it again.
pub fn portable(data: &[u8]) {
    let of_text = portable::from_text(&String::from_utf8_lossy(data));
    let of_text = of_text.map_or(Vec::new(), |bytes| bytes.to_vec());
    for bytes in [data, &of_text, &portable::framed(data)] {
        let Ok(read) = portable::decode(bytes, None) else { continue };
        let portable::Portable { name, account, entities } = &read;
        let again = portable::encode(name.as_deref(), account, entities, None)
            .and_then(|written| portable::decode(&written, None));
        assert!(again == Ok(read), "what was written is not what was read");
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay;
    use super::*;

    #[test]
    fn the_whole_corpus_of_portable_sessions_reads_without_a_panic() {
        replay("portable", portable);
    }
}
