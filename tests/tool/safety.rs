//! No flag makes the tool destroy a session: not a source, not a store, not a file in use.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{Folder, Ran, Result, fixtures};
use tgsession::Store;

fn export(folder: &Folder, source: &str, output: &str, more: &[&str]) -> Result<Ran> {
    let arguments = ["export", source, "--to", "telethon", "-o", output, "--force"];
    folder.run(&[&arguments[..], more].concat())
}

#[test]
fn an_export_never_replaces_its_source() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    fs::hard_link(folder.path("two_dc.session"), folder.path("hard"))?;
    #[cfg(unix)]
    std::os::unix::fs::symlink("two_dc.session", folder.path("soft"))?;
    let before = folder.content()?;
    for output in ["two_dc.session", "./two_dc.session", "hard", "soft", "./"] {
        if cfg!(unix) || output != "soft" {
            export(&folder, "two_dc", output, &[])?.refused(1, &["same file as the source"]);
        }
    }
    export(&folder, "two_dc", "out", &["--report", "hard"])?.refused(1, &["hard", "source"]);
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn an_export_never_replaces_a_store_or_its_passphrase() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    fs::copy(folder.path("store.tgsession"), folder.path("damaged"))?;
    let whole = fs::read(folder.path("damaged"))?;
    folder.write("damaged", &whole[..2000])?;
    folder.write("words", b"correct horse\n")?;
    #[cfg(unix)]
    std::os::unix::fs::symlink("store.tgsession", folder.path("link"))?;
    let before = folder.content()?;
    let held = Store::open(folder.path("store.tgsession"))?;
    for output in ["store.tgsession", "damaged", "link"] {
        if cfg!(unix) || output != "link" {
            export(&folder, "plain_1.45.0", output, &[])?.refused(1, &["tgsession store"]);
            let report = ["--report", output];
            export(&folder, "plain_1.45.0", "out", &report)?.refused(1, &["tgsession store"]);
        }
    }
    export(&folder, "store", "store.tgsession", &["--session", "two_dc"])?
        .refused(1, &["same file as the source"]);
    drop(held);
    let words = ["--passphrase-file", "words"];
    export(&folder, "plain_1.45.0", "words", &words)?.refused(1, &["same file as the source"]);
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn an_export_never_writes_into_a_directory_that_is_its_source() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let to_store = ["export", "username_conflict", "--to", "gramjs-store", "-o", "gram"];
    folder.results(&to_store)?;
    let key = "gram/gram%3AauthKey";
    assert!(folder.exists(key));
    let before = fs::read(folder.path(key))?;
    export(&folder, "gram", key, &[])?.refused(1, &["inside the source"]);
    assert!(fs::read(folder.path(key))? == before);
    Ok(())
}

#[test]
fn an_export_may_lie_beside_the_tdata_that_is_its_source() -> Result {
    let folder = Folder::new()?;
    let tdata = fixtures().join("../others/tdata_one");
    assert!(Command::new("cp").arg("-r").arg(tdata).arg(folder.path("tdata")).status()?.success());
    assert_eq!(export(&folder, ".", "out", &[])?.code, 0);
    export(&folder, ".", "tdata/out", &[])?.refused(1, &["inside the source"]);
    Ok(())
}

#[test]
fn a_report_never_takes_the_place_of_an_export() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    fs::create_dir(folder.path("all"))?;
    let report = ["--report", "all/two_dc.session"];
    export(&folder, "two_dc", "all/", &report)?.refused(2, &["--report", "same file"]);
    folder.write("there", b"mine")?;
    let dry = ["export", "two_dc", "--to", "telethon", "-o", "there", "--dry-run"];
    folder.run(&dry)?.refused(1, &["there: already exists", "--force"]);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_never_replaces_a_file_in_use() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    let held = fs::File::open(folder.path("plain_1.45.0.session"))?;
    let own = format!("process {}", std::process::id());
    export(&folder, "two_dc", "plain_1.45.0.session", &[])?.refused(1, &[&own, "open"]);
    drop(held);
    assert_eq!(export(&folder, "two_dc", "plain_1.45.0.session", &[])?.code, 0);
    Ok(())
}

#[test]
fn an_export_never_stands_beside_the_log_of_another_database() -> Result {
    let folder = Folder::with(&["two_dc", "wal"])?;
    let before = folder.content()?;
    export(&folder, "two_dc", "wal.session", &[])?.refused(1, &["wal.session-wal"]);
    assert!(folder.content()? == before, "nothing was written");
    fs::remove_file(folder.path("wal.session"))?;
    export(&folder, "two_dc", "wal.session", &[])?.refused(1, &["wal.session-wal"]);
    Ok(())
}

#[test]
fn an_import_never_writes_to_its_source() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    fs::hard_link(folder.path("two_dc.session"), folder.path("hard.tgsession"))?;
    let before = folder.content()?;
    for target in ["two_dc.session", "hard.tgsession"] {
        folder
            .run(&["import", "two_dc.session", "--into", target])?
            .refused(1, &[target, "same file as the source"]);
    }
    folder.run(&["backup", "two_dc.session", "two_dc.session"])?.refused(1, &["two_dc.session"]);
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn a_login_is_replaced_by_a_session_without_one_only_with_a_flag_of_its_own() -> Result {
    let folder = Folder::with(&["plain_1.45.0", "empty_1.45.0"])?;
    folder.results(&["import", "plain_1.45.0", "--into", "store", "--as", "me"])?;
    let before = folder.results(&["dump", "store", "--secrets"])?;
    let replace = ["import", "empty_1.45.0", "--into", "store", "--as", "me", "--replace", "--yes"];
    folder.run(&replace)?.refused(1, &["\"me\"", "logged in", "--lose-login"]);
    assert!(folder.results(&["dump", "store", "--secrets"])? == before);
    let ran = folder.run(&[&replace[..], &["--lose-login"]].concat())?;
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = "replace session \"me\" (logged in, user 777009, 119 entities)";
    assert!(ran.stderr.contains(said), "{ran:?}");
    Ok(())
}

#[test]
fn a_script_removes_without_an_answer_and_the_loss_is_said() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let ran = folder.run(&["remove", "store", "two_dc"])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = "store.tgsession: delete session \"two_dc\" (logged in, 10 entities)\n";
    assert!(ran.stderr.contains(said), "{ran:?}");
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_remove_and_replace_ask_first() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let remove = "remove store two_dc";
    let replace = "import plain_1.45.0.session --into store --as two_dc --replace";
    let before = folder.results(&["dump", "store", "--secrets"])?;
    for arguments in [remove, replace] {
        for answer in ["n", "", "nonsense"] {
            let Some(said) = on_terminal(&folder, arguments, answer)? else {
                eprintln!("skipped: util-linux's script is not installed");
                return Ok(());
            };
            assert!(said.contains("[y/N]") && said.contains("not confirmed"), "{said}");
        }
    }
    assert!(folder.results(&["dump", "store", "--secrets"])? == before);
    on_terminal(&folder, replace, "y")?;
    assert!(folder.results(&["dump", "store", "--secrets"])? != before);
    let said = on_terminal(&folder, &format!("{remove} --yes"), "n")?.unwrap_or_default();
    assert!(!said.contains("[y/N]"), "{said}");
    assert_eq!(folder.results(&["list", "store"])?, "");
    Ok(())
}

/// What the tool says on a terminal where somebody types this; `None` where there is no way to
/// make a terminal.
fn on_terminal(folder: &Folder, arguments: &str, answer: &str) -> Result<Option<String>> {
    let tool = format!("{} {arguments}", env!("CARGO_BIN_EXE_tgsession"));
    let mut command = Command::new("script");
    command.args(["-qec", &tool, "/dev/null"]).current_dir(folder.root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return Ok(None) };
    let mut stdin = child.stdin.take().ok_or("no pipe")?;
    writeln!(stdin, "{answer}")?;
    let output = child.wait_with_output()?;
    drop(stdin);
    Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[test]
fn damage_names_its_cure_in_every_command() -> Result {
    let folder = Folder::with(&["bad_cellptr", "two_dc"])?;
    folder.results(&["import", "two_dc", "--into", "cut"])?;
    let store = fs::read(folder.path("cut.tgsession"))?;
    folder.write("cut.tgsession", &store[..store.len() / 2])?;
    let commands: [&[&str]; 5] = [
        &["info"],
        &["dump"],
        &["get", "--name", "x"],
        &["check"],
        &["export", "--to", "telethon", "-o", "out"],
    ];
    for command in commands {
        let with = |source| [&[command[0], source], &command[1..]].concat();
        folder.run(&with("bad_cellptr.session"))?.refused(3, &["--salvage"]);
        folder.run(&with("cut.tgsession"))?.refused(3, &["tgsession repair cut.tgsession OUT"]);
        if command[0] != "check" {
            let saved = folder.run(&[&with("bad_cellptr.session")[..], &["--salvage"]].concat())?;
            assert!(saved.code != 3, "{command:?}: {saved:?}");
        }
    }
    let import = ["import", "bad_cellptr.session", "--into", "new"];
    folder.run(&import)?.refused(3, &["--salvage"]);
    let import = ["import", "two_dc.session", "--into", "cut"];
    folder.run(&import)?.refused(3, &["tgsession repair"]);
    Ok(())
}

#[test]
fn check_writes_its_problems_to_standard_output() -> Result {
    let folder = Folder::with(&["bad_cellptr", "bad_trunc_100"])?;
    for source in ["bad_cellptr.session", "bad_trunc_100.session"] {
        let ran = folder.run(&["check", source])?;
        ran.refused(3, &[source]);
        assert!(!ran.stdout.is_empty() && !ran.stdout.contains("whole:"), "{ran:?}");
    }
    Ok(())
}

/// The auth key of a fixture's session, as bytes.
fn key_of(folder: &Folder, session: &str) -> Result<Vec<u8>> {
    let source = tgsession::Source::open(folder.path(session))?;
    let name = source.session_names()?.remove(0);
    let account = source.session(&name)?.account().clone();
    let key = account.dcs.iter().find_map(|dc| dc.auth_key.as_ref()).ok_or("no key")?;
    Ok(key.as_bytes().to_vec())
}

#[test]
fn a_scrubbed_store_has_no_byte_of_a_removed_key() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0"])?;
    let (gone, kept) =
        (key_of(&folder, "two_dc.session")?, key_of(&folder, "plain_1.45.0.session")?);
    let has = |key: &[u8]| -> Result<bool> {
        let store = fs::read(folder.path("store.tgsession"))?;
        Ok(store.windows(32).any(|bytes| key.windows(32).any(|piece| piece == bytes)))
    };
    for scrub in [
        &[&["remove", "store", "two_dc"] as &[&str], &["compact", "store", "--scrub"]]
            as &[&[&str]],
        &[&["remove", "store", "two_dc", "--scrub"]],
    ] {
        folder.results(&[
            "import",
            "two_dc",
            "plain_1.45.0",
            "--into",
            "store",
            "--skip-existing",
        ])?;
        assert!(has(&gone)? && has(&kept)?);
        for command in scrub {
            let ran = folder.run(command)?;
            assert_eq!(ran.code, 0, "{ran:?}");
            assert_eq!(
                ran.stderr.contains("was overwritten"),
                command.contains(&"--scrub"),
                "{ran:?}"
            );
        }
        assert!(!has(&gone)? && has(&kept)?);
        assert_eq!(folder.results(&["list", "store"])?, "plain_1.45.0\n");
        assert!(folder.results(&["check", "store"])?.starts_with("whole: 1 session"));
    }
    Ok(())
}
