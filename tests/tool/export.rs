//! Exports to the formats of other clients are complete, and report the values left out.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::support::{Folder, Ran, Result};
use serde_json::Value;

/// Every format, and what the tool calls it when it reads it back.
const FORMATS: [(&str, &str); 21] = [
    ("telethon", "telethon-sqlite v8"),
    ("telethon-v7", "telethon-sqlite v7"),
    ("telethon2", "telethon2 v10"),
    ("telethon-string", "telethon-string"),
    ("pyrogram", "pyrogram-sqlite v3"),
    ("kurigram", "kurigram-sqlite v7"),
    ("pyrofork", "pyrofork-sqlite v4"),
    ("hydrogram", "pyrogram-sqlite v3"),
    ("pyrogram-string", "pyrogram-string 271 bytes"),
    ("grammers", "grammers-sqlite v1"),
    ("grammers-tl", "grammers-tl 0.3-0.7"),
    ("gramjs-string", "gramjs-string"),
    ("gramjs-store", "gramjs-store"),
    ("mtcute", "mtcute-sqlite v2"),
    ("mtcute-string", "mtcute-string v3"),
    ("mtkruto-string", "mtkruto-string"),
    ("gotgproto", "gotgproto"),
    ("sqlalchemy", "sqlalchemy v2"),
    ("portable", "portable v2"),
    ("portable-string", "portable v2"),
    ("json", "tgsession-dump/1 of tgsession export"),
];

#[test]
fn every_format_keeps_the_key_and_is_known_again() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let key = auth_key(&folder.json(&["dump", "username_conflict", "--secrets"])?);
    for (format, name) in FORMATS {
        let ran = export(&folder, format, &["-o", format])?;
        assert_eq!(ran.code, 0, "{format}: {ran:?}");
        let dump = folder.json(&["dump", format, "--secrets"])?;
        assert_eq!(dump["source"], name);
        assert_eq!(auth_key(&dump), key, "{format}");
    }
    Ok(())
}

#[test]
fn an_export_is_its_owners_alone_and_replaces_nothing_unasked() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    folder.write("there", b"mine")?;
    export(&folder, "telethon", &["-o", "there"])?.refused(1, &["there", "--force"]);
    assert_eq!(fs::read(folder.path("there"))?, b"mine");
    assert_eq!(export(&folder, "telethon", &["-o", "there", "--force"])?.code, 0);
    assert!(fs::read(folder.path("there"))?.starts_with(b"SQLite format 3"));
    #[cfg(unix)]
    for file in ["there", "new"] {
        use std::os::unix::fs::PermissionsExt;
        export(&folder, "telethon", &["-o", file, "--force"])?;
        let mode = fs::metadata(folder.path(file))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let names: Vec<_> = folder.content()?.into_keys().collect();
    assert_eq!(names, ["new", "there", "username_conflict.session"]);
    Ok(())
}

#[test]
fn what_is_left_out_is_said_reported_and_refused_where_asked() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let before = folder.content()?;
    let strict = export(&folder, "grammers", &["-o", "out", "--strict"])?;
    strict.refused(1, &["entities.name", "--strict"]);
    assert!(folder.content()? == before, "nothing was written");
    let ran = export(&folder, "grammers", &["-o", "out", "--report", "report.json"])?;
    assert!(ran.stderr.contains("left out: entities.name (15 times)"), "{ran:?}");
    let report: Value = serde_json::from_slice(&fs::read(folder.path("report.json"))?)?;
    assert_eq!(report["format"], "tgsession-report/1");
    assert_eq!(report["target"], "grammers");
    let lost = report["exports"][0]["lost"].as_array().ok_or("no losses")?;
    let what: Vec<_> = lost.iter().filter_map(|loss| loss["what"].as_str()).collect();
    let fields = ["entities.date", "entities.name", "entities.phone", "entities.usernames"];
    assert_eq!(what, fields);
    Ok(())
}

#[test]
fn a_report_takes_the_place_of_nothing() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let before = folder.content()?;
    let source = ["-o", "out", "--report", "username_conflict.session"];
    export(&folder, "telethon", &source)?.refused(1, &["username_conflict.session", "--force"]);
    let same = ["-o", "out", "--report", "./out"];
    export(&folder, "telethon", &same)?.refused(2, &["--report", "-o"]);
    let nowhere = ["-o", "out", "--report", "nowhere/report.json"];
    export(&folder, "telethon", &nowhere)?.refused(1, &["nowhere/report.json"]);
    assert!(folder.content()? == before, "refused before anything was written");
    let stdout = ["--report", "-"];
    export(&folder, "telethon-string", &stdout)?.refused(2, &["standard output"]);
    let ran = export(&folder, "telethon-string", &["-o", "out", "--report", "-"])?;
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout)?["target"], "telethon-string");
    folder.write("old", b"old")?;
    export(&folder, "telethon", &["-o", "out", "--report", "old", "--force"])?;
    assert!(fs::read(folder.path("old"))?.starts_with(b"{"));
    Ok(())
}

#[test]
fn of_several_sessions_none_is_written_where_one_is_refused() -> Result {
    let folder = Folder::with(&["username_conflict", "plain_1.45.0"])?;
    for (source, name, store) in [
        ("username_conflict", "a", "one"),
        ("plain_1.45.0", "b", "one"),
        ("plain_1.45.0", "a", "other"),
        ("username_conflict", "b", "other"),
    ] {
        folder.results(&["import", source, "--as", name, "--into", store])?;
    }
    let before = folder.content()?;
    // Of one the second loses its user, of the other the second does not know it.
    let strict = ["export", "one", "--to", "gramjs-string", "-o", "all/", "--no-entities"];
    folder.run(&[&strict[..], &["--strict"]].concat())?.refused(1, &["user", "--strict"]);
    let lacks = ["export", "other", "--to", "telethon2", "-o", "all/"];
    folder.run(&lacks)?.refused(1, &["--user-id"]);
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn folders_for_several_sessions_stand_in_a_folder() -> Result {
    let folder = Folder::with(&["username_conflict", "two_dc"])?;
    folder.results(&["import", "username_conflict", "two_dc", "--into", "store"])?;
    folder.results(&["export", "store", "--to", "gramjs-store", "-o", "all/"])?;
    for name in ["username_conflict", "two_dc"] {
        let dump = folder.json(&["dump", &format!("all/{name}")])?;
        assert_eq!(dump["source"], "gramjs-store");
    }
    let again = ["export", "two_dc", "--to", "gramjs-store", "-o", "all/two_dc", "--force"];
    let ran = folder.run(&again)?;
    ran.refused(1, &["all/two_dc", "remove it"]);
    assert!(!ran.stderr.contains("--force replaces it"), "{ran:?}");
    assert_eq!(fs::read_dir(folder.path("all"))?.count(), 2, "nothing is left beside them");
    Ok(())
}

#[test]
fn a_session_that_never_connected_has_a_place_in_formats_of_ours() -> Result {
    let folder = Folder::with(&["empty_0.16"])?;
    let dump = folder.json(&["dump", "empty_0.16", "--secrets"])?;
    assert!(dump["sessions"][0]["home_dc"].is_null());
    for format in ["json", "portable", "portable-string"] {
        folder.results(&[
            "export",
            "empty_0.16.session",
            "--to",
            format,
            "-o",
            format,
            "--strict",
        ])?;
        let back = folder.json(&["dump", format, "--secrets"])?;
        assert_eq!(back["sessions"], dump["sessions"], "{format}");
    }
    let telethon = ["export", "empty_0.16.session", "--to", "telethon", "-o", "out"];
    folder.run(&telethon)?.refused(1, &["the home DC"]);
    Ok(())
}

#[test]
fn numbers_that_nobody_has_are_wrong_usage() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let before = folder.content()?;
    for (option, number) in [("--user-id", "0"), ("--user-id", "-5"), ("--api-id", "0")] {
        let arguments = ["export", "username_conflict", "--to", "pyrogram", "-o", "out"];
        let ran = folder.run(&[&arguments[..], &[option, number]].concat())?;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(&format!("'{number}' for '{option}")), "{ran:?}");
    }
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn what_a_format_needs_and_nobody_knows_is_named() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let arguments = ["export", "username_conflict", "--to", "pyrogram-string"];
    let needs = "username_conflict: pyrogram-string needs the api id";
    folder.run(&arguments)?.refused(1, &[needs, "--api-id"]);
    let arguments = [&arguments[..], &["--api-id", "5"]].concat();
    folder.run(&arguments)?.refused(1, &["pyrogram-string", "user id", "--user-id"]);
    folder.run(&["export", "username_conflict", "--to", "telethon"])?.refused(2, &["-o"]);
    let text = folder.run(&["export", "username_conflict", "--to", "madeline", "-o", "x"])?;
    assert_eq!(text.code, 2);
    assert!(text.stderr.contains("mtcute-string"), "the formats are listed: {text:?}");
    Ok(())
}

#[test]
fn all_sessions_of_a_store_go_into_a_folder_or_into_one_file() -> Result {
    let folder = Folder::with(&["username_conflict", "two_dc"])?;
    folder.results(&["import", "username_conflict", "two_dc", "--into", "store"])?;
    folder.run(&["export", "store", "--to", "telethon", "-o", "one"])?.refused(2, &["--session"]);
    folder.results(&["export", "store", "--to", "telethon", "-o", "all/"])?;
    for name in ["username_conflict", "two_dc"] {
        assert!(folder.exists(&format!("all/{name}.session")), "{name}");
    }
    folder.results(&["export", "store", "--to", "sqlalchemy", "-o", "all.sqlite"])?;
    let dump = folder.json(&["dump", "all.sqlite"])?;
    let names = dump["sessions"].as_array().into_iter().flatten();
    let names: Vec<_> = names.filter_map(|session| session["name"].as_str()).collect();
    assert_eq!(names, ["two_dc", "username_conflict"]);
    Ok(())
}

#[test]
fn a_string_comes_in_by_standard_input_and_by_the_environment() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let text = folder.results(&["export", "username_conflict", "--to", "portable-string"])?;
    let dump = folder.json(&["dump", "username_conflict", "--secrets"])?;
    let mut command = folder.command(&["dump", "-", "--secrets"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or("no pipe")?.write_all(text.as_bytes())?;
    let piped: Value = serde_json::from_slice(&child.wait_with_output()?.stdout)?;
    assert_eq!(piped["sessions"], dump["sessions"]);
    let mut command = folder.command(&["import", "--string-env", "LOGIN", "--into", "store"]);
    let imported = command.env("LOGIN", text.trim()).output()?;
    assert!(imported.status.success(), "{imported:?}");
    assert!(!String::from_utf8(imported.stderr)?.contains(text.trim()));
    assert_eq!(folder.results(&["list", "store"])?, "username_conflict\n");
    Ok(())
}

#[test]
fn a_sealed_session_opens_under_its_passphrase_alone() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    folder.write("right", b"correct horse\n")?;
    folder.write("wrong", b"battery staple\n")?;
    let seal = ["--seal-passphrase-file", "right", "-o", "sealed"];
    assert_eq!(export(&folder, "portable", &seal)?.code, 0);
    folder.run(&["dump", "sealed"])?.refused(1, &["passphrase"]);
    folder
        .run(&["dump", "sealed", "--passphrase-file", "wrong"])?
        .refused(1, &["wrong passphrase"]);
    let sealed = folder.json(&["dump", "sealed", "--secrets", "--passphrase-file", "right"])?;
    let dump = folder.json(&["dump", "username_conflict", "--secrets"])?;
    assert_eq!(auth_key(&sealed), auth_key(&dump));
    let telethon = ["--seal-passphrase-file", "right", "-o", "x"];
    export(&folder, "telethon", &telethon)?.refused(2, &["wtelegram, tdata, portable"]);
    Ok(())
}

fn export(folder: &Folder, format: &str, more: &[&str]) -> Result<Ran> {
    let arguments = ["export", "username_conflict", "--to", format, "--api-id", "5"];
    folder.run(&[&arguments[..], &["--user-id", "777"], more].concat())
}

fn auth_key(dump: &Value) -> String {
    dump["sessions"][0]["dcs"][0]["auth_key"].to_string()
}
