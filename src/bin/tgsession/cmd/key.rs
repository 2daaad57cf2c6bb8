//! `key`: the keys of an encrypted store.

use std::io::Write;

use serde_json::json;
use tgsession::{Progress, Store, StoreKey};

use super::encrypt::encrypted;
use crate::args::Key;
use crate::args::encryption::{KeyAdd, KeyChange, KeyCommand, KeyList, KeyRemove};
use crate::confirm::confirm;
use crate::failure::{Failure, Outcome};
use crate::key::{self, Unlocker, kind_in_words, kind_json};
use crate::{output, source};

pub(crate) fn run(command: &KeyCommand) -> Outcome {
    match command {
        KeyCommand::List(args) => list(args),
        KeyCommand::Add(args) => add(args),
        KeyCommand::Remove(args) => remove(args),
        KeyCommand::Change(args) => change(args),
    }
}

fn list(args: &KeyList) -> Outcome {
    let path = encrypted(&args.store)?;
    let keys = Store::keys_of(&path)?.unwrap_or_default();
    let mut out = output::results();
    if args.json {
        let list = json!({
            "format": "tgsession-keys/1",
            "store": path.to_string_lossy(),
            "keys": keys.iter().map(kind_json).collect::<Vec<_>>(),
        });
        writeln!(out, "{list:#}")?;
        return Ok(out.flush()?);
    }
    for key in &keys {
        writeln!(out, "{}  {}", key.slot, kind_in_words(key))?;
    }
    Ok(out.flush()?)
}

fn add(args: &KeyAdd) -> Outcome {
    let store = open(&args.store, &args.key)?;
    let new = key::new_key(args.new_key.options(), store.path())?;
    refuse_known(&store, &new)?;
    let slot = store.add_key(&new)?;
    output::say(&format!("{}: key {slot} is added", store.path().display()));
    Ok(())
}

fn remove(args: &KeyRemove) -> Outcome {
    let store = open(&args.store, &args.key)?;
    let path = store.path().display();
    if let Some(key) = store.keys()?.iter().find(|key| key.slot == args.slot) {
        let given = if store.opened_key_slot() == Some(args.slot) {
            ", the one that was given"
        } else {
            ""
        };
        let kind = kind_in_words(key);
        let line = format!("{path}: remove key {}, {kind}{given}", args.slot);
        confirm(&format!("{line}?"), args.yes)?;
    }
    store.remove_key(args.slot)?;
    output::say(&format!("{path}: key {} is removed", args.slot));
    say_old_copies();
    Ok(())
}

fn change(args: &KeyChange) -> Outcome {
    let store = open(&args.store, &args.key)?;
    let path = store.path().display();
    let Some(old) = store.opened_key_slot() else {
        return Err(Failure::Refused(format!(
            "{path}: the store is not encrypted; `tgsession encrypt {path}` writes an encrypted copy"
        )));
    };
    let new = key::new_key(args.new_key.options(), store.path())?;
    refuse_known(&store, &new)?;
    let slot = store.add_key(&new)?;
    store.remove_key(old)?;
    output::say(&format!("{path}: key {slot} is added, key {old} is removed"));
    say_old_copies();
    Ok(())
}

fn open(path: &std::path::Path, key: &Key) -> Outcome<Store> {
    let path = encrypted(path)?;
    source::write_store(&path, &Unlocker::new(key.options())?, &Progress::default())
}

/// The same key twice would still open the store after it was removed once.
fn refuse_known(store: &Store, new: &StoreKey) -> Outcome {
    let path = store.path();
    match Store::options().key(new).open_read_only(path) {
        Ok(_) => Err(Failure::Refused(format!(
            "{}: the store already has this key; nothing was changed",
            path.display()
        ))),
        // Other errors come from the call that adds the key.
        Err(_) => Ok(()),
    }
}

fn say_old_copies() {
    output::say(
        "old copies of the file, and blocks that an SSD or a snapshot keeps, still open with the removed key; where others \
         may have had both, `tgsession rekey` writes a copy under a new master key",
    );
}
