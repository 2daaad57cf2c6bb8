//! Without `--secrets` no output of any command holds an auth key or a phone number.

use crate::support::{Folder, Ran, Result, expected};

const SOURCES: [&str; 5] = ["plain_1.45.0", "two_dc", "tmpkey", "swap_tmpkey", "username_conflict"];

#[test]
fn a_session_string_as_an_argument_is_refused_without_a_word_of_it() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let formats = ["telethon-string", "gramjs-string", "mtcute-string", "portable-string"];
    for format in formats {
        let text = folder.results(&["export", "username_conflict", "--to", format])?;
        let text = text.trim();
        for arguments in [&["dump", text] as &[&str], &["import", text, "--into", "new"]] {
            let ran = folder.run(arguments)?;
            ran.refused(2, &["--string-env"]);
            assert!(!ran.stderr.contains(&text[..20]), "{ran:?}");
        }
    }
    Ok(())
}

#[test]
fn no_key_and_no_phone_is_in_any_output_without_secrets() -> Result {
    for name in SOURCES {
        let folder = Folder::with(&[name, "bad_pagetype"])?;
        let secrets = secrets(name)?;
        let file = format!("{name}.session");
        let mut runs = vec![folder.run(&["import", &file, "--into", "store"])?];
        runs.push(folder.run(&["import", &file, "--into", "store"])?);
        runs.push(folder.run(&["import", &file, "bad_pagetype", "--into", "new"])?);
        for source in [&file, "store"] {
            for command in ["dump", "info", "check", "list"] {
                runs.push(folder.run(&[command, source])?);
            }
            runs.push(folder.run(&["get", source, "--username", "self_name"])?);
        }
        for (run, secret) in runs.iter().flat_map(|run| secrets.iter().map(move |s| (run, s))) {
            assert!(!shows(run, secret), "{name}: {}...", secret.get(..6).unwrap_or_default());
        }
    }
    Ok(())
}

#[test]
fn with_secrets_the_key_and_the_phones_are_whole() -> Result {
    for name in SOURCES {
        let folder = Folder::with(&[name])?;
        let ran = folder.run(&["dump", name, "--secrets"])?;
        let session = expected::session(name)?;
        let key = session["dcs"][0]["auth_key"].as_str().ok_or("no key")?;
        assert!(ran.stdout.contains(&format!("\"auth_key\": \"{key}\"")), "{name}");
        for phone in phones(&session) {
            assert!(ran.stdout.contains(&format!("\"phone\": \"{phone}\"")), "{name}");
        }
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn the_tool_and_its_children_write_no_core_dump_but_a_client_may() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.write("key", b"a passphrase")?;
    folder.results(&["import", "two_dc", "--into", "store", "--key-file", "key"])?;
    let tool = env!("CARGO_BIN_EXE_tgsession");
    let with_limit = |command: &str| -> Result {
        let script =
            format!("ulimit -S -c \"$(ulimit -H -c)\"; ulimit -c > given; exec {tool} {command}");
        let mut shell = std::process::Command::new("sh");
        assert!(shell.args(["-c", &script]).current_dir(folder.root()).status()?.success());
        Ok(())
    };
    with_limit("list store --key-command 'ulimit -c > limit; cat key'")?;
    assert_eq!(std::fs::read_to_string(folder.path("limit"))?, "0\n");
    with_limit("run store --key-file key -- sh -c 'ulimit -c > limit'")?;
    assert_eq!(std::fs::read(folder.path("limit"))?, std::fs::read(folder.path("given"))?);
    Ok(())
}

/// Whether a run's output has a piece of the secret that is too long for chance.
fn shows(run: &Ran, secret: &str) -> bool {
    let output = format!("{}{}", run.stdout, run.stderr).to_lowercase();
    let piece = secret.get(..24).unwrap_or(secret);
    output.contains(piece)
}

/// The keys as hexadecimal digits, temporary ones too, and the phones.
fn secrets(name: &str) -> Result<Vec<String>> {
    let sqlite = expected::read(name)?;
    let mut secrets = phones(&expected::session(name)?);
    for row in sqlite["sessions"].as_array().into_iter().flatten() {
        for column in ["auth_key", "tmp_auth_key", "takeout_id"] {
            let key = row[column]["hex"].as_str().filter(|key| key.len() == 512);
            secrets.extend(key.map(str::to_owned));
        }
    }
    assert!(secrets.iter().any(|secret| secret.len() == 512), "{name} has no key");
    Ok(secrets)
}

fn phones(session: &serde_json::Value) -> Vec<String> {
    let entities = session["entities"].as_array().into_iter().flatten();
    entities.filter_map(|row| row["phone"].as_str()).map(str::to_owned).collect()
}
