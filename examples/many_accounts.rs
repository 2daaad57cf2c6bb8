//! A thousand accounts in one store, four threads, one file and few syncs.
//!
//! `cargo run --release --example many_accounts`

use std::time::Instant;

use tgsession::{AuthKey, DcId, DcOption, Endpoint, Session, Store, UpdateState};

const ACCOUNTS: usize = 1_000;
const THREADS: usize = 4;

fn main() -> tgsession::Result<()> {
    let folder = tempfile::tempdir().map_err(tgsession::Error::other)?;
    let path = folder.path().join("accounts");
    let began = Instant::now();
    let store = Store::create(&path)?;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let store = &store;
                scope.spawn(move || {
                    (thread..ACCOUNTS).step_by(THREADS).try_for_each(|n| log_in(store, n))
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    store.close()?;
    println!("{ACCOUNTS} logins and update states in {:?}", began.elapsed());

    let began = Instant::now();
    let store = Store::open(&path)?;
    let last = store.open_session(&format!("account {}", ACCOUNTS - 1))?;
    println!("opened, and a key read, in {:?}: {:?}", began.elapsed(), last.auth_key()?);
    Ok(())
}

/// One durable step, and what may wait for the flusher.
fn log_in(store: &Store, n: usize) -> tgsession::Result<()> {
    let session = store.session(&format!("account {n}"))?;
    let key = AuthKey::new(&std::array::from_fn(|at| (at * 31 + n) as u8));
    session.update(|batch| {
        batch.set_dc(
            &DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.51", 443)).with_key(key),
        )?;
        batch.set_home_dc(DcId(2))
    })?;
    session.set_update_state(Some(UpdateState { pts: 1, ..UpdateState::default() }))
}
