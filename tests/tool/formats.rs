//! The tool with the formats that need something from the caller: a DC, a key, a passcode.

use std::fs;
use std::path::Path;

use crate::support::{Folder, Result};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others").join(name);
    path.display().to_string()
}

#[test]
fn a_key_alone_is_read_with_the_dc_that_is_given() -> Result {
    let (folder, key) = (Folder::new()?, fixture("hex_key.txt"));
    folder.run(&["info", &key])?.refused(1, &["512 hexadecimal digits", "KEY:DC", "--dc"]);
    let dump = folder.json(&["dump", &key, "--dc", "4"])?;
    assert_eq!(dump["sessions"][0]["home_dc"], 4);
    folder.results(&["import", &key, "--dc", "5", "--into", "store"])?;
    assert_eq!(folder.json(&["dump", "store.tgsession"])?["sessions"][0]["home_dc"], 5);
    folder.results(&["export", &key, "--dc", "2", "--to", "gotd", "-o", "anon.json"])?;
    assert_eq!(folder.json(&["dump", "anon.json"])?["sessions"][0]["home_dc"], 2);
    Ok(())
}

#[test]
fn a_file_of_wtelegram_is_opened_and_written_under_its_session_key() -> Result {
    let (folder, file) = (Folder::new()?, fixture("wtelegram.session"));
    folder.write("key", b"a3406de8d171bb422bb6ddf3bbd800e2\n")?;
    folder.run(&["info", &file])?.refused(1, &["passphrase"]);
    let export =
        ["export", &file, "--passphrase-file", "key", "--to", "wtelegram", "-o", "w.session"];
    folder.run(&export)?.refused(1, &["session_key", "api_hash"]);
    folder.results(&[&export[..], &["--seal-passphrase-file", "key"]].concat())?;
    let (was, is) = (
        folder.json(&["dump", &file, "--passphrase-file", "key", "--secrets"])?,
        folder.json(&["dump", "w.session", "--passphrase-file", "key", "--secrets"])?,
    );
    for field in ["home_dc", "user", "api_id", "dcs"] {
        assert_eq!(was["sessions"][0][field], is["sessions"][0][field], "{field}");
    }
    Ok(())
}

#[test]
fn all_accounts_of_a_folder_go_through_a_store_into_another_folder() -> Result {
    let (folder, tdata) = (Folder::new()?, fixture("tdata_passcode_two"));
    folder.write("old", b"hunter2")?;
    folder.write("new", b"secret")?;
    folder.results(&["import", &tdata, "--passphrase-file", "old", "--into", "store"])?;
    let to = ["export", "store.tgsession", "--to", "tdata", "-o", "tdata"];
    folder.results(&[&to[..], &["--seal-passphrase-file", "new"]].concat())?;
    folder.run(&["info", "tdata"])?.refused(1, &["passphrase"]);
    let logins = |dump: &serde_json::Value| -> Vec<_> {
        let sessions = dump["sessions"].as_array().into_iter().flatten();
        sessions.map(|one| (one["user"]["id"].clone(), one["dcs"].clone())).collect()
    };
    let was = folder.json(&["dump", &tdata, "--passphrase-file", "old", "--secrets"])?;
    let is = folder.json(&["dump", "tdata", "--passphrase-file", "new", "--secrets"])?;
    let (mut was, mut is) = (logins(&was), logins(&is));
    was.sort_by_key(|(id, _)| id.as_i64());
    is.sort_by_key(|(id, _)| id.as_i64());
    assert_eq!((was.len(), was), (2, is));
    assert!(fs::metadata(folder.path("tdata/D877F783D5D3EF8C/maps"))?.is_file());
    Ok(())
}

#[test]
fn what_is_given_wins_over_the_source_and_that_is_said() -> Result {
    let (folder, file) = (Folder::new()?, fixture("web_a.json"));
    let given = ["--user-id", "77", "--api-id", "5", "--bot"];
    let dump = folder.json(&[&["dump", &file][..], &given].concat())?;
    let session = &dump["sessions"][0];
    assert_eq!(session["user"], serde_json::json!({"id": 77, "bot": true}));
    assert_eq!(session["api_id"], 5);
    let notes = dump["notes"].to_string();
    assert!(notes.contains("user: 77, as given; the session says 5123456789"), "{notes}");
    let info = folder.results(&[&["info", &file][..], &given].concat())?;
    assert!(info.contains("77"), "{info}");
    folder.results(&[&["import", &file, "--into", "store"][..], &given].concat())?;
    let stored = folder.json(&["dump", "store.tgsession"])?;
    assert_eq!(stored["sessions"][0]["user"], session["user"]);
    assert_eq!(stored["sessions"][0]["api_id"], 5);
    Ok(())
}

#[test]
fn a_user_id_is_not_given_to_several_sessions() -> Result {
    let folder = Folder::new()?;
    let (web, gotd) = (fixture("web_a.json"), fixture("gotd.session.json"));
    let several = ["import", &web, &gotd, "--into", "store", "--user-id", "77"];
    folder.run(&several)?.refused(2, &["--user-id", "several"]);
    let account =
        |dc: u8| serde_json::json!({"dcId": dc, format!("dc{dc}_auth_key"): "ab".repeat(256)});
    let both = serde_json::json!({"account1": account(2), "account2": account(4)});
    folder.write("both.json", both.to_string().as_bytes())?;
    folder.run(&["dump", "both.json", "--user-id", "77"])?.refused(2, &["--user-id", "several"]);
    let dump = folder.json(&["dump", "both.json"])?;
    let names: Vec<_> = dump["sessions"].as_array().into_iter().flatten().collect();
    assert_eq!((&names[0]["name"], &names[1]["name"]), (&"both-1".into(), &"both-2".into()));
    Ok(())
}

#[test]
fn a_check_says_its_notes_in_json_too() -> Result {
    let folder = Folder::new()?;
    let wrong = serde_json::json!({"dc": 2, "dc2_auth_key": "ab".repeat(256), "dc9_auth_key": "cd".repeat(256)});
    folder.write("wrong.json", wrong.to_string().as_bytes())?;
    let check = folder.json(&["check", "wrong.json", "--json"])?;
    assert_eq!(check["whole"], true);
    assert!(
        check["notes"][0].as_str().is_some_and(|note| note.contains("no DC of this number")),
        "{check}"
    );
    Ok(())
}
