//! The usual writes of a client: entities seen again, and update states.

use tgsession::{AccessHash, Entity, PeerKind};

use super::Bench;
use crate::clock::timed;
use crate::peers::Peer;
use crate::people::{Dice, state};
use crate::table::Column;

const UNCHANGED: Column = Column { name: "unchanged", title: "50 unchanged, durable", unit: "us" };
const CHANGED: Column = Column { name: "changed", title: "50 with 2 changed, durable", unit: "us" };
const STATE: Column = Column { name: "state", title: "set state, durable", unit: "us" };
const NOTE: Column = Column { name: "note", title: "set state, buffered", unit: "us" };

/// How many entities come with one answer of Telegram.
const SEEN: usize = 50;

impl Bench<'_> {
    pub(super) fn writes(&mut self, peers: &[Box<dyn Peer>]) {
        let (world, mut dice) = (self.world, Dice::new(50));
        self.short_turns(UNCHANGED, |at, plan| {
            Some(plan.short().median(|_| {
                let seen = world.sample(&mut dice, SEEN);
                timed(|| peers[at].see(&seen)).0
            }))
        });
        self.short_turns(CHANGED, |at, plan| {
            Some(
                plan.short().median(|_| change(peers[at].as_ref(), &world.sample(&mut dice, SEEN))),
            )
        });
        self.states(peers);
    }

    fn states(&mut self, peers: &[Box<dyn Peer>]) {
        let mut pts = 0;
        self.short_turns(STATE, |at, plan| {
            Some(plan.short().median(|_| {
                pts += 1;
                let (time, ()) = timed(|| peers[at].set_state(state(pts)));
                assert_eq!(peers[at].state(), state(pts));
                time
            }))
        });
        self.turns(NOTE, |at, plan| note(peers[at].as_ref(), plan.limit(2000)));
    }
}

/// A new name and a new username among fifty, and two new hashes for who keeps no names; put back
/// untimed.
fn change(peer: &dyn Peer, known: &[Entity]) -> f64 {
    let mut seen = known.to_vec();
    seen[7].name = Some("Another Name".to_owned());
    let named = seen.iter_mut().find(|entity| !entity.usernames.is_empty()).unwrap();
    named.usernames[0].push_str("_too");
    if peer.keeps_hashes_only() {
        let users = seen.iter_mut().filter(|entity| entity.id.kind() == PeerKind::User);
        users.take(2).for_each(|user| user.access_hash = Some(AccessHash(1)));
    }
    let (time, ()) = timed(|| peer.see(&seen));
    let changed = || seen.iter().zip(known).filter(|(now, before)| now != before);
    changed().for_each(|(now, _)| assert_eq!(peer.by_id(now.id), Some(peer.kept(now))));
    peer.see(known);
    changed().for_each(|(_, was)| assert_eq!(peer.by_id(was.id), Some(peer.kept(was))));
    time
}

/// The mean of many, since one is too short for the clock; what is noted is saved untimed.
fn note(peer: &dyn Peer, limit: crate::clock::Limit) -> Option<f64> {
    if !peer.note_state(state(0)) {
        return None;
    }
    let (mut pts, each) = (0, 16);
    let time = limit.median(|_| {
        let (time, ()) = timed(|| {
            for _ in 0..each {
                pts += 1;
                peer.note_state(state(pts));
            }
        });
        time / f64::from(each)
    });
    assert_eq!(peer.state(), state(pts));
    peer.set_state(state(pts + 1));
    Some(time)
}
