//! Sessions as people hand them on: in quotes, in `.env` files, as base64, packed.

use crate::support::reports::report;
use crate::support::{Folder, Result};

/// The file, the format in it, the id of its key, and what was around it.
const WRAPPED: [(&str, &str, &str, &str); 11] = [
    ("quoted.txt", "telethon-string", ONE, "quotes"),
    ("env_line.txt", "telethon-string", ONE, "STRING_SESSION=..."),
    ("env_export.txt", "telethon-string", ONE, "SESSION=..., quotes"),
    ("env_file.txt", "telethon-string", ONE, "several lines, STRING_SESSION=..., quotes"),
    ("utf8_bom.txt", "telethon-string", ONE, "a byte order mark"),
    ("utf16.txt", "telethon-string", ONE, "UTF-16"),
    ("grammers_tl.b64", "grammers-tl 0.3-0.7", "2634d1f2658d3612", "base64"),
    ("session_base64.txt", "telethon-sqlite v7", ONE, "base64"),
    ("a.session.gz", "telethon-sqlite v7", ONE, "gzip"),
    ("bundle.zip", "telethon-sqlite v7", ONE, "a ZIP archive"),
    ("tdata.zip", "tdata", "317631894b842522", "a ZIP archive"),
];

const ONE: &str = "262b8c274f5a5697";

#[test]
fn what_is_around_a_session_is_taken_off_and_said() -> Result {
    for (name, format, key, around) in WRAPPED {
        let folder = Folder::new()?;
        folder.write(name, &report(name)?)?;
        let before = folder.content()?;
        let dump = folder.json(&["dump", name])?;
        assert_eq!(dump["source"], format, "{name}");
        assert_eq!(dump["sessions"][0]["dcs"][0]["auth_key_id"], key, "{name}");
        let notes = dump["notes"].to_string();
        assert!(notes.contains("taken off around it: ") && notes.contains(around), "{notes}");
        assert_eq!(folder.content()?, before, "{name}: something was written");

        let ran = folder.run(&["import", name, "--into", "store"])?;
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        assert!(ran.stderr.contains("taken off around it"), "{name}: {}", ran.stderr);
    }
    Ok(())
}

#[test]
fn a_session_is_named_as_what_is_in_the_archive() -> Result {
    for (file, name) in
        [("a.session.gz", "a"), ("bundle.zip", "15550001111"), ("tdata.zip", "tdata")]
    {
        let folder = Folder::new()?;
        folder.write(file, &report(file)?)?;
        folder.results(&["import", file, "--into", "store"])?;
        assert_eq!(folder.results(&["list", "store"])?, format!("{name}\n"));
    }
    Ok(())
}

#[test]
fn a_whole_file_in_an_environment_variable_is_read() -> Result {
    let folder = Folder::new()?;
    let value = String::from_utf8(report("session_base64.txt")?)?;
    let mut command = folder.command(&["info", "--string-env", "SESSION"]);
    let output = command.env("SESSION", value.trim()).output()?;
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains(ONE), "{text}");
    Ok(())
}

#[test]
fn what_is_no_session_is_named() -> Result {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 28672\n";
    let cases: [(&str, &[u8], &str); 4] = [
        ("page.session", b"<!DOCTYPE html>\n<html>", "HTML page"),
        ("pointer.session", pointer.as_bytes(), "git lfs pull"),
        ("a.rar", b"Rar!\x1a\x07\x01\0", "a RAR archive"),
        (
            "cut.gz",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
            "gzip file that is damaged or cut; copy it again",
        ),
    ];
    for (name, bytes, words) in cases {
        let folder = Folder::new()?;
        folder.write(name, bytes)?;
        for command in [&["info", name][..], &["dump", name, "--salvage"]] {
            folder.run(command)?.refused(1, &[name, words]);
        }
    }
    Ok(())
}
