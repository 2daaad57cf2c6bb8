//! Files whose version is not one of their client's releases are read by their columns.

use crate::support::reports::report;
use crate::support::{Folder, Result};
use serde_json::json;

/// A file, its format, and what is noted of it.
const READ: [(&str, &str, &str); 5] = [
    ("electrogram_v4", "pyrogram-sqlite v4", ""),
    ("pylogram_v4", "pyrogram-sqlite v4", ""),
    ("telethon_numbered_9", "telethon-sqlite v9", "Telethon schema 9 is newer than the 8"),
    ("telethon_foreign_tables", "telethon-sqlite v7", "table \"users\" is not the client's"),
    ("pyrogram_no_user_id", "pyrogram-sqlite v3", "sessions: there is no column user_id"),
];

#[test]
fn known_columns_are_read_whatever_the_version_says() -> Result {
    for (name, format, note) in READ {
        let file = format!("{name}.session");
        let folder = Folder::new()?;
        folder.write(&file, &report(&file)?)?;
        let dump = folder.json(&["dump", &file])?;
        assert_eq!(dump["source"], format, "{name}");
        let session = &dump["sessions"][0];
        assert!(session["dcs"][0]["auth_key_id"].is_string(), "{name}");
        assert!(session["entities"].as_array().is_some_and(|all| all.len() > 2), "{name}");
        assert!(dump["notes"].to_string().replace('\\', "").contains(note), "{}", dump["notes"]);
        folder.results(&["import", &file, "--into", "store"])?;
    }
    Ok(())
}

#[test]
fn states_are_found_where_either_fork_keeps_them() -> Result {
    for name in ["electrogram_v4", "pylogram_v4"] {
        let file = format!("{name}.session");
        let folder = Folder::new()?;
        folder.write(&file, &report(&file)?)?;
        let session = &folder.json(&["dump", &file])?["sessions"][0];
        let state = json!({"pts": 100, "qts": 5, "date": 1_700_000_000, "seq": 3});
        assert_eq!(session["state"], state, "{name}");
        let channels = json!([{"id": -1_001_234_567_890_i64, "pts": 44}]);
        assert_eq!(session["channel_states"], channels, "{name}");
    }
    Ok(())
}

#[test]
fn a_whole_file_is_not_called_damaged_when_it_is_salvaged() -> Result {
    for (name, ..) in READ {
        let file = format!("{name}.session");
        let folder = Folder::new()?;
        folder.write(&file, &report(&file)?)?;
        let salvaged = folder.json(&["dump", &file, "--salvage"])?;
        assert_eq!(salvaged, folder.json(&["dump", &file])?, "{name}");
        assert!(!salvaged["notes"].to_string().contains("damaged"), "{name}");
    }
    Ok(())
}

#[test]
fn a_missing_column_is_named_where_there_is_no_login_without_it() -> Result {
    let folder = Folder::new()?;
    let name = "telethon_no_auth_key.session";
    folder.write(name, &report(name)?)?;
    let words = [name, "a Telethon session", "no column auth_key in its table sessions"];
    folder.run(&["dump", name])?.refused(1, &words);
    let folder = Folder::with(&["bad_no_sessions"])?;
    let words = ["a Telethon session", "no table sessions"];
    folder.run(&["dump", "bad_no_sessions.session"])?.refused(1, &words);
    Ok(())
}
