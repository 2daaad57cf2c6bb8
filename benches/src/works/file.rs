//! Filling, size, opening.

use std::fs;
use std::path::Path;

use super::Bench;
use crate::clock::timed;
use crate::disk;
use crate::peers::{Kind, Peer};
use crate::people::auth_key;
use crate::table::Column;

const EMPTY: Column = Column { name: "empty", title: "empty file", unit: "bytes" };
const BULK: Column = Column { name: "bulk", title: "bulk insert", unit: "us an entity" };
const BYTES: Column = Column { name: "bytes", title: "size", unit: "bytes an entity" };
const OPEN: Column = Column { name: "open", title: "open + read key", unit: "us" };

impl Bench<'_> {
    /// Fills a store of every peer, which is a work of its own.
    pub(super) fn fill_all(&mut self) {
        self.relay.begin();
        let entities = self.world.sorted();
        for at in 0..self.stores.len() {
            let kept = self.fill(at, &entities);
            self.kept.push(kept);
        }
        self.relay.end();
    }

    fn fill(&mut self, at: usize, entities: &[tgsession::Entity]) -> Option<Box<dyn Peer>> {
        let (kind, path) = self.stores[at].clone();
        let most = if self.plan.quick || entities.len() > 200_000 { 1 } else { 3 };
        let mut costs = Vec::new();
        let mut filled = None;
        for _ in 0..most {
            drop(filled.take());
            let mut peer = fresh(kind, &path);
            if costs.is_empty() && self.plan.wants("empty") && !kind.volatile {
                drop(peer);
                self.add(EMPTY, at, disk::size(&path) as f64);
                peer = fresh(kind, &path);
            }
            let given = entities.to_vec();
            costs.push(timed(|| peer.load(given)).0 / entities.len() as f64);
            filled = Some(peer);
        }
        let peer = filled.unwrap();
        if self.plan.wants("bulk") {
            self.add(BULK, at, crate::clock::median(costs));
        }
        let payload = peer.payload();
        let kept = kind.volatile.then_some(peer);
        if self.plan.wants("bytes") {
            let size = payload.unwrap_or_else(|| disk::size(&path));
            self.add(BYTES, at, size as f64 / entities.len() as f64);
        }
        kept
    }

    pub(super) fn open(&mut self) {
        let stores = self.stores.clone();
        self.turns(OPEN, |at, plan| Some(plan.limit(30).median(|_| open(&stores[at]))));
    }
}

/// A new store in a folder emptied for it.
pub(super) fn fresh(kind: Kind, path: &Path) -> Box<dyn Peer> {
    match fs::remove_dir_all(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => panic!("{error}"),
    }
    fs::create_dir(path).unwrap();
    (kind.create)(path, &auth_key())
}

/// Opening and reading the key; closing is not timed.
pub(super) fn open((kind, path): &(Kind, std::path::PathBuf)) -> f64 {
    let (time, (_peer, key)) = timed(|| {
        let peer = (kind.open)(path);
        let key = peer.auth_key();
        (peer, key)
    });
    assert_eq!(key, auth_key(), "{}", kind.name);
    time
}
