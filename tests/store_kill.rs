//! A writer that is killed at any moment, with a reader beside it: nothing acknowledged is lost,
//! and the reader sees whole batches only.
//!
//! `TGSESSION_KILLS` asks for more kills than are tried here.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use support::{Outcome, account, entities, key};
use tgsession::{
    DcId, DcOption, ImportSession, Session, Store, StoreKey, StoreOptions, StoreSession,
    UpdateState,
};

/// Where the child writes. Only the child has it.
const CHILD: &str = "TGSESSION_KILL_CHILD";

/// The name of the store that is encrypted.
const ENCRYPTED: &str = "encrypted.tgsession";

fn write(session: &StoreSession, n: i32) {
    session
        .update(|batch| {
            let (old, new) = (DcId((n - 1) % 5 + 1), DcId(n % 5 + 1));
            batch.remove_dc(old)?;
            batch.set_dc(&DcOption::new(new).with_key(key(n as u8)))?;
            batch.set_home_dc(new)?;
            batch.set_update_state(Some(UpdateState { pts: n, qts: n, date: 0, seq: n }))
        })
        .unwrap();
}

/// With the key of the store that is encrypted.
fn options(path: &Path) -> StoreOptions {
    let options = Store::options();
    if path.ends_with(ENCRYPTED) { options.key(&StoreKey::raw([9; 32])) } else { options }
}

/// Not a test: the writer that is killed.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let options = options(&path).wait(Duration::from_secs(20)).buffer_size(60_000);
    let store = options.open_or_create(&path).unwrap();
    let session = store.session("a").unwrap();
    let first = session.update_state().unwrap().map_or(1, |state| state.pts + 1);
    for n in first.. {
        write(&session, n);
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {n}").unwrap();
        out.flush().unwrap();
        drop(out);
        match n % 40 {
            7 => drop(session.process_entities(&entities(i64::from(n) % 700 + 50)).unwrap()),
            19 => {
                let own = entities(90).into_iter().map(Ok);
                store.replace("other", ImportSession::new(&account(), own)).unwrap();
            }
            33 => store.remove("other").unwrap_or(()),
            39 => store.compact().unwrap_or(()),
            _ => {}
        }
    }
}

/// The number of the last batch; everything else must be of the same batch.
fn check(path: &Path) -> i32 {
    let view = options(path).open_read_only(path).unwrap().read_view().unwrap();
    let Ok(session) = view.session("a") else { return 0 };
    let Some(state) = session.update_state().unwrap() else { return 0 };
    let home = session.home_dc().unwrap().unwrap();
    let whole = (session.dcs().unwrap().len(), home.auth_key.clone(), state.seq);
    assert_eq!(whole, (1, Some(key(state.pts as u8)), state.pts), "{state:?}");
    let count = session.entities(None, usize::MAX).unwrap().len() as u64;
    assert_eq!(count, session.entity_count().unwrap());
    state.pts
}

#[test]
fn nothing_acknowledged_is_lost_when_a_writer_is_killed() -> Outcome {
    let kills: u64 = std::env::var("TGSESSION_KILLS").map_or(Ok(12), |kills| kills.parse())?;
    if cfg!(feature = "encryption") {
        kill("plain.tgsession", kills.div_ceil(2))?;
        kill(ENCRYPTED, kills / 2)
    } else {
        kill("plain.tgsession", kills)
    }
}

fn kill(name: &str, kills: u64) -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join(name);
    let (acknowledged, done) = (AtomicI32::new(0), AtomicBool::new(false));
    options(&path).create(&path)?.close()?;
    std::thread::scope(|threads| {
        let reading = threads.spawn(|| {
            let mut reads = 0_u64;
            while !done.load(Ordering::Acquire) {
                let before = acknowledged.load(Ordering::Acquire);
                let seen = check(&path);
                assert!(seen >= before, "batch {seen} is older than the acknowledged {before}");
                reads += 1;
            }
            reads
        });
        for kill in 0..kills {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child", "--nocapture"])
                .env(CHILD, &path)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut left = 3 + kill * 31 % 97;
            for line in BufReader::new(child.stdout.take().unwrap()).lines() {
                if let Some(n) = line.unwrap().strip_prefix("acknowledged ") {
                    acknowledged.fetch_max(n.parse().unwrap(), Ordering::AcqRel);
                    left -= 1;
                }
                if left == 0 {
                    std::thread::sleep(Duration::from_micros(kill * 7919 % 3_000));
                    child.kill().unwrap();
                    break;
                }
            }
            child.wait().unwrap();
            assert!(check(&path) >= acknowledged.load(Ordering::Acquire), "after kill {kill}");
        }
        done.store(true, Ordering::Release);
        assert!(reading.join().unwrap() > 0);
    });
    let store = options(&path).open(&path)?;
    assert_eq!(store.check()?.problems, Vec::<String>::new());
    Ok(())
}
