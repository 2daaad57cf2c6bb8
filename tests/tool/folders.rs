//! `import` of whole directories: everything in them is found, and one bad file stops only itself.

use std::fs;

use crate::support::{Folder, Ran, Result, fixtures};
use serde_json::{Value, json};

/// Copies a fixture to this path in the directory.
fn put(folder: &Folder, fixture: &str, path: &str) -> Result {
    if let Some(parent) = folder.path(path).parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(fixtures().join(format!("{fixture}.session")), folder.path(path))?;
    Ok(())
}

fn put_directory(folder: &Folder, fixture: &str, path: &str) -> Result {
    fs::create_dir_all(folder.path(path))?;
    for entry in fs::read_dir(fixtures().join("../others").join(fixture))? {
        let entry = entry?;
        let target = folder.path(path).join(entry.file_name());
        if entry.file_type()?.is_dir() {
            put_directory(
                folder,
                &format!("{fixture}/{}", entry.file_name().to_string_lossy()),
                &format!("{path}/{}", entry.file_name().to_string_lossy()),
            )?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn import(folder: &Folder, more: &[&str]) -> Result<Ran> {
    folder.run(&[&["import", "all", "--into", "store"], more].concat())
}

#[test]
fn files_one_directory_down_are_found_and_deeper_ones_are_named() -> Result {
    let folder = Folder::new()?;
    put(&folder, "two_dc", "all/a.session")?;
    put(&folder, "username_conflict", "all/sub/b.session")?;
    put(&folder, "plain_1.45.0", "all/sub/deep/c.session")?;
    let ran = import(&folder, &[])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    let skipped = "all: skipped: more than one directory down: sub/deep\n";
    assert!(ran.stderr.contains(skipped), "{ran:?}");
    assert!(ran.stderr.ends_with("store.tgsession: 2 imported\n"), "{ran:?}");
    assert_eq!(folder.results(&["list", "store"])?, "a\nb\n");
    Ok(())
}

#[test]
fn a_bad_file_and_a_taken_name_stop_only_themselves() -> Result {
    let folder = Folder::new()?;
    put(&folder, "two_dc", "all/a.session")?;
    put(&folder, "bad_trunc_100", "all/bad.session")?;
    put(&folder, "username_conflict", "all/one/x.session")?;
    put(&folder, "plain_1.45.0", "all/two/x.session")?;
    folder.write("all/notes.txt", b"notes\n")?;
    let ran = import(&folder, &[])?;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("all: skipped: not a session file: notes.txt\n"), "{ran:?}");
    assert!(ran.stderr.contains("store.tgsession: 3 imported, 1 failed"), "{ran:?}");
    let json = import(&folder, &["--json", "--skip-existing"])?;
    let report: Value = serde_json::from_str(&json.stdout)?;
    assert_eq!(report["skipped"].as_array().map(Vec::len), Some(4), "three sessions and notes");
    assert_eq!(report["skipped"][0]["why"], "not a session file");
    assert_eq!(report["failed"][0]["source"], "all/bad.session");
    assert_eq!(folder.results(&["list", "store"])?, "a\nx\nx-2\n");
    put(&folder, "two_dc_memory", "all/z.session")
        .or_else(|_| put(&folder, "wal", "all/z.session"))?;
    let again = import(&folder, &[])?;
    assert_eq!(again.stderr.matches("already holds a session named").count(), 3, "{again:?}");
    assert_eq!(folder.results(&["list", "store"])?, "a\nx\nx-2\nz\n");
    Ok(())
}

#[test]
fn a_second_run_with_skip_existing_is_quiet_and_succeeds() -> Result {
    let folder = Folder::new()?;
    put(&folder, "two_dc", "all/a.session")?;
    put(&folder, "username_conflict", "all/b.session")?;
    assert_eq!(import(&folder, &["--skip-existing"])?.code, 0);
    let before = folder.results(&["dump", "store", "--secrets"])?;
    let again = import(&folder, &["--skip-existing"])?;
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(again.stderr, "store.tgsession: 0 imported, 2 already there\n");
    assert_eq!(folder.results(&["dump", "store", "--secrets"])?, before);
    let silent = import(&folder, &["--skip-existing", "--quiet"])?;
    assert_eq!((silent.code, silent.stdout, silent.stderr), (0, String::new(), String::new()));
    Ok(())
}

#[test]
fn tdata_hides_nothing_that_lies_beside_it() -> Result {
    let folder = Folder::new()?;
    put(&folder, "two_dc", "all/a.session")?;
    put_directory(&folder, "tdata_one", "all/tdata")?;
    put_directory(&folder, "tdata_one", "all/alice/tdata")?;
    put(&folder, "username_conflict", "all/alice/b.session")?;
    put_directory(&folder, "gramjs_store", "all/gram")?;
    let ran = import(&folder, &[])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(folder.results(&["list", "store"])?, "a\nalice\nall\nb\ngram\n");
    Ok(())
}

#[test]
fn one_auth_key_in_two_files_is_warned_about() -> Result {
    let folder = Folder::new()?;
    put(&folder, "two_dc", "all/a.session")?;
    put(&folder, "two_dc", "all/copy.session")?;
    put(&folder, "username_conflict", "all/other.session")?;
    let ran = import(&folder, &["--quiet"])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    let warning =
        "tgsession: warning: all/copy.session: the same auth key as all/a.session: use only";
    assert!(ran.stderr.starts_with(warning), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    let into_store = ["import", "all/a.session", "--as", "new", "--into", "store", "--quiet"];
    let ran = folder.run(&into_store)?;
    assert!(ran.stderr.contains("the same auth key as session \""), "{ran:?}");
    let replaced = ["import", "all/other.session", "--into", "store", "--replace", "--quiet"];
    assert_eq!(folder.run(&replaced)?.stderr, "", "the same session again is no second one");
    Ok(())
}

#[test]
fn a_json_file_beside_a_session_fills_in_what_it_lacks_and_nothing_else() -> Result {
    let folder = Folder::new()?;
    put(&folder, "two_dc", "all/a.session")?;
    put(&folder, "plain_1.45.0", "all/b.session")?;
    let numbers = json!({"id": 4_000_001, "phone": "+1 555 000 2222", "app_id": 2040});
    let text = json!({"id": "5", "app_id": "2040", "app_hash": "x", "twoFA": "secret", "dc_id": 1});
    folder.write("all/a.json", numbers.to_string().as_bytes())?;
    folder.write("all/b.json", text.to_string().as_bytes())?;
    let ran = import(&folder, &[])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stderr.contains("skipped"), "{ran:?}");
    assert!(!ran.stderr.contains("secret"), "{ran:?}");
    assert!(ran.stderr.contains("user id and api id taken from all/a.json"), "{ran:?}");
    assert!(ran.stderr.contains("all/b.json is of another user and was not used"), "{ran:?}");
    let dump = folder.json(&["dump", "store", "--secrets"])?;
    let [a, b] = [&dump["sessions"][0], &dump["sessions"][1]];
    assert_eq!((&a["user"]["id"], &a["api_id"]), (&json!(4_000_001), &json!(2040)));
    let own: Value =
        folder.json(&["get", "store", "--id", "4000001", "--session", "a", "--secrets"])?;
    assert_eq!(own["phone"], "15550002222");
    assert_eq!((&b["user"]["id"], &b["api_id"]), (&json!(777_009), &Value::Null));
    let source = folder.json(&["dump", "all/a.session", "--secrets"])?;
    assert_eq!(a["dcs"], source["sessions"][0]["dcs"], "and nothing else");
    Ok(())
}

#[test]
fn two_hundred_files_do_not_print_a_line_each_and_a_table() -> Result {
    let folder = Folder::new()?;
    for number in 0..200 {
        put(&folder, "two_dc", &format!("all/account-with-a-long-name-{number:03}.session"))?;
    }
    let mut command = folder.command(&["import", "all", "--into", "store"]);
    let output = command.env("COLUMNS", "60").output()?;
    let stderr = String::from_utf8(output.stderr)?;
    let (warnings, lines): (Vec<_>, Vec<_>) =
        stderr.lines().partition(|line| line.starts_with("tgsession: warning"));
    assert_eq!(lines.len(), 53, "a head, fifty rows, the rest, the count: {stderr}");
    assert_eq!(warnings.len(), 11, "{stderr}");
    assert!(warnings[10].contains("189 more sessions have the auth key"), "{stderr}");
    assert!(lines.iter().all(|line| line.chars().count() <= 60), "{stderr}");
    assert!(lines.last().is_some_and(|line| line.contains("200 imported")), "{stderr}");
    Ok(())
}

#[test]
fn of_many_sessions_those_replaced_are_counted() -> Result {
    let folder = Folder::new()?;
    for number in 0..11 {
        put(&folder, "empty_1.45.0", &format!("all/{number:02}.session"))?;
    }
    assert_eq!(import(&folder, &[])?.code, 0);
    let again = import(&folder, &["--replace"])?;
    assert!(!again.stderr.contains("replace session"), "{again:?}");
    assert!(again.stderr.contains("11 imported, 11 replaced"), "{again:?}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_link_to_its_own_directory_gives_no_session_twice() -> Result {
    let folder = Folder::new()?;
    put(&folder, "two_dc", "all/a.session")?;
    std::os::unix::fs::symlink(".", folder.path("all/loop"))?;
    std::os::unix::fs::symlink("a.session", folder.path("all/b.session"))?;
    std::os::unix::fs::symlink("nowhere", folder.path("all/dangling.session"))?;
    let ran = import(&folder, &[])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(folder.results(&["list", "store"])?, "a\n");
    Ok(())
}

#[test]
fn what_came_by_a_variable_is_named_after_its_user() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    let string = ["export", "two_dc", "--to", "mtcute-string", "--user-id", "42"];
    let text = folder.results(&string)?;
    let bare = folder.results(&["export", "two_dc", "--to", "telethon-string"])?;
    for (variable, text, name) in [("TG", text, "user-42"), ("TG", bare, "session")] {
        let mut command = folder.command(&["import", "--string-env", variable, "--into", name]);
        let output = command.env(variable, text.trim()).output()?;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(folder.results(&["list", name])?, format!("{name}\n"));
    }
    Ok(())
}
