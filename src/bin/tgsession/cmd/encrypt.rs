//! `encrypt`, `decrypt` and `rekey`: a copy of a store with another protection.

use std::path::{Path, PathBuf};

use tgsession::{Error, Progress, Store, store_path};

use crate::args::keys::KeyOptions;
use crate::args::{Decrypt, Encrypt, Rekey};
use crate::failure::{Failure, Outcome};
use crate::key::{self, Unlocker};
use crate::progress::Waiting;
use crate::target::Inputs;
use crate::{output, source};

pub(crate) fn encrypt(args: &Encrypt) -> Outcome {
    let path = source::find_store(&args.store)?;
    if Store::keys_of(&path)?.is_some() {
        return Err(Failure::Refused(format!(
            "{0}: the store is encrypted already; `tgsession key change {0}` changes its key, `tgsession rekey {0} \
             -o OUT` writes a copy under a new master key",
            path.display()
        )));
    }
    let output = args.output.clone().unwrap_or_else(|| default_output(&path));
    let options = args.key.options();
    let target = target(&output, &path, &[&options])?;
    let progress = Progress::default();
    let plain = Unlocker::new(KeyOptions { place: None, ..options.clone() })?;
    let store = source::read_store(&path, &plain, &progress)?;
    let key = key::new_key(options, &target)?;
    let waiting = Waiting::new("encrypting", &progress);
    store.backup_encrypted(&target, &key)?;
    drop(waiting);
    let (path, target) = (path.display(), target.display());
    output::say(&format!("{path}: encrypted to {target}"));
    output::say(&format!(
        "{path}: this file is still there and not encrypted; check the new store, then delete this file. {KEPT}"
    ));
    Ok(())
}

/// A warning for each plain file: deleting it does not reach every copy of its bytes.
const KEPT: &str = "An SSD, snapshots and backups may still have its bytes; if someone may have copied it, end its sessions in \
                    Telegram (Settings > Devices)";

pub(crate) fn decrypt(args: &Decrypt) -> Outcome {
    let path = encrypted(&args.store)?;
    let options = args.key.options();
    let target = target(&args.output, &path, &[&options])?;
    let progress = Progress::default();
    let store = source::read_store(&path, &Unlocker::new(options)?, &progress)?;
    let waiting = Waiting::new("decrypting", &progress);
    store.backup_decrypted(&target)?;
    drop(waiting);
    let (path, target) = (path.display(), target.display());
    output::say(&format!("{path}: decrypted to {target}"));
    output::say(&format!(
        "{target}: this file is not encrypted: a person who can read it, or a copy of it, can use the logins. {path} is \
         as it was"
    ));
    Ok(())
}

pub(crate) fn rekey(args: &Rekey) -> Outcome {
    let path = encrypted(&args.store)?;
    let (old, new) = (args.from_key.options(), args.key.options());
    let target = target(&args.output, &path, &[&old, &new])?;
    let progress = Progress::default();
    let store = source::read_store(&path, &Unlocker::new(old)?, &progress)?;
    let key = key::new_key(new, &target)?;
    let waiting = Waiting::new("encrypting", &progress);
    store.backup_encrypted(&target, &key)?;
    drop(waiting);
    let (path, target) = (path.display(), target.display());
    output::say(&format!("{path}: copied to {target} under a new master key"));
    output::say(&format!(
        "{path}: its old keys still open this file; check the new store, then delete this file. {KEPT}"
    ));
    Ok(())
}

/// The path of a store that is encrypted.
pub(super) fn encrypted(store: &Path) -> Outcome<PathBuf> {
    let path = source::find_store(store)?;
    if Store::keys_of(&path)?.is_none() {
        return Err(Failure::Refused(format!(
            "{0}: the store is not encrypted; `tgsession encrypt {0}` writes an encrypted copy",
            path.display()
        )));
    }
    Ok(path)
}

/// `accounts-encrypted.tgsession` beside `accounts.tgsession`.
fn default_output(store: &Path) -> PathBuf {
    let mut name = store.file_stem().unwrap_or_default().to_owned();
    name.push("-encrypted.tgsession");
    store.with_file_name(name)
}

/// The path of the new file. Whether it is free is known before a key is asked for.
fn target(output: &Path, store: &Path, keys: &[&KeyOptions]) -> Outcome<PathBuf> {
    source::refuse_stdin(output)?;
    let path = store_path(output);
    let keys: Vec<_> = keys.iter().filter_map(|key| key.file()).collect();
    Inputs::of([store].into_iter().chain(keys.iter().map(PathBuf::as_path))).refuse(&path)?;
    match path.symlink_metadata() {
        Ok(_) => Err(Error::AlreadyExists { path }.into()),
        Err(_) => Ok(path),
    }
}
