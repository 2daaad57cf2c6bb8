//! A program that never drops its store loses nothing that is older than the flush interval.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tgsession::{DcId, Session, Store, StoreSession, UpdateState};

const CHILD: &str = "TGSESSION_TEST_EXIT";

/// How the child leaves its store behind.
const WAYS: [&str; 3] = ["static", "forget", "exit"];

const STATE: UpdateState = UpdateState { pts: 5, qts: 6, date: 7, seq: 8 };

static SESSION: OnceLock<StoreSession> = OnceLock::new();

/// The program: run by this test binary itself, with the store in an environment variable.
#[test]
fn child() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let (way, path) = order.split_once(':').unwrap();
    let options = Store::options().flush_interval(Duration::from_millis(20));
    let session = options.open(path).unwrap().session("a").unwrap();
    session.set_update_state(Some(STATE)).unwrap();
    // The flusher is not asked: another process reads until it has done its work.
    let mut tries = 0..1_000;
    while written(Path::new(path)) != Some(STATE) {
        tries.next().unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    // This may be lost, as the flush interval has not passed; the call before may not.
    session.set_update_state(Some(UpdateState { pts: 6, ..STATE })).unwrap();
    session.set_home_dc(DcId(4)).unwrap();
    match way {
        "static" => drop(SESSION.set(session)),
        "forget" => std::mem::forget(session),
        _ => std::process::exit(0),
    }
}

fn written(path: &Path) -> Option<UpdateState> {
    Store::open_read_only(path).unwrap().session("a").unwrap().update_state().unwrap()
}

#[test]
fn nothing_older_than_the_flush_interval_is_forgotten_at_exit() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("s.tgsession");
        Store::create(&path).unwrap().session("a").unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact"])
            .env(CHILD, format!("{way}:{}", path.display()))
            .output()
            .unwrap();
        assert!(child.status.success(), "{way}: {}", String::from_utf8_lossy(&child.stdout));
        let session = Store::open(&path).unwrap().open_session("a").unwrap();
        assert!(session.update_state().unwrap().unwrap().pts >= STATE.pts, "{way}");
        // A durable call is durable with everything before it.
        assert_eq!(session.login().unwrap().home_dc, Some(DcId(4)), "{way}");
    }
}
