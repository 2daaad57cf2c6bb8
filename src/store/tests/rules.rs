//! Rules of FORMAT.md that random runs seldom need, each in the situation that it is for.

use super::faults::{with_a_base, writer};
use super::random_ops::{Op, act, is_durable, new_store, new_store_with, open, seal_of, state_of};
use super::sim_disk::{Failure, Fault, SimDisk};
use crate::file::{Access, PAGE, Root, Roots, SECTOR};
use crate::store::ImportSession;
use crate::types::{Account, Entity, PeerId};

/// The last durable slot of the root is never written over: not by a new generation, and not where
/// the file grows with the log.
#[test]
fn two_torn_writes_of_the_root_leave_one_slot_whole() {
    let grow = [Op::See(0, 1, 60), Op::Flush];
    for (first, step) in (0..18).flat_map(|first| (1..9).map(move |step| (first, step))) {
        let disk = SimDisk::new(new_store());
        let store = writer(&disk).unwrap();
        act(&store, &Op::Session(0)).unwrap();
        let first = disk.calls() + first;
        disk.fail(Some(Fault { first, count: 2, step, failure: Failure::Short }));
        for number in 1..5 {
            for op in [&Op::Import(0, number, 0)].into_iter().chain(&grow) {
                let _ = act(&store, op);
                for image in [disk.killed(), disk.durable()] {
                    let opened = writer(&SimDisk::new(image));
                    assert!(opened.is_ok(), "calls {first} and {}: {opened:?}", first + step);
                }
            }
        }
    }
}

/// A log in doubt takes no record: a reader may have seen the one that failed.
#[test]
fn a_reader_beside_a_failed_write_of_the_log_sees_what_comes_after_it() {
    for failure in [Failure::Eio, Failure::Short] {
        for at in 0..4 {
            let disk = SimDisk::new(new_store());
            let store = writer(&disk).unwrap();
            act(&store, &Op::Session(0)).unwrap();
            let reader = open(disk.handle(), Access::Read, 4 << 20).unwrap();
            disk.fail(Some(Fault::once(disk.calls() + at, failure)));
            for number in 1..6 {
                let _ = act(&store, &Op::See(0, 1, usize::from(number) * 3));
                let done = act(&store, &Op::LogIn(0, number));
                let seen = state_of(&reader).unwrap();
                assert!(done.is_err() || seen == state_of(&store).unwrap(), "{failure:?} {at}");
            }
        }
    }
}

/// The next handle reads each record of the log.
#[test]
fn a_long_log_is_replaced_on_close() {
    let cases = [(true, 10, false), (true, 40, true), (false, 40, true)];
    for (is_large, records, is_replaced) in cases {
        for is_encrypted in [false, cfg!(feature = "encryption")] {
            let disk = SimDisk::new(new_store_with(is_encrypted));
            let store = writer(&disk).unwrap();
            let first = if is_large { Op::Import(0, 1, 600) } else { Op::Session(0) };
            assert!(act(&store, &first).unwrap());
            for number in 0..records {
                assert!(act(&store, &Op::LogIn(0, number)).unwrap());
            }
            let right = state_of(&store).unwrap();
            store.close().unwrap();
            let (root, _) = Roots::read(&disk, &seal_of(&disk)).unwrap().current().unwrap();
            let left = root.last - root.first;
            assert_eq!(left < 8, is_replaced, "{left} of {records} records are left");
            if is_replaced && !is_large {
                let len = disk.killed().len();
                assert!(len <= 5 * PAGE, "{len} bytes: the old log is still in the file");
            }
            let reader = open(SimDisk::new(disk.durable()), Access::Read, 20_000).unwrap();
            assert_eq!(state_of(&reader).unwrap(), right);
        }
    }
}

/// Whichever call of a close fails while it replaces the log, and if the power goes then.
#[test]
fn a_close_that_fails_while_it_replaces_the_log_loses_nothing() {
    let mut failed = 0;
    for (at, failure) in (0..30).flat_map(|at| [(at, Failure::Eio), (at, Failure::Short)]) {
        let disk = SimDisk::new(new_store());
        let store = writer(&disk).unwrap();
        act(&store, &Op::Session(0)).unwrap();
        for number in 0..40 {
            assert!(act(&store, &Op::LogIn(0, number)).unwrap());
        }
        let right = state_of(&store).unwrap();
        disk.fail(Some(Fault::once(disk.calls() + at, failure)));
        let _ = store.close();
        failed += disk.failed().len();
        disk.fail(None);
        for image in [disk.killed(), disk.durable(), disk.power_cut(at as u64, SECTOR)] {
            let opened = writer(&SimDisk::new(image)).unwrap();
            assert_eq!(state_of(&opened).unwrap(), right, "{failure:?} of call {at}");
        }
    }
    assert!(failed > 20, "{failed} calls failed");
}

/// Also one that was stopped between the writes of both slots of the root.
#[test]
fn a_store_whose_writer_was_killed_is_not_reported_as_damaged() {
    let disk = SimDisk::new(new_store());
    let store = writer(&disk).unwrap();
    disk.keep_states();
    for op in [Op::LogIn(0, 1), Op::Import(0, 1, 60), Op::Compact, Op::Import(0, 2, 0)] {
        act(&store, &op).unwrap();
    }
    for (call, state) in disk.take_states().into_iter().enumerate() {
        let killed = open(SimDisk::new(state.cache), Access::Read, 20_000).unwrap();
        assert_eq!(killed.check().unwrap().problems, Vec::<String>::new(), "before call {call}");
    }
}

/// The system tells one thread alone that a sync failed. The others ask whether one did.
#[test]
fn a_sync_that_fails_in_another_thread_costs_no_durable_data() {
    // Two calls with a sync between them: both slots of the root, for one.
    // How many calls there were decides what a failed sync loses.
    for (at, count, logins) in
        (0..40).flat_map(|at| [(at, 1, 1), (at, 2, 1), (at, 2, 2), (at, 2, 3)])
    {
        let disk = SimDisk::new(new_store());
        let store = writer(&disk).unwrap();
        act(&store, &Op::Session(0)).unwrap();
        for number in 0..logins {
            act(&store, &Op::LogIn(0, 9 + number)).unwrap();
        }
        let first = disk.calls() + at;
        disk.fail(Some(Fault { first, count, step: 2, failure: Failure::Elsewhere }));
        for number in 1..5 {
            let see = Op::See(0, i64::from(number) * 60, 60);
            for op in [Op::LogIn(0, number), see, Op::Flush, Op::Import(1, 1, 60)] {
                let done = act(&store, &op);
                let opened = writer(&SimDisk::new(disk.durable()));
                let opened = opened.unwrap_or_else(|error| panic!("call {at}, {op:?}: {error:?}"));
                if done.is_ok() && is_durable(&op) {
                    let (found, state) = (state_of(&opened).unwrap(), state_of(&store).unwrap());
                    assert_eq!(found, state, "call {at}, {op:?}");
                }
            }
        }
    }
}

/// What a writer finds after a failed sync is in the page cache alone, until it confirms it.
#[test]
fn a_record_that_only_the_page_cache_has_is_made_durable_by_the_next_writer() {
    for at in 0..4 {
        let disk = SimDisk::new(new_store());
        let store = writer(&disk).unwrap();
        act(&store, &Op::Session(0)).unwrap();
        let first = disk.calls() + at;
        // Everything fails from here on, and the process dies of it.
        disk.fail(Some(Fault { first, count: 100, step: 1, failure: Failure::Eio }));
        let _ = act(&store, &Op::LogIn(0, 1));
        disk.fail(None);
        disk.kill_all();
        drop(store);
        let store = writer(&disk).unwrap();
        act(&store, &Op::LogIn(0, 2)).unwrap();
        let state = state_of(&store).unwrap();
        let again = writer(&SimDisk::new(disk.durable()));
        let again = again.unwrap_or_else(|error| panic!("call {at}: {error:?}"));
        assert_eq!(state_of(&again).unwrap(), state, "call {at}");
    }
}

/// The same of a root: the generation that it names is current in the page cache alone.
#[test]
fn a_root_that_only_the_page_cache_has_is_made_durable_by_the_next_writer() {
    // How many calls there were decides what a failed sync loses.
    for (at, logins) in (0..14).flat_map(|at| (0..5).map(move |logins| (at, logins))) {
        let disk = SimDisk::new(new_store());
        let store = writer(&disk).unwrap();
        // The replaced import leaves a gap for the next log: the file does not grow with it, which
        // would write the root again.
        let imports = [900, 5, 5].map(|count| Op::Import(1, 1, count));
        let logins = (0..=logins).map(|number| Op::LogIn(0, number));
        for op in [Op::Session(0)].into_iter().chain(imports).chain(logins) {
            act(&store, &op).unwrap();
        }
        let first = disk.calls() + at;
        disk.fail(Some(Fault { first, count: 100, step: 1, failure: Failure::Eio }));
        let _ = act(&store, &Op::Import(1, 1, 5));
        disk.fail(None);
        disk.kill_all();
        drop(store);
        let store = writer(&disk).unwrap();
        act(&store, &Op::LogIn(0, 99)).unwrap();
        let again = writer(&SimDisk::new(disk.durable()));
        let again = again.unwrap_or_else(|error| panic!("call {at}: {error:?}"));
        assert_eq!(state_of(&again).unwrap(), state_of(&store).unwrap(), "call {at}");
    }
}

/// Its root may be on the disk, so a power cut may make it current.
#[test]
fn the_pages_of_a_generation_that_failed_are_not_written_over() {
    // How many calls there were decides what a failed sync loses.
    for (at, logins) in (0..14).flat_map(|at| (1..6).map(move |logins| (at, logins))) {
        let disk = SimDisk::new(new_store());
        let store = writer(&disk).unwrap();
        let first = (1..=logins).map(|number| Op::LogIn(0, number));
        for op in [Op::Session(0)].into_iter().chain(first) {
            act(&store, &op).unwrap();
        }
        disk.fail(Some(Fault::once(disk.calls() + at, Failure::Eio)));
        let _ = act(&store, &Op::Import(1, 1, 60));
        disk.fail(None);
        disk.keep_states();
        for number in 2..4 {
            let _ = act(&store, &Op::Import(1, number * 100, 60));
        }
        for (call, state) in disk.take_states().into_iter().enumerate() {
            for seed in 0..3 {
                let what = format!("{logins} logins, call {at} fails, cut {seed} at call {call}");
                let image = state.after_power_cut(seed, SECTOR);
                let opened = writer(&SimDisk::new(image));
                let opened = opened.unwrap_or_else(|error| panic!("{what}: {error:?}"));
                let state = state_of(&opened).unwrap_or_else(|error| panic!("{what}: {error:?}"));
                assert!(state.contains_key(&("a".to_owned(), "dc 2".to_owned())), "{what}");
            }
        }
    }
}

/// The root of a file that was closed says which record is the last.
#[test]
fn a_closed_file_whose_last_records_are_gone_is_refused() {
    let disk = SimDisk::new(new_store());
    let store = writer(&disk).unwrap();
    for op in [Op::Session(0), Op::LogIn(0, 1), Op::LogIn(0, 2)] {
        act(&store, &op).unwrap();
    }
    let right = state_of(&store).unwrap();
    store.close().unwrap();
    let whole = disk.killed();
    let is_used = |at: &usize| whole[*at..*at + SECTOR].iter().any(|byte| *byte != 0);
    let used: Vec<_> = (PAGE..whole.len()).step_by(SECTOR).filter(is_used).collect();
    let mut refused = 0;
    for count in 1..6 {
        let mut image = whole.clone();
        for at in used.iter().rev().take(count) {
            image[*at..*at + SECTOR].fill(0);
        }
        match writer(&SimDisk::new(image)) {
            Ok(store) => assert_eq!(state_of(&store).unwrap(), right, "{count} sectors are gone"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused >= 3, "{refused} were refused");
}

/// A generation that did not become current is never read, wherever the next attempt is cut.
#[test]
fn a_log_that_did_not_become_current_does_not_count() {
    let (disk, store) = with_a_base();
    act(&store, &Op::Session(0)).unwrap();
    let before = disk.killed();
    disk.kill_all();
    drop(store);
    let mut images = 0;
    for cut in 4..14 {
        let disk = SimDisk::new(before.clone());
        let store = writer(&disk).unwrap();
        disk.cut_after(cut);
        let entities = (1..6_000).map(|id| Ok(Entity::new(PeerId::user(id * 99).unwrap())));
        let done = store.import("b", ImportSession::new(&Account::default(), entities));
        disk.kill_all();
        drop(store);
        if done.is_ok() {
            break;
        }
        let crashed = disk.killed();
        for cut in 0..14 {
            let disk = SimDisk::new(crashed.clone());
            let store = writer(&disk).unwrap();
            disk.cut_after(cut);
            let _ = store.compact();
            disk.kill_all();
            drop(store);
            let opened = writer(&SimDisk::new(disk.killed()));
            assert!(opened.is_ok(), "cut at {cut}: {opened:?}");
            images += 1;
        }
    }
    assert!(images > 50, "{images}");
}

/// Records of a log that failed, or of a copy of the file, cannot continue a log of the same
/// generation in the same place.
#[test]
fn two_logs_of_one_generation_have_different_salts() {
    let before = new_store();
    let root = || -> Root {
        let disk = SimDisk::new(before.clone());
        let store = writer(&disk).unwrap();
        act(&store, &Op::Import(0, 1, 0)).unwrap();
        Roots::read(&disk, &seal_of(&disk)).unwrap().current().unwrap().0
    };
    let (one, other) = (root(), root());
    assert_eq!((one.generation, one.log), (other.generation, other.log));
    assert_ne!(one.salt, other.salt);
}

#[test]
fn a_generation_that_could_not_be_locked_keeps_no_page_in_use() {
    let length = |fails: bool| {
        let disk = SimDisk::new(new_store());
        let store = writer(&disk).unwrap();
        act(&store, &Op::Import(0, 1, 80)).unwrap();
        disk.fail_locks(fails);
        assert_eq!(act(&store, &Op::Import(1, 100, 80)).is_err(), fails);
        disk.fail_locks(false);
        for _ in 0..20 {
            act(&store, &Op::Import(1, 100, 80)).unwrap();
            store.compact().unwrap();
        }
        disk.killed().len()
    };
    assert_eq!(length(true), length(false));
}
