//! A file that cannot be read is refused in one line, and nothing is changed.

use std::fs;
use std::io::Cursor;

use crate::support::{Folder, Result};
use tgsession::sqlite::writer::{DatabaseWriter, WriterOptions};

/// File, exit code, and words that the line must have beside the file's name.
const BAD: [(&str, i32, &[&str]); 13] = [
    ("absent", 1, &["not found", "absent.session"]),
    ("folder", 1, &["folder: "]),
    ("empty.session", 1, &["not a session: an empty file"]),
    ("text.session", 1, &[]),
    ("zeros.session", 1, &["not a session: unknown file format", "expected a store"]),
    ("bad_magic_only.session", 3, &["damaged"]),
    ("bad_trunc_99.session", 3, &["damaged"]),
    ("bad_trunc_100.session", 3, &["damaged"]),
    ("bad_trunc_13312.session", 3, &["damaged"]),
    ("bad_no_sessions.session", 1, &[]),
    ("odd_values.session", 3, &["255 bytes"]),
    ("cut.tgsession", 3, &["damaged"]),
    ("stranger.session", 1, &[]),
];

fn bad_inputs() -> Result<Folder> {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc", "--into", "cut"])?;
    let store = fs::read(folder.path("cut.tgsession"))?;
    folder.write("cut.tgsession", store.get(..store.len() / 2).ok_or("too short")?)?;
    fs::create_dir(folder.path("folder"))?;
    folder.write("empty.session", b"")?;
    folder.write("text.session", b"these are my notes\n".repeat(500).as_slice())?;
    folder.write("zeros.session", &[0; 8192])?;
    folder.write("stranger.session", &stranger()?)?;
    for (name, ..) in BAD {
        match name.strip_suffix(".session") {
            Some(name) if name.contains('_') => folder.add(name)?,
            _ => {}
        }
    }
    Ok(folder)
}

/// A database that is no client's session.
fn stranger() -> Result<Vec<u8>> {
    let mut db = DatabaseWriter::new(Cursor::new(Vec::new()), &WriterOptions::new())?;
    db.table("CREATE TABLE notes (text)", &[])?.finish()?;
    Ok(db.finish()?.into_inner())
}

#[test]
fn a_bad_input_is_one_line_with_its_path_and_the_right_exit_code() -> Result {
    let folder = bad_inputs()?;
    let before = folder.content()?;
    for (name, code, words) in BAD {
        let words = [&[name], words].concat();
        folder.run(&["dump", name])?.refused(code, &words);
        folder.run(&["info", name])?.refused(code, &words);
        // The findings of a check are its result, and go to standard output.
        folder.run(&["check", name])?.refused(code, &[name]);
        // An entity can be found where the account cannot be read.
        if !name.starts_with("odd_values") {
            folder.run(&["get", name, "--id", "5"])?.refused(code, &words);
        }
        let ran = folder.run(&["import", name, "--into", "new"])?;
        ran.refused(code, &words);
        assert_eq!(folder.content()?, before, "{name}");
    }
    Ok(())
}

#[test]
fn a_dump_that_fails_on_the_way_is_visibly_incomplete() -> Result {
    let folder = Folder::with(&["bad_pagetype"])?;
    let ran = folder.run(&["dump", "bad_pagetype"])?;
    ran.refused(3, &["bad_pagetype.session", "damaged"]);
    assert!(ran.stdout.contains("\"entities\": ["), "{}", ran.stdout);
    assert!(serde_json::from_str::<serde_json::Value>(&ran.stdout).is_err());
    assert!(!ran.stdout.contains(']') || !ran.stdout.trim_end().ends_with('}'));
    Ok(())
}

#[test]
fn a_store_is_known_by_its_content_and_not_by_its_ending() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc.session", "--into", "store"])?;
    fs::copy(folder.path("store.tgsession"), folder.path("store.session"))?;
    fs::copy(folder.path("two_dc.session"), folder.path("old.tgsession"))?;
    assert_eq!(folder.json(&["dump", "store.session"])?["source"], "tgsession v4");
    assert_eq!(folder.json(&["dump", "old.tgsession"])?["source"], "telethon-sqlite v1");
    let before = folder.content()?;
    for command in
        [&["list", "old"] as &[&str], &["rename", "old", "a", "b"], &["remove", "old", "old"]]
    {
        folder.run(command)?.refused(1, &["old.tgsession", "SQLite"]);
    }
    assert_eq!(folder.content()?, before);
    Ok(())
}

#[test]
fn a_reading_command_writes_nothing() -> Result {
    let folder = Folder::with(&["two_dc", "wal", "hot_spilled"])?;
    folder.results(&["import", "two_dc.session", "--into", "store"])?;
    let before = folder.content()?;
    for source in ["store.tgsession", "two_dc.session", "wal.session", "hot_spilled.session"] {
        folder.results(&["dump", source])?;
        folder.results(&["info", source])?;
        folder.results(&["check", source])?;
        folder.run(&["get", source, "--id", "1"])?;
        assert_eq!(folder.content()?, before, "{source}");
    }
    folder.results(&["list", "store"])?;
    assert_eq!(folder.content()?, before);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_said_to_be_that() -> Result {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::with(&["two_dc"])?;
    fs::set_permissions(folder.path("two_dc.session"), fs::Permissions::from_mode(0o000))?;
    if fs::File::open(folder.path("two_dc.session")).is_ok() {
        eprintln!("skipped: this user may read everything");
        return Ok(());
    }
    fs::create_dir(folder.path("tdata"))?;
    fs::set_permissions(folder.path("tdata"), fs::Permissions::from_mode(0o000))?;
    for command in ["dump", "info", "check"] {
        folder.run(&[command, "two_dc"])?.refused(1, &["two_dc.session", "ermission denied"]);
        folder.run(&[command, "tdata"])?.refused(1, &["tdata", "ermission denied"]);
    }
    let ran = folder.run(&["import", "two_dc", "--into", "store"])?;
    ran.refused(1, &["two_dc.session", "ermission denied"]);
    assert!(!folder.exists("store.tgsession"));
    Ok(())
}

#[test]
fn a_damaged_store_is_refused_by_the_commands_that_write() -> Result {
    let folder = bad_inputs()?;
    let before = folder.content()?;
    let commands: [&[&str]; 4] = [
        &["list", "cut"],
        &["rename", "cut", "two_dc", "x"],
        &["remove", "cut", "two_dc"],
        &["import", "two_dc.session", "--into", "cut", "--as", "x"],
    ];
    for command in commands {
        folder.run(command)?.refused(3, &["cut.tgsession"]);
    }
    assert_eq!(folder.content()?, before);
    Ok(())
}

#[test]
fn a_flipped_bit_of_a_store_gives_one_line_or_does_not_matter() -> Result {
    let folder = Folder::with(&["plain_1.45.0"])?;
    folder.results(&["import", "plain_1.45.0", "--into", "store"])?;
    let whole = fs::read(folder.path("store.tgsession"))?;
    let dump = folder.results(&["dump", "store", "--secrets"])?;
    let mut found = 0;
    for at in (50..whole.len()).step_by(331) {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        folder.write("store.tgsession", &flipped)?;
        let ran = folder.run(&["dump", "store", "--secrets"])?;
        if ran.code == 0 {
            assert!(ran.stdout == dump, "a wrong answer after byte {at}");
        } else {
            ran.refused(3, &["store.tgsession"]);
            found += 1;
        }
        assert!(fs::read(folder.path("store.tgsession"))? == flipped, "byte {at}");
    }
    assert!(found > 10, "only {found} flips were found");
    Ok(())
}

#[test]
fn a_message_says_what_was_found_and_what_was_expected() -> Result {
    let folder = bad_inputs()?;
    folder.run(&["import", "two_dc", "--into", "good"])?;
    let expected = "(expected a store or a client's session file)";
    for (name, found) in [
        ("folder", "a directory"),
        ("empty.session", "an empty file"),
        ("zeros.session", "unknown file format"),
    ] {
        let words = [name, "not a session: ", found, expected];
        folder.run(&["info", name])?.refused(1, &words);
    }
    folder.run(&["list", "two_dc.session"])?.refused(1, &["not a store: a SQLite database"]);
    folder.run(&["info", "absent"])?.refused(1, &["also tried absent.tgsession, absent.session"]);
    folder
        .run(&["rename", "good", "x", "y"])?
        .refused(1, &["good.tgsession: no session named \"x\""]);
    Ok(())
}
