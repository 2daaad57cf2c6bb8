//! What needs a process of its own: being killed, and memory.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Bench;
use super::file::open;
use super::lookup::any_id;
use crate::peers::{self, Kind};
use crate::people::{Dice, World, state};
use crate::process::{die, resident};
use crate::table::Column;

const KILL: Column = Column { name: "kill", title: "open after a kill", unit: "us" };
const MEMORY: Column = Column { name: "memory", title: "memory", unit: "MB" };

impl Bench<'_> {
    /// A child opens the store, writes and dies; then the store is opened here.
    pub(super) fn kill(&mut self) {
        let stores = self.stores.clone();
        self.turns(KILL, |at, _| {
            let (kind, path) = &stores[at];
            if kind.volatile {
                return None;
            }
            let ended = command("kill", *kind, path, 0).stderr(Stdio::null()).status().unwrap();
            assert!(!ended.success(), "{} was not killed", kind.name);
            let time = open(&stores[at]);
            assert!((kind.open)(path).state().pts >= 99, "{} lost a state", kind.name);
            Some(time)
        });
    }

    /// What a process has of its own, pages of mapped files not counted, after 10,000 lookups and
    /// twenty times fifty entities.
    pub(super) fn memory(&mut self) {
        let count = self.world.count();
        for at in 0..self.stores.len() {
            let (kind, path) = (self.stores[at].0, self.path(at).to_owned());
            if self.plan.wants(MEMORY.name) && !kind.volatile {
                let said = command("memory", kind, &path, count).output().unwrap();
                assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
                let bytes: f64 = String::from_utf8(said.stdout).unwrap().trim().parse().unwrap();
                self.add(MEMORY, at, bytes / 1e6);
            }
        }
    }
}

fn command(what: &str, kind: Kind, path: &Path, count: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--child", what, kind.name]).arg(path).arg(count.to_string());
    command
}

/// The other side of it: what a child process does.
pub fn child(what: &str, name: &str, path: &Path, count: u64) {
    let kind = peers::ALL.into_iter().find(|kind| kind.name == name).unwrap();
    let peer = (kind.open)(path);
    if what == "kill" {
        peer.set_state(state(99));
        peer.note_state(state(100));
        die();
    }
    let (world, mut dice) = (World::new(count), Dice::new(3));
    for _ in 0..10_000 {
        peer.by_id(any_id(&world, &mut dice)).unwrap();
    }
    for _ in 0..20 {
        peer.see(&world.sample(&mut dice, 50));
    }
    println!("{}", resident(std::process::id().cast_signed(), "RssAnon:"));
}
