//! `info`, `get`, `list`, `rename`, `remove` and `check`, and what holds for every command.

use std::io::Read;
use std::process::Stdio;

use crate::support::{Folder, Result};
use serde_json::{Value, json};
use tgsession::{Account, Entity, ImportSession, PeerId, Store};

#[test]
fn info_says_what_a_person_wants_to_know() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    let info = folder.results(&["info", "two_dc"])?;
    let lines: Vec<Vec<&str>> =
        info.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected = [
        "path two_dc.session",
        "format telethon-sqlite v1",
        "size 16,384 bytes",
        "sessions 1",
        "session two_dc",
        "DCs with keys 2, 4",
        "update state none",
        "entities 10 (5 users, 3 groups, 2 channels)",
        "with username 3",
    ];
    for line in expected {
        let words: Vec<_> = line.split(' ').collect();
        assert!(lines.contains(&words), "{line}:\n{info}");
    }
    Ok(())
}

#[test]
fn info_of_a_store_tells_of_every_session() -> Result {
    let folder = Folder::with(&["two_dc", "empty_1.45.0"])?;
    folder.results(&["import", "two_dc", "empty_1.45.0", "--into", "store"])?;
    let info = folder.results(&["info", "store"])?;
    assert!(info.contains("two_dc") && info.contains("empty_1.45.0"), "{info}");
    assert!(info.contains("logged in       no\n"), "{info}");
    Ok(())
}

#[test]
fn entities_that_cannot_be_read_do_not_hide_the_login() -> Result {
    let folder = Folder::with(&["bad_pagetype"])?;
    let ran = folder.run(&["info", "bad_pagetype"])?;
    ran.refused(3, &["bad_pagetype.session"]);
    assert!(ran.stdout.contains("auth_key_id"), "{ran:?}");
    Ok(())
}

#[test]
fn an_entity_is_found_in_a_file_and_in_its_store_alike() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    folder.results(&["import", "username_conflict", "--into", "store"])?;
    let lookups: [&[&str]; 8] = [
        &["--id", "777009"],
        &["--id", "-1000001777005"],
        &["--id", "1777005"],
        &["--id=777010"],
        &["--username", "@Self_Name"],
        &["--username", "dupname"],
        &["--phone", "+1 (555) 000-1111"],
        &["--name", "Forbidden chat"],
    ];
    let ids = [
        777_009_i64,
        -1_000_001_777_005,
        -1_000_001_777_005,
        777_010,
        777_009,
        -1_000_000_777_010,
        777_009,
        -777_006,
    ];
    for (lookup, id) in lookups.iter().zip(ids) {
        for source in ["username_conflict.session", "store"] {
            let arguments = [&["get", source], *lookup].concat();
            let line = folder.results(&arguments)?;
            assert_eq!(line.lines().count(), 1, "{line}");
            let entity: Value = serde_json::from_str(&line)?;
            assert_eq!(entity["id"], id, "{arguments:?}");
        }
    }
    Ok(())
}

#[test]
fn a_phone_is_masked_unless_secrets_are_shown() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let get = ["get", "username_conflict", "--username", "self_name"];
    assert_eq!(folder.json(&get)?["phone"], "*********11");
    let shown = folder.json(&[get.as_slice(), &["--secrets"]].concat())?;
    assert_eq!(shown["phone"], "15550001111");
    Ok(())
}

#[test]
fn what_is_not_there_is_not_found() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc.session", "--into", "store"])?;
    for source in ["two_dc.session", "store"] {
        folder.run(&["get", source, "--id", "0"])?.refused(1, &["two_dc", "0"]);
        folder.run(&["get", source, "--username", "nobody"])?.refused(1, &["nobody"]);
        folder.run(&["get", source, "--name", "Nobody"])?.refused(1, &["Nobody"]);
        folder.run(&["get", source, "--id", "1", "--session", "x"])?.refused(1, &["\"x\""]);
        let ran = folder.run(&["get", source, "--phone", "4915112345678"])?;
        ran.refused(1, &["phone"]);
        assert!(!ran.stderr.contains("345678"), "a phone in a log: {}", ran.stderr);
    }
    Ok(())
}

#[test]
fn several_sessions_need_one_to_be_chosen() -> Result {
    let folder = Folder::with(&["two_dc", "username_conflict"])?;
    folder.results(&["import", "two_dc", "username_conflict", "--into", "store"])?;
    let get = ["get", "store", "--id", "777009"];
    folder.run(&get)?.refused(2, &["--session", "two_dc, username_conflict"]);
    let found = folder.json(&[get.as_slice(), &["--session", "username_conflict"]].concat())?;
    assert_eq!(found["usernames"], json!(["self_name"]));
    Ok(())
}

#[test]
fn sessions_are_listed_renamed_and_removed() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    folder.results(&["import", "two_dc", "plain_1.45.0", "--into", "store"])?;
    let before = folder.json(&["dump", "store", "--session", "two_dc", "--secrets"])?;
    assert_eq!(folder.results(&["rename", "store", "two_dc", "zoë"])?, "");
    assert_eq!(folder.results(&["list", "store.tgsession"])?, "plain_1.45.0\nzoë\n");
    let after = folder.json(&["dump", "store", "--session", "zoë", "--secrets"])?;
    let entities = |dump: &Value| dump["sessions"][0]["entities"].clone();
    assert!(entities(&after) == entities(&before), "the entities changed with the name");
    assert_eq!(after["sessions"][0]["dcs"], before["sessions"][0]["dcs"]);
    folder.run(&["rename", "store", "zoë", "plain_1.45.0"])?.refused(1, &["plain_1.45.0"]);
    folder.run(&["rename", "store", "two_dc", "x"])?.refused(1, &["two_dc"]);
    assert_eq!(folder.results(&["remove", "store", "zoë"])?, "");
    folder.run(&["remove", "store", "zoë"])?.refused(1, &["zoë"]);
    assert_eq!(folder.results(&["list", "store"])?, "plain_1.45.0\n");
    folder.results(&["check", "store"])?;
    Ok(())
}

#[test]
fn check_says_what_it_walked_over() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc.session", "--into", "store"])?;
    for source in ["two_dc.session", "store"] {
        let whole = folder.results(&["check", source])?;
        assert!(whole.starts_with("whole: 1 session, 10 entities, "), "{whole}");
        assert_eq!(whole.lines().count(), 1);
    }
    Ok(())
}

#[test]
fn check_finds_damage_wherever_it_is() -> Result {
    let folder = Folder::with(&["bad_pagetype", "bad_cells_child_65535"])?;
    for name in ["bad_pagetype", "bad_cells_child_65535"] {
        let ran = folder.run(&["check", name])?;
        ran.refused(3, &[name]);
    }
    Ok(())
}

#[test]
fn an_ending_may_be_left_out() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    assert!(folder.results(&["info", "two_dc"])?.contains("two_dc.session"));
    folder.results(&["import", "two_dc", "--into", "two_dc"])?;
    assert!(folder.results(&["info", "two_dc"])?.contains("two_dc.tgsession"));
    folder.run(&["info", "two_d"])?.refused(1, &["two_d: not found (also tried two_d.tgsession"]);
    folder.run(&["list", "two_d"])?.refused(1, &["two_d: not found (also tried two_d.tgsession"]);
    Ok(())
}

#[test]
fn a_reader_that_leaves_early_is_no_error() -> Result {
    let folder = Folder::new()?;
    long_store(&folder)?;
    let mut command = folder.command(&["dump", "long"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().ok_or("no pipe")?;
    stdout.read_exact(&mut [0; 100])?;
    drop(stdout);
    let output = child.wait_with_output()?;
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr)?, "");
    Ok(())
}

/// A store whose dump is longer than any pipe holds.
fn long_store(folder: &Folder) -> Result {
    let store = Store::create(folder.path("long"))?;
    let entities = (1..=20_000).filter_map(PeerId::user).map(|id| Ok(Entity::new(id)));
    store.import("long", ImportSession::new(&Account::default(), entities))?;
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    for command in [&["dump", "two_dc"] as &[&str], &["info", "two_dc"], &["check", "two_dc"]] {
        let full = std::fs::File::options().write(true).open("/dev/full")?;
        let output = folder.command(command).stdout(full).output()?;
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let said = String::from_utf8(output.stderr)?;
        assert!(said.starts_with("tgsession: cannot write to standard output"), "{said}");
    }
    Ok(())
}

#[test]
fn every_command_has_help_with_an_example() -> Result {
    let folder = Folder::new()?;
    let commands = [
        "import",
        "export",
        "dump",
        "info",
        "get",
        "list",
        "rename",
        "remove",
        "check",
        "compact",
        "backup",
        "run",
        "completions",
    ];
    let overview = folder.results(&["--help"])?;
    for command in commands {
        assert!(overview.contains(command), "{command}");
        let help = folder.results(&[command, "--help"])?;
        assert!(help.contains(&format!("Example: tgsession {command} ")), "{help}");
    }
    let version = concat!("tgsession ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(folder.results(&["--version"])?, version);
    Ok(())
}

#[test]
fn wrong_usage_is_exit_code_2() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    let wrong: [&[&str]; 7] = [
        &[],
        &["frobnicate"],
        &["dump"],
        &["get", "two_dc"],
        &["get", "two_dc", "--id", "1", "--name", "x"],
        &["get", "two_dc", "--id", "one"],
        &["import", "two_dc"],
    ];
    for arguments in wrong {
        let ran = folder.run(arguments)?;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
    }
    Ok(())
}
