//! `tgsession run`: what a client did is saved, also where its whole process group is ended.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Folder, Ran, Result};

const TOOL: &str = env!("CARGO_BIN_EXE_tgsession");

/// A client that logs in, and stays until it is told to end.
fn client() -> String {
    format!(
        "{TOOL} -q import two_dc.session --into \"$STORE\" --skip-existing; \
         trap 'echo ended > ended; exit 7' TERM INT; touch started; \
         while :; do sleep 0.05; done"
    )
}

fn start(folder: &Folder, more: &[&str]) -> Result<Child> {
    let client = client();
    let arguments = [&["run", "disk/accounts"], more, &["--", "sh", "-c", &client]].concat();
    let mut command = folder.command(&arguments);
    command.stderr(Stdio::piped()).stdout(Stdio::null()).process_group(0);
    Ok(command.spawn()?)
}

fn until(mut there: impl FnMut() -> bool) -> Result {
    let started = Instant::now();
    while !there() {
        if started.elapsed() > Duration::from_secs(60) {
            return Err("it takes too long".into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn end(child: Child) -> Result<Ran> {
    let output = child.wait_with_output()?;
    Ok(Ran {
        code: output.status.code().ok_or("ended by a signal")?,
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// To one process, or with a minus before it to its group.
fn signal(name: &str, target: &str) -> Result {
    assert!(Command::new("kill").args(["-s", name, "--", target]).status()?.success());
    Ok(())
}

/// Whether a shell can catch it: not where this process was started with the signal ignored, as jobs in
/// the background of a script are.
fn is_caught(name: &str) -> Result<bool> {
    let script = format!("trap 'exit 7' {name}; kill -s {name} $$; exit 0");
    Ok(Command::new("sh").args(["-c", &script]).status()?.code() == Some(7))
}

fn prepared() -> Result<Folder> {
    let folder = Folder::with(&["two_dc"])?;
    fs::create_dir(folder.path("disk"))?;
    Ok(folder)
}

const RESTORE: &str = "test ! -e remote || cp remote \"$STORE\"";
const SAVE: &str = "cp \"$STORE\" remote";

#[test]
fn a_client_whose_group_is_ended_leaves_its_store_saved() -> Result {
    for (name, group) in [("TERM", true), ("TERM", false), ("INT", false)] {
        if !is_caught(name)? {
            eprintln!("skipped: SIG{name} is ignored here");
            continue;
        }
        let folder = prepared()?;
        let child = start(&folder, &["--restore", RESTORE, "--save", SAVE])?;
        until(|| folder.exists("started"))?;
        let pid = child.id().to_string();
        signal(name, &if group { format!("-{pid}") } else { pid })?;
        let ran = end(child)?;
        assert_eq!(ran.code, 7, "the client's own exit code: {ran:?}");
        assert!(folder.exists("ended"), "the client got the signal: {ran:?}");
        assert!(ran.stderr.contains("disk/accounts.tgsession: saved"), "{ran:?}");
        assert_eq!(folder.results(&["list", "remote"])?, "two_dc\n");
        // The disk forgets; the next start has it all again.
        fs::remove_dir_all(folder.path("disk"))?;
        fs::create_dir(folder.path("disk"))?;
        let list = [TOOL, "list", "disk/accounts"];
        let again = ["run", "disk/accounts", "--restore", RESTORE, "--save", SAVE, "--"];
        let ran = folder.run(&[&again[..], &list].concat())?;
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "two_dc\n"), "{ran:?}");
    }
    Ok(())
}

/// A client that writes a line for each signal, and ends half a second after the first.
const COUNTING: &str = "trap 'echo got >> got' TERM INT; touch started; \
                        while ! test -e got; do sleep 0.02; done; sleep 0.5; exit 7";

#[test]
fn a_signal_to_the_whole_group_reaches_the_client_once() -> Result {
    for name in ["TERM", "INT"] {
        if !is_caught(name)? {
            eprintln!("skipped: SIG{name} is ignored here");
            continue;
        }
        let folder = prepared()?;
        let mut command = folder.command(&["run", "disk/accounts", "--", "sh", "-c", COUNTING]);
        command.stderr(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        let child = command.spawn()?;
        until(|| folder.exists("started"))?;
        signal(name, &format!("-{}", child.id()))?;
        let ran = end(child)?;
        assert_eq!(ran.code, 7, "{ran:?}");
        assert_eq!(fs::read_to_string(folder.path("got"))?, "got\n", "SIG{name}");
    }
    Ok(())
}

/// The signal comes between the fork and the first step of the client.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_while_the_client_starts_leaves_no_client_alone() -> Result {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let folder = prepared()?;
    // It lives on after the signal for a moment, so that a tool that did not wait for it is seen.
    folder.write("client", b"trap '' TERM; touch started; sleep 0.1; touch ended; exit 7")?;
    for _ in 0..20 {
        let mut command = folder.command(&["run", "disk/accounts", "--", "sh", "client"]);
        let mut tool = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let id = tool.id();
        let children = format!("/proc/{id}/task/{id}/children");
        while tool.try_wait()?.is_none() && fs::read_to_string(&children)?.is_empty() {}
        kill(Pid::from_raw(i32::try_from(id)?), Signal::SIGTERM)?;
        let code = tool.wait()?.code();
        let was_left = !folder.exists("ended");
        thread::sleep(Duration::from_millis(if code == Some(7) { 0 } else { 100 }));
        assert!(!(was_left && folder.exists("started")), "the tool left its client: {code:?}");
        for name in ["started", "ended"] {
            let _ = fs::remove_file(folder.path(name));
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_on_a_terminal_reaches_the_client_once() -> Result {
    if !is_caught("INT")? {
        eprintln!("skipped: SIGINT is ignored here");
        return Ok(());
    }
    let folder = prepared()?;
    folder.write("client", COUNTING.as_bytes())?;
    // A shell that stayed between them would get the signal too, and give its own exit code.
    let tool = format!("exec {TOOL} run disk/accounts --save 'touch saved' -- sh client");
    let mut command = Command::new("script");
    command.args(["-qec", &tool, "/dev/null"]).env("SHELL", "/bin/sh").current_dir(folder.root());
    let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn() else {
        eprintln!("skipped: util-linux's script is not installed");
        return Ok(());
    };
    until(|| folder.exists("started"))?;
    let mut keyboard = child.stdin.take().ok_or("no pipe")?;
    keyboard.write_all(b"\x03")?;
    assert_eq!(child.wait()?.code(), Some(7));
    drop(keyboard);
    assert_eq!(fs::read_to_string(folder.path("got"))?, "got\n");
    Ok(())
}

#[test]
fn a_running_client_is_saved_now_and_then() -> Result {
    let folder = prepared()?;
    let child = start(&folder, &["--save", SAVE, "--save-every", "1"])?;
    until(|| folder.run(&["list", "remote"]).is_ok_and(|ran| ran.stdout == "two_dc\n"))?;
    assert!(!folder.exists("ended"), "the client still runs");
    let pid = child.id().to_string();
    signal("TERM", &pid)?;
    let ran = end(child)?;
    let saves = ran.stderr.matches("disk/accounts.tgsession: saved").count();
    assert!((1..=2).contains(&saves), "what has not changed is not saved again: {ran:?}");
    Ok(())
}

#[test]
fn what_cannot_be_restored_starts_no_client_and_saves_nothing() -> Result {
    let folder = prepared()?;
    folder.write("remote", b"\x89tgsession\r\n\x1a\n and no more")?;
    let client = ["--", "touch", "started"];
    for restore in ["exit 3", RESTORE] {
        let run = ["run", "disk/accounts", "--restore", restore, "--save", SAVE];
        let ran = folder.run(&[&run[..], &client].concat())?;
        assert!(ran.code == 1 || ran.code == 3, "{ran:?}");
        assert!(ran.stderr.contains("accounts.tgsession"), "{ran:?}");
        assert!(!folder.exists("started"), "{ran:?}");
        assert_eq!(fs::read_dir(folder.path("disk"))?.count(), 0, "nothing is left behind");
    }
    assert!(fs::read(folder.path("remote"))?.ends_with(b"no more"));
    Ok(())
}

#[test]
fn a_save_that_fails_is_tried_again_and_then_is_an_error() -> Result {
    let folder = prepared()?;
    folder.results(&["import", "two_dc", "--into", "disk/accounts"])?;
    let flaky = "test -e once && cp \"$STORE\" remote || { touch once; exit 1; }";
    let ran = folder.run(&["run", "disk/accounts", "--save", flaky, "--", "true"])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(folder.exists("remote"));
    let ran = folder.run(&["run", "disk/accounts", "--save", "exit 9", "--", "true"])?;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("exit code 9"), "{ran:?}");
    let lost = ["run", "disk/accounts", "--save", "exit 9", "--", "sh", "-c", "exit 5"];
    assert_eq!(folder.run(&lost)?.code, 1, "a store that is not saved weighs more");
    let ran = folder.run(&["run", "disk/accounts", "--save", SAVE, "--", "no-such-client"])?;
    ran.refused(1, &["no-such-client"]);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_starts_with_no_signal_blocked() -> Result {
    let folder = prepared()?;
    let client =
        ["run", "disk/accounts", "--save", SAVE, "--", "grep", "SigBlk", "/proc/self/status"];
    let blocked = folder.results(&client)?;
    assert_eq!(blocked.split_whitespace().nth(1), Some("0000000000000000"), "{blocked}");
    Ok(())
}
