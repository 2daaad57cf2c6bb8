//! `tgsession import`: a source gets in whole or not at all, and nothing is overwritten unasked.

use std::fs;

use crate::support::{Folder, Result, fixtures};
use serde_json::Value;

#[test]
fn a_missing_store_is_made_and_the_summary_says_what_got_in() -> Result {
    let folder = Folder::with(&["plain_1.45.0"])?;
    let ran = folder.run(&["import", "plain_1.45.0.session", "--into", "accounts"])?;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    let words = ["plain_1.45.0: telethon-sqlite v8", "home DC 4", "logged in", "entities", "files"];
    for word in words {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
    assert_eq!(folder.results(&["list", "accounts"])?, "plain_1.45.0\n");
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_store_is_readable_by_its_owner_alone() -> Result {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::with(&["plain_1.45.0"])?;
    folder.results(&["import", "plain_1.45.0", "--into", "store"])?;
    let mode = std::fs::metadata(folder.path("store.tgsession"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    Ok(())
}

#[test]
fn importing_leaves_the_source_as_it_was() -> Result {
    let folder = Folder::with(&["plain_1.45.0", "wal", "hot_spilled"])?;
    let before = folder.content()?;
    let sources = ["plain_1.45.0.session", "wal.session", "hot_spilled.session"];
    folder.results(&[&["import"], sources.as_slice(), &["--into", "store"]].concat())?;
    let mut after = folder.content()?;
    after.remove("store.tgsession");
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn a_session_that_never_logged_in_is_imported_and_said_to_be_that() -> Result {
    let folder = Folder::with(&["empty_1.45.0"])?;
    let ran = folder.run(&["import", "empty_1.45.0.session", "--into", "store"])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("not logged in"), "{}", ran.stderr);
    Ok(())
}

#[test]
fn a_session_is_given_the_name_that_was_asked_for() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc.session", "--into", "store", "--as", "old phone"])?;
    assert_eq!(folder.results(&["list", "store"])?, "old phone\n");
    Ok(())
}

#[test]
fn one_name_for_two_sources_is_wrong_usage() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    let ran = folder.run(&["import", "two_dc", "plain_1.45.0", "--into", "store", "--as", "a"])?;
    ran.refused(2, &["--as"]);
    assert!(!folder.exists("store.tgsession"));
    Ok(())
}

#[test]
fn two_sources_of_one_name_get_names_of_their_own() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    std::fs::create_dir(folder.path("other"))?;
    std::fs::copy(folder.path("two_dc.session"), folder.path("other/plain_1.45.0.session"))?;
    let sources = ["plain_1.45.0.session", "other/plain_1.45.0.session"];
    let ran = folder.run(&[&["import"], sources.as_slice(), &["--into", "store"]].concat())?;
    assert_eq!(ran.code, 0, "{ran:?}");
    let note = "note: named \"plain_1.45.0-2\", as another source is named \"plain_1.45.0\"";
    assert!(ran.stderr.contains(note), "{ran:?}");
    assert_eq!(folder.results(&["list", "store"])?, "plain_1.45.0\nplain_1.45.0-2\n");
    Ok(())
}

#[test]
fn an_existing_session_is_replaced_only_when_asked() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    folder.results(&["import", "two_dc.session", "--into", "store", "--as", "me"])?;
    let before = folder.json(&["dump", "store", "--secrets"])?;
    let again = ["import", "plain_1.45.0.session", "--into", "store", "--as", "me"];
    folder.run(&again)?.refused(1, &["store.tgsession", "\"me\"", "--replace"]);
    assert!(folder.json(&["dump", "store", "--secrets"])? == before, "a refusal changed the store");
    folder.results(&[again.as_slice(), &["--replace"]].concat())?;
    let source = folder.json(&["dump", "plain_1.45.0", "--secrets"])?;
    let store = folder.json(&["dump", "store", "--secrets"])?;
    assert_eq!(store["sessions"][0]["dcs"], source["sessions"][0]["dcs"]);
    assert_eq!(entity_ids(&store), entity_ids(&source));
    assert_eq!(folder.results(&["list", "store"])?, "me\n");
    Ok(())
}

#[test]
fn what_replaces_a_session_leaves_nothing_of_the_old_one() -> Result {
    let folder = Folder::with(&["plain_1.45.0", "empty_1.45.0"])?;
    folder.results(&["import", "plain_1.45.0", "--into", "store", "--as", "me"])?;
    folder.results(&[
        "import",
        "empty_1.45.0",
        "--into",
        "store",
        "--as",
        "me",
        "--replace",
        "--lose-login",
    ])?;
    let session = &folder.json(&["dump", "store", "--secrets"])?["sessions"][0];
    for list in ["entities", "channel_states", "files"] {
        assert_eq!(session[list].as_array().map(Vec::len), Some(0), "{list}");
    }
    assert!(session["state"].is_null());
    folder.results(&["check", "store"])?;
    Ok(())
}

#[test]
fn a_second_import_adds_to_the_store() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    folder.results(&["import", "two_dc.session", "--into", "store"])?;
    folder.results(&["import", "plain_1.45.0.session", "--into", "store.tgsession"])?;
    assert_eq!(folder.results(&["list", "store"])?, "plain_1.45.0\ntwo_dc\n");
    Ok(())
}

#[test]
fn one_bad_file_does_not_keep_the_others_out() -> Result {
    let folder = Folder::with(&["two_dc", "bad_trunc_100", "bad_no_sessions"])?;
    let sources = ["bad_trunc_100.session", "two_dc.session", "bad_no_sessions.session", "absent"];
    let ran = folder.run(&[&["import"], sources.as_slice(), &["--into", "store"]].concat())?;
    assert_eq!(ran.code, 3, "the worst of damaged, foreign and missing: {ran:?}");
    for name in ["bad_trunc_100.session: ", "bad_no_sessions.session: ", "absent: not found"] {
        assert_eq!(ran.stderr.matches(name).count(), 1, "{name}: {}", ran.stderr);
    }
    assert_eq!(folder.results(&["list", "store"])?, "two_dc\n");
    Ok(())
}

#[test]
fn a_source_whose_entities_are_damaged_leaves_no_trace_in_the_store() -> Result {
    let folder = Folder::with(&["two_dc", "bad_pagetype"])?;
    let arguments = ["import", "bad_pagetype.session", "two_dc.session", "--into", "store"];
    let ran = folder.run(&arguments)?;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("bad_pagetype.session: "), "{}", ran.stderr);
    assert_eq!(folder.results(&["list", "store"])?, "two_dc\n");
    folder.results(&["check", "store"])?;
    Ok(())
}

#[test]
fn from_bad_files_alone_no_store_appears() -> Result {
    let folder = Folder::with(&["bad_pagetype", "bad_trunc_100", "bad_no_sessions"])?;
    let before = folder.content()?;
    let sources = ["bad_pagetype.session", "bad_trunc_100.session", "bad_no_sessions.session"];
    let ran = folder.run(&[&["import"], sources.as_slice(), &["--into", "store"]].concat())?;
    assert_eq!((ran.code, ran.stderr.lines().count()), (3, 3), "{ran:?}");
    assert_eq!(folder.content()?, before);
    Ok(())
}

#[test]
fn the_sessions_of_a_store_come_into_another() -> Result {
    let folder = Folder::with(&["two_dc", "username_conflict"])?;
    folder.results(&["import", "two_dc", "username_conflict", "--into", "one"])?;
    folder.results(&["import", "one", "--into", "two"])?;
    let dump = |store: &str| folder.json(&["dump", store, "--secrets"]);
    assert_eq!(dump("one")?["sessions"], dump("two")?["sessions"]);
    let one = ["import", "one", "--session", "two_dc", "--as", "x", "--into", "three"];
    folder.results(&one)?;
    assert_eq!(folder.results(&["list", "three"])?, "x\n");
    folder.run(&["import", "one", "--session", "y", "--into", "three"])?.refused(1, &["\"y\""]);
    folder.run(&["import", "one", "--as", "y", "--into", "three"])?.refused(2, &["2 sessions"]);
    folder.run(&["import", "one", "--into", "one"])?.refused(1, &["one.tgsession", "same file"]);
    Ok(())
}

#[test]
fn nothing_is_imported_into_a_file_that_is_no_store() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    folder.write("notes.txt", b"not a store")?;
    folder.write("empty.tgsession", b"")?;
    std::fs::create_dir(folder.path("folder"))?;
    let before = folder.content()?;
    for target in ["plain_1.45.0.session", "notes.txt", "empty.tgsession", "folder"] {
        let ran = folder.run(&["import", "two_dc.session", "--into", target])?;
        ran.refused(1, &[target]);
        assert_eq!(folder.content()?, before, "{target}");
    }
    Ok(())
}

#[test]
fn a_store_is_not_made_in_a_folder_that_is_not_there() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    let ran = folder.run(&["import", "two_dc", "--into", "absent/store"])?;
    ran.refused(1, &["absent: not found"]);
    assert!(!folder.exists("absent"));
    Ok(())
}

#[test]
fn a_store_is_no_stream() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.run(&["import", "two_dc", "--into", "-"])?.refused(2, &["-: "]);
    assert!(!folder.exists("-.tgsession"));
    Ok(())
}

#[test]
fn a_folder_is_imported_one_session_a_file_with_a_table_at_the_end() -> Result {
    let folder = Folder::new()?;
    fs::create_dir(folder.path("all"))?;
    for (name, fixture) in [("a", "two_dc"), ("b", "username_conflict"), ("bad", "odd_values")] {
        fs::copy(
            fixtures().join(format!("{fixture}.session")),
            folder.path(&format!("all/{name}.session")),
        )?;
    }
    folder.write("all/notes.txt", b"not a session\n")?;
    folder.write("all/a.session-journal", b"")?;
    let ran = folder.run(&["import", "all", "--into", "store"])?;
    assert_eq!(ran.code, 3, "{ran:?}");
    let passed = "all: skipped: not a session file: notes.txt\n";
    assert!(ran.stderr.contains(passed), "{ran:?}");
    assert!(ran.stderr.contains("bad      -"), "{ran:?}");
    assert!(ran.stderr.contains("not imported"), "{ran:?}");
    assert_eq!(folder.results(&["list", "store"])?, "a\nb\n");
    let again = folder.run(&["import", "all/[ab].session", "--into", "other"])?;
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(folder.results(&["list", "other"])?, "a\nb\n");
    Ok(())
}

#[test]
fn a_store_in_a_folder_is_passed_over() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", ".", "--into", "accounts"])?;
    folder.add("username_conflict")?;
    let ran = folder.run(&["import", ".", "--into", "accounts", "--replace"])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stderr.contains(
            ".: skipped: a store (name it alone to import its sessions): accounts.tgsession\n"
        ),
        "{ran:?}"
    );
    assert_eq!(folder.results(&["list", "accounts"])?, "two_dc\nusername_conflict\n");
    Ok(())
}

#[test]
fn the_table_names_the_sources_that_could_not_be_opened() -> Result {
    let folder = Folder::with(&["two_dc", "bad_trunc_100"])?;
    let ran = folder.run(&["import", "bad_trunc_100", "two_dc", "--into", "store"])?;
    assert_eq!(ran.code, 3, "{ran:?}");
    let table: Vec<_> =
        ran.stderr.lines().skip_while(|line| !line.starts_with("session")).collect();
    let [_, bad, good, count] = table.as_slice() else { return Err(ran.stderr.into()) };
    assert!(bad.starts_with("bad_trunc_100") && bad.contains("not imported"), "{bad}");
    assert!(good.starts_with("two_dc") && good.contains("logged in"), "{good}");
    assert_eq!(*count, "store.tgsession: 1 imported, 1 failed");
    Ok(())
}

fn entity_ids(dump: &Value) -> Vec<i64> {
    let entities = dump["sessions"][0]["entities"].as_array().into_iter().flatten();
    entities.filter_map(|entity| entity["id"].as_i64()).collect()
}
