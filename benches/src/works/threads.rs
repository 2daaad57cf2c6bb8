//! Lookups by several threads while another one commits without a pause.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Bench;
use super::lookup::any_id;
use crate::peers::Peer;
use crate::people::{Dice, World, state};
use crate::table::Column;

const COLUMNS: [(usize, Column); 3] = [
    (1, Column { name: "threads1", title: "by id beside a writer, 1 thread", unit: "us" }),
    (2, Column { name: "threads2", title: "2 threads", unit: "us" }),
    (4, Column { name: "threads4", title: "4 threads", unit: "us" }),
];

impl Bench<'_> {
    pub(super) fn threads(&mut self, peers: &[Box<dyn Peer>]) {
        let world = self.world;
        for (count, column) in COLUMNS {
            self.turns(column, |at, plan| {
                let time = Duration::from_millis(if plan.quick { 60 } else { 250 });
                Some(lookups(peers[at].as_ref(), world, count, time))
            });
        }
    }
}

/// Time over the number of lookups by all threads together, in microseconds.
fn lookups(peer: &dyn Peer, world: World, count: usize, time: Duration) -> f64 {
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let readers: Vec<_> = (0..count).map(|_| peer.another()).collect();
    let writer = peer.another();
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| write(writer, &stop));
        for (seed, reader) in readers.into_iter().enumerate() {
            let (stop, done) = (&stop, &done);
            scope.spawn(move || {
                done.fetch_add(read(reader, world, seed as u64, stop), Ordering::Relaxed)
            });
        }
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
    });
    start.elapsed().as_secs_f64() * 1e6 / done.into_inner() as f64
}

fn write(peer: Box<dyn Peer>, stop: &AtomicBool) {
    let mut pts = 0;
    while !stop.load(Ordering::Relaxed) {
        pts += 1;
        peer.set_state(state(pts));
    }
}

fn read(peer: Box<dyn Peer>, world: World, seed: u64, stop: &AtomicBool) -> u64 {
    let (mut dice, mut done) = (Dice::new(seed), 0);
    while !stop.load(Ordering::Relaxed) {
        let id = any_id(&world, &mut dice);
        assert_eq!(peer.by_id(id).map(|entity| entity.id), Some(id));
        done += 1;
    }
    done
}
