//! `info`: what a source is and what is in it, for a person. It shows no key and no phone.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};
use tgsession::{
    Account, AuthKey, Error, KeyInfo, SelfUser, Source, SourceSession, Store, UpdateState,
};

use crate::args::Info;
use crate::failure::{Failure, Outcome};
use crate::key::{kind_in_words, kind_json};
use crate::output::{self, one_line};
use crate::progress::{Progress, expected};
use crate::source::{self, Reading};
use crate::words::{Tally, count, dc_list, dcs_with_keys, home_key, thousands, utc};

pub(crate) fn run(args: &Info) -> Outcome {
    let reading = Reading::salvage(args.damage.salvage);
    let source = match source::open_corrected(&args.origin, reading, &args.corrections) {
        // Shown as far as it is visible without a key. That is less than was asked for.
        Err(Failure::Library(error @ Error::Key { .. })) => {
            if let Error::Key { path, .. } = &error {
                locked(path, args.json)?;
            }
            return Err(error.into());
        }
        opened => opened?,
    };
    let keys = keys_of(&source);
    let names = source.session_names()?;
    let path = source.path().display().to_string();
    let cure = "`tgsession dump` reads one of them with --session";
    source::refuse_for_several(&args.corrections, &path, names.len(), cure)?;
    let mut out = output::results();
    if args.json {
        let sessions: Vec<_> =
            names.iter().map(|name| session_json(&source, name)).collect::<Outcome<_>>()?;
        let info = json!({
            "format": "tgsession-info/1",
            "path": source.path().to_string_lossy(),
            "source": source.format(),
            "size": size_of(source.path()),
            "encrypted": source.is_store().then_some(!keys.is_empty()),
            "keys": keys.iter().map(kind_json).collect::<Vec<_>>(),
            "sessions": sessions,
        });
        writeln!(out, "{info:#}")?;
        return Ok(out.flush()?);
    }
    head(&mut out, source.path(), &source.format())?;
    key_lines(&mut out, &keys)?;
    line(&mut out, "sessions", &thousands(names.len() as u64))?;
    for name in &names {
        session(&mut out, &source, name)?;
    }
    Ok(out.flush()?)
}

/// The keys of an encrypted store.
fn keys_of(source: &Source) -> Vec<KeyInfo> {
    let keys = source.is_store().then(|| Store::keys_of(source.path()).ok().flatten());
    keys.flatten().unwrap_or_default()
}

fn size_of(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|file| file.len())
}

/// The facts of an encrypted store that are visible without its key.
fn locked(path: &Path, json: bool) -> Outcome {
    let Some(keys) = Store::keys_of(path)? else { return Ok(()) };
    let writer = Store::lock_holder(path)?;
    let mut out = output::results();
    if json {
        let writer = writer.as_ref();
        let info = json!({
            "format": "tgsession-info/1",
            "path": path.to_string_lossy(),
            "source": LOCKED,
            "size": size_of(path),
            "encrypted": true,
            "keys": keys.iter().map(kind_json).collect::<Vec<_>>(),
            "writer": writer.map(|writer| json!({"process": writer.process, "host": writer.host})),
            "sessions": null,
        });
        writeln!(out, "{info:#}")?;
        return Ok(out.flush()?);
    }
    head(&mut out, path, LOCKED)?;
    key_lines(&mut out, &keys)?;
    if let Some(writer) = writer {
        line(&mut out, "open in", &writer.to_string())?;
    }
    Ok(out.flush()?)
}

const LOCKED: &str = "tgsession";

fn key_lines(out: &mut impl Write, keys: &[KeyInfo]) -> io::Result<()> {
    if !keys.is_empty() {
        line(out, "encrypted", "yes")?;
    }
    keys.iter().try_for_each(|key| line(out, &format!("key {}", key.slot), &kind_in_words(key)))
}

fn head(out: &mut impl Write, path: &Path, format: &str) -> io::Result<()> {
    line(out, "path", &path.display().to_string())?;
    line(out, "format", format)?;
    if let Ok(file) = fs::metadata(path) {
        line(out, "size", &count(file.len(), "byte", "bytes"))?;
        // A store's log has room that takes none until it is used.
        #[cfg(unix)]
        {
            let taken = std::os::unix::fs::MetadataExt::blocks(&file) * UNIT;
            if taken < file.len() {
                line(out, "on disk", &count(taken, "byte", "bytes"))?;
            }
        }
    }
    Ok(())
}

/// The login comes first: entities that cannot be read must not hide it.
fn session(out: &mut impl Write, source: &Source, name: &str) -> Outcome {
    let mut session = source.session(name)?;
    writeln!(out)?;
    line(out, "session", name)?;
    login(out, session.account())?;
    updates(out, session.account())?;
    entities(out, &tally(&mut session)?)?;
    for note in session.notes() {
        line(out, "note", &note)?;
    }
    Ok(())
}

/// The same for programs.
fn session_json(source: &Source, name: &str) -> Outcome<Value> {
    let mut session = source.session(name)?;
    let tally = tally(&mut session)?;
    let account = session.account();
    let login = &account.login;
    let home = account.dcs.iter().find(|dc| Some(dc.id) == login.home_dc);
    let address = home.and_then(|dc| dc.ipv4.as_ref().or(dc.ipv6.as_ref()));
    let key = home_key(account);
    Ok(json!({
        "name": name,
        "home_dc": login.home_dc.map(|dc| dc.0),
        "address": address.map(ToString::to_string),
        "logged_in": key.is_some(),
        "auth_key_id": key.map(AuthKey::id),
        "user": login.user.map(|user| json!({"id": user.id, "bot": user.bot})),
        "test_mode": login.test_mode,
        "api_id": login.api_id,
        "takeout_id": login.takeout_id,
        "dcs_with_keys": dcs_with_keys(account).iter().map(|dc| dc.0).collect::<Vec<_>>(),
        "update_state": account.update_state.map(|state| {
            json!({"pts": state.pts, "qts": state.qts, "seq": state.seq, "date": state.date})
        }),
        "channel_states": account.channel_states.len(),
        "files": account.sent_files.len(),
        "entities": tally.entities,
        "users": tally.users,
        "groups": tally.groups,
        "channels": tally.channels,
        "with_username": tally.with_username,
        "with_phone": tally.with_phone,
        "notes": session.notes(),
    }))
}

fn tally(session: &mut SourceSession<'_>) -> Outcome<Tally> {
    let mut progress = Progress::new(expected(session));
    let mut tally = Tally::default();
    for entity in session {
        tally.add(&entity?);
        progress.step();
    }
    Ok(tally)
}

fn login(out: &mut impl Write, account: &Account) -> io::Result<()> {
    let login = &account.login;
    line(out, "home DC", &home_dc(account))?;
    line(out, "logged in", &logged_in(account))?;
    line(out, "user", &login.user.map_or_else(unknown, user))?;
    line(out, "test mode", &login.test_mode.map_or_else(unknown, yes_or_no))?;
    line(out, "api id", &login.api_id.map_or_else(unknown, |id| id.to_string()))?;
    if let Some(id) = login.takeout_id {
        line(out, "takeout id", &id.to_string())?;
    }
    let keys = dcs_with_keys(account);
    line(out, "DCs with keys", &if keys.is_empty() { "none".to_owned() } else { dc_list(&keys) })
}

fn updates(out: &mut impl Write, account: &Account) -> io::Result<()> {
    line(out, "update state", &account.update_state.map_or_else(|| "none".to_owned(), state))?;
    line(out, "channel states", &thousands(account.channel_states.len() as u64))?;
    line(out, "sent files", &thousands(account.sent_files.len() as u64))
}

fn entities(out: &mut impl Write, tally: &Tally) -> io::Result<()> {
    let kinds = [
        count(tally.users, "user", "users"),
        count(tally.groups, "group", "groups"),
        count(tally.channels, "channel", "channels"),
    ];
    let total = thousands(tally.entities);
    line(out, "entities", &format!("{total} ({})", kinds.join(", ")))?;
    line(out, "with username", &thousands(tally.with_username))?;
    line(out, "with phone", &thousands(tally.with_phone))
}

/// The unit of a file's size on the disk, in bytes.
#[cfg(unix)]
const UNIT: u64 = 512;

/// Wide enough for the longest label and a gap.
const LABEL: usize = 16;

fn line(out: &mut impl Write, label: &str, value: &str) -> io::Result<()> {
    writeln!(out, "{}{}", output::label(label, LABEL), one_line(value))
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn home_dc(account: &Account) -> String {
    let Some(id) = account.login.home_dc else { return unknown() };
    let mut parts = vec![id.to_string()];
    if let Some(dc) = account.dcs.iter().find(|dc| dc.id == id) {
        parts.extend([&dc.ipv4, &dc.ipv6].into_iter().flatten().map(ToString::to_string));
    }
    parts.join(", ")
}

fn logged_in(account: &Account) -> String {
    match home_key(account) {
        Some(key) => format!("yes (auth_key_id {})", key.id()),
        None if dcs_with_keys(account).is_empty() => "no".to_owned(),
        None => "no auth key for the home DC".to_owned(),
    }
}

fn user(user: SelfUser) -> String {
    match user.bot {
        Some(true) => format!("{}, bot: yes", user.id),
        Some(false) => format!("{}, bot: no", user.id),
        None => format!("{}, bot: unknown", user.id),
    }
}

fn state(state: UpdateState) -> String {
    let UpdateState { pts, qts, date, seq } = state;
    let when = utc(date).map_or_else(String::new, |when| format!(" ({when})"));
    format!("pts {pts}, qts {qts}, seq {seq}, date {date}{when}")
}
