//! Output on a terminal: colours unless they are switched off, and the progress of long calls.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Folder, Result};
use tgsession::{
    AccessHash, Account, AuthKey, DcId, DcOption, Entity, ImportSession, PeerId, Store,
};

/// The output of the tool on a terminal; `None` where there is no way to make one.
fn on_terminal(
    folder: &Folder,
    arguments: &str,
    variables: &[(&str, &str)],
) -> Result<Option<String>> {
    let tool = format!("{} {arguments}", env!("CARGO_BIN_EXE_tgsession"));
    let mut command = Command::new("script");
    command.args(["-qec", &tool, "/dev/null"]).current_dir(folder.root());
    command.stdin(Stdio::null()).env("TERM", "xterm").env_remove("NO_COLOR");
    command.envs(variables.iter().copied());
    match command.output() {
        Ok(output) => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
        Err(_) => {
            eprintln!("skipped: util-linux's script is not installed");
            Ok(None)
        }
    }
}

#[test]
fn errors_are_coloured_on_a_terminal_unless_that_is_refused() -> Result {
    let folder = Folder::new()?;
    let Some(coloured) = on_terminal(&folder, "info absent", &[])? else { return Ok(()) };
    assert!(coloured.contains("\u{1b}[1;31mtgsession: \u{1b}[0mabsent: not found"), "{coloured}");
    for refusal in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = on_terminal(&folder, "info absent", &[refusal])?.unwrap_or_default();
        assert!(plain.contains("tgsession: absent") && !plain.contains('\u{1b}'), "{plain}");
    }
    let piped = folder.run(&["info", "absent"])?;
    assert!(!piped.stderr.contains('\u{1b}'), "{piped:?}");
    Ok(())
}

/// Enough for work of more than a second; a build with debug assertions shows the progress of less.
const MANY: i64 = if cfg!(debug_assertions) { 40_000 } else { 1_000_000 };
/// Where a store has the two copies of its root.
const ROOT_SLOTS: [usize; 2] = [512, 2048];
const AT_ONCE: (&str, &str) = ("TGSESSION_TEST_PATIENCE_MS", "0");

#[test]
fn work_of_more_than_a_second_shows_total_rate_and_remaining_time() -> Result {
    let folder = Folder::new()?;
    let store = Store::create(folder.path("large"))?;
    let entities = (1..=MANY).filter_map(PeerId::user).map(|id| {
        let mut entity = Entity::new(id);
        entity.access_hash = Some(AccessHash(1));
        Ok(entity)
    });
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(2));
    account.dcs = vec![DcOption::new(DcId(2)).with_key(AuthKey::new(&[7; 256]))];
    store.import("a", ImportSession::new(&account, entities))?;
    drop(store);
    let mut damaged = std::fs::read(folder.path("large.tgsession"))?;
    ROOT_SLOTS.iter().for_each(|at| damaged[at + 88] ^= 1);
    std::fs::write(folder.path("damaged.tgsession"), damaged)?;
    let json = "export large --to json -o out --force";
    let thousands = MANY / 1_000;
    let total = |what: &str| match thousands {
        1_000 => format!("/1,000,000 {what}, "),
        _ => format!("/{thousands},000 {what}, "),
    };
    for (command, doing, what) in [
        (json, "", "entities"),
        ("check large", "checking", "entities"),
        ("compact large --scrub", "compacting", "entities"),
        ("backup large copy", "copying", "entities"),
        ("repair large repaired", "repairing", "entities"),
        ("info damaged --salvage", "salvaging", "entities"),
        ("export large --to telethon -o old.session --force", "", "entities"),
        // The rows of all tables, and then those of the entities.
        ("check old.session", "checking", "rows"),
        ("info old.session", "", "entities"),
        ("import old.session --into another", "", "entities"),
    ] {
        let started = Instant::now();
        let Some(shown) = on_terminal(&folder, command, &[AT_ONCE])? else { return Ok(()) };
        if !cfg!(debug_assertions) && started.elapsed() < Duration::from_millis(2500) {
            continue; // this machine is too fast for a bar to appear
        }
        let shows = [doing, &total(what), "/s, ", " left"];
        assert!(shows.iter().all(|part| shown.contains(part)), "{command}: {shown}");
    }
    let quiet = on_terminal(&folder, &format!("{json} --quiet"), &[AT_ONCE])?.unwrap_or_default();
    assert_eq!(quiet, "");
    Ok(())
}

#[test]
fn completions_know_the_commands_and_options() -> Result {
    let folder = Folder::new()?;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.results(&["completions", shell])?;
        assert!(script.contains("import") && script.contains("skip-existing"), "{shell}");
        for word in ["encrypt", "rekey", "change", "key-command", "from-key-env", "new-key-file"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let ran = folder.run(&["completions", "tcsh"])?;
    assert_eq!(ran.code, 2, "{ran:?}");
    Ok(())
}

#[test]
fn a_passphrase_is_asked_for_once() -> Result {
    let folder = Folder::with(&["two_dc", "username_conflict"])?;
    folder.write("words", b"correct horse\n")?;
    for name in ["two_dc", "username_conflict"] {
        let seal = ["export", name, "--to", "portable", "--seal-passphrase-file", "words"];
        folder.results(&[&seal[..], &["-o", &format!("{name}.sealed")]].concat())?;
    }
    let import = "import two_dc.sealed username_conflict.sealed --into store";
    let tool = format!("{} {import}", env!("CARGO_BIN_EXE_tgsession"));
    let mut command = Command::new("script");
    command.args(["-qec", &tool, "/dev/null"]).current_dir(folder.root());
    let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        eprintln!("skipped: util-linux's script is not installed");
        return Ok(());
    };
    let mut stdin = child.stdin.take().ok_or("no pipe")?;
    writeln!(stdin, "correct horse")?;
    let shown = child.wait_with_output()?;
    drop(stdin);
    let shown = String::from_utf8_lossy(&shown.stdout);
    assert_eq!(shown.matches("Passphrase of ").count(), 1, "{shown}");
    assert_eq!(folder.results(&["list", "store"])?, "two_dc\nusername_conflict\n");
    Ok(())
}

/// What the tool says on a terminal where somebody types these lines; `None` where there is no way
/// to make one.
fn typing(folder: &Folder, arguments: &str, lines: &[&str]) -> Result<Option<String>> {
    let tool = format!("{} {arguments}", env!("CARGO_BIN_EXE_tgsession"));
    let mut command = Command::new("script");
    command.args(["-qec", &tool, "/dev/null"]).current_dir(folder.root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: util-linux's script is not installed");
        return Ok(None);
    };
    let mut stdin = child.stdin.take().ok_or("no pipe")?;
    lines.iter().try_for_each(|line| writeln!(stdin, "{line}"))?;
    let output = child.wait_with_output()?;
    drop(stdin);
    Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[test]
fn the_passphrase_of_a_store_is_asked_for_once() -> Result {
    let folder = Folder::with(&["two_dc", "username_conflict"])?;
    folder.write("words", b"correct horse\n")?;
    for name in ["two_dc", "username_conflict"] {
        folder.results(&["import", name, "--into", "store", "--key-file", "words"])?;
    }
    for command in
        ["list store", "dump store", "import store --into plain", "rename store two_dc a"]
    {
        let Some(shown) = typing(&folder, command, &["correct horse"])? else { return Ok(()) };
        assert_eq!(shown.matches("Passphrase of store.tgsession: ").count(), 1, "{shown}");
        assert!(!shown.contains("give another key"), "{shown}");
    }
    assert_eq!(folder.results(&["list", "plain"])?, "two_dc\nusername_conflict\n");
    assert_eq!(
        folder.results(&["list", "store", "--key-file", "words"])?,
        "a\nusername_conflict\n"
    );
    let wrong = typing(&folder, "list store", &["wrong horse"])?.unwrap_or_default();
    assert!(wrong.contains("wrong key: it opens no key slot of this store"), "{wrong}");
    let empty = typing(&folder, "info store", &[""])?.unwrap_or_default();
    assert!(empty.contains("the passphrase is empty") && empty.contains("key 1  "), "{empty}");
    Ok(())
}

#[test]
fn a_new_passphrase_is_asked_for_twice() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let before = folder.content()?;
    let encrypt = "encrypt store -o safe";
    let Some(differ) = typing(&folder, encrypt, &["one", "another"])? else { return Ok(()) };
    assert!(differ.contains("the two passphrases differ; nothing was written"), "{differ}");
    let empty = typing(&folder, encrypt, &["", ""])?.unwrap_or_default();
    assert!(empty.contains("the passphrase is empty"), "{empty}");
    assert!(folder.content()? == before, "nothing was written");
    let shown = typing(&folder, encrypt, &["first", "first"])?.unwrap_or_default();
    let prompts = ["New passphrase of safe.tgsession: ", "The same again: ", "encrypted to safe"];
    assert!(prompts.iter().all(|prompt| shown.contains(prompt)), "{shown}");
    let add = typing(&folder, "key add safe", &["first", "second", "second"])?.unwrap_or_default();
    assert!(add.contains("key 2 is added"), "{add}");
    let change = typing(&folder, "key change safe", &["first", "third", "third"])?;
    let change = change.unwrap_or_default();
    assert!(change.contains("key 3 is added, key 1 is removed"), "{change}");
    let remove = typing(&folder, "key remove safe 3", &["third", "n"])?.unwrap_or_default();
    assert!(remove.contains("the one that was given? [y/N]"), "{remove}");
    assert!(remove.contains("not confirmed"), "{remove}");
    let rekey = typing(&folder, "rekey safe -o safer", &["third", "fourth", "fourth"])?;
    assert!(rekey.unwrap_or_default().contains("under a new master key"));
    folder.write("words", b"fourth")?;
    assert_eq!(folder.results(&["list", "safer", "--key-file", "words"])?, "two_dc\n");
    Ok(())
}
