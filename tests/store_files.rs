//! The file of a store: made whole or not at all, private, and left alone unless written to.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use support::{Outcome, account, entities, entity, key};
use tgsession::{
    Account, DcId, Entity, Error, ImportSession, PeerId, Progress, Session, SourceOptions, Store,
};

/// Everything in a folder: names, content, times of the last change.
fn listing(folder: &Path) -> Vec<(String, Vec<u8>, SystemTime)> {
    let entry = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let modified = entry.metadata().unwrap().modified().unwrap();
        (name, fs::read(entry.path()).unwrap(), modified)
    };
    let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|e| entry(e.unwrap())).collect();
    all.sort();
    all
}

#[test]
fn opening_and_closing_without_writing_leaves_the_file_as_it_was() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    let store = Store::create(&path)?;
    store.import("a", ImportSession::new(&account(), entities(50).into_iter().map(Ok)))?;
    drop(store);
    let before = listing(folder.path());
    std::thread::sleep(Duration::from_millis(20));

    let store = Store::open(&path)?;
    let session = store.open_session("a")?;
    assert_eq!(session.entity_count()?, 50);
    // All of them are known as they are: nothing to write.
    assert_eq!(session.process_entities(&entities(50))?, 0);
    drop((session, store));
    Store::open_read_only(&path)?.check()?;
    assert!(listing(folder.path()) == before, "something was written");
    Ok(())
}

#[test]
fn a_store_is_made_whole_or_not_at_all() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    let failed = Store::create_with(&path, |store| {
        store.session("a")?.set_auth_key(DcId(2), Some(key(1)))?;
        Err::<(), _>(Error::BadName { name: String::new() })
    });
    assert!(matches!(failed, Err(Error::BadName { .. })));
    assert!(listing(folder.path()).is_empty(), "nothing is left behind");
    Ok(())
}

#[test]
fn an_import_that_fails_leaves_the_store_as_it_was() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Store::create(folder.path().join("s.tgsession"))?;
    store.import("a", ImportSession::new(&account(), entities(10).into_iter().map(Ok)))?;
    let broken = entities(1_000).into_iter().map(Ok);
    let broken = broken.chain([Err(Error::BadName { name: "broken".into() })]);
    assert!(store.replace("a", ImportSession::new(&account(), broken)).is_err());
    assert_eq!(store.open_session("a")?.entity_count()?, 10);
    let again = store.import("a", ImportSession::new(&account(), Vec::new()));
    assert!(matches!(again, Err(Error::SessionExists { .. })), "{again:?}");
    assert_eq!(store.check()?.problems, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_store_in_a_folder_that_is_not_there_names_the_folder() -> Outcome {
    let folder = tempfile::tempdir()?;
    let missing = folder.path().join("missing");
    let error = Store::create(missing.join("s")).unwrap_err();
    assert!(matches!(&error, Error::NotFound { path } if *path == missing), "{error}");
    assert!(error.to_string().ends_with("missing: no such file or folder"), "{error}");
    assert!(listing(folder.path()).is_empty());
    Ok(())
}

#[test]
fn no_file_is_ever_overwritten() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.tgsession");
    fs::write(&path, "mine")?;
    assert!(matches!(Store::create(&path), Err(Error::AlreadyExists { .. })));
    assert!(matches!(Store::open(&path), Err(Error::WrongKind { .. })));
    assert!(matches!(Store::open_or_create(&path), Err(Error::WrongKind { .. })));
    assert_eq!(fs::read_to_string(&path)?, "mine");
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_store_is_its_owners_alone_from_the_first_moment() -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    Store::create_with(&path, |_| {
        for entry in fs::read_dir(folder.path()).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600, "while it is built");
        }
        Ok(())
    })?;
    assert_eq!(mode(&path), 0o600);
    Ok(())
}

#[test]
fn one_writes_and_others_read_beside_it() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    let writer = Store::create(&path)?;
    let session = writer.session("a")?;
    let twice = Store::open(&path).err().ok_or("it was opened twice")?;
    assert!(matches!(twice, Error::Busy { .. }), "{twice}");
    assert!(twice.to_string().contains("this process has it open for writing already"), "{twice}");

    let reader = Store::open_read_only(&path)?;
    for seed in 1..=3 {
        session.set_auth_key(DcId(2), Some(key(seed)))?;
        let seen = reader.open_session("a")?;
        assert_eq!(seen.dc(DcId(2))?.and_then(|dc| dc.auth_key), Some(key(seed)));
        let refused = seen.set_auth_key(DcId(2), None);
        assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
    }
    drop((session, writer));
    Store::open(&path)?;
    Ok(())
}

#[test]
fn a_store_whose_writer_was_killed_is_read_without_a_change_and_written_after_recovery() -> Outcome
{
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    let store = Store::create(&path)?;
    store.import("a", ImportSession::new(&account(), entities(50).into_iter().map(Ok)))?;
    store.session("a")?.set_auth_key(DcId(5), Some(key(5)))?;
    // The file is now as a kill would leave it.
    let killed = folder.path().join("killed.tgsession");
    fs::write(&killed, fs::read(&path)?)?;
    drop(store);
    let before = listing(folder.path());

    let reader = Store::open_read_only(&killed)?;
    assert_eq!(reader.open_session("a")?.entity_count()?, 50);
    assert_eq!(reader.check()?.problems, Vec::<String>::new());
    drop(reader);
    assert!(listing(folder.path()) == before, "reading has written");

    let session = Store::open(&killed)?.open_session("a")?;
    assert_eq!(session.dc(DcId(5))?.and_then(|dc| dc.auth_key), Some(key(5)));
    session.set_auth_key(DcId(5), None)?;
    Ok(())
}

#[test]
fn a_handle_to_a_deleted_session_writes_into_no_other() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Store::create(folder.path().join("s.tgsession"))?;
    let old = store.session("a")?;
    old.set_auth_key(DcId(2), Some(key(1)))?;
    store.remove("a")?;
    let new = store.session("a")?;
    assert!(matches!(old.set_auth_key(DcId(2), Some(key(9))), Err(Error::NoSession { .. })));
    assert!(old.process_entities(&entities(3)).is_err());
    assert_eq!((new.dcs()?, new.entity_count()?), (vec![], 0));
    assert!(old.auth_key().is_err());
    assert_eq!(store.check()?.problems, Vec::<String>::new());
    Ok(())
}

#[test]
fn sessions_are_listed_renamed_and_removed() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Store::create(folder.path().join("s"))?;
    assert!(store.path().ends_with("s.tgsession"));
    let bob = store.session("bob")?;
    store.session("alice")?.set_auth_key(DcId(1), Some(key(1)))?;
    bob.set_auth_key(DcId(2), Some(key(2)))?;
    assert_eq!(store.list()?, ["alice", "bob"]);
    store.rename("bob", "zoe")?;
    assert_eq!(bob.name()?, "zoe");
    assert!(matches!(store.rename("alice", "zoe"), Err(Error::SessionExists { .. })));
    assert!(matches!(store.rename("nobody", "x"), Err(Error::NoSession { .. })));
    store.remove("alice")?;
    assert_eq!(store.list()?, ["zoe"]);
    assert_eq!(store.open_session("zoe")?.dc(DcId(2))?.and_then(|dc| dc.auth_key), Some(key(2)));
    for name in ["", "tab\there", &"x".repeat(256)] {
        assert!(matches!(
            store.session(name),
            Err(Error::BadName { .. } | Error::NoSession { .. })
        ));
    }
    Ok(())
}

#[test]
fn a_store_is_used_from_many_threads_at_once() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Store::create(folder.path().join("s"))?;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = store.clone();
            scope.spawn(move || {
                let session = store.session(&format!("account {thread}")).unwrap();
                for part in entities(80).chunks(20) {
                    session.process_entities(part).unwrap();
                    assert_eq!(session.entity(part[0].id).unwrap().as_ref(), Some(&part[0]));
                }
            });
        }
    });
    assert_eq!(store.list()?.len(), 4);
    assert_eq!(store.check()?.entities, 320);
    assert_eq!(store.check()?.problems, Vec::<String>::new());
    Ok(())
}

/// The size of a file on the disk.
#[cfg(unix)]
fn disk_size(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).unwrap().blocks() * 512
}

#[cfg(unix)]
#[test]
fn a_store_with_little_in_it_takes_little_room() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    drop(Store::create(&path)?);
    let size = || (disk_size(&path), fs::metadata(&path).unwrap().len());
    assert_eq!(size(), (8_192, 8_192), "on the disk, and in length, when empty");
    let session = Store::open(&path)?.session("a")?;
    session.set_auth_key(DcId(2), Some(key(1)))?;
    session.set_home_dc(DcId(2))?;
    session.process_entities(&entities(20))?;
    drop(session);
    assert!(size().0 <= 24_576 && size().1 <= 24_576, "{:?} with a login", size());
    Ok(())
}

#[test]
fn a_backup_is_the_whole_store_at_one_moment_while_others_write() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Store::create(folder.path().join("s"))?;
    store.import("a", ImportSession::new(&account(), entities(500).into_iter().map(Ok)))?;
    let session = store.session("b")?;
    let copies: Vec<_> = (0..5).map(|n| folder.path().join(format!("copy {n}"))).collect();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for part in entities(2_000).chunks(10) {
                session.process_entities(part).unwrap();
            }
        });
        for copy in &copies {
            store.backup(copy).unwrap();
        }
        writer.join().unwrap();
    });
    assert!(matches!(store.backup(&copies[0]), Err(Error::AlreadyExists { .. })));
    for copy in copies {
        let copy = Store::open(&copy)?;
        assert_eq!(copy.check()?.problems, Vec::<String>::new());
        assert_eq!(copy.list()?, ["a", "b"]);
        assert_eq!(copy.open_session("a")?.entities(None, usize::MAX)?, entities(500));
        assert_eq!(copy.open_session("a")?.auth_key()?, account().dcs[0].auth_key);
        // Whole calls of the writer, as many as it had made by then.
        let written = copy.open_session("b")?.entities(None, usize::MAX)?;
        assert!(written.len() % 10 == 0 && written[..] == entities(2_000)[..written.len()]);
        copy.session("c")?;
    }
    Ok(())
}

#[test]
fn room_that_a_removed_session_took_is_given_back() -> Outcome {
    let folder = tempfile::tempdir()?;
    let len = |path: &Path| fs::metadata(path).unwrap().len();
    for by_itself in [false, true] {
        let path = folder.path().join(format!("{by_itself}.tgsession"));
        let store = Store::create(&path)?;
        store.import("small", ImportSession::new(&account(), entities(50).into_iter().map(Ok)))?;
        store.import(
            "large",
            ImportSession::new(&account(), entities(60_000).into_iter().map(Ok)),
        )?;
        let reader = Store::open_read_only(&path)?;
        let full = len(&path);
        store.remove("large")?;
        if by_itself {
            drop(store);
        } else {
            store.compact()?;
            let small = store.open_session("small")?;
            small.set_auth_key(DcId(5), Some(key(5)))?;
            assert_eq!(small.entity_count()?, 50);
        }
        assert!(len(&path) < full / 3, "{} of {full} bytes are left", len(&path));
        let small = reader.open_session("small")?;
        assert_eq!(small.entities(None, usize::MAX)?, entities(50));
        assert_eq!(Store::open_read_only(&path)?.check()?.problems, Vec::<String>::new());
    }
    Ok(())
}

#[test]
fn what_came_between_other_rows_leaves_no_half_empty_pages_at_the_end() -> Outcome {
    let folder = tempfile::tempdir()?;
    let [grown, loaded] =
        ["grown.tgsession", "loaded.tgsession"].map(|name| folder.path().join(name));
    let all = entities(60_000);
    Store::create(&loaded)?
        .import("a", ImportSession::new(&account(), all.iter().cloned().map(Ok)))?;

    let (first, second): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|e| e.id.marked() % 3 != 0);
    let store = Store::create(&grown)?;
    store.import("a", ImportSession::new(&account(), first.into_iter().map(Ok)))?;
    let session = store.open_session("a")?;
    // Far from each other, so that many pages are split.
    for start in 0..100 {
        let met: Vec<_> = second.iter().skip(start).step_by(100).cloned().collect();
        session.process_entities(&met)?;
        session.flush()?;
    }
    drop((session, store));
    let len = |path: &Path| fs::metadata(path).unwrap().len();
    assert!(len(&grown) * 10 < len(&loaded) * 12, "{} and {} bytes", len(&grown), len(&loaded));
    let store = Store::open(&grown)?;
    assert_eq!(store.open_session("a")?.entities(None, usize::MAX)?, all);
    assert_eq!(store.open_session("a")?.auth_key()?, account().dcs[0].auth_key);
    assert_eq!(store.check()?.problems, Vec::<String>::new());
    Ok(())
}

#[test]
fn who_waits_gets_the_store_when_it_is_free() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    let store = Store::create(&path)?;
    let at_once = Store::options().wait(Duration::from_millis(30)).open(&path);
    assert!(matches!(at_once, Err(Error::Busy { .. })), "{at_once:?}");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| Store::options().wait(Duration::from_secs(20)).open(&path));
        std::thread::sleep(Duration::from_millis(50));
        drop(store);
        waits.join().unwrap()
    })?;
    Ok(())
}

#[test]
fn a_reader_in_another_process_follows_the_log_through_every_turn() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.tgsession");
    let store = Store::options().flush_interval(Duration::ZERO).create(&path)?;
    let session = store.session("a")?;
    let reader = Store::open_read_only(&path)?;
    // More than the log holds, several times over.
    for round in 0..40 {
        let mut people = entities(300);
        for person in &mut people {
            person.name = Some(format!("round {round} {}", "x".repeat(100)));
        }
        session.process_entities(&people)?;
        let seen = reader.open_session("a")?;
        assert_eq!(seen.entity(people[7].id)?.as_ref(), Some(&people[7]), "round {round}");
        assert_eq!(seen.entity_count()?, 300);
        assert_eq!(seen.entities(None, usize::MAX)?.len(), 300);
    }
    assert_eq!(reader.check()?.problems, Vec::<String>::new());
    Ok(())
}

#[test]
fn long_calls_count_what_they_have_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let progress = Progress::default();
    let store = Store::options().progress(&progress).create(&path).unwrap();
    assert_eq!((progress.done(), progress.total()), (0, None));
    for (name, count) in [("a", 300), ("b", 200)] {
        let entities = (1..=count).map(|id| Ok(Entity::new(PeerId::user(id).unwrap())));
        store.import(name, ImportSession::new(&Account::default(), entities)).unwrap();
    }
    let counted = || (progress.done(), progress.total());
    store.check().unwrap();
    assert_eq!(counted(), (500, Some(500)), "check");
    store.scrub().unwrap();
    assert_eq!(counted(), (500, Some(500)), "scrub");
    store.remove("b").unwrap();
    store.backup(folder.path().join("copy")).unwrap();
    assert_eq!(counted(), (300, Some(300)), "backup");
    drop(store);
    let source = SourceOptions::new().progress(&progress).open(path.with_extension("tgsession"));
    source.unwrap().check().unwrap();
    assert_eq!(counted(), (300, Some(300)), "check of a source");
}

/// A caller's progress counts its own calls, not the work of the store in the background.
#[test]
fn only_long_calls_count_their_progress() -> Outcome {
    let directory = tempfile::tempdir()?;
    let progress = tgsession::Progress::default();
    let options = Store::options().progress(&progress).buffer_size(3_000);
    let store = options.create(directory.path().join("s"))?;
    let session = store.session("a")?;
    store.check()?;
    let before = (progress.done(), progress.total());
    for round in 0..40 {
        let seen: Vec<_> = (0..50).map(|at| entity(1 + round * 50 + at)).collect();
        session.process_entities(&seen)?;
    }
    session.flush()?;
    assert_eq!((progress.done(), progress.total()), before);

    store.compact()?;
    assert_eq!(progress.total(), Some(progress.done()));
    assert!(progress.done() >= 2_000, "{}", progress.done());
    Ok(())
}

/// The bound on extras holds on every way into a store.
#[test]
fn an_import_with_too_many_extras_is_refused_whole() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = Store::create(directory.path().join("s"))?;
    let extras = |count: usize| {
        let mut account = account();
        account.extras =
            (0..count).map(|at| tgsession::Extra::new(&format!("x{at}"), b"1").unwrap()).collect();
        account
    };
    let none = || std::iter::empty::<tgsession::Result<Entity>>();
    let refused = store.import("a", ImportSession::new(&extras(65), none())).unwrap_err();
    assert!(refused.to_string().contains("x64"), "{refused}");
    assert!(store.list()?.is_empty());
    store.import("a", ImportSession::new(&extras(64), none()))?;
    assert_eq!(store.session("a")?.extras()?.len(), 64);
    store.remove("a")?;
    assert!(store.session("a")?.extras()?.is_empty());
    Ok(())
}
