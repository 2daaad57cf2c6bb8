//! Atomic changes, threads and durability.

use std::sync::atomic::{AtomicBool, Ordering};

use super::account::{channel, gone, key};
use super::entities::user;
use super::outcome::{Case, Failed, same};
use crate::error::{Error, Result};
use crate::session::{Commit, Session};
use crate::types::{DcId, DcOption, Login, UpdateChange};

pub(super) fn all_or_nothing(session: &dyn Session) -> Case {
    session.set_home_dc(DcId(1))?;
    let failed = (&session).update(|batch| {
        batch.set_home_dc(DcId(2))?;
        batch.set_auth_key(DcId(2), Some(key(2)))?;
        batch.set_channel_states(&channel(1, 1))?;
        let seen = (batch.login()?.home_dc, batch.dc(DcId(2))?.is_some());
        if seen != (Some(DcId(2)), true) {
            return Err(Error::other("a change does not see its own writes"));
        }
        Err::<(), _>(Error::BadName { name: "stop".into() })
    });
    let stopped = matches!(failed, Err(Error::BadName { .. }));
    same("the error of the change comes back", stopped, true)?;
    same("nothing of it is left", session.login()?.home_dc, Some(DcId(1)))?;
    same("nor here", (session.dcs()?, session.channel_states()?), (vec![], vec![]))?;

    let durov = user(1, |e| e.usernames = vec!["durov".into()])?;
    let (made, ticket) = (&session).update_later(|batch| {
        batch.set_home_dc(DcId(2))?;
        batch.set_auth_key(DcId(2), Some(key(2)))?;
        batch.process_entities(std::slice::from_ref(&durov))?;
        batch.merge_entities(std::slice::from_ref(&durov))
    })?;
    same("a part without a new value", made, 0)?;
    same("it is seen at once", session.auth_key()?, Some(key(2)))?;
    ticket.wait()?;
    let mut runs = 0;
    session.transact(Commit::Durable, &mut |_| {
        runs += 1;
        Ok(())
    })?;
    same("a change runs once", runs, 1)?;
    same("the entity", session.entity_by_username("durov")?, Some(durov))
}

const ROUNDS: i32 = 40;

/// No thread overwrites a change of another, and readers see whole changes only.
pub(super) fn threads(session: &dyn Session) -> Case {
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| -> Result<bool> {
            let mut whole = true;
            while !done.load(Ordering::Acquire) {
                // Each change moves home and key from one DC to the other.
                whole &= session.home_dc()?.is_none_or(|dc| dc.auth_key.is_some());
            }
            Ok(whole)
        });
        let threads = [
            scope.spawn(|| (1..=ROUNDS).try_for_each(|round| move_home(session, round))),
            scope.spawn(|| (1..=ROUNDS).try_for_each(|round| set_api_id(session, round))),
            scope.spawn(|| (1..=ROUNDS).try_for_each(|pts| count(session, Some(pts), None))),
            scope.spawn(|| (1..=ROUNDS).try_for_each(|qts| count(session, None, Some(qts)))),
        ];
        let outcomes = threads.map(std::thread::ScopedJoinHandle::join);
        done.store(true, Ordering::Release);
        let whole = reader.join();
        (outcomes, whole)
    });
    let panicked = || Failed("a thread panicked".into());
    for outcome in seen.0 {
        outcome.map_err(|_| panicked())??;
    }
    same("whole changes only", seen.1.map_err(|_| panicked())??, true)?;
    let login = session.login()?;
    let both = (Some(DcId(ROUNDS % 2 + 1)), Some(ROUNDS));
    same("home DC and api id", (login.home_dc, login.api_id), both)?;
    let state = session.update_state()?.unwrap_or_default();
    same("pts and qts", (state.pts, state.qts), (ROUNDS, ROUNDS))
}

fn move_home(session: &dyn Session, round: i32) -> Result<()> {
    (&session).update(|batch| {
        let (from, to) = (DcId((round + 1) % 2 + 1), DcId(round % 2 + 1));
        batch.set_dc(&DcOption::new(to).with_key(key(1)))?;
        batch.set_home_dc(to)?;
        batch.remove_dc(from)
    })
}

fn set_api_id(session: &dyn Session, round: i32) -> Result<()> {
    (&session).update(|batch| {
        let mut login: Login = batch.login()?;
        login.api_id = Some(round);
        batch.set_login(&login)
    })
}

fn count(session: &dyn Session, pts: Option<i32>, qts: Option<i32>) -> Result<()> {
    session.change_update_state(UpdateChange { pts, qts, ..UpdateChange::default() })
}

/// Two handles on one session: each sees the changes of the other at once and overwrites none of them.
/// After one deletes the session, the calls of the other return an error.
pub(super) fn two_handles<S: Session>(first: S, second: &dyn Fn(&S) -> Result<S>) -> Case {
    let other = second(&first)?;
    first.set_home_dc(DcId(4))?;
    same("the other handle sees a change", other.login()?.home_dc, Some(DcId(4)))?;
    other.set_auth_key(DcId(4), Some(key(4)))?;
    same("the first handle sees a change", first.auth_key()?, Some(key(4)))?;
    let durov = user(1, |e| e.usernames = vec!["durov".into()])?;
    first.process_entities(std::slice::from_ref(&durov))?;
    same("the other handle finds an entity", other.entity_by_username("durov")?, Some(durov))?;
    let outcomes = std::thread::scope(|scope| {
        let pts = || (1..=ROUNDS).try_for_each(|pts| count(&first, Some(pts), None));
        let qts = || (1..=ROUNDS).try_for_each(|qts| count(&other, None, Some(qts)));
        [scope.spawn(pts), scope.spawn(qts)].map(std::thread::ScopedJoinHandle::join)
    });
    for outcome in outcomes {
        outcome.map_err(|_| Failed("a thread panicked".into()))??;
    }
    let state = first.update_state()?.unwrap_or_default();
    same("pts of one and qts of the other", (state.pts, state.qts), (ROUNDS, ROUNDS))?;
    first.delete()?;
    gone(&other)
}

/// Everything comes back after a flush; logins, DCs and extras without one.
pub(super) fn durable<S: Session>(session: S, reopen: &dyn Fn(S) -> Result<S>) -> Case {
    session.set_home_dc(DcId(2))?;
    session.set_auth_key(DcId(2), Some(key(2)))?;
    session.set_extra("own", Some(&[1, 2]))?;
    let session = reopen(session)?;
    same("the key", session.auth_key()?, Some(key(2)))?;
    let own = session.extra("own")?.map(|extra| extra.value().to_vec());
    same("the extra", own, Some(vec![1, 2]))?;

    let full = user(1, |e| {
        e.usernames = vec!["Alice".into()];
        e.phone = Some("155".into());
        e.name = Some("\u{1f98a}".into());
        e.min = true;
    })?;
    session.process_entities(std::slice::from_ref(&full))?;
    session.set_channel_states(&channel(1, 5))?;
    count(&session, Some(3), Some(4))?;
    session.flush()?;
    let session = reopen(session)?;
    same("the entity", session.entity(full.id)?, Some(full.clone()))?;
    same("by username", session.entity_by_username("alice")?, Some(full.clone()))?;
    same("by phone", session.entity_by_phone("155")?, Some(full))?;
    same("channel states", session.channel_states()?, channel(1, 5))?;
    let state = session.update_state()?.unwrap_or_default();
    same("the update state", (state.pts, state.qts), (3, 4))?;
    same("the key again", session.auth_key()?, Some(key(2)))
}
