//! The short ways: `get SRC QUERY`, results as JSON, `--quiet`, `--dry-run`, `--wait`.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Folder, Result};
use serde_json::{Value, json};
use tgsession::Store;

#[test]
fn one_word_finds_an_entity_whatever_it_is() -> Result {
    let folder = Folder::with(&["username_conflict"])?;
    folder.results(&["import", "username_conflict", "--into", "store"])?;
    let queries = [
        ("self_name", 777_009_i64),
        ("@Self_Name", 777_009),
        ("https://t.me/self_name", 777_009),
        ("tg://resolve?domain=self_name", 777_009),
        ("777009", 777_009),
        ("+1 (555) 000-1111", 777_009),
        ("15550001111", 777_009),
        ("-1000001777005", -1_000_001_777_005),
        ("https://t.me/c/1777005/3", -1_000_001_777_005),
        ("Forbidden chat", -777_006),
    ];
    for (query, id) in queries {
        for source in ["username_conflict.session", "store"] {
            assert_eq!(folder.json(&["get", source, query])?["id"], id, "{source} {query}");
        }
    }
    for query in ["nobody", "@nobody", "4915112345678", "t.me/nobody"] {
        let ran = folder.run(&["get", "store", query])?;
        ran.refused(1, &["store.tgsession", "has no entity"]);
        assert!(!ran.stderr.contains("345678"), "a phone in a log: {ran:?}");
    }
    folder.run(&["get", "store", "me"])?.refused(1, &["does not say which user"]);
    folder.run(&["get", "store"])?.refused(2, &["QUERY", "--id"]);
    folder.run(&["get", "store", "a", "--id", "5"])?.refused(2, &["QUERY"]);
    Ok(())
}

#[test]
fn me_is_the_own_user_and_a_string_may_be_searched_too() -> Result {
    let folder = Folder::with(&["plain_1.45.0"])?;
    let me = folder.json(&["get", "plain_1.45.0", "me"])?;
    assert_eq!(me["id"], 777_009);
    let string = folder.results(&["export", "plain_1.45.0", "--to", "portable-string"])?;
    let mut command = folder.command(&["get", "--string-env", "TG", "me"]);
    let output = command.env("TG", string.trim()).output()?;
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout)?, me);
    Ok(())
}

#[test]
fn results_come_as_json_where_asked() -> Result {
    let folder = Folder::with(&["plain_1.45.0", "bad_cellptr", "bad_trunc_100"])?;
    let import = ["import", "plain_1.45.0", "bad_trunc_100", "--into", "store", "--json"];
    let ran = folder.run(&import)?;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "only the error: {ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout)?;
    assert_eq!(report["imported"][0]["name"], "plain_1.45.0");
    assert_eq!(report["imported"][0]["entities"], 119);
    assert_eq!(report["failed"][0]["exit_code"], 3);
    let list = folder.json(&["list", "store", "--json"])?;
    let session = json!({
        "name": "plain_1.45.0", "home_dc": 4, "logged_in": true, "user_id": 777_009, "bot": null
    });
    assert_eq!(list["sessions"], json!([session]));
    let info = folder.json(&["info", "store", "--json"])?;
    assert_eq!(info["sessions"][0]["users"], 62);
    assert_eq!(info["sessions"][0]["update_state"]["pts"], 1110);
    let check = folder.json(&["check", "store", "--json"])?;
    assert_eq!((&check["whole"], &check["entities"]), (&json!(true), &json!(119)));
    for damaged in ["bad_cellptr.session", "bad_trunc_100.session"] {
        let ran = folder.run(&["check", damaged, "--json"])?;
        assert_eq!(ran.code, 3);
        let check: Value = serde_json::from_str(&ran.stdout)?;
        assert_eq!(check["whole"], false);
        assert!(check["problems"][0].is_string(), "{check}");
    }
    let export = ["export", "store", "--to", "telethon", "-o", "out", "--json"];
    let ran = folder.run(&export)?;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout)?["exports"][0]["path"], "out");
    let string = ["export", "store", "--to", "telethon-string", "--json"];
    folder.run(&string)?.refused(2, &["standard output"]);
    Ok(())
}

#[test]
fn quiet_says_nothing_but_errors() -> Result {
    let folder = Folder::with(&["plain_1.45.0"])?;
    let commands: [&[&str]; 5] = [
        &["import", "plain_1.45.0", "--into", "store", "-q"],
        &["--quiet", "export", "store", "--to", "pyrogram", "--api-id", "5", "-o", "out"],
        &["compact", "store", "--quiet"],
        &["rename", "store", "plain_1.45.0", "a", "-q"],
        &["remove", "store", "a", "-q"],
    ];
    for command in commands {
        let ran = folder.run(command)?;
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{command:?}");
    }
    folder.run(&["remove", "store", "a", "-q"])?.refused(1, &["\"a\""]);
    Ok(())
}

#[test]
fn a_dry_run_says_what_would_be_and_writes_nothing() -> Result {
    let folder = Folder::with(&["plain_1.45.0", "two_dc", "empty_1.45.0"])?;
    let before = folder.content()?;
    let import = ["import", "plain_1.45.0", "two_dc", "--into", "store", "--dry-run"];
    let ran = folder.run(&import)?;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("119 entities"), "{ran:?}");
    assert!(ran.stderr.ends_with("dry run: nothing was written\n"), "{ran:?}");
    let export = ["export", "plain_1.45.0", "--to", "pyrogram", "--api-id", "5", "--dry-run"];
    let ran = folder.run(&export)?;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stderr.contains("left out: entities.name"), "{ran:?}");
    let json = folder.json(&[&export[..], &["--json"]].concat())?;
    assert_eq!(json["exports"][0]["entities"], 119);
    assert!(folder.content()? == before, "nothing was written");
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let before = folder.content()?;
    folder.run(&["import", "two_dc", "--into", "store", "--dry-run"])?;
    let replace = ["import", "empty_1.45.0", "--as", "two_dc", "--into", "store", "--replace"];
    let ran = folder.run(&[&replace[..], &["--dry-run"]].concat())?;
    assert_eq!(ran.code, 1, "the login would be lost: {ran:?}");
    assert!(folder.content()? == before, "nothing was written");
    Ok(())
}

#[test]
fn wait_waits_for_a_busy_store_and_no_longer() -> Result {
    let folder = Folder::with(&["two_dc"])?;
    folder.results(&["import", "two_dc", "--into", "store"])?;
    let rename = ["rename", "store", "two_dc", "x"];
    let held = Store::open(folder.path("store.tgsession"))?;
    let started = Instant::now();
    folder.run(&[&rename[..], &["--wait", "1"]].concat())?.refused(4, &["store.tgsession"]);
    assert!(started.elapsed() >= Duration::from_secs(1));
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop(held);
    });
    let ran = folder.run(&[&rename[..], &["--wait", "30"]].concat())?;
    assert_eq!(ran.code, 0, "{ran:?}");
    release.join().map_err(|_| "the holder failed")?;
    Ok(())
}
