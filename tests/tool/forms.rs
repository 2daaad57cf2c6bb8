//! The tool with the forms that need something from the caller: a DC, a key, a passcode.

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
