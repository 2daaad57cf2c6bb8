//! The key of a store: from a file, a variable, a command or a prompt.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, ffi::OsString};

use tgsession::{Error, KeyError, KeyInfo, KeyKind, Store, StoreKey, StoreOptions};
use zeroize::Zeroizing;

use crate::args::keys::{KeyOptions, KeyPlace};
use crate::failure::{Failure, Outcome};
use crate::source;

/// Gets the key of a store: from the options, or else from a prompt.
pub(crate) struct Unlocker {
    options: KeyOptions,
    given: Option<StoreKey>,
}

impl Unlocker {
    /// Reads the key from its place.
    pub(crate) fn new(options: KeyOptions) -> Outcome<Self> {
        let given = options.place.as_ref().map(|place| read(place, options.prefix)).transpose()?;
        Ok(Self { options, given })
    }

    /// The key that the options gave.
    pub(crate) fn given(&self) -> Option<&StoreKey> {
        self.given.as_ref()
    }

    /// Opens a store. Asks for the key if it needs one, none was given and somebody can answer.
    pub(crate) fn open<T>(
        &self,
        open: impl Fn(Option<&StoreKey>) -> tgsession::Result<T>,
    ) -> Outcome<T> {
        let error = match open(self.given()) {
            Err(error) if is_missing(&error) => error,
            opened => return Ok(opened?),
        };
        let Some(typed) = ask(&error)? else { return Err(self.failure(error)) };
        Ok(open(Some(&typed))?)
    }

    /// Names the options of this key where the key is missing.
    pub(crate) fn failure(&self, error: Error) -> Failure {
        match error {
            Error::Key { path, why: KeyError::Missing } if !self.options.prefix.is_empty() => {
                Failure::Refused(missing(&path, self.options.prefix))
            }
            error => error.into(),
        }
    }
}

/// Whether an encrypted store was opened without a key.
pub(crate) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Key { why: KeyError::Missing, .. })
}

/// The message for a key error, with the command or option that helps. `None`: the message of the
/// library is enough.
pub(crate) fn in_words(path: &Path, why: KeyError) -> Option<String> {
    let path_shown = path.display();
    Some(match why {
        KeyError::Missing => missing(path, ""),
        KeyError::NoSlot { slot } => {
            format!(
                "{path_shown}: has no key {slot}; `tgsession key list {path_shown}` lists its keys"
            )
        }
        KeyError::LastSlot => format!(
            "{path_shown}: cannot remove the last key: nothing could open the store afterwards; add another key first \
             with `tgsession key add {path_shown}`"
        ),
        KeyError::SlotsFull => format!(
            "{path_shown}: all 4 key slots of the store are in use; remove a key first with `tgsession key remove \
             {path_shown} SLOT`"
        ),
        _ => return None,
    })
}

/// The message for an encrypted store that was opened without a key.
fn missing(path: &Path, prefix: &str) -> String {
    format!("{}: the store is encrypted; give its key with {}", path.display(), options(prefix))
}

fn options(prefix: &str) -> String {
    format!("--{prefix}key-file FILE, --{prefix}key-env VAR or --{prefix}key-command COMMAND")
}

/// The passphrase of the store that could not be opened without one; `None` without a terminal.
fn ask(error: &Error) -> Outcome<Option<StoreKey>> {
    let Error::Key { path, .. } = error else { return Ok(None) };
    let typed = source::ask(&format!("Passphrase of {}: ", path.display()))?;
    Ok(typed.map(|typed| key_in(typed.as_bytes())))
}

/// A new key for the store at this path: from its place, or typed twice.
pub(crate) fn new_key(options: KeyOptions, store: &Path) -> Outcome<StoreKey> {
    let prefix = options.prefix;
    if let Some(key) = Unlocker::new(options)?.given {
        return Ok(key);
    }
    let Some(typed) = source::ask_twice(&format!("New passphrase of {}: ", store.display()))?
    else {
        return Err(Failure::Usage(format!(
            "there is no terminal to ask for the passphrase; give {}",
            self::options(prefix)
        )));
    };
    if typed.is_empty() {
        let text = "the passphrase is empty; give one of at least one character";
        return Err(Failure::Refused(text.to_owned()));
    }
    Ok(key_in(typed.as_bytes()))
}

/// How a store is opened or made with this key.
pub(crate) fn store_options(key: Option<&StoreKey>) -> StoreOptions {
    key.map_or_else(Store::options, |key| Store::options().key(key))
}

fn read(place: &KeyPlace, prefix: &str) -> Outcome<StoreKey> {
    let (content, shown) = match place {
        KeyPlace::File(path) => (in_file(path)?, path.display().to_string()),
        KeyPlace::Variable(name) => {
            (in_variable(name)?, format!("the environment variable {name}"))
        }
        KeyPlace::Command(command) => {
            let option = format!("--{prefix}key-command");
            (output_of(command, &option)?, format!("{option}, standard output"))
        }
    };
    if without_line_break(&content).is_empty() {
        return Err(Failure::Refused(format!(
            "{shown}: the key is empty; expected a passphrase, 64 hexadecimal digits or 32 bytes"
        )));
    }
    Ok(key_in(&content))
}

fn in_file(path: &Path) -> Outcome<Zeroizing<Vec<u8>>> {
    let content = File::open(path).and_then(|file| {
        warn_if_open_to_others(path, &file);
        content_of(file)
    });
    content.map_err(|error| {
        Failure::Refused(format!("{}: cannot read the key: {error}", path.display()))
    })
}

#[cfg(unix)]
fn warn_if_open_to_others(path: &Path, file: &File) {
    use std::os::unix::fs::PermissionsExt;

    let Ok(metadata) = file.metadata() else { return };
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        crate::output::warn(&format!(
            "{path}: other users may read or replace this key; chmod 600 it"
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_open_to_others(_: &Path, _: &File) {}

/// At most as much as shows that it is too long. Room for all of it is made first, as a buffer that
/// grows leaves copies behind.
fn content_of(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::with_capacity(MOST + 1));
    from.take(MOST as u64).read_to_end(&mut content)?;
    Ok(content)
}

/// A passphrase has at most 1 MiB. Behind it may be a line break.
const MOST: usize = (1 << 20) + 3;

fn in_variable(name: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    let refused = |what| Failure::Refused(format!("the environment variable {name} {what}"));
    let value = env::var_os(name).ok_or_else(|| refused("is not set"))?;
    bytes_of(value).map(Zeroizing::new).ok_or_else(|| refused("is not text"))
}

#[cfg(unix)]
fn bytes_of(value: OsString) -> Option<Vec<u8>> {
    Some(std::os::unix::ffi::OsStringExt::into_vec(value))
}

#[cfg(not(unix))]
fn bytes_of(value: OsString) -> Option<Vec<u8>> {
    value.into_string().ok().map(String::into_bytes)
}

/// Neither the command nor what it wrote is repeated: both may hold a secret.
fn output_of(command: &str, option: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    let refused = |error| Failure::Refused(format!("{option}: cannot run the command: {error}"));
    // A session may be read from standard input, which is not for the command.
    let stdin = if io::stdin().is_terminal() { Stdio::inherit() } else { Stdio::null() };
    let child = shell(command).stdin(stdin).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(refused)?;
    let content = child.stdout.take().map(content_of).transpose();
    let is_cut = matches!(&content, Ok(Some(content)) if content.len() >= MOST);
    if is_cut || content.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(refused)?;
    let content = content.map_err(refused)?.unwrap_or_default();
    if status.success() || is_cut {
        return Ok(content);
    }
    Err(Failure::Refused(format!(
        "{option}: the command failed ({status}); it must write the key to its standard output and exit with status 0"
    )))
}

#[cfg(not(windows))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    use std::os::windows::process::CommandExt;

    let mut shell = Command::new("cmd");
    // The shell does not read quotes as the standard library writes them.
    shell.raw_arg("/S /C").raw_arg(format!("\"{command}\""));
    shell
}

/// The key that such content is: a key of 32 bytes, as they are or in hexadecimal digits, or else a
/// passphrase.
pub(crate) fn key_in(content: &[u8]) -> StoreKey {
    let line = without_line_break(content);
    // The last byte of a key may be a line break.
    let whole = Some(content).filter(|_| !is_text(line));
    let binary = whole.into_iter().chain([line]).find(|bytes| bytes.len() == 32 && !is_text(bytes));
    if let Some(key) = binary.and_then(|bytes| bytes.first_chunk()) {
        return StoreKey::raw(*key);
    }
    match hex(line) {
        Some(key) => StoreKey::raw(*key),
        None => StoreKey::passphrase(line),
    }
}

fn without_line_break(content: &[u8]) -> &[u8] {
    let line = content.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    line.unwrap_or(content)
}

/// Whether these bytes are printable UTF-8 text.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control))
}

fn hex(digits: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let mut key = Zeroizing::new([0; 32]);
    if pairs.len() != key.len() {
        return None;
    }
    for (byte, [high, low]) in key.iter_mut().zip(pairs) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(key)
}

/// A key of a store, for a person.
pub(crate) fn kind_in_words(key: &KeyInfo) -> String {
    match key.kind {
        KeyKind::Passphrase { memory_kib, passes } => {
            let passes = crate::words::count(passes.into(), "pass", "passes");
            format!(
                "passphrase (Argon2id, {} KiB, {passes})",
                crate::words::thousands(memory_kib.into())
            )
        }
        KeyKind::Raw => "key of 32 bytes".to_owned(),
        KeyKind::Unreadable => "damaged, or of a newer release".to_owned(),
        _ => "unknown".to_owned(),
    }
}

/// The same for programs.
pub(crate) fn kind_json(key: &KeyInfo) -> serde_json::Value {
    match key.kind {
        KeyKind::Passphrase { memory_kib, passes } => serde_json::json!({
            "slot": key.slot, "kind": "passphrase", "memory_kib": memory_kib, "passes": passes,
        }),
        KeyKind::Raw => serde_json::json!({"slot": key.slot, "kind": "raw"}),
        _ => serde_json::json!({"slot": key.slot, "kind": null}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_raw(content: &[u8]) -> bool {
        format!("{:?}", key_in(content)) == "StoreKey(raw)"
    }

    #[test]
    fn the_content_tells_a_key_of_32_bytes_from_a_passphrase() {
        let digits = "0123456789abcdefABCDEF0123456789".repeat(2);
        let lines = ["", "\n", "\r\n"].map(|end| format!("{digits}{end}"));
        assert!(lines.iter().all(|line| is_raw(line.as_bytes())));
        let mut binary = [0x80; 32];
        assert!(is_raw(&binary) && is_raw(&[&binary[..], b"\n"].concat()));
        binary[31] = b'\n';
        assert!(is_raw(&binary), "the last byte of a key may be a line break");
        let passphrases: [&[u8]; 7] = [
            b"correct horse",
            digits.strip_suffix("9").unwrap_or_default().as_bytes(),
            &[digits.as_bytes(), b"\n\n"].concat(),
            &[b'x'; 32],
            &[&[b'x'; 31][..], b"\n"].concat(),
            &[0x80; 31],
            "ключ ключ ключ кл".as_bytes(),
        ];
        for passphrase in passphrases {
            assert!(!is_raw(passphrase), "{passphrase:?}");
        }
    }

    #[test]
    fn one_line_break_is_dropped() {
        let cases: [(&[u8], &[u8]); 5] =
            [(b"a\n", b"a"), (b"a\r\n", b"a"), (b"a\n\n", b"a\n"), (b"a\r", b"a\r"), (b"\n", b"")];
        for (content, line) in cases {
            assert_eq!(without_line_break(content), line);
        }
    }
}
