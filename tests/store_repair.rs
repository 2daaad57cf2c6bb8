//! `repair` takes over everything that is whole, whatever else is damaged.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::fs;
use std::path::Path;

use support::{Outcome, account, entities, entity, key};
use tgsession::{DcId, ImportSession, Progress, Session, Source, SourceOptions, Store, repair};

const ENTITIES: i64 = 2_000;

/// A store with a segment, and with a key in the log after it.
fn damaged(directory: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> std::path::PathBuf {
    let path = directory.join("damaged.tgsession");
    let _ = fs::remove_file(&path);
    let store = Store::create(&path).unwrap();
    store
        .import("a", ImportSession::new(&account(), entities(ENTITIES).into_iter().map(Ok)))
        .unwrap();
    store.open_session("a").unwrap().set_auth_key(DcId(5), Some(key(5))).unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    damage(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    path
}

fn repaired(directory: &Path, path: &Path) -> (Store, tgsession::RepairReport) {
    let before = fs::read(path).unwrap();
    let out = directory.join("repaired.tgsession");
    let _ = fs::remove_file(&out);
    let report = repair(path, &out).unwrap();
    assert!(fs::read(path).unwrap() == before, "the damaged file was changed");
    let store = Store::open(&out).unwrap();
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    (store, report)
}

#[test]
fn a_repair_says_how_far_it_is() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = damaged(directory.path(), |_| ());
    let (progress, count) = (Progress::default(), u64::try_from(ENTITIES)?);
    let options = Store::options().progress(&progress);
    options.repair(&path, directory.path().join("repaired"))?;
    assert_eq!((progress.done(), progress.total()), (count, Some(count)));
    // Salvaging, the first two passes of a repair, counts as well.
    let progress = Progress::default();
    let path = damaged(directory.path(), |bytes| {
        bytes[600] ^= 1;
        bytes[2100] ^= 1;
    });
    SourceOptions::new().salvage(true).progress(&progress).open(&path)?;
    assert_eq!((progress.done(), progress.total()), (count, Some(count)));
    Ok(())
}

#[test]
fn a_whole_store_is_taken_over_without_a_loss() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = damaged(directory.path(), |_| ());
    let (store, report) = repaired(directory.path(), &path);
    assert_eq!(report.lost, Vec::<String>::new());
    assert_eq!((report.sessions.as_slice(), report.entities), (&["a".to_owned()][..], 2_000));
    let session = store.open_session("a")?;
    assert_eq!(session.login()?, account().login);
    assert_eq!(session.dcs()?.len(), 3);
    assert_eq!(session.entities(None, usize::MAX)?, entities(ENTITIES));
    Ok(())
}

#[test]
fn a_damaged_sector_costs_the_entities_in_it_alone() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = damaged(directory.path(), |bytes| {
        let middle = bytes.len() / 3;
        bytes[middle] ^= 1;
    });
    let (store, report) = repaired(directory.path(), &path);
    assert!(!report.lost.is_empty());
    let session = store.open_session("a")?;
    assert_eq!(session.dc(DcId(5))?.and_then(|dc| dc.auth_key), Some(key(5)));
    let kept = session.entity_count()?;
    assert!((ENTITIES as u64 - 64..ENTITIES as u64).contains(&kept), "{kept} are left");
    Ok(())
}

#[test]
fn the_login_survives_the_loss_of_header_or_root() -> Outcome {
    let directory = tempfile::tempdir()?;
    for lost in [0..512, 512..1024, 2048..2560] {
        let both = lost.start > 0;
        let path = damaged(directory.path(), |bytes| {
            bytes[lost.clone()].fill(0xa5);
            if both {
                bytes[512..1024].fill(0xa5);
                bytes[2048..2560].fill(0xa5);
            }
        });
        assert!(Store::open(&path).is_err());
        let (store, report) = repaired(directory.path(), &path);
        let session = store.open_session("a")?;
        assert_eq!(session.auth_key()?, Some(key(1)), "{lost:?}");
        assert_eq!(session.dc(DcId(5))?.and_then(|dc| dc.auth_key), Some(key(5)));
        assert_eq!(session.entity_count()?, ENTITIES as u64);
        assert_eq!(report.lost.is_empty(), !both, "{:?}", report.lost);
    }
    Ok(())
}

#[test]
fn a_log_that_lost_its_manifest_gives_the_records_behind_it() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = damaged(directory.path(), |bytes| {
        // The root says where the log begins.
        let page = u32::from_le_bytes(bytes[536..540].try_into().unwrap());
        let log = page as usize * 4096;
        assert!(bytes[log..].starts_with(b"\x89log"));
        bytes[log + 100] ^= 1;
    });
    let (store, report) = repaired(directory.path(), &path);
    assert!(report.lost.iter().any(|lost| lost.contains("manifest")), "{:?}", report.lost);
    let session = store.open_session("a")?;
    assert_eq!(session.auth_key()?, Some(key(1)));
    assert_eq!(session.entity(entity(9).id)?, Some(entity(9)));
    Ok(())
}

#[test]
fn salvage_reads_a_damaged_store_and_says_what_is_missing() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = damaged(directory.path(), |bytes| bytes[600] ^= 1);
    // One copy of the root is enough.
    assert_eq!(Source::open(&path)?.session("a")?.account().dcs.len(), 3);
    let path = damaged(directory.path(), |bytes| {
        bytes[600] ^= 1;
        bytes[2100] ^= 1;
    });
    assert!(Source::open(&path).is_err());
    let source = SourceOptions::new().salvage(true).open(&path)?;
    let mut session = source.session("a")?;
    assert_eq!(session.account().dcs.len(), 3);
    assert_eq!(session.by_ref().count() as i64, ENTITIES);
    assert!(session.notes().iter().any(|note| note.contains("root")), "{:?}", session.notes());
    Ok(())
}
