//! How a file ages: a tenth of the entities change, a tenth are new, a commit for every few.

use std::collections::HashSet;

use tgsession::{Entity, UpdateState};

use super::Bench;
use super::file::fresh;
use crate::disk;
use crate::peers::Peer;
use crate::people::{Dice, World, state};
use crate::table::Column;

const CHURN: Column = Column { name: "churn", title: "size after churn", unit: "bytes an entity" };

/// How many entities come at a time: known ones, changed ones and new ones.
const KNOWN: usize = 60;
const CHANGED: u64 = 20;
const NEW: u64 = 20;

/// After how many of these the state is saved.
const STATE: u64 = 10;

impl Bench<'_> {
    /// Works in every store, filled anew, until a tenth is new, closes it, looks at its size and at its answers.
    pub(super) fn churn(&mut self) {
        if !self.plan.wants(CHURN.name) {
            return;
        }
        self.relay.begin();
        let entities = self.world.sorted();
        for at in 0..self.stores.len() {
            let (kind, path) = self.stores[at].clone();
            if kind.volatile {
                continue;
            }
            let mut filled = fresh(kind, &path);
            filled.load(entities.clone());
            drop(filled);
            let mut month = Month::of(self.world);
            month.live((kind.open)(&path).as_ref());
            self.add(CHURN, at, disk::size(&path) as f64 / month.count as f64);
            month.check((kind.open)(&path).as_ref());
        }
        self.relay.end();
    }
}

/// A month of meetings.
struct Month {
    world: World,
    dice: Dice,
    /// How many entities are known by now.
    count: u64,
    /// The numbers of those that have changed.
    changed: HashSet<u64>,
}

impl Month {
    fn of(world: World) -> Self {
        Self { world, dice: Dice::new(30), count: world.count(), changed: HashSet::new() }
    }

    fn live(&mut self, peer: &dyn Peer) {
        for turn in 0..self.turns() {
            peer.see(&self.met(turn));
            if turn % STATE == STATE - 1 {
                peer.set_state(state_at(turn));
            }
        }
        peer.set_state(state_at(self.turns()));
    }

    fn turns(&self) -> u64 {
        (self.world.count() / 10).div_ceil(NEW)
    }

    /// No entity is there twice, so it can be a few less than the sum of known, changed and new
    /// ones.
    fn met(&mut self, turn: u64) -> Vec<Entity> {
        let mut numbers: HashSet<u64> = (0..KNOWN).map(|_| self.often()).collect();
        // Each entity changes once.
        let changed = (0..CHANGED).map(|n| (turn * CHANGED + n) * 9 % self.world.count());
        for at in changed {
            self.changed.insert(at);
            numbers.insert(at);
        }
        numbers.extend(self.count..self.count + NEW);
        self.count += NEW;
        let mut numbers: Vec<u64> = numbers.into_iter().collect();
        // The same month for every peer, whatever the order of the set.
        numbers.sort_unstable();
        numbers.into_iter().map(|at| self.entity(at)).collect()
    }

    /// Nine of ten meetings are with one of a hundred entities. These are spread over all ids, since
    /// numbers are.
    fn often(&mut self) -> u64 {
        let all = self.world.count();
        let among = if self.dice.below(10) < 9 { all.div_ceil(100) } else { all };
        self.dice.below(among)
    }

    /// Entity number `at` as it is by now.
    fn entity(&self, at: u64) -> Entity {
        let entity = self.world.entity(at);
        if self.changed.contains(&at) { changed(entity) } else { entity }
    }

    /// Checks the answers of a store that is opened again after the month.
    fn check(&mut self, peer: &dyn Peer) {
        assert_eq!(peer.state(), state_at(self.turns()));
        let some = self.changed.iter().copied().take(500).chain(self.world.count()..self.count);
        let more = std::iter::repeat_with(|| self.dice.below(self.count));
        let numbers: Vec<u64> = some.take(1000).chain(more.take(1000)).collect();
        for at in &numbers {
            let entity = self.entity(*at);
            assert_eq!(peer.by_id(entity.id), Some(peer.kept(&entity)));
        }
        if !peer.keeps_hashes_only() {
            self.check_names(peer, numbers.iter().copied().step_by(50));
        }
    }

    fn check_names(&self, peer: &dyn Peer, numbers: impl Iterator<Item = u64>) {
        for at in numbers {
            let entity = self.entity(at);
            if let Some(username) = entity.usernames.first() {
                assert_eq!(peer.by_username(username).as_ref(), Some(&entity));
            }
            if let Some(phone) = &entity.phone {
                assert_eq!(peer.by_phone(phone).as_ref(), Some(&entity));
            }
            let before = self.world.username(at);
            if let Some(before) = before.filter(|before| entity.usernames.first() != Some(before)) {
                assert_eq!(peer.by_username(&before), None);
            }
        }
    }
}

fn state_at(turn: u64) -> UpdateState {
    state(i32::try_from(turn).unwrap())
}

/// With another name, and every second one with another username.
fn changed(mut entity: Entity) -> Entity {
    let name = entity.name.get_or_insert_default();
    if name.len() > 15 {
        name.truncate(9);
    } else {
        name.push_str(" the Second");
    }
    if entity.id.marked() % 2 == 0
        && let Some(username) = entity.usernames.first_mut()
    {
        username.insert_str(0, "new_");
    }
    entity
}
