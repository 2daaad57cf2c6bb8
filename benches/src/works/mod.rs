//! The works: what every peer is asked to do, one after the other in turns, so that whatever else
//! the machine does falls on all of them.

#[cfg(feature = "peers")]
mod accounts;
mod children;
mod churn;
mod file;
mod lookup;
mod threads;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::{Limit, median};
use crate::disk;
use crate::peers::{Kind, Peer};
use crate::people::World;
use crate::relay::Relay;
use crate::table::{Column, Figure, Figures};

#[cfg(feature = "peers")]
pub use self::accounts::accounts;
pub use self::children::is_child;

/// What to measure, and how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The peers, in the order of the table.
    pub peers: Vec<Kind>,
    /// Names of works; none means all.
    pub works: Option<Vec<String>>,
    /// Less of everything.
    pub quick: bool,
}

impl Plan {
    /// Whether a work is to be done.
    #[must_use]
    pub fn wants(&self, work: &str) -> bool {
        self.works.as_ref().is_none_or(|works| works.iter().any(|want| want == work))
    }

    /// How many turns each peer has in a work.
    fn turns(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// How often a peer does something that is synced before it is the next one's turn: seldom,
    /// since what a sync costs depends on who else syncs at that moment.
    fn short(&self) -> Limit {
        Limit { least: 2, most: 4, time: Duration::from_millis(30) }
    }

    /// How often something is repeated within a turn.
    fn limit(&self, most: usize) -> Limit {
        let time = Duration::from_millis(if self.quick { 100 } else { 350 });
        Limit { least: 3, most, time }
    }
}

/// One size: every peer's store, filled, in a folder of its own.
pub(crate) struct Bench<'a> {
    plan: &'a Plan,
    world: World,
    stores: Vec<(Kind, PathBuf)>,
    /// The content of volatile peers while their "files" are closed.
    kept: Vec<Option<Box<dyn Peer>>>,
    figures: &'a mut Figures,
    relay: &'a mut Relay,
}

/// Does every wanted work with `count` entities, in turns with who else is in the relay.
pub fn measure(plan: &Plan, count: u64, relay: &mut Relay, figures: &mut Figures) {
    let folder = disk::folder();
    let mut bench = Bench::new(plan, count, folder.path(), relay, figures);
    bench.fill_all();
    bench.open();
    let mut peers = bench.opened();
    bench.lookups(&peers);
    bench.writes(&peers);
    bench.threads(&peers);
    bench.closed(&mut peers);
    bench.memory();
    bench.kill();
    bench.churn();
}

impl<'a> Bench<'a> {
    fn new(
        plan: &'a Plan,
        count: u64,
        folder: &Path,
        relay: &'a mut Relay,
        figures: &'a mut Figures,
    ) -> Self {
        let stores = plan.peers.iter().map(|kind| (*kind, folder.join(kind.name))).collect();
        Self { plan, world: World::new(count), stores, kept: Vec::new(), figures, relay }
    }

    fn add(&mut self, column: Column, at: usize, value: f64) {
        let (size, peer) = (self.world.count(), self.stores[at].0.name);
        self.figures.add(Figure { column, size, peer, value });
    }

    /// Lets every peer do `each` in turns, and notes the median of each peer's turns.
    fn turns(&mut self, column: Column, each: impl FnMut(usize, &Plan) -> Option<f64>) {
        self.take_turns(column, self.plan.turns(), each);
    }

    /// The same with many short turns, for synced calls.
    fn short_turns(&mut self, column: Column, each: impl FnMut(usize, &Plan) -> Option<f64>) {
        self.take_turns(column, self.plan.turns() * 12, each);
    }

    fn take_turns(
        &mut self,
        column: Column,
        count: usize,
        mut each: impl FnMut(usize, &Plan) -> Option<f64>,
    ) {
        if !self.plan.wants(column.name) {
            return;
        }
        let mut turns = vec![Vec::new(); self.stores.len()];
        for turn in 0..count {
            self.relay.begin();
            // Another peer begins each turn, so that no peer always comes after the same one.
            let peers = turns.len();
            for at in (0..peers).map(|at| (at + turn) % peers) {
                turns[at].extend(each(at, self.plan));
            }
            self.relay.end();
        }
        for (at, figures) in turns.into_iter().enumerate() {
            if !figures.is_empty() {
                self.add(column, at, median(figures));
            }
        }
    }

    /// A handle to each peer.
    fn opened(&mut self) -> Vec<Box<dyn Peer>> {
        let stores = self.stores.iter().zip(&mut self.kept);
        stores
            .map(|((kind, path), kept)| kept.take().unwrap_or_else(|| (kind.open)(path)))
            .collect()
    }

    /// Closes every peer that outlives it.
    fn closed(&mut self, peers: &mut Vec<Box<dyn Peer>>) {
        for (((kind, _), kept), peer) in self.stores.iter().zip(&mut self.kept).zip(peers.drain(..))
        {
            *kept = kind.volatile.then_some(peer);
        }
    }

    fn path(&self, at: usize) -> &Path {
        &self.stores[at].1
    }
}
