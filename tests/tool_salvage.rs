//! What is left of damaged files is taken, and what was lost is said.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod tool_support;

use serde_json::Value;
use tool_support::{Folder, Result};

/// Damaged files and how many of the 110 entities are still whole in them.
const DAMAGED: [(&str, usize); 9] = [
    ("bad_cellptr", 109),
    ("bad_cycle_right", 110),
    ("bad_payload_len", 109),
    ("bad_overflow_short", 109),
    ("bad_hdr_20_1", 109),
    ("bad_record_header", 109),
    ("bad_cells_child_65535", 110),
    // The name of a column is damaged in the schema, or the row of the whole table.
    ("bad_flip_08", 110),
    ("bad_rootpage", 110),
];

#[test]
fn every_row_that_is_whole_is_saved_with_the_login() -> Result {
    for (name, whole) in DAMAGED {
        let file = format!("{name}.session");
        let folder = Folder::with(&[name])?;
        let before = folder.content()?;
        folder.run(&["dump", &file])?.refused(3, &[&file]);
        let saved = folder.json(&["dump", &file, "--salvage"])?;
        let session = &saved["sessions"][0];
        assert_eq!(session["dcs"][0]["auth_key_id"].as_str().map(str::len), Some(16), "{name}");
        let entities = session["entities"].as_array().unwrap();
        assert_eq!(entities.len(), whole, "{name}");
        assert!(entities.is_sorted_by_key(|entity| entity["id"].as_i64()), "{name}");
        let note = |note: &Value| note.as_str().unwrap().starts_with("salvaged");
        assert!(saved["notes"].as_array().unwrap().iter().any(note), "{name}");
        assert_eq!(folder.content()?, before, "{name}: the source has changed");
    }
    Ok(())
}

#[test]
fn a_damaged_file_is_imported_only_when_salvage_is_asked_for() -> Result {
    let folder = Folder::with(&["bad_cellptr"])?;
    folder.run(&["import", "bad_cellptr.session", "--into", "s"])?.refused(3, &["bad_cellptr"]);
    assert!(!folder.exists("s.tgsession"));
    folder.results(&["import", "bad_cellptr.session", "--into", "s", "--salvage"])?;
    let store = folder.json(&["dump", "s"])?;
    assert_eq!(store["sessions"][0]["entities"].as_array().unwrap().len(), 109);
    Ok(())
}

#[test]
fn a_key_of_the_wrong_length_is_noted_when_salvaging() -> Result {
    let folder = Folder::with(&["odd_values"])?;
    folder.run(&["dump", "odd_values.session"])?.refused(3, &["255 bytes"]);
    let saved = folder.json(&["dump", "odd_values.session", "--salvage"])?;
    assert_eq!(saved["sessions"][0]["dcs"][0]["auth_key_id"], Value::Null);
    Ok(())
}
