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
    folder.run(&several)?.refused(2, &["web_a.json", "--user-id", "several", "one at a time"]);
    let account =
        |dc: u8| serde_json::json!({"dcId": dc, format!("dc{dc}_auth_key"): "ab".repeat(256)});
    let both = serde_json::json!({"account1": account(2), "account2": account(4)});
    folder.write("both.json", both.to_string().as_bytes())?;
    for command in [
        &["dump", "both.json", "--user-id", "77"][..],
        &["export", "both.json", "--to", "telethon", "-o", "all/", "--user-id", "77", "--bot"],
    ] {
        let words = ["both.json: --user-id", "several sessions", "--session"];
        folder.run(command)?.refused(2, &words);
    }
    folder.run(&["info", "both.json", "--bot"])?.refused(2, &["both.json: --bot", "dump"]);
    assert!(!folder.exists("all"), "nothing was written");
    let one = ["dump", "both.json", "--session", "both-2", "--user-id", "77"];
    assert_eq!(folder.json(&one)?["sessions"][0]["user"]["id"], 77);
    let dump = folder.json(&["dump", "both.json"])?;
    let names: Vec<_> = dump["sessions"].as_array().into_iter().flatten().collect();
    assert_eq!((&names[0]["name"], &names[1]["name"]), (&"both-1".into(), &"both-2".into()));
    Ok(())
}

#[test]
fn a_bot_whose_user_id_is_not_known_is_noted() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let words = "bot: as given, but not kept: the account's own user id is not known";
    let dump = folder.json(&["dump", "username_conflict", "--bot"])?;
    assert!(dump["sessions"][0]["user"].is_null(), "{dump}");
    assert!(dump["notes"].to_string().contains(words), "{dump}");
    let export = ["export", "username_conflict", "--to", "grammers", "--bot", "-o", "out"];
    let ran = folder.run(&export)?;
    assert_eq!((ran.code, ran.stderr.matches(words).count()), (0, 1), "{ran:?}");
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
