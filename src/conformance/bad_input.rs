//! Mistaken input of clients and people: the session gives a typed error or the answer stated here.

use super::account::key;
use super::entities::user;
use super::outcome::{Case, same};
use crate::error::Error;
use crate::session::Session;
use crate::types::{AuthKey, DcId, DcOption, Endpoint, Entity, Login, PeerId, SelfUser};

pub(super) fn refused(session: &dyn Session) -> Case {
    ids(session)?;
    texts(session)?;
    dcs(session)
}

/// 0 is nobody; ids outside of Telegram's present ranges are kept.
fn ids(session: &dyn Session) -> Case {
    same("the id 0", PeerId::from_marked(0), None)?;
    for bare in [0, i64::MIN, i64::MAX, -5] {
        same("an id that nobody has", session.entity_by_bare_id(bare)?, None)?;
    }
    for marked in [i64::MIN, -1_000_000_000_000, i64::MAX] {
        let Some(id) = PeerId::from_marked(marked) else { continue };
        session.process_entities(&[Entity::new(id)])?;
        same("an id far out", session.entity(id)?, Some(Entity::new(id)))?;
        session.remove_entity(id)?;
    }
    for id in [0, -5, i64::MIN] {
        let login = Login::default().with_user(SelfUser { id, bot: None });
        session.set_login(&login)?;
        same("an own user that cannot be", session.login()?, login)?;
        same("nobody is me", session.find("me")?, None)?;
    }
    Ok(())
}

fn texts(session: &dyn Session) -> Case {
    let untidy = user(1, |e| {
        let names = ["@Durov", "", "@", "DUROV", " durov ", "abcd", "\u{d6}zil"];
        e.usernames = names.map(str::to_owned).to_vec();
        e.phone = Some("+1 (555) abc".into());
        e.name = Some(String::new());
    })?;
    let tidy = user(1, |e| {
        e.usernames = ["Durov", "abcd", "\u{d6}zil"].map(str::to_owned).to_vec();
        e.phone = Some("1555".into());
    })?;
    session.process_entities(&[untidy])?;
    same("texts are tidied", session.entity(tidy.id)?, Some(tidy.clone()))?;
    same("a collectible username", session.entity_by_username("@ABCD")?, Some(tidy.clone()))?;
    let letters = user(1, |e| e.phone = Some("none".into()))?;
    session.process_entities(&[letters])?;
    same("a phone of letters is none", session.entity(tidy.id)?.and_then(|e| e.phone), None)?;

    let long = "1".repeat(10_000_000);
    for large in [
        user(2, |e| e.name = Some(long.clone()))?,
        user(2, |e| e.phone = Some(long.clone()))?,
        user(2, |e| e.usernames = vec!["short".into(), long.clone()])?,
    ] {
        let refused = |outcome| matches!(outcome, Err(Error::TooLarge { .. }));
        let (seen, id) = (std::slice::from_ref(&large), large.id);
        same("10 MB are refused", refused(session.process_entities(seen)), true)?;
        same("in a part too", refused(session.merge_entities(seen)), true)?;
        same("and nothing is stored", session.entity(id)?, None)?;
    }
    same("nobody has a username of 10 MB", session.entity_by_username(&long)?, None)?;
    same("nor a phone", session.entity_by_phone(&long)?, None)?;
    same("nor a name", session.entity_by_name(&long)?, None)?;
    let fits = user(2, |e| e.name = Some("n".repeat(100_000)))?;
    session.process_entities(std::slice::from_ref(&fits))?;
    same("one of 100 KB is kept", session.entity(fits.id)?, Some(fits))?;
    for text in ["", " ", "@", "+", "t.me/", "\0", &"x".repeat(100_000)] {
        same("a text that means nobody", session.find(text)?, None)?;
    }
    Ok(())
}

/// Any DC number, port and host name is kept as it is, a key of zeros too.
fn dcs(session: &dyn Session) -> Case {
    let zeros = AuthKey::new(&[0; 256]);
    for id in [0, -1, i32::MIN] {
        let host = Endpoint::new("venus.web.telegram.org", 0);
        let dc = DcOption::new(DcId(id)).at(host).with_key(zeros.clone());
        session.set_dc(&dc)?;
        session.set_home_dc(DcId(id))?;
        same("a DC as it was given", session.home_dc()?, Some(dc))?;
    }
    let long = DcOption::new(DcId(7)).at(Endpoint::new(&"h".repeat(10_000_000), 443));
    let refused = matches!(session.set_dc(&long), Err(Error::TooLarge { .. }));
    same("a host name of 10 MB is refused", refused, true)?;
    session.set_auth_key(DcId(7), Some(key(7)))?;
    same("a key without an address", session.dc(DcId(7))?.and_then(|dc| dc.ipv4), None)
}
