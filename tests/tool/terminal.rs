//! Output on a terminal: colours unless they are switched off, and the progress of long calls.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Folder, Result};
use tgsession::{Account, Entity, ImportSession, PeerId, Store};

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

#[test]
fn work_of_more_than_a_second_shows_total_rate_and_remaining_time() -> Result {
    let folder = Folder::new()?;
    let store = Store::create(folder.path("large"))?;
    let entities = (1..=700_000).filter_map(PeerId::user).map(|id| Ok(Entity::new(id)));
    store.import("a", ImportSession::new(&Account::default(), entities))?;
    drop(store);
    let json = "export large --to json -o out --force";
    let started = Instant::now();
    let Some(shown) = on_terminal(&folder, json, &[])? else { return Ok(()) };
    if started.elapsed() < Duration::from_millis(1500) {
        eprintln!("skipped: this machine is too fast for a bar to appear");
        return Ok(());
    }
    let shows = |shown: &str| shown.contains("/700,000 entities, ") && shown.contains("/s, ");
    assert!(shows(&shown), "{shown}");
    assert!(shown.contains(" left"), "{shown}");
    for (command, doing) in [
        ("check large", "checking"),
        ("compact large --scrub", "compacting"),
        ("backup large copy", "copying"),
    ] {
        let started = Instant::now();
        let shown = on_terminal(&folder, command, &[])?.unwrap_or_default();
        let shows = shown.contains(doing) && shows(&shown) && shown.contains(" left");
        assert!(shows || started.elapsed() < Duration::from_millis(2500), "{command}: {shown}");
    }
    let quiet = on_terminal(&folder, &format!("{json} --quiet"), &[])?.unwrap_or_default();
    assert_eq!(quiet, "");
    Ok(())
}

#[test]
fn completions_know_the_commands_and_options() -> Result {
    let folder = Folder::new()?;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.results(&["completions", shell])?;
        assert!(script.contains("import") && script.contains("skip-existing"), "{shell}");
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
