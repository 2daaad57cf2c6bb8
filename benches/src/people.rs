//! The synthetic world that every work uses: who is in it depends on the seed alone.

use std::collections::HashSet;

use tgsession::{AccessHash, AuthKey, Entity, PeerId, UpdateState};

/// The first second of the dates in the world.
const EPOCH: i64 = 1_700_000_000;

/// N users, groups and channels with distinct ids, usernames and phones.
///
/// Of ten, seven are users, one is a basic group and two are channels; six have a username and one
/// has a phone. An entity is computed from its number, so the world takes no memory.
#[derive(Clone, Copy, Debug)]
pub struct World {
    count: u64,
    seed: u64,
}

impl World {
    /// A world of `count` entities.
    #[must_use]
    pub fn new(count: u64) -> Self {
        Self { count, seed: 0x7467_7365_7373_696f }
    }

    /// How many entities there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The id of entity number `at`.
    #[must_use]
    pub fn id(&self, at: u64) -> PeerId {
        let bare = i64::try_from(scattered(at) + 1).unwrap();
        let id = match at % 10 {
            0..7 => PeerId::user(bare),
            7 => PeerId::group(bare),
            _ => PeerId::channel(bare),
        };
        id.unwrap()
    }

    /// Entity number `at`.
    #[must_use]
    pub fn entity(&self, at: u64) -> Entity {
        let mut dice = Dice::new(self.seed ^ at);
        let mut entity = Entity::new(self.id(at));
        let hash = if at % 10 == 7 { 0 } else { dice.roll().cast_signed() };
        entity.access_hash = Some(AccessHash(hash));
        entity.usernames.extend(self.username(at));
        entity.phone = self.phone(at);
        entity.name = Some(name(&mut dice));
        entity.date = Some(EPOCH + i64::try_from(dice.below(50_000_000)).unwrap());
        entity
    }

    /// The username of entity number `at`, if it has one: six of ten do.
    #[must_use]
    pub fn username(&self, at: u64) -> Option<String> {
        matches!(at % 10, 0..4 | 8..10).then(|| username(scattered(at), at ^ self.seed))
    }

    /// The phone of entity number `at`, if it has one: one of ten does.
    #[must_use]
    pub fn phone(&self, at: u64) -> Option<String> {
        (at % 10 == 1).then(|| format!("7{:010}", scattered(at)))
    }

    /// Every entity, in the order of their marked ids.
    #[must_use]
    pub fn sorted(&self) -> Vec<Entity> {
        let mut entities: Vec<Entity> = (0..self.count).map(|at| self.entity(at)).collect();
        entities.sort_unstable_by_key(|entity| entity.id);
        entities
    }

    /// `count` different entities by chance.
    #[must_use]
    pub fn sample(&self, dice: &mut Dice, count: usize) -> Vec<Entity> {
        let mut numbers = HashSet::new();
        while numbers.len() < count {
            numbers.insert(dice.below(self.count));
        }
        numbers.into_iter().map(|at| self.entity(at)).collect()
    }
}

/// The key of the one account of the world.
#[must_use]
pub fn auth_key() -> AuthKey {
    let mut dice = Dice::new(256);
    AuthKey::new(&std::array::from_fn(|_| dice.roll().to_le_bytes()[0]))
}

/// A state that differs from every other one with another `pts`.
#[must_use]
pub fn state(pts: i32) -> UpdateState {
    UpdateState { pts, qts: 7, date: EPOCH + i64::from(pts), seq: 3 }
}

/// A number below 2^33, another one for each `at` below that; about what Telegram's ids are.
fn scattered(at: u64) -> u64 {
    const MASK: u64 = (1 << 33) - 1;
    let mut mixed = at & MASK;
    for factor in [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9] {
        mixed = mixed.wrapping_mul(factor) & MASK;
        mixed ^= mixed >> 17;
    }
    mixed
}

/// 7 to 17 letters and digits: syllables, then the number in base 32, which makes it the only one.
fn username(number: u64, seed: u64) -> String {
    let mut dice = Dice::new(seed);
    let mut text = String::new();
    for _ in 0..dice.below(4) + 1 {
        text.push(*dice.pick(b"bdfgklmnprstvz") as char);
        text.push(*dice.pick(b"aeiou") as char);
    }
    text.push('_');
    let mut rest = number;
    for _ in 0..7 {
        text.push(b"abcdefghijklmnopqrstuvwxyz234567"[(rest % 32) as usize] as char);
        rest /= 32;
        if rest == 0 {
            break;
        }
    }
    text
}

/// One or two words, 5 to 25 characters.
fn name(dice: &mut Dice) -> String {
    let length = usize::try_from(dice.below(21) + 5).unwrap();
    let space = usize::try_from(dice.below(8) + 3).unwrap();
    (0..length)
        .map(|at| match at {
            0 => (*dice.pick(b"ABDEIKLMNOPRSTV")) as char,
            at if at == space && at + 1 < length => ' ',
            _ => (*dice.pick(b"aeiourstlnmkdvb")) as char,
        })
        .collect()
}

/// A small generator of chance (splitmix64), the same on every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn pick<'a>(&mut self, of: &'a [u8]) -> &'a u8 {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_of_ten_have_a_username_and_no_two_share_anything() {
        let all: Vec<Entity> = World::new(100_000).sorted();
        let names: HashSet<_> = all.iter().flat_map(|entity| &entity.usernames).collect();
        let phones: HashSet<_> = all.iter().filter_map(|entity| entity.phone.as_ref()).collect();
        let ids: HashSet<_> = all.iter().map(|entity| entity.id).collect();
        assert_eq!((ids.len(), names.len(), phones.len()), (100_000, 60_000, 10_000));
    }

    #[test]
    fn names_have_5_to_25_characters_and_usernames_are_telegrams() {
        for entity in World::new(1000).sorted() {
            assert!((5..=25).contains(&entity.name.unwrap().len()));
            assert!(entity.usernames.iter().all(|name| (5..=32).contains(&name.len())));
        }
    }
}
