//! Lookups in random order.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tgsession::{Entity, PeerId};

use super::Bench;
use crate::peers::Peer;
use crate::people::{Dice, World};
use crate::table::Column;

const ID: Column = Column { name: "id", title: "by id", unit: "us" };
const USERNAME: Column = Column { name: "username", title: "by username", unit: "us" };
const PHONE: Column = Column { name: "phone", title: "by phone", unit: "us" };

/// How many lookups are timed in a turn.
const LOOKUPS: u64 = 10_000;

impl Bench<'_> {
    pub(super) fn lookups(&mut self, peers: &[Box<dyn Peer>]) {
        self.lookup(ID, peers, |world, at| Some(world.id(at)), |peer, id| peer.by_id(*id));
        self.lookup(USERNAME, peers, World::username, |peer, name| peer.by_username(name));
        self.lookup(PHONE, peers, World::phone, |peer, phone| peer.by_phone(phone));
    }

    fn lookup<Q>(
        &mut self,
        column: Column,
        peers: &[Box<dyn Peer>],
        question: fn(&World, u64) -> Option<Q>,
        ask: fn(&dyn Peer, &Q) -> Option<Entity>,
    ) {
        let (world, mut dice) = (self.world, Dice::new(10));
        self.turns(column, |at, plan| {
            let peer = peers[at].as_ref();
            if column != ID && peer.keeps_hashes_only() {
                return None;
            }
            let most = if plan.quick { LOOKUPS / 10 } else { LOOKUPS };
            let questions = questions(&world, &mut dice, most, question);
            for (number, question) in questions.iter().take(20) {
                let kept = peer.kept(&world.entity(*number));
                assert_eq!(ask(peer, question), Some(kept), "{}", column.name);
            }
            let limit = Duration::from_millis(if plan.quick { 100 } else { 350 });
            let (warm, timed) = questions.split_at(questions.len() / 3);
            run(warm, limit / 3, |question| ask(peer, question));
            Some(run(timed, limit, |question| ask(peer, question)))
        });
    }
}

fn questions<Q>(
    world: &World,
    dice: &mut Dice,
    most: u64,
    question: fn(&World, u64) -> Option<Q>,
) -> Vec<(u64, Q)> {
    let numbers = std::iter::repeat_with(|| dice.below(world.count()));
    let asked = numbers.filter_map(|at| Some((at, question(world, at)?)));
    asked.take(usize::try_from(most * 3 / 2).unwrap()).collect()
}

/// Microseconds a question; every one must have an answer.
fn run<Q>(questions: &[(u64, Q)], limit: Duration, ask: impl Fn(&Q) -> Option<Entity>) -> f64 {
    let start = Instant::now();
    let mut done = 0;
    for some in questions.chunks(8) {
        for (_, question) in some {
            assert!(black_box(ask(question)).is_some());
        }
        done += some.len();
        if start.elapsed() > limit {
            break;
        }
    }
    start.elapsed().as_secs_f64() * 1e6 / done as f64
}

/// An id of the world by chance.
pub(super) fn any_id(world: &World, dice: &mut Dice) -> PeerId {
    world.id(dice.below(world.count()))
}
