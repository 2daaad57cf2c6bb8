//! Entities: seen again, found, listed; compared with the plainest model of the rules.

use super::model::Model;
use super::outcome::{Case, Failed, same};
use crate::session::Session;
use crate::session::merge::Completeness;
use crate::types::{AccessHash, Entity, EntityKind, PeerId};

pub(super) fn user(id: i64, change: impl FnOnce(&mut Entity)) -> Result<Entity, Failed> {
    let id = PeerId::user(id).ok_or_else(|| Failed("a user of the suite has no id".into()))?;
    let mut entity = Entity::new(id);
    change(&mut entity);
    Ok(entity)
}

pub(super) fn views(session: &dyn Session) -> Case {
    let full = user(1, |e| {
        e.kind = Some(EntityKind::User);
        e.access_hash = Some(AccessHash(-7));
        e.usernames = vec!["Alice".into(), "alice_2".into()];
        e.phone = Some("15550001".into());
        e.name = Some("Alice \u{1f98a}".into());
        e.date = Some(1_700_000_000);
    })?;
    let id = full.id;
    let see = |entity: &Entity| session.process_entities(std::slice::from_ref(entity));
    same("a new entity changes something", see(&full)?, 1)?;
    same("the entity", session.entity(id)?, Some(full.clone()))?;
    same("the same entity changes nothing", see(&full)?, 0)?;
    let later = Entity { date: full.date.map(|date| date + 60), ..full.clone() };
    same("a date alone changes nothing within a day", see(&later)?, 0)?;
    let min = user(1, |e| {
        e.min = true;
        e.access_hash = Some(AccessHash(9));
        e.name = Some("A".into());
    })?;
    same("a reduced view fills blanks only", see(&min)?, 0)?;
    let part = user(1, |e| e.access_hash = Some(AccessHash(8)))?;
    same("a part changes what it says", session.merge_entities(&[part])?, 1)?;
    let merged = Entity { access_hash: Some(AccessHash(8)), ..full.clone() };
    same("and wipes nothing", session.entity(id)?, Some(merged))?;
    let bare = user(1, |e| e.name = Some("Alice".into()))?;
    same("a full view wipes what it lacks", see(&bare)?, 1)?;
    same("its username", session.entity_by_username("alice")?, None)?;
    session.set_save_entities(false)?;
    same("nothing is saved while saving is off", see(&full)?, 0)?;
    same("nor merged", session.merge_entities(std::slice::from_ref(&full))?, 0)?;
    session.set_save_entities(true)?;
    same("then it is", see(&full)?, 1)?;
    session.remove_entity(id)?;
    session.remove_entity(id)?;
    same("an entity that was removed", session.entity(id)?, None)?;
    same("its phone", session.entity_by_phone("15550001")?, None)?;
    same("the count", session.entity_count()?, 0)
}

pub(super) fn owners(session: &dyn Session) -> Case {
    let one = user(1, |e| (e.usernames, e.phone) = (vec!["Durov".into()], Some("00155".into())))?;
    let two = user(2, |e| (e.usernames, e.phone) = (vec!["durov".into()], Some("155".into())))?;
    session.process_entities(std::slice::from_ref(&one))?;
    for text in ["durov", "@DUROV", " Durov "] {
        let found = session.entity_by_username(text)?.map(|entity| entity.id);
        same("by username, however it is written", found, Some(one.id))?;
    }
    for text in ["155", "+1 55", "00155", "(1) 5-5"] {
        let found = session.entity_by_phone(text)?.map(|entity| entity.id);
        same("by phone, however it is written", found, Some(one.id))?;
    }
    session.process_entities(std::slice::from_ref(&two))?;
    same(
        "who shows a username last has it",
        session.entity_by_username("durov")?,
        Some(two.clone()),
    )?;
    same("and a phone", session.entity_by_phone("155")?, Some(two))?;
    let lost = session.entity(one.id)?.map(|entity| (entity.usernames, entity.phone));
    same("the one before has lost both", lost, Some((vec![], None)))?;
    let reduced = Entity { min: true, ..one.clone() };
    session.process_entities(&[reduced])?;
    let holder = session.entity_by_username("durov")?.map(|entity| entity.id);
    same("a reduced view claims nothing", holder, PeerId::user(2))?;
    session.remove_entity(user(2, |_| {})?.id)?;
    same("nobody has it then", session.entity_by_username("durov")?, None)?;
    for text in ["", "@", "nobody"] {
        same("no username", session.entity_by_username(text)?, None)?;
        same("no phone", session.entity_by_phone(text)?, None)?;
    }
    Ok(())
}

pub(super) fn pages(session: &dyn Session) -> Case {
    const COUNT: i64 = 2_500;
    let mut all = Vec::new();
    for n in 1..=COUNT {
        let marked = match n % 3 {
            0 => n,
            1 => -n,
            _ => -1_000_000_000_000 - n,
        };
        let mut entity = Entity::new(PeerId::from_marked(marked).unwrap_or(user(n, |_| {})?.id));
        entity.name = Some(format!("n{}", n % 7));
        all.push(entity);
    }
    same("all are new", session.process_entities(&all)?, all.len())?;
    all.sort_by_key(|entity| entity.id);
    same("the count", session.entity_count()?, all.len() as u64)?;
    same("all, in the order of their ids", session.entities(None, usize::MAX)? == all, true)?;
    let named = all.iter().find(|entity| entity.name.as_deref() == Some("n3"));
    same("the first of a name", session.entity_by_name("n3")?.as_ref(), named)?;
    for size in [1, 999, 1_000, 1_001] {
        let (mut walked, mut after) = (0, None);
        while walked < all.len().min(3 * size) {
            let page = session.entities(after, size)?;
            let expected = all.get(walked..(walked + size).min(all.len())).unwrap_or_default();
            same("a page", page == expected, true)?;
            after = page.last().map(|entity| entity.id);
            walked += page.len();
        }
    }
    same("a page of nothing", session.entities(None, 0)?, vec![])?;
    let last = all.last().map(|entity| entity.id);
    same("after the last", session.entities(last, 9)?, vec![])
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    fn of<'a>(&mut self, texts: &[&'a str]) -> Option<&'a str> {
        let at = self.below(texts.len() + 1);
        texts.get(at).copied()
    }
}

const USERNAMES: [&str; 5] = ["alice", "Alice", "@bob", "\u{d6}zil", "eve4"];
const PHONES: [&str; 4] = ["15550001", "+1 555 0002", "0015550001", "000"];
const NAMES: [&str; 3] = ["Alice", "", "\u{1f98a}"];

fn anybody(numbers: &mut Numbers) -> Result<Entity, Failed> {
    let mut entity = user(1 + numbers.below(4) as i64, |_| {})?;
    entity.kind = EntityKind::ALL.get(numbers.below(12)).copied();
    entity.access_hash = (numbers.below(3) > 0).then(|| AccessHash(numbers.below(3) as i64));
    entity.min = numbers.below(3) == 0;
    for _ in 0..numbers.below(3) {
        entity.usernames.extend(numbers.of(&USERNAMES).map(str::to_owned));
    }
    entity.phone = numbers.of(&PHONES).map(str::to_owned);
    entity.name = numbers.of(&NAMES).map(str::to_owned);
    entity.date = (numbers.below(2) == 0).then(|| 80_000 * numbers.below(4) as i64);
    Ok(entity)
}

/// Three hundred steps, each compared with the model.
pub(super) fn random_operations(session: &dyn Session) -> Case {
    let (mut model, mut numbers) = (Model::default(), Numbers(0x2545_f491_4f6c_dd1d));
    for step in 0..300 {
        let seen = anybody(&mut numbers)?;
        match numbers.below(10) {
            0 => {
                session.remove_entity(seen.id)?;
                model.entities.remove(&seen.id);
            }
            1..4 => {
                let changed = session.merge_entities(std::slice::from_ref(&seen))?;
                same("parts", changed, usize::from(model.see(&seen, Completeness::Partial)))?;
            }
            _ => {
                let changed = session.process_entities(std::slice::from_ref(&seen))?;
                same("views", changed, usize::from(model.see(&seen, Completeness::Full)))?;
            }
        }
        let all: Vec<Entity> = model.entities.values().cloned().collect();
        same(&format!("entities after step {step}"), session.entities(None, 99)?, all)?;
        for text in USERNAMES {
            same(text, session.entity_by_username(text)?.as_ref(), model.by_username(text))?;
        }
        for text in PHONES {
            same(text, session.entity_by_phone(text)?.as_ref(), model.by_phone(text))?;
        }
        for text in NAMES {
            same(text, session.entity_by_name(text)?.as_ref(), model.by_name(text))?;
        }
    }
    Ok(())
}
