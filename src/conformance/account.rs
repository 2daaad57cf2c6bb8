//! Everything but the entities.

use super::outcome::{Case, same};
use crate::error::Error;
use crate::session::Session;
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Extra, FileKey, FileKind,
    Login, Md5, PeerId, SelfUser, SentFile, UpdateChange, UpdateState,
};

pub(super) fn key(seed: u8) -> AuthKey {
    AuthKey::new(&[seed; 256])
}

pub(super) fn channel(bare: i64, pts: i32) -> Vec<ChannelState> {
    PeerId::channel(bare).map(|id| ChannelState { id, pts }).into_iter().collect()
}

pub(super) fn empty(session: &dyn Session) -> Case {
    same("the login", session.login()?, Login::default())?;
    same("the home DC", session.home_dc()?, None)?;
    same("the auth key", session.auth_key()?, None)?;
    same("DCs", (session.dcs()?, session.dc(DcId(2))?), (vec![], None))?;
    same("the update state", session.update_state()?, None)?;
    same("channel states", session.channel_states()?, vec![])?;
    same("entities", (session.entities(None, 9)?, session.entity_count()?), (vec![], 0))?;
    same("files", session.sent_files()?, vec![])?;
    same("extras", session.extras()?, vec![])?;
    same("the list has the name", session.list_sessions()?.contains(&session.name()?), true)?;
    session.remove_dc(DcId(1))?;
    session.set_update_state(None)?;
    session.set_extra("none", None)?;
    session.flush()?;
    same("the login after removing nothing", session.login()?, Login::default())
}

pub(super) fn login(session: &dyn Session) -> Case {
    let mut login = Login {
        user: Some(SelfUser { id: 10_001, bot: Some(false) }),
        api_id: Some(6),
        test_mode: Some(false),
        takeout_id: Some(i64::MIN),
        ..Login::default()
    };
    session.set_login(&login)?;
    session.set_home_dc(DcId(4))?;
    login.home_dc = Some(DcId(4));
    same("the login", session.login()?, login)?;
    same("a home DC of which nothing is known", session.home_dc()?, Some(DcOption::new(DcId(4))))?;
    session.set_auth_key(DcId(4), Some(key(1)))?;
    same("the key", session.auth_key()?, Some(key(1)))?;
    session.set_login(&Login::default())?;
    same("a login that was replaced", session.login()?, Login::default())?;
    same("the key of a DC that is not home", session.auth_key()?, None)
}

pub(super) fn dcs(session: &dyn Session) -> Case {
    let dc = |id| DcOption::new(DcId(id)).at(Endpoint::new("149.154.167.51", 443));
    let all = [dc(i32::MIN), dc(-1), dc(0), dc(2).with_key(key(2)), dc(i32::MAX)];
    for dc in all.iter().rev() {
        session.set_dc(dc)?;
    }
    same("DCs in the order of their ids", session.dcs()?, all.to_vec())?;
    session.set_auth_key(DcId(-1), Some(key(3)))?;
    same("a new key", session.dc(DcId(-1))?, Some(dc(-1).with_key(key(3))))?;
    session.set_auth_key(DcId(2), None)?;
    same("a key that is gone", session.dc(DcId(2))?, Some(dc(2)))?;
    let six = DcOption::new(DcId(2)).at(Endpoint::new("2001:db8::1", 0));
    session.set_dc(&six)?;
    same("a DC that was replaced", session.dc(DcId(2))?, Some(six))?;
    session.remove_dc(DcId(0))?;
    same("a DC that was removed", session.dc(DcId(0))?, None)?;
    same("the DCs left", session.dcs()?.len(), 4)
}

pub(super) fn states(session: &dyn Session) -> Case {
    let state = UpdateState { pts: 1, qts: i32::MIN, date: i64::MAX, seq: -3 };
    session.set_update_state(Some(state))?;
    same("the state", session.update_state()?, Some(state))?;
    session.change_update_state(UpdateChange { qts: Some(7), ..UpdateChange::default() })?;
    same("one counter", session.update_state()?, Some(UpdateState { qts: 7, ..state }))?;
    session.set_update_state(None)?;
    same("no state", session.update_state()?, None)?;
    session.change_update_state(UpdateChange { seq: Some(7), ..UpdateChange::default() })?;
    let only = UpdateState { seq: 7, ..UpdateState::default() };
    same("what is not known is 0", session.update_state()?, Some(only))?;

    let all = [channel(3, 3), channel(2, 2), channel(1, 1)].concat();
    session.set_channel_states(&[channel(2, 9), channel(1, 1), channel(3, 3)].concat())?;
    session.set_channel_states(&channel(2, 2))?;
    same("channels in the order of their ids", session.channel_states()?, all.clone())?;
    session.replace_channel_states(&[channel(1, 5), channel(9, 9)].concat())?;
    let replaced = [channel(9, 9), channel(1, 5)].concat();
    same("channels that were replaced", session.channel_states()?, replaced)?;
    for state in &all {
        session.remove_channel_state(state.id)?;
        same("a channel that was removed", session.channel_state(state.id)?, None)?;
    }
    same("the channels left", session.channel_states()?, channel(9, 9))
}

pub(super) fn files(session: &dyn Session) -> Case {
    let file = |md5, size, kind, id| SentFile {
        key: FileKey { md5: Md5([md5; 16]), size, kind },
        id,
        access_hash: AccessHash(-id),
    };
    let all = [
        file(1, -1, FileKind::Photo, 1),
        file(1, 5, FileKind::Document, 2),
        file(1, 5, FileKind::Photo, 3),
        file(2, 0, FileKind::Document, i64::MAX),
    ];
    for file in all.iter().rev() {
        session.save_sent_file(file)?;
    }
    same("files in the order of their keys", session.sent_files()?, all.to_vec())?;
    let again = file(1, 5, FileKind::Photo, 33);
    session.save_sent_file(&again)?;
    same("a file that was replaced", session.sent_file(again.key)?, Some(again))?;
    same("the files", session.sent_files()?.len(), 4)
}

pub(super) fn extras(session: &dyn Session) -> Case {
    let set = |name: &str, value: &[u8]| session.set_extra(name, Some(value));
    set("b", &[0, 255])?;
    set("a", &[])?;
    set("\u{e9}", &[7; Extra::LONGEST_VALUE])?;
    let value = |name| session.extra(name).map(|extra| extra.map(|extra| extra.value().to_vec()));
    same("an extra", value("b")?, Some(vec![0, 255]))?;
    same("an empty extra", value("a")?, Some(vec![]))?;
    let names = || -> Result<Vec<String>, Error> {
        Ok(session.extras()?.iter().map(|extra| extra.name().to_owned()).collect())
    };
    same("names in their order", names()?, ["a", "b", "\u{e9}"].map(str::to_owned).to_vec())?;
    set("b", &[1])?;
    session.set_extra("a", None)?;
    same("an extra that was replaced", value("b")?, Some(vec![1]))?;
    same("an extra that was removed", value("a")?, None)?;
    let refused = |outcome| matches!(outcome, Err(Error::BadExtra { .. }));
    for name in ["", "a\0", &"n".repeat(65)] {
        same("a bad name is refused", refused(set(name, &[])), true)?;
    }
    let long = set("long", &[0; Extra::LONGEST_VALUE + 1]);
    same("a long value is refused", refused(long), true)?;
    for n in 2..Extra::MOST {
        set(&format!("n{n}"), &[])?;
    }
    same("one too many is refused", refused(set("more", &[])), true)?;
    set("b", &[2])?;
    same("one that is there is replaced all the same", value("b")?, Some(vec![2]))
}

/// All of it at once is what the calls for its parts give.
pub(super) fn whole(session: &dyn Session) -> Case {
    same("an empty account", session.account()?, Account::default())?;
    let login = Login { api_id: Some(6), home_dc: Some(DcId(4)), ..Login::default() };
    session.set_login(&login)?;
    session.set_auth_key(DcId(4), Some(key(4)))?;
    session.set_auth_key(DcId(2), Some(key(2)))?;
    session.change_update_state(UpdateChange { pts: Some(7), ..UpdateChange::default() })?;
    let states = [channel(1, 1), channel(2, 2)].concat();
    session.set_channel_states(&states)?;
    session.set_extra("a", Some(&[1]))?;
    let dc = |id, seed| DcOption::new(DcId(id)).with_key(key(seed));
    let account = session.account()?;
    same("its login", account.login, login)?;
    same("its DCs", account.dcs, vec![dc(2, 2), dc(4, 4)])?;
    same("its update state", account.update_state.map(|state| state.pts), Some(7))?;
    same("its channels", account.channel_states, session.channel_states()?)?;
    same("its files", account.sent_files, vec![])?;
    same("its extras", account.extras, session.extras()?)
}

/// Gone is gone: an error that says so, or nothing in it.
pub(super) fn deleted(session: &dyn Session) -> Case {
    session.set_auth_key(DcId(2), Some(key(1)))?;
    session.set_home_dc(DcId(2))?;
    session.set_channel_states(&channel(1, 1))?;
    session.set_extra("a", Some(&[1]))?;
    session.delete()?;
    gone(session)
}

/// What a handle answers when its session was deleted.
pub(super) fn gone(session: &dyn Session) -> Case {
    match session.login() {
        Err(Error::NoSession { .. }) => {
            let refused = matches!(session.set_home_dc(DcId(2)), Err(Error::NoSession { .. }));
            same("a write to a session that is gone is refused", refused, true)
        }
        login => {
            same("the login of a session that is gone", login?, Login::default())?;
            same("its key", session.dc(DcId(2))?, None)?;
            same("its channels", session.channel_states()?, vec![])?;
            same("its extras", session.extras()?, vec![])
        }
    }
}
