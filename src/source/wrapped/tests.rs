use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::super::{Source, SourceOptions};
use crate::error::{Error, ErrorKind};
use crate::types::Progress;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new("tests/fixtures").join(name)).unwrap()
}

fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn opened(bytes: &[u8]) -> Source {
    SourceOptions::new().open_bytes("all.zip", bytes).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    SourceOptions::new().open_bytes("x", bytes).unwrap_err().to_string()
}

/// Every file below a folder of the fixtures, by its path in that folder.
fn below(folder: &str, above: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in Path::new("tests/fixtures").join(folder).read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (inner, path) = (format!("{folder}/{name}"), format!("{above}/{name}"));
        if Path::new("tests/fixtures").join(&inner).is_dir() {
            files.extend(below(&inner, &path));
        } else {
            files.push((path, fixture(&inner)));
        }
    }
    files
}

fn folder(folder: &str, above: &str) -> Vec<u8> {
    let files = below(folder, above);
    let files: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    zipped(&files)
}

#[test]
fn an_archive_gives_every_session_in_it_under_a_name_of_its_own() {
    let plain = fixture("telethon/plain_1.45.0.session");
    let source = opened(&zipped(&[
        ("a/one.session", plain.clone()),
        ("b/one.session", plain.clone()),
        ("c/two.session.gz", gzipped(&plain)),
        ("c/bad.session", plain[..10].to_vec()),
        ("a/one.json", b"{\"app_id\": 6}".to_vec()),
    ]));
    assert_eq!(source.session_names().unwrap(), ["b-one", "bad", "one", "two"]);
    assert_eq!(source.format(), "telethon-sqlite v8, unreadable");
    for name in ["one", "b-one", "two"] {
        let mut session = source.session(name).unwrap();
        assert_eq!(session.name(), name);
        assert_eq!(session.by_ref().count(), 119);
        let notes = session.notes().join("\n");
        assert!(notes.contains("taken off around it: a ZIP archive"), "{notes}");
        assert!(notes.contains("skipped a/one.json in the archive: not a session"), "{notes}");
    }
    let error = source.session("bad").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert_eq!(source.check().unwrap().sessions, 4);
    assert_eq!(source.check().unwrap().problems.len(), 1);
}

#[test]
fn what_lay_beside_a_database_is_read_with_it_out_of_an_archive() {
    let names = ["wal.session", "wal.session-wal"];
    let files = names.map(|name| (name, fixture(&format!("telethon/{name}"))));
    let of_archive = opened(&zipped(&files)).session("wal").unwrap().count();
    let on_disk = Source::open("tests/fixtures/telethon/wal.session").unwrap();
    let expected = on_disk.session("wal").unwrap().count();
    assert_eq!(of_archive, expected);
    let alone = SourceOptions::new().open_bytes("a", &zipped(&files[..1])).unwrap();
    let alone = alone.session("wal").map(|session| session.count());
    assert!(alone.ok() != Some(expected), "the log changes nothing: this shows nothing");
}

#[test]
fn what_the_caller_gives_holds_for_a_session_in_an_archive() {
    let progress = Progress::default();
    let options = SourceOptions::new().user_id(77).progress(&progress);
    let zip = zipped(&[("one.session", fixture("telethon/two_dc.session"))]);
    let source = options.open_bytes("all.zip", &zip).unwrap();
    let user = source.session("one").unwrap().account().login.user;
    assert_eq!(user.map(|user| user.id), Some(77));
    source.check().unwrap();
    // The last pass of the check of a member is that over its entities.
    let entities = source.session("one").unwrap().count() as u64;
    assert!(entities > 0);
    assert_eq!((progress.done(), progress.total()), (entities, Some(entities)));
}

#[cfg(feature = "tdata")]
#[test]
fn folders_are_read_out_of_an_archive_and_may_be_sealed() {
    let names = |bytes: &[u8]| opened(bytes).session_names().unwrap();
    assert_eq!(names(&folder("others/tdata_one", "tdata")), ["all"]);
    assert_eq!(names(&folder("others/tdata_one", "1555/tdata")), ["1555"]);
    assert_eq!(names(&folder("others/gramjs_store", "store")), ["store"]);

    let sealed = folder("others/tdata_passcode_two", "x/tdata");
    let open = |options: SourceOptions| options.open_bytes("all.zip", &sealed);
    let error = open(SourceOptions::new()).unwrap_err();
    assert!(matches!(error, Error::NeedsPassphrase { .. }), "{error}");
    let source = open(SourceOptions::new().passphrase(b"hunter2")).unwrap();
    assert_eq!(source.session_names().unwrap(), ["x-1", "x-2"]);
}

#[test]
fn several_strings_in_one_file_are_sessions_of_their_names() {
    let one = String::from_utf8(fixture("reports/env_line.txt")).unwrap();
    let value = one.trim().split_once('=').unwrap().1;
    let env = format!("# both\nA_SESSION=\"{value}\"\nAPI_ID=1\nB_SESSION={value}\n");
    assert_eq!(opened(env.as_bytes()).session_names().unwrap(), ["A_SESSION", "B_SESSION"]);
    let json = format!("{{\"api_id\": 1, \"deep\": [{{\"session\": \"{value}\"}}]}}");
    let source = opened(json.as_bytes());
    assert_eq!(source.session_names().unwrap(), ["all"]);
    let notes = source.session("all").unwrap().notes().join("\n");
    assert!(notes.contains("read from session: no other value is a session"), "{notes}");
}

#[test]
fn layers_over_layers_come_off_and_too_many_are_refused() {
    let mut bytes = fixture("reports/quoted.txt");
    for _ in 0..6 {
        bytes = gzipped(&bytes);
    }
    assert_eq!(opened(&bytes).format(), "telethon-string");
    for _ in 0..6 {
        bytes = gzipped(&bytes);
    }
    assert!(refused(&bytes).contains("more than 8 layers"), "{}", refused(&bytes));
}

#[test]
fn the_error_says_what_was_found_under_which_layer() {
    let error = refused(b"SESSION='hello world'");
    assert!(error.contains("not a session string"), "{error}");
    assert!(error.contains("inside SESSION=..., quotes"), "{error}");
    let error = refused(&zipped(&[("a.txt", b"x".to_vec()), ("b.txt", b"y".to_vec())]));
    assert!(error.contains("an archive of 2 files without a session"), "{error}");
    let json = format!("{{\"a\": \"{}\"}}", "x".repeat(200));
    let error = refused(&gzipped(json.as_bytes()));
    assert!(error.contains("JSON of no session's format, inside gzip"), "{error}");
    let error = refused(b"<!doctype html><p>");
    assert!(error.contains("HTML"), "{error}");
}

#[test]
fn copying_again_is_advised_only_where_that_can_help() {
    let plain = fixture("reports/quoted.txt");
    let plain = String::from_utf8(plain).unwrap().trim().trim_matches('"').to_owned();
    let cut = plain.get(..300).unwrap();
    for text in [cut.to_owned(), plain.replacen('A', "*", 1)] {
        assert!(refused(text.as_bytes()).contains("copy it again"), "{text:.9}");
    }
    let others = ["hello", "12345:AAbot", "<html>", "+15550001111", "{\"a\": 1}", "A=1\nB=2"];
    for text in others {
        let error = refused(text.as_bytes());
        assert!(!error.contains("copy it again"), "{error}");
    }
    assert!(!refused(&b"x".repeat(5000)).contains("copy it again"));
    assert!(!refused(&b"0f".repeat(256)).contains("copy it again"), "a key");
    let key = format!("{}:2\n", "0f".repeat(256));
    assert_eq!(opened(key.as_bytes()).format(), "auth key in hexadecimal digits");
    assert!(!refused(&[7; 300]).contains("copy it again"));
}
