//! Encrypted stores: their keys from everywhere, and everything that can be wrong with a key.

use std::fs;

use crate::support::{Folder, Ran, Result, expected};
use tgsession::{Store, StoreKey};

const RAW: [u8; 32] = [0xa7; 32];
const PASSPHRASE: &str = "correct horse battery";
const KEY: [&str; 2] = ["--key-file", "key"];

impl Folder {
    /// A file that only its owner may read.
    fn write_key(&self, name: &str, content: &[u8]) -> Result {
        self.write(name, content)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600))?;
        }
        Ok(())
    }

    /// Runs the tool with the key of the folder after these words.
    fn with_key(&self, command: &str) -> Result<Ran> {
        self.run(&[&words(command)[..], &KEY].concat())
    }

    fn opened(&self, command: &str) -> Result<String> {
        self.results(&[&words(command)[..], &KEY].concat())
    }
}

fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

/// A folder with the key in hexadecimal digits, and an encrypted store of one session.
fn encrypted() -> Result<Folder> {
    let folder = Folder::with(&["two_dc"])?;
    folder.write_key("key", format!("{}\n", "a7".repeat(32)).as_bytes())?;
    folder.write_key("words", format!("{PASSPHRASE}\n").as_bytes())?;
    folder.opened("import two_dc --into store")?;
    Ok(folder)
}

const READING: [&str; 6] = [
    "list store",
    "info store",
    "dump store --secrets",
    "get store --username self_name",
    "check store",
    "export store --to portable-string",
];

#[test]
fn every_reading_command_takes_a_key_from_a_file_a_variable_and_a_command() -> Result {
    let folder = encrypted()?;
    let before = folder.content()?;
    for command in READING {
        let from_file = folder.with_key(command)?;
        // A command that finds nothing has opened the store as well.
        assert!(from_file.code == 0 || from_file.stderr.contains("has no "), "{from_file:?}");
        let mut from_variable =
            folder.command(&[&words(command)[..], &["--key-env", "K"]].concat());
        let from_variable = from_variable.env("K", "a7".repeat(32)).output()?;
        let from_command = [&words(command)[..], &["--key-command", SHOW_KEY]].concat();
        let from_command = folder.run(&from_command)?;
        if !command.starts_with("export") {
            assert_eq!(String::from_utf8(from_variable.stdout)?, from_file.stdout, "{command}");
            assert_eq!(from_command.stdout, from_file.stdout, "{command}");
        }
        assert_eq!(from_variable.status.code(), Some(from_file.code), "{command}");
        assert_eq!(from_command.code, from_file.code, "{command}: {from_command:?}");
    }
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

const SHOW_KEY: &str = if cfg!(windows) { "type key" } else { "cat key" };

#[test]
fn every_writing_command_takes_the_key_and_leaves_the_store_encrypted() -> Result {
    let folder = encrypted()?;
    for command in [
        "rename store two_dc alice",
        "import two_dc --into store --as bob",
        "import two_dc --into store --as bob --replace --yes",
        "remove store bob --scrub",
        "compact store",
        "backup store copy",
        "repair store repaired",
    ] {
        folder.opened(command)?;
    }
    for store in ["store", "copy", "repaired"] {
        assert_eq!(folder.opened(&format!("list {store}"))?, "alice\n");
        assert!(folder.opened(&format!("check {store}"))?.starts_with("whole: 1 session"));
        folder.run(&["list", store])?.refused(1, &[store, "the store is encrypted"]);
    }
    Ok(())
}

#[test]
fn without_its_key_a_store_is_refused_and_the_options_are_named() -> Result {
    let folder = encrypted()?;
    folder.write_key("other", &[9; 32])?;
    let before = folder.content()?;
    let writing = [
        "import two_dc --into store --as bob",
        "rename store two_dc alice",
        "remove store two_dc",
        "compact store",
        "backup store copy",
        "repair store repaired",
        "decrypt store -o plain",
        "key add store --new-key-file words",
        "key change store --new-key-file words",
        "key remove store 1",
    ];
    let named =
        ["store.tgsession", "the store is encrypted", "--key-file", "--key-env", "--key-command"];
    for command in READING.iter().chain(&writing) {
        let ran = folder.run(&words(command))?;
        ran.refused(1, &named);
        let wrong = [&words(command)[..], &["--key-file", "other"]].concat();
        folder
            .run(&wrong)?
            .refused(1, &["store.tgsession", "wrong key: it opens no key slot of this store"]);
    }
    let import = ["import", "store", "--into", "new"];
    folder.run(&import)?.refused(1, &["store.tgsession", "--from-key-file", "--from-key-env"]);
    let rekey = ["rekey", "store", "-o", "new", "--key-file", "key"];
    folder.run(&rekey)?.refused(1, &["store.tgsession", "--from-key-file", "--from-key-command"]);
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn a_key_for_a_store_that_is_not_encrypted_is_refused() -> Result {
    let folder = encrypted()?;
    folder.results(&["import", "two_dc", "--into", "plain"])?;
    let before = folder.content()?;
    for command in
        ["list plain", "info plain", "compact plain", "import two_dc --into plain --as b"]
    {
        folder.with_key(command)?.refused(1, &["plain.tgsession", "not encrypted"]);
    }
    for command in
        ["decrypt plain -o new", "rekey plain -o new", "key change plain", "key remove plain 1"]
    {
        folder.with_key(command)?.refused(1, &["plain.tgsession", "`tgsession encrypt plain"]);
    }
    folder.with_key("encrypt store -o new")?.refused(1, &["encrypted already", "tgsession rekey"]);
    folder.with_key("info two_dc")?.refused(1, &["two_dc.session", "not an encrypted store"]);
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn a_key_that_cannot_be_one_is_refused_where_it_is_read() -> Result {
    let folder = encrypted()?;
    for (name, content) in [("empty", ""), ("line", "\n"), ("windows", "\r\n")] {
        folder.write_key(name, content.as_bytes())?;
        let list = ["list", "store", "--key-file", name];
        folder.run(&list)?.refused(1, &[name, "the key is empty"]);
        let encrypt = ["import", "two_dc", "--into", "new", "--key-file", name];
        folder.run(&encrypt)?.refused(1, &[name, "the key is empty"]);
    }
    folder.run(&["list", "store", "--key-file", "absent"])?.refused(1, &["absent: cannot read"]);
    folder.run(&["list", "store", "--key-file", "."])?.refused(1, &[".: cannot read the key"]);
    let variable = ["list", "store", "--key-env", "NO_SUCH_VARIABLE"];
    folder.run(&variable)?.refused(1, &["NO_SUCH_VARIABLE is not set"]);
    let command = ["list", "store", "--key-command", "echo written-secret && exit 3"];
    let ran = folder.run(&command)?;
    ran.refused(1, &["--key-command", "failed", "3"]);
    assert!(!ran.stderr.contains("written-secret"), "{ran:?}");
    let command = ["list", "store", "--key-command", "exit 0"];
    folder.run(&command)?.refused(1, &["--key-command, standard output: the key is empty"]);
    let two = ["list", "store", "--key-file", "key", "--key-env", "K"];
    let ran = folder.run(&two)?;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(!folder.exists("new.tgsession"));
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_key_without_an_end_is_refused() -> Result {
    let folder = encrypted()?;
    let most = ["has more than 1048576 bytes"];
    folder.run(&["list", "store", "--key-file", "/dev/zero"])?.refused(1, &most);
    folder.run(&["list", "store", "--key-command", "yes"])?.refused(1, &most);
    Ok(())
}

#[test]
fn a_passphrase_may_have_a_mebibyte_and_need_not_be_text() -> Result {
    let folder = encrypted()?;
    let longest = vec![b'x'; 1 << 20];
    folder.write_key("longest", &[&longest[..], b"\r\n"].concat())?;
    folder.write_key("odd", b"\xff\xfe passphrase \x80")?;
    for (name, content) in [("longest", &longest[..]), ("odd", b"\xff\xfe passphrase \x80")] {
        let store = format!("{name}.tgsession");
        folder.results(&["import", "two_dc", "--into", &store, "--key-file", name])?;
        let key = StoreKey::passphrase(content);
        let path = folder.path(&store);
        assert_eq!(Store::options().key(&key).open_read_only(path)?.list()?, ["two_dc"]);
        assert_eq!(folder.results(&["list", &store, "--key-file", name])?, "two_dc\n");
    }
    folder.write_key("longer", &vec![b'x'; (1 << 20) + 1])?;
    let import = ["import", "two_dc", "--into", "new", "--key-file", "longer"];
    folder.run(&import)?.refused(1, &["has more than 1048576 bytes"]);
    assert!(!folder.exists("new.tgsession"));
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_warned_of() -> Result {
    use std::os::unix::fs::PermissionsExt;

    let folder = encrypted()?;
    fs::set_permissions(folder.path("key"), fs::Permissions::from_mode(0o644))?;
    let ran = folder.with_key("list store --quiet")?;
    assert_eq!(ran.stdout, "two_dc\n");
    assert!(ran.stderr.starts_with("tgsession: warning: key: other users"), "{ran:?}");
    Ok(())
}

#[test]
fn encrypt_rekey_and_decrypt_keep_everything_and_leave_the_source() -> Result {
    let folder = encrypted()?;
    folder.results(&["import", "two_dc", "--into", "plain"])?;
    let before = fs::read(folder.path("plain.tgsession"))?;
    let dump = folder.results(&["dump", "plain", "--secrets"])?;
    let ran = folder.run(&["encrypt", "plain", "--key-file", "words"])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    for said in ["encrypted to plain-encrypted.tgsession", "delete this file", "SSD", "Telegram"] {
        assert!(ran.stderr.contains(said), "{ran:?}");
    }
    let rekey = "rekey plain-encrypted -o rekeyed --from-key-file words";
    let ran = folder.with_key(rekey)?;
    assert!(ran.stderr.contains("its old keys still open this file"), "{ran:?}");
    let same = |ran: String, name: &str| {
        ran.replace(&format!("{name}.tgsession"), "plain.tgsession") == dump
    };
    assert!(same(folder.opened("dump rekeyed --secrets")?, "rekeyed"));
    folder.run(&["list", "rekeyed", "--key-file", "words"])?.refused(1, &["opens no key slot"]);
    let ran = folder.with_key("decrypt rekeyed -o decrypted")?;
    assert!(ran.stderr.contains("this file is not encrypted: a person"), "{ran:?}");
    assert!(same(folder.results(&["dump", "decrypted", "--secrets"])?, "decrypted"));
    assert!(fs::read(folder.path("plain.tgsession"))? == before);
    let key =
        expected::session("two_dc")?["dcs"][0]["auth_key"].as_str().ok_or("no key")?.to_owned();
    let key: Vec<_> =
        (0..64).step_by(2).flat_map(|at| u8::from_str_radix(&key[at..at + 2], 16)).collect();
    for (name, is_in_clear) in [("plain", true), ("plain-encrypted", false), ("rekeyed", false)] {
        let file = fs::read(folder.path(&format!("{name}.tgsession")))?;
        assert_eq!(file.windows(32).any(|bytes| bytes == key), is_in_clear, "{name}");
    }
    Ok(())
}

#[test]
fn no_copy_replaces_a_file() -> Result {
    let folder = encrypted()?;
    folder.results(&["import", "two_dc", "--into", "plain"])?;
    fs::rename(folder.path("key"), folder.path("key.tgsession"))?;
    let before = folder.content()?;
    let key = ["--key-file", "key.tgsession"];
    for (output, code, why) in [
        ("plain", 1, "same file as the source"),
        ("./plain.tgsession", 1, "same file as the source"),
        ("key", 1, "same file as the source key.tgsession"),
        ("store", 1, "already exists"),
        ("-", 2, "must be a file"),
        ("absent/new", 1, "absent: not found"),
    ] {
        let encrypt = [&["encrypt", "plain", "-o", output], &key[..]].concat();
        folder.run(&encrypt)?.refused(code, &[why]);
    }
    for command in ["decrypt store -o plain", "rekey store -o plain --from-key-file key.tgsession"]
    {
        folder.run(&[&words(command)[..], &key].concat())?.refused(1, &["plain", "already exists"]);
    }
    folder.run(&["encrypt", "plain", "-o", "new"])?.refused(2, &["no terminal", "--key-file"]);
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

/// The system ends a process that writes past the limit in the middle of its work.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_copy_leaves_no_file() -> Result {
    let folder = encrypted()?;
    folder.results(&["import", "two_dc", "--into", "plain"])?;
    let before = folder.content()?;
    for command in
        ["encrypt plain -o new", "rekey store -o new --from-key-file key", "decrypt store -o new"]
    {
        let tool = env!("CARGO_BIN_EXE_tgsession");
        let limited = format!("ulimit -c 0; ulimit -f 8; exec {tool} {command} --key-file key");
        let mut shell = std::process::Command::new("sh");
        let status = shell.args(["-c", &limited]).current_dir(folder.root()).status()?;
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(nix::libc::SIGXFSZ), "{command}");
        assert!(folder.content()? == before, "{command}");
    }
    Ok(())
}

#[test]
fn keys_are_added_changed_and_removed_but_never_the_last() -> Result {
    let folder = encrypted()?;
    folder.write_key("second", &[2; 32])?;
    folder.write_key("third", &[3; 32])?;
    folder.write_key("fourth", &[4; 32])?;
    folder.opened("key add store --new-key-file words")?;
    folder.with_key("key add store --new-key-file words")?.refused(1, &["already has this key"]);
    folder.opened("key add store --new-key-file second")?;
    folder.opened("key add store --new-key-file third")?;
    let listed = "1  key of 32 bytes\n2  passphrase (Argon2id, 65,536 KiB, 3 passes)\n3  key of 32 bytes\n4  key of 32 bytes\n";
    assert_eq!(folder.results(&["key", "list", "store"])?, listed);
    for command in ["key add store --new-key-file fourth", "key change store --new-key-file fourth"]
    {
        let full = ["all 4 key slots", "`tgsession key remove store.tgsession SLOT`"];
        folder.with_key(command)?.refused(1, &full);
    }
    for name in ["key", "words", "second", "third"] {
        assert_eq!(folder.results(&["list", "store", "--key-file", name])?, "two_dc\n", "{name}");
    }
    folder.opened("key remove store 2")?;
    folder.run(&["list", "store", "--key-file", "words"])?.refused(1, &["opens no key slot"]);
    folder.with_key("key remove store 2")?.refused(1, &["no key 2", "`tgsession key list"]);
    folder.with_key("key remove store 0")?.refused(1, &["no key 0"]);
    let ran = folder.with_key("key change store --new-key-file fourth")?;
    assert!(
        ran.stderr.starts_with("store.tgsession: key 2 is added, key 1 is removed\n"),
        "{ran:?}"
    );
    folder.with_key("list store")?.refused(1, &["opens no key slot"]);
    let fourth =
        |command: &str| folder.run(&[&words(command)[..], &["--key-file", "fourth"]].concat());
    assert_eq!(fourth("key remove store 3")?.code, 0);
    assert_eq!(fourth("key remove store 4")?.code, 0);
    fourth("key remove store 2")?.refused(1, &["the last key", "`tgsession key add"]);
    let keys = folder.json(&["key", "list", "store", "--json"])?;
    assert_eq!(keys["keys"], serde_json::json!([{"slot": 2, "kind": "raw"}]));
    Ok(())
}

#[test]
fn info_without_the_key_shows_what_can_be_seen_and_ends_as_of_any_sealed_source() -> Result {
    let folder = encrypted()?;
    let ran = folder.run(&["info", "store"])?;
    ran.refused(1, &["--key-file"]);
    for line in [
        "path            store.tgsession",
        "encrypted       yes",
        "key 1           key of 32 bytes",
    ] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "{ran:?}");
    }
    assert!(!ran.stdout.contains("two_dc") && !ran.stdout.contains("open in"), "{ran:?}");
    let held = Store::options().key(&StoreKey::raw(RAW)).open(folder.path("store.tgsession"))?;
    held.session("new")?;
    let ran = folder.run(&["info", "store"])?;
    let writer = format!("open in         process {} on ", std::process::id());
    assert!(ran.stdout.contains(&writer), "{ran:?}");
    let ran = folder.run(&["info", "store", "--json"])?;
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout)?;
    assert_eq!((ran.code, &shown["encrypted"], &shown["sessions"]), (1, &true.into(), &().into()));
    drop(held);
    let shown = folder.opened("info store")?;
    assert!(
        shown.contains("encrypted       yes\nkey 1           key of 32 bytes\nsessions"),
        "{shown}"
    );
    let shown: serde_json::Value = serde_json::from_str(&folder.opened("info store --json")?)?;
    assert_eq!(shown["encrypted"], true);
    assert!(folder.json(&["info", "two_dc", "--json"])?["encrypted"].is_null());
    Ok(())
}

#[test]
fn what_leaves_an_encrypted_store_in_clear_is_said() -> Result {
    let folder = encrypted()?;
    let says = |command: &str| -> Result<bool> {
        let ran = folder.with_key(command)?;
        assert_eq!(ran.code, 0, "{ran:?}");
        Ok(ran.stderr.contains("store.tgsession: the store is encrypted, but the output is not\n"))
    };
    for command in
        ["dump store", "export store --to telethon -o out", "export store --to portable-string"]
    {
        assert!(says(command)?, "{command}");
    }
    assert!(!says("dump store --quiet")?);
    assert!(!says("export store --to portable-string --seal-passphrase-file words")?);
    assert!(!folder.run(&["dump", "two_dc"])?.stderr.contains("encrypted"));
    Ok(())
}

#[test]
fn a_damaged_store_is_repaired_and_salvaged_with_its_key() -> Result {
    let folder = encrypted()?;
    let mut file = fs::read(folder.path("store.tgsession"))?;
    file.truncate(file.len() - 4096);
    folder.write("store.tgsession", &file)?;
    folder.with_key("list store")?.refused(3, &["`tgsession repair store.tgsession OUT`"]);
    folder.run(&["repair", "store", "new"])?.refused(1, &["the store is encrypted", "--key-file"]);
    let repaired = folder.with_key("repair store new")?;
    assert!([0, 3].contains(&repaired.code), "{repaired:?}");
    folder.run(&["list", "new"])?.refused(1, &["the store is encrypted"]);
    let names = folder.opened("list new")?;
    let dump = folder.opened("dump store --salvage")?;
    assert!(names.lines().all(|name| dump.contains(name)), "{names}: {dump}");
    folder.run(&["dump", "store", "--salvage"])?.refused(1, &["--key-file"]);
    Ok(())
}

#[test]
fn an_encrypted_store_in_a_directory_is_skipped_as_any_store() -> Result {
    let folder = encrypted()?;
    fs::create_dir(folder.path("all"))?;
    fs::rename(folder.path("two_dc.session"), folder.path("all/two_dc.session"))?;
    fs::rename(folder.path("store.tgsession"), folder.path("all/store.tgsession"))?;
    let ran = folder.run(&["import", "all", "--into", "new"])?;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stderr.contains("a store (name it alone to import its sessions): store"),
        "{ran:?}"
    );
    let alone = ["import", "all/store", "--into", "new", "--as", "b", "--from-key-file", "key"];
    folder.results(&alone)?;
    assert_eq!(folder.results(&["list", "new"])?, "b\ntwo_dc\n");
    Ok(())
}

#[test]
fn no_output_holds_the_key() -> Result {
    let folder = encrypted()?;
    let mut runs = Vec::new();
    runs.push(folder.with_key("key add store --new-key-file words")?);
    for command in
        READING.iter().chain(&["key list store", "key remove store 1", "rename store a b"])
    {
        for key in ["words", "key", "absent"] {
            runs.push(folder.run(&[&words(command)[..], &["--key-file", key]].concat())?);
        }
        let mut run = folder.command(&[&words(command)[..], &["--key-env", "K"]].concat());
        let output = run.env("K", PASSPHRASE).output()?;
        let text = |bytes| String::from_utf8(bytes);
        runs.push(Ran { code: 0, stdout: text(output.stdout)?, stderr: text(output.stderr)? });
        let show = if cfg!(windows) { "type words" } else { "cat words; exit 1" };
        runs.push(folder.run(&[&words(command)[..], &["--key-command", show]].concat())?);
    }
    for run in runs {
        let output = format!("{}{}", run.stdout, run.stderr);
        assert!(!output.contains(PASSPHRASE) && !output.contains(&"a7".repeat(8)), "{run:?}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn run_restores_and_saves_an_encrypted_store_with_its_key() -> Result {
    let folder = encrypted()?;
    let save = ["run", "store", "--save", "cp \"$STORE\" saved", "--", "touch", "started"];
    folder.run(&save)?.refused(1, &["the store is encrypted", "--key-file"]);
    assert!(!folder.exists("started") && !folder.exists("saved"));
    let with = |command: &[&str]| folder.run(&[&["run", "store"], &KEY[..], command].concat());
    assert_eq!(with(&save[2..])?.code, 0);
    assert_eq!(folder.opened("list saved")?, "two_dc\n");
    fs::remove_file(folder.path("store.tgsession"))?;
    let restore = ["--restore", "cp saved \"$STORE\"", "--", "true"];
    folder.run(&[&["run", "store"], &restore[..]].concat())?.refused(1, &["is encrypted"]);
    assert!(!folder.exists("store.tgsession"));
    assert_eq!(with(&restore)?.code, 0);
    assert_eq!(folder.opened("list store")?, "two_dc\n");
    Ok(())
}
