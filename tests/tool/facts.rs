//! Impossible values are noted when they are read, and corrected or left out when they are written.

use crate::support::reports::report;
use crate::support::{Folder, Result};
use serde_json::Value;

/// Every format, with the options that it needs.
const FORMATS: [&str; 27] = [
    "telethon",
    "telethon-v7",
    "telethon2",
    "telethon-string",
    "pyrogram",
    "kurigram",
    "pyrofork",
    "hydrogram",
    "pyrogram-string",
    "grammers",
    "grammers-tl",
    "gramjs-string",
    "gramjs-store",
    "mtcute",
    "mtcute-string",
    "mtkruto-string",
    "gotd",
    "gotgproto",
    "gotgproto-string",
    "gogram-string",
    "wtelegram",
    "tdlib",
    "tdata",
    "sqlalchemy",
    "portable",
    "portable-string",
    "json",
];

fn with(names: &[&str]) -> Result<Folder> {
    let folder = Folder::new()?;
    for name in names {
        folder.write(name, &report(name)?)?;
    }
    Ok(folder)
}

#[test]
fn info_check_and_import_say_what_cannot_be() -> Result {
    let cases = [
        ("wrong_address.session", "DC 4: its address 149.154.167.51:443 is that of DC 2"),
        ("gramjs_web_host.txt", "is a WebSocket server for browsers"),
        ("id_hash_swapped.session", "id and access hash appear to be swapped in 2 of them"),
    ];
    for (name, words) in cases {
        let folder = with(&[name])?;
        let info = folder.results(&["info", name])?;
        assert!(info.contains(words), "{name}: {info}");
        for command in [&["check", name][..], &["import", name, "--into", "store"]] {
            let ran = folder.run(command)?;
            assert_eq!(ran.code, 0, "{ran:?}");
            assert!(ran.stderr.contains(words), "{command:?}: {ran:?}");
        }
    }
    Ok(())
}

#[test]
fn every_format_gets_the_well_known_address_for_a_wrong_one() -> Result {
    for (source, dc, right) in [
        ("wrong_address.session", 4, "149.154.167.91"),
        ("gramjs_web_host.txt", 2, "149.154.167.51"),
    ] {
        let folder = with(&[source])?;
        folder.write("key", b"0123456789abcdef0123456789abcdef")?;
        for format in FORMATS {
            let given = ["--api-id", "5", "--user-id", "777", "-o", format];
            let sealed = format == "wtelegram";
            let seal = if sealed { &["--seal-passphrase-file", "key"][..] } else { &[] };
            let open = if sealed { &["--passphrase-file", "key"][..] } else { &[] };
            let ran =
                folder.run(&[&["export", source, "--to", format], &given[..], seal].concat())?;
            assert_eq!(ran.code, 0, "{format}: {ran:?}");
            assert!(ran.stderr.contains("left out: dcs.ipv4: it is a"), "{format}: {ran:?}");
            let well_known = format!("address of DC {dc}: {right}:443, well known");
            assert!(ran.stderr.contains(&well_known), "{format}: {ran:?}");
            let back = &folder.json(&[&["dump", format], open].concat())?["sessions"][0];
            let address = &back["dcs"][0]["ipv4"];
            assert!(address.is_null() || address["host"] == right, "{format}: {address}");
        }
    }
    Ok(())
}

#[test]
fn entities_that_nobody_is_are_neither_imported_nor_exported() -> Result {
    let source = "id_hash_swapped.session";
    let folder = with(&[source])?;
    folder.results(&["import", source, "--into", "store"])?;
    let ids = |dump: &Value| -> Vec<i64> {
        let entities = dump["sessions"][0]["entities"].as_array().into_iter().flatten();
        entities.filter_map(|entity| entity["id"].as_i64()).collect()
    };
    let possible = [-1_001_234_567_890, -4001, 5_123_456_789];
    assert_eq!(ids(&folder.json(&["dump", "store"])?), possible);
    for format in ["telethon", "pyrogram", "grammers", "mtcute", "json", "gramjs-store"] {
        let given = ["--api-id", "5", "--user-id", "777", "-o", format];
        let ran = folder.run(&[&["export", source, "--to", format], &given[..]].concat())?;
        let words = "left out: entities (2 times): no user, group or channel can have this id";
        assert!(ran.stderr.contains(words), "{format}: {ran:?}");
        let read = ids(&folder.json(&["dump", format])?);
        assert!(read.contains(&5_123_456_789), "{format}: {read:?}");
        // Some formats keep the account itself among the others.
        let known = |id: &i64| possible.contains(id) || *id == 777;
        assert!(read.iter().all(known), "{format}: {read:?}");
    }
    Ok(())
}

#[test]
fn options_win_over_what_the_session_says_and_that_is_said() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let first = ["--api-id", "5", "--user-id", "777", "--bot=false", "-o", "one"];
    let source = ["export", "username_conflict", "--to", "pyrogram-string"];
    folder.results(&[&source[..], &first].concat())?;
    let home = folder.json(&["dump", "one"])?["sessions"][0]["home_dc"].clone();
    let given = ["--api-id", "6", "--user-id", "888", "--bot", "--dc", "1", "-o", "two"];
    let ran = folder.run(&[&["export", "one", "--to", "mtkruto-string"], &given[..]].concat())?;
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in [
        "api id: 6, as given; the session says 5",
        "user: 888, as given; the session says 777",
        "bot: true, as given; the session says false",
        &format!("home DC: 1, as given; the session says {home}"),
    ] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    let two = &folder.json(&["dump", "two"])?["sessions"][0];
    assert_eq!((two["home_dc"].as_i64(), two["api_id"].as_i64()), (Some(1), Some(6)));
    assert_eq!(two["user"], serde_json::json!({"id": 888, "bot": true}));
    Ok(())
}

#[test]
fn a_dc_that_is_given_gets_its_own_address() -> Result {
    let source = "wrong_address.session";
    let folder = with(&[source])?;
    folder.results(&["export", source, "--to", "telethon", "--dc", "2", "-o", "two"])?;
    let two = &folder.json(&["dump", "two"])?["sessions"][0];
    assert_eq!(two["dcs"][0]["ipv4"]["host"], "149.154.167.51");
    folder.results(&["export", source, "--to", "telethon", "--dc", "5", "-o", "five"])?;
    let five = &folder.json(&["dump", "five"])?["sessions"][0];
    assert_eq!(
        (five["home_dc"].as_i64(), five["dcs"].as_array().map(Vec::len)),
        (Some(5), Some(1))
    );
    assert_eq!(five["dcs"][0]["ipv4"]["host"], "91.108.56.130");
    Ok(())
}

#[test]
fn an_invented_user_is_not_known() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    let made = ["--api-id", "5", "--user-id", "9999", "-o", "made"];
    let export = ["export", "username_conflict", "--to", "pyrogram-string"];
    folder.results(&[&export[..], &made].concat())?;
    let dump = folder.json(&["dump", "made"])?;
    assert!(dump["sessions"][0]["user"].is_null(), "{dump}");
    assert!(dump["notes"].to_string().contains("user 9999"), "{dump}");
    let again = ["export", "made", "--to", "kurigram", "-o", "kurigram"];
    folder.run(&again)?.refused(1, &["user id", "--user-id"]);
    Ok(())
}

#[test]
fn every_generation_of_mtkruto_is_read_and_the_newest_written() -> Result {
    let names = ["mtkruto_key.txt", "mtkruto_api_id.txt", "mtkruto_user.txt"];
    let folder = with(&names)?;
    for (name, api_id, user) in
        [(names[0], false, false), (names[1], true, false), (names[2], true, true)]
    {
        let session = &folder.json(&["dump", name, "--secrets"])?["sessions"][0];
        assert!(session["dcs"][0]["auth_key"].is_string(), "{name}");
        assert_eq!(session["api_id"].is_i64(), api_id, "{name}");
        assert_eq!(session["user"].is_object(), user, "{name}");
    }
    let text = folder.results(&["export", names[2], "--to", "mtkruto-string"])?;
    assert_eq!(text.trim(), String::from_utf8(report(names[2])?)?.trim());
    folder.run(&["export", names[0], "--to", "mtkruto-string"])?.refused(1, &["--api-id"]);
    let given = ["--api-id", "5", "--user-id", "777"];
    let ran =
        folder.run(&[&["export", names[0], "--to", "mtkruto-string"], &given[..]].concat())?;
    assert_eq!(ran.code, 0, "{ran:?}");
    Ok(())
}
