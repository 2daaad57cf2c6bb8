//! What newcomers try and what goes wrong around the tool: one clear line, nothing lost, no hang.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Folder, Result};
use tgsession::{Account, Entity, ImportSession, PeerId, Store};

#[test]
fn no_argument_and_a_typo_show_the_way() -> Result {
    let folder = Folder::new()?;
    let ran = folder.run(&[])?;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("Usage: tgsession") && ran.stderr.contains("import"), "{ran:?}");
    let ran = folder.run(&["imprt", "x", "--into", "y"])?;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("'import'"), "{ran:?}");
    let ran = folder.run(&["import", "x", "--int", "y"])?;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("'--into'"), "{ran:?}");
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_a_name() -> Result {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::with(&["two_dc"])?;
    let name = OsStr::from_bytes(b"caf\xe9.session");
    fs::rename(folder.path("two_dc.session"), folder.root().join(name))?;
    for arguments in [&["info"] as &[&str], &["check"], &["import", "--into", "store"]] {
        let output = folder.command(arguments).arg(name).output()?;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    }
    let out = OsStr::from_bytes(b"out\xe9");
    let export = ["export", "store", "--to", "telethon", "-o"];
    assert!(folder.command(&export).arg(out).status()?.success());
    assert!(folder.root().join(out).is_file());
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_name_with_a_line_break_stays_on_one_line() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    fs::rename(folder.path("two_dc.session"), folder.path("a\nb.session"))?;
    let ran = folder.run(&["import", "a\nb.session", "--into", "store"])?;
    ran.refused(1, &["a\\nb.session", "--as"]);
    folder.results(&["import", "a\nb.session", "--into", "store", "--as", "a"])?;
    let info = folder.results(&["info", "a\nb.session"])?;
    assert!(info.starts_with("path            a\\nb.session\n"), "{info}");
    folder.run(&["info", "no\nfile"])?.refused(1, &["no\\nfile: not found"]);
    Ok(())
}

#[test]
fn a_session_named_as_a_path_is_written_to_no_path_but_the_one_given() -> Result {
    for name in ["/", "..", "../evil", "a/b"] {
        let folder = Folder::with(&["two_dc"])?;
        folder.results(&["import", "two_dc", "--into", "store", "--as", name])?;
        let before = folder.content()?;
        let export = ["export", "store", "--to", "telethon", "-o"];
        let why = ["cannot be the name of a file", "-o FILE"];
        folder.run(&[&export[..], &["out/"]].concat())?.refused(1, &why);
        assert!(folder.content()? == before, "{name}");
        folder.results(&[&export[..], &["alone.session"]].concat())?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_a_device_and_a_link_loop_are_refused_at_once() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    assert!(Command::new("mkfifo").arg(folder.path("pipe")).status()?.success());
    std::os::unix::fs::symlink("loop2", folder.path("loop1"))?;
    std::os::unix::fs::symlink("loop1", folder.path("loop2"))?;
    for command in ["info", "dump", "check"] {
        folder.run(&[command, "pipe"])?.refused(1, &["pipe: not a session: not a regular file"]);
        folder.run(&[command, "/dev/null"])?.refused(1, &["/dev/null", "not a regular file"]);
        folder.run(&[command, "loop1"])?.refused(1, &["loop1", "symbolic links"]);
    }
    folder.run(&["import", "pipe", "--into", "store"])?.refused(1, &["not a regular file"]);
    folder.run(&["import", "two_dc", "--into", "pipe"])?.refused(1, &["not a regular file"]);
    for output in ["pipe", "/dev/null", "/dev/stdout"] {
        let export = ["export", "two_dc", "--to", "telethon", "--force", "-o", output];
        folder.run(&export)?.refused(1, &[output, "not a regular file"]);
        let report = ["export", "two_dc", "--to", "telethon", "--force", "-o", "out"];
        let report = [&report[..], &["--report", output]].concat();
        folder.run(&report)?.refused(1, &[output, "not a regular file"]);
    }
    assert!(!folder.exists("out") && !File::open("/dev/null")?.metadata()?.is_file());
    Ok(())
}

#[test]
fn a_directory_for_a_file_and_a_file_for_a_directory_are_named() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    fs::create_dir(folder.path("directory"))?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let export = |output: &str| {
        let arguments = ["export", "two_dc", "--to", "telethon", "-o", output, "--force"];
        folder.run(&arguments)
    };
    let before = folder.content()?;
    folder.run(&["info", "directory"])?.refused(1, &["directory", "a directory"]);
    folder.run(&["info", "/"])?.refused(1, &["/: not a session: a directory"]);
    folder.run(&["list", "directory"])?.refused(1, &["directory", "not a store: a directory"]);
    folder.run(&["import", "two_dc", "--into", "directory"])?.refused(1, &["not a store"]);
    folder.run(&["import", "directory", "--into", "new"])?.refused(1, &["no session found"]);
    folder.run(&["backup", "store", "directory"])?.refused(1, &["directory: already exists"]);
    let passphrase = ["dump", "two_dc", "--passphrase-file", "directory"];
    folder.run(&passphrase)?.refused(1, &["directory: cannot read the passphrase"]);
    export("two_dc.session/x")?.refused(1, &["two_dc.session/x"]);
    export("two_dc.session/")?.refused(1, &["two_dc.session"]);
    folder.run(&["info", "two_dc.session/x"])?.refused(1, &["two_dc.session/x: not found"]);
    folder
        .run(&["import", "two_dc", "--into", "two_dc.session/x"])?
        .refused(1, &["two_dc.session"]);
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn gigabytes_of_nothing_are_refused_at_once() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    for (name, head) in [("zeros.session", &[0_u8; 4][..]), ("noise.session", b"\x01\xfe\xff")] {
        folder.write(name, head)?;
        File::options().write(true).open(folder.path(name))?.set_len(2 << 30)?;
        let started = Instant::now();
        for command in [&["info", name] as &[&str], &["import", name, "--into", "new"]] {
            folder.run(command)?.refused(1, &[name, "not a session: unknown file format"]);
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{name}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_directory_that_may_not_be_written_is_named() -> Result {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::with(&["two_dc"])?;
    fs::create_dir(folder.path("closed"))?;
    fs::set_permissions(folder.path("closed"), fs::Permissions::from_mode(0o555))?;
    if File::create(folder.path("closed/probe")).is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return Ok(());
    }
    folder.run(&["import", "two_dc", "--into", "closed/store"])?.refused(1, &["closed", "denied"]);
    let export = ["export", "two_dc", "--to", "telethon", "-o", "closed/out"];
    folder.run(&export)?.refused(1, &["closed", "denied"]);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn no_result_is_lost_without_a_word() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let commands: [&[&str]; 6] = [
        &["list", "store"],
        &["list", "store", "--json"],
        &["info", "store", "--json"],
        &["check", "store", "--json"],
        &["export", "store", "--to", "telethon-string"],
        &["import", "two_dc", "--into", "other", "--json"],
    ];
    for command in commands {
        let full = File::options().write(true).open("/dev/full")?;
        let output = folder.command(command).stdout(full).output()?;
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let said = String::from_utf8(output.stderr)?;
        assert!(said.contains("cannot write to standard output"), "{command:?}: {said}");
    }
    Ok(())
}

#[test]
fn words_that_nobody_hears_are_no_failure() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    let mut command = folder.command(&["import", "two_dc", "--into", "store"]);
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    drop(child.stderr.take());
    assert_eq!(child.wait()?.code(), Some(0));
    assert_eq!(folder.results(&["list", "store"])?, "two_dc\n");
    Ok(())
}

/// A store that takes a moment to work on.
fn large_store(folder: &Folder, entities: i64) -> Result {
    let store = Store::create(folder.path("large"))?;
    let entities = (1..=entities).filter_map(PeerId::user).map(|id| {
        let mut entity = Entity::new(id);
        entity.name = Some(format!("Somebody {id:?} with a name of some length"));
        Ok(entity)
    });
    store.import("a", ImportSession::new(&Account::default(), entities))?;
    Ok(())
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_what_was_there_or_what_was_to_be() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    large_store(&folder, 60_000)?;
    let whole = fs::read(folder.path("large.tgsession"))?;
    let commands: [&[&str]; 11] = [
        &["import", "large", "--into", "new"],
        &["import", "two_dc", "--into", "large"],
        &["export", "large", "--session", "a", "--to", "json", "-o", "out"],
        &["backup", "large", "copy"],
        &["compact", "large"],
        &["compact", "large", "--scrub"],
        &["repair", "large", "copy"],
        &["rename", "large", "a", "b"],
        &["remove", "large", "a"],
        &["remove", "large", "a", "--scrub"],
        &["import", "two_dc", "--into", "large", "--as", "a", "--replace"],
    ];
    for command in commands {
        for wait in [1, 5, 20, 60, 150] {
            let child = folder.command(command).stderr(Stdio::null()).spawn()?;
            thread::sleep(Duration::from_millis(wait));
            interrupt(child)?;
            for store in ["large", "new", "copy"] {
                if folder.exists(&format!("{store}.tgsession")) {
                    let checked = folder.run(&["check", store])?;
                    assert_eq!(checked.code, 0, "{command:?} after {wait} ms: {checked:?}");
                }
            }
            if folder.exists("out") {
                folder.results(&["info", "out"])?;
            }
            let known =
                ["large.tgsession", "two_dc.session", "new.tgsession", "copy.tgsession", "out"];
            for name in folder.content()?.into_keys() {
                assert!(known.contains(&name.as_str()), "{command:?} left {name}");
            }
            for name in ["new.tgsession", "copy.tgsession", "out"] {
                let _ = fs::remove_file(folder.path(name));
            }
            folder.write("large.tgsession", &whole)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_a_store_that_its_key_opens() -> Result {
    let folder = Folder::new()?;
    large_store(&folder, 20_000)?;
    for (name, byte) in [("key", 1), ("second", 2)] {
        folder.write(name, &[byte; 32])?;
    }
    let by = |key: &'static str| ["--key-file", key];
    folder.results(&[&["encrypt", "large", "-o", "sealed"][..], &by("key")].concat())?;
    let whole = fs::read(folder.path("sealed.tgsession"))?;
    let known = folder.content()?;
    let commands: [&[&str]; 6] = [
        &["encrypt", "large", "-o", "copy", "--key-file", "key"],
        &["decrypt", "sealed", "-o", "copy", "--key-file", "key"],
        &["rekey", "sealed", "-o", "copy", "--from-key-file", "key", "--key-file", "second"],
        &["key", "add", "sealed", "--key-file", "key", "--new-key-file", "second"],
        &["key", "change", "sealed", "--key-file", "key", "--new-key-file", "second"],
        &["key", "remove", "sealed", "1", "--key-file", "second"],
    ];
    for command in commands {
        for wait in [1, 30] {
            if command[1] == "remove" {
                let add = ["key", "add", "sealed", "--new-key-file", "second"];
                folder.results(&[&add[..], &by("key")].concat())?;
            }
            let child = folder.command(command).stderr(Stdio::null()).spawn()?;
            thread::sleep(Duration::from_millis(wait));
            interrupt(child)?;
            for store in ["sealed", "copy"] {
                let opens = |keys: &[&str]| -> Result<bool> {
                    Ok(folder.run(&[&["check", store][..], keys].concat())?.code == 0)
                };
                let exists = folder.exists(&format!("{store}.tgsession"));
                let opened = !exists || opens(&by("key"))? || opens(&by("second"))? || opens(&[])?;
                assert!(opened, "{store} after {command:?} was ended after {wait} ms");
            }
            let _ = fs::remove_file(folder.path("copy.tgsession"));
            folder.write("sealed.tgsession", &whole)?;
            let left = folder.content()?;
            assert!(left.keys().eq(known.keys()), "{command:?} left {:?}", left.keys());
            assert!(left["large.tgsession"] == known["large.tgsession"], "{command:?}");
        }
    }
    Ok(())
}

/// As ctrl-C does.
#[cfg(unix)]
fn interrupt(mut child: Child) -> Result {
    Command::new("kill").args(["-s", "INT", &child.id().to_string()]).output()?;
    child.wait()?;
    Ok(())
}

#[test]
fn many_tools_at_once_on_one_store_lose_nothing() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    let names: Vec<_> = (0..6).map(|number| format!("s{number}")).collect();
    let all = |more: &[&str]| -> Result<Vec<Option<i32>>> {
        let start = |name: &String| {
            let arguments = ["import", "two_dc", "--into", "store", "--as", name.as_str()];
            let mut command = folder.command(&[&arguments[..], more].concat());
            command.stderr(Stdio::null()).spawn()
        };
        let children: Vec<_> = names.iter().map(start).collect::<std::io::Result<_>>()?;
        children.into_iter().map(|mut child| Ok(child.wait()?.code())).collect()
    };
    let codes = all(&["--wait", "60"])?;
    assert_eq!(codes, vec![Some(0); 6], "they also create the store together");
    assert_eq!(folder.results(&["list", "store"])?.lines().count(), 6);
    let codes = all(&["--replace"])?;
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 4))), "{codes:?}");
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert_eq!(folder.results(&["list", "store"])?.lines().count(), 6);
    folder.results(&["check", "store"])?;
    Ok(())
}
