//! Read views, batches and what a process must not do: torn reads, lost updates, forks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use support::{Outcome, account, entities, entity, key};
use tgsession::{
    ChannelState, DcId, DcOption, Entity, Error, ImportSession, PeerId, Session, Source, Store,
    UpdateState,
};

#[test]
fn a_view_stays_as_it_is_whatever_is_written() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = Store::options().buffer_size(3_000).create(directory.path().join("s"))?;
    store.import("a", ImportSession::new(&account(), entities(50).into_iter().map(Ok)))?;
    let session = store.session("a")?;
    session.process_entities(&[entity(60)])?;
    let (whole, one) = (store.read_view()?, session.read_view()?);
    let before = one.entities(None, usize::MAX)?;
    assert_eq!(before.len(), 51);

    session.process_entities(&entities(400))?;
    session.set_auth_key(DcId(2), Some(key(9)))?;
    session.remove_entity(entity(60).id)?;
    store.import("b", ImportSession::new(&account(), entities(9).into_iter().map(Ok)))?;
    store.remove("a")?;
    session.flush().unwrap_or(());

    assert_eq!(whole.list()?, ["a"]);
    assert_eq!(one.entities(None, usize::MAX)?, before);
    assert_eq!(one.auth_key()?, Some(key(1)));
    assert_eq!(whole.session("a")?.name()?, "a");
    assert!(store.read_view()?.sequence() > whole.sequence());
    assert!(matches!(one.set_auth_key(DcId(2), None), Err(Error::ReadOnly { .. })));
    assert!(matches!(session.login(), Err(Error::NoSession { name, .. }) if name == "a"));
    drop((whole, one));
    store.compact()?;
    assert_eq!(store.check()?.problems, Vec::<String>::new());
    Ok(())
}

/// In every state the home DC is among the DCs and its key is that of the state.
#[test]
fn readers_beside_a_writer_see_no_half_of_a_batch() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("s.tgsession");
    let store = Store::create(&path)?;
    let session = store.session("a")?;
    let write = |n: i32| {
        session.update(|batch| {
            let (old, new) = (DcId((n - 1) % 5 + 1), DcId(n % 5 + 1));
            batch.remove_dc(old)?;
            batch.set_dc(&DcOption::new(new).with_key(key(n as u8)))?;
            batch.set_home_dc(new)?;
            batch.set_update_state(Some(UpdateState { pts: n, qts: n, date: 0, seq: n }))?;
            batch.set_channel_states(&[ChannelState { id: PeerId::channel(1).unwrap(), pts: n }])
        })
    };
    write(0)?;
    let done = AtomicBool::new(false);
    let right = |account: &tgsession::Account| {
        let home = account.dcs.iter().find(|dc| Some(dc.id) == account.login.home_dc).unwrap();
        let pts = account.update_state.unwrap().pts;
        assert_eq!((account.dcs.len(), home.auth_key.clone()), (1, Some(key(pts as u8))));
        assert_eq!(account.channel_states[0].pts, pts);
    };
    std::thread::scope(|threads| {
        let reading = threads.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Acquire) {
                right(Source::open(&path).unwrap().session("a").unwrap().account());
                reads += 1;
            }
            reads
        });
        for n in 1..400 {
            write(n).unwrap();
            if n % 90 == 0 {
                store
                    .replace(
                        "other",
                        ImportSession::new(&account(), entities(40).into_iter().map(Ok)),
                    )
                    .unwrap();
                store.compact().unwrap();
            }
        }
        done.store(true, Ordering::Release);
        assert!(reading.join().unwrap() > 0);
    });
    Ok(())
}

#[test]
fn two_threads_lose_no_update_of_each_other() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = Store::create(directory.path().join("s"))?;
    let session = store.session("a")?;
    std::thread::scope(|threads| {
        for dc in [1, 2] {
            let session = &session;
            threads.spawn(move || {
                for n in 0..60_u8 {
                    session.set_auth_key(DcId(dc), Some(key(n))).unwrap();
                    session.set_home_dc(DcId(dc)).unwrap();
                    let endpoint = tgsession::Endpoint::new("149.154.167.51", 443);
                    if dc == 1 {
                        let id = DcId(3);
                        session
                            .update(|batch| {
                                let old = batch.dc(id)?.unwrap_or_else(|| DcOption::new(id));
                                batch.set_dc(&old.at(endpoint))
                            })
                            .unwrap();
                    } else {
                        session.set_auth_key(DcId(3), Some(key(n))).unwrap();
                    }
                }
            });
        }
    });
    let three = session.dc(DcId(3))?.unwrap();
    assert!(three.ipv4.is_some() && three.auth_key == Some(key(59)));
    Ok(())
}

#[test]
fn an_update_that_fails_changes_nothing() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = Store::create(directory.path().join("s"))?;
    let session = store.session("a")?;
    let failed = session.update(|batch| {
        batch.set_auth_key(DcId(1), Some(key(1)))?;
        batch.process_entities(&entities(5))?;
        Err::<(), _>(Error::BadName { name: String::new() })
    });
    assert!(matches!(failed, Err(Error::BadName { .. })));
    assert_eq!((session.dcs()?.len(), session.entity_count()?), (0, 0));
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_store_that_was_deleted_or_replaced_takes_no_durable_write() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("s.tgsession");
    for replace in [false, true] {
        let _ = fs::remove_file(&path);
        let store = Store::create(&path)?;
        let session = store.session("a")?;
        fs::remove_file(&path)?;
        if replace {
            fs::write(&path, "another file")?;
        }
        let refused = session.set_auth_key(DcId(1), Some(key(1)));
        assert!(matches!(refused, Err(Error::Replaced { .. })), "{refused:?}");
        assert!(matches!(store.close(), Ok(()) | Err(Error::Replaced { .. })));
    }
    Ok(())
}

/// Nor buffered writes that outgrow the memory: their checkpoint is refused too.
#[test]
fn a_store_that_was_deleted_takes_no_checkpoint() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("s.tgsession");
    let store = Store::options().buffer_size(20_000).create(&path)?;
    let session = store.session("a")?;
    fs::remove_file(&path)?;
    let mut refused = None;
    for from in 0..200 {
        let seen: Vec<_> = (1..200)
            .filter_map(|id| PeerId::user(from * 1_000 + id))
            .map(|id| Entity::new(id).with_username(&format!("u{}", id.marked())))
            .collect();
        if let Err(error) = session.process_entities(&seen) {
            refused = Some(error);
            break;
        }
    }
    let refused = refused.map_or_else(|| session.flush(), Err);
    assert!(matches!(refused, Err(Error::Replaced { .. })), "{refused:?}");
    Ok(())
}

#[test]
fn a_busy_store_names_the_process_that_has_it() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("s.tgsession");
    let store = Store::create(&path)?;
    store.session("a")?;
    match Store::open(&path) {
        Err(error @ Error::Busy { .. }) => {
            assert!(error.to_string().contains("this process"), "{error}");
            let Error::Busy { holder: Some(holder), .. } = error else {
                return Err("no lock holder".into());
            };
            assert_eq!(holder.process, std::process::id());
        }
        other => return Err(format!("{other:?}").into()),
    }
    store.close()?;
    Store::open(&path)?.close()?;
    Ok(())
}

/// A checkpoint begins a new log. Records that became durable in the old log during the
/// checkpoint are repeated there.
#[test]
fn what_becomes_durable_beside_a_checkpoint_is_in_the_next_log() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("s");
    let store = Store::options().buffer_size(3_000).create(&path)?;
    let session = store.session("a")?;
    let reader = Store::open_read_only(&path)?;
    for round in 0..30 {
        // More than the buffer: it is frozen, and the thread in the background is woken.
        let seen: Vec<_> = (0..60).map(|at| entity(1 + round * 60 + at)).collect();
        session.process_entities(&seen)?;
        session.process_entities(&[entity(20_000 + round)])?;
        session.set_auth_key(DcId(2), Some(key(round as u8)))?;
        // Meanwhile the checkpoint ends.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let found = reader.open_session("a")?.dc(DcId(2))?.and_then(|dc| dc.auth_key);
        assert_eq!(found, Some(key(round as u8)), "round {round}");
    }
    Ok(())
}
