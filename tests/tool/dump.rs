//! `tgsession dump` prints the values that the real SQLite reads, in the order of the format.

use crate::support::expected::{self, keys_in_order, without_auth_key_ids};
use crate::support::{Folder, Result};
use serde_json::{Value, json};

#[test]
fn every_healthy_fixture_is_dumped_as_sqlite_reads_it() -> Result {
    let mut wrong = Vec::new();
    for name in expected::healthy()? {
        let folder = Folder::with(&[&name])?;
        let before = folder.content()?;
        let ran = folder.run(&["dump", &name, "--secrets"])?;
        if ran.code != 0 {
            wrong.push(ran.stderr);
            continue;
        }
        let dump: Value = serde_json::from_str(&ran.stdout)?;
        let version = expected::read(&name)?["version"].as_i64();
        assert_eq!(dump["format"], "tgsession-dump/1");
        if let Some(version) = version {
            assert_eq!(dump["source"], format!("telethon-sqlite v{version}"), "{name}");
        }
        let dumped = without_auth_key_ids(&dump["sessions"][0]);
        wrong.extend(difference(&name, &dumped, &expected::session(&name)?));
        assert_eq!(folder.content()?, before, "{name} was touched");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn an_imported_session_is_dumped_as_its_source_is() -> Result {
    let mut wrong = Vec::new();
    for name in expected::healthy()? {
        // A store gives a username one owner, which is another test's concern.
        if shares_a_username(&expected::session(&name)?) {
            continue;
        }
        let folder = Folder::with(&[&name])?;
        let file = format!("{name}.session");
        let imported = folder.run(&["import", &file, "--into", "store"])?;
        if imported.code != 0 {
            wrong.push(imported.stderr);
            continue;
        }
        let source = folder.json(&["dump", &file, "--secrets"])?;
        let store = folder.json(&["dump", "store", "--secrets"])?;
        assert_eq!(store["source"], "tgsession v4");
        wrong.extend(difference(&name, &store["sessions"][0], &source["sessions"][0]));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_store_of_several_sessions_is_dumped_in_the_order_of_their_names() -> Result {
    let folder = Folder::with(&["two_dc", "plain_1.45.0", "empty_0.16"])?;
    let sources = ["two_dc.session", "plain_1.45.0.session", "empty_0.16.session"];
    folder.results(&[&["import"], sources.as_slice(), &["--into", "store"]].concat())?;
    let dump = folder.json(&["dump", "store"])?;
    let names: Vec<_> =
        dump["sessions"].as_array().into_iter().flatten().map(|s| &s["name"]).collect();
    assert_eq!(names, ["empty_0.16", "plain_1.45.0", "two_dc"]);
    let one = folder.json(&["dump", "store", "--session", "two_dc"])?;
    assert_eq!(one["sessions"], json!([dump["sessions"][2]]));
    folder.run(&["dump", "store", "--session", "nobody"])?.refused(1, &["store", "nobody"]);
    Ok(())
}

#[test]
fn keys_stand_in_the_order_of_the_format_and_rows_on_their_own_lines() -> Result {
    let folder = Folder::with(&["plain_1.45.0"])?;
    let text = folder.results(&["dump", "plain_1.45.0", "--secrets"])?;
    assert!(text.starts_with("{\n") && text.ends_with("\n}\n"));
    let order = ["format", "source", "sessions", "name", "home_dc", "test_mode", "api_id", "user"];
    let rest = ["takeout_id", "dcs", "state", "channel_states", "entities", "files", "notes"];
    let keys = order.into_iter().chain(rest);
    let places: Vec<_> = keys.map(|key| text.find(&format!(" \"{key}\": "))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    let rows: Vec<_> = text
        .lines()
        .map(|line| line.trim().trim_end_matches(','))
        .filter(|line| line.starts_with("{\""))
        .map(keys_in_order)
        .collect::<Result<_>>()?;
    let shapes = [
        "id ipv4 ipv6 auth_key auth_key_id",
        "id pts",
        "id kind access_hash usernames phone name date",
        "md5 size kind id access_hash",
    ];
    for shape in shapes {
        let keys: Vec<_> = shape.split(' ').collect();
        assert!(rows.contains(&keys.iter().map(ToString::to_string).collect()), "no row: {shape}");
    }
    Ok(())
}

#[test]
fn a_file_that_never_logged_in_has_null_for_a_key() -> Result {
    let folder = Folder::with(&["dc_only"])?;
    let dump = folder.json(&["dump", "dc_only", "--secrets"])?;
    let dc = &dump["sessions"][0]["dcs"][0];
    assert_eq!((&dc["auth_key"], &dc["auth_key_id"]), (&Value::Null, &Value::Null));
    assert!(dc["ipv6"]["host"].is_string() && dc["ipv4"].is_null());
    Ok(())
}

#[test]
fn what_did_not_make_it_into_the_dump_is_noted() -> Result {
    let folder = Folder::with(&["tmpkey"])?;
    let dump = folder.json(&["dump", "tmpkey"])?;
    assert!(dump["notes"].as_array().is_some_and(|notes| !notes.is_empty()), "{}", dump["notes"]);
    Ok(())
}

#[test]
fn a_username_that_several_entities_show_has_one_owner_in_a_store() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let ran = folder.run(&["import", "username_conflict", "--into", "store"])?;
    assert!(ran.stderr.contains("dupname"), "{}", ran.stderr);
    let owners = |dump: &Value| -> Vec<i64> {
        let entities = dump["sessions"][0]["entities"].as_array().cloned().unwrap_or_default();
        let owned = entities.iter().filter(|row| row["usernames"] == json!(["dupname"]));
        owned.filter_map(|row| row["id"].as_i64()).collect()
    };
    let shown = owners(&folder.json(&["dump", "username_conflict.session"])?);
    assert_eq!(shown, [-1_000_000_777_010, 90_001, 90_002, 777_010]);
    assert_eq!(owners(&folder.json(&["dump", "store"])?), [-1_000_000_777_010]);
    let found = folder.json(&["get", "store", "--username", "@DupName"])?;
    assert_eq!(found["id"], -1_000_000_777_010_i64);
    Ok(())
}

/// The first thing in which two sessions differ, in few words.
fn difference(name: &str, dump: &Value, expected: &Value) -> Option<String> {
    let keys = expected.as_object()?.keys().chain(dump.as_object()?.keys());
    for key in keys {
        let (got, want) = (&dump[key], &expected[key]);
        if got == want {
            continue;
        }
        let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (got_rows, want_rows) = (rows(got), rows(want));
        let rows = got_rows.iter().zip(&want_rows).find(|(got, want)| got != want);
        let (got_row, want_row) = rows.unwrap_or((got, want));
        let counts = format!("{} and {} rows", got_rows.len(), want_rows.len());
        return Some(format!("{name}: {key}, {counts}:\n  got  {got_row}\n  want {want_row}"));
    }
    None
}

fn shares_a_username(session: &Value) -> bool {
    let entities = session["entities"].as_array().into_iter().flatten();
    let mut names: Vec<_> = entities
        .flat_map(|row| [row["usernames"][0].as_str(), row["phone"].as_str()])
        .flatten()
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() < all
}
