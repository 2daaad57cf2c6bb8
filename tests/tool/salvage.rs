//! The readable rest of damaged files is imported, and the loss is reported.

use crate::support::reports::report;
use crate::support::{Folder, Result};
use serde_json::Value;

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

#[test]
fn a_copy_in_text_mode_is_named_and_undone() -> Result {
    let folder = Folder::new()?;
    for name in ["crlf.session", "before_crlf.session"] {
        folder.write(name, &report(name)?)?;
    }
    folder.run(&["dump", "crlf.session"])?.refused(3, &["crlf.session", "text mode"]);
    let saved = folder.json(&["dump", "crlf.session", "--salvage", "--secrets"])?;
    let mut before = folder.json(&["dump", "before_crlf.session", "--secrets"])?;
    before["sessions"][0]["name"] = "crlf".into();
    assert_eq!(saved["sessions"], before["sessions"]);
    let notes = saved["notes"].to_string();
    assert!(notes.contains("that was undone"), "{notes}");
    assert!(!notes.contains("unproven"), "{notes}");
    Ok(())
}

#[test]
fn a_key_that_may_be_damaged_is_marked_as_unproven() -> Result {
    let folder = Folder::with(&["bad_cellptr"])?;
    let whole = report("crlf.session")?;
    folder.write("cut.session", &whole[..whole.len() - 1])?;
    let saved = folder.json(&["dump", "cut.session", "--salvage"])?;
    let notes = saved["notes"].to_string();
    assert!(notes.contains("cannot be undone"), "{notes}");
    let dc = &saved["sessions"][0]["dcs"][0];
    assert!(dc["auth_key_id"].is_null() || dc["auth_key_unproven"] == true, "{saved}");
    // If another page of the file is damaged, the key is still good.
    let saved = folder.json(&["dump", "bad_cellptr.session", "--salvage"])?;
    let dc = &saved["sessions"][0]["dcs"][0];
    assert!(dc["auth_key_id"].is_string() && dc["auth_key_unproven"].is_null(), "{dc}");
    Ok(())
}

#[test]
fn a_key_beside_a_broken_row_of_its_page_is_unproven() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    let mut bytes = std::fs::read(folder.path("two_dc.session"))?;
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    // The leaf of `sessions`: the payload length of its second row is too large for any page.
    let leaf = (1..bytes.len() / page).map(|no| no * page).find(|at| {
        let row = bytes[*at..*at + page].windows(7).any(|window| window == b"149.154");
        [10, 13].contains(&bytes[*at]) && row
    });
    let leaf = leaf.ok_or("no page of sessions")?;
    let second = usize::from(u16::from_be_bytes([bytes[leaf + 10], bytes[leaf + 11]]));
    bytes[leaf + second..leaf + second + 2].fill(0xff);
    folder.write("two_dc.session", &bytes)?;
    let saved = folder.json(&["dump", "two_dc.session", "--salvage"])?;
    let dcs = saved["sessions"][0]["dcs"].as_array().unwrap();
    let keyed = dcs.iter().filter(|dc| dc["auth_key_id"].is_string());
    assert!(keyed.clone().count() > 0, "{saved}");
    assert!(keyed.clone().all(|dc| dc["auth_key_unproven"] == true), "{saved}");
    assert!(saved["notes"].to_string().contains("unproven"), "{}", saved["notes"]);
    Ok(())
}
