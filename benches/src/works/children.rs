//! What needs a process of its own: being killed, and memory.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Bench;
use super::file::open;
use super::lookup::any_id;
use crate::args::Args;
use crate::peers::Kind;
use crate::people::{Dice, World, state};
use crate::process::{die, printed_number, resident};
use crate::table::Column;

const KILL: Column = Column { name: "kill", title: "open after a kill", unit: "us" };
const MEMORY: Column = Column { name: "memory", title: "memory", unit: "MB" };

impl Bench<'_> {
    /// A child opens the store, writes and dies. Then another child opens the store. In this process the
    /// allocator would first consolidate the memory that the peer before has freed.
    pub(super) fn kill(&mut self) {
        let stores = self.stores.clone();
        let mut kills = 0;
        self.turns(KILL, |at, _| {
            kills += 1;
            let (kind, path) = &stores[at];
            if kind.volatile {
                return None;
            }
            let ended = command("kill", *kind, path, kills).stderr(Stdio::null()).status().unwrap();
            assert!(!ended.success(), "{} was not killed", kind.name);
            let time = printed_number(&mut command("open", *kind, path, 0));
            assert!((kind.open)(path).state().pts >= 99, "{} lost a state", kind.name);
            Some(time)
        });
    }

    /// The private memory of a process, without mapped files, after 10,000 lookups and twenty times
    /// fifty entities.
    pub(super) fn memory(&mut self) {
        let count = self.world.count();
        self.relay.begin();
        for at in 0..self.stores.len() {
            let (kind, path) = (self.stores[at].0, self.path(at).to_owned());
            if self.plan.wants(MEMORY.name) && !kind.volatile {
                let bytes = printed_number(&mut command("memory", kind, &path, count));
                self.add(MEMORY, at, bytes / 1e6);
            }
        }
        self.relay.end();
    }
}

fn command(what: &str, kind: Kind, path: &Path, count: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--child", what, kind.name]).arg(path).arg(count.to_string());
    command
}

/// Does what a child process is asked for, if this one is such a child: `--child WHAT PEER PATH
/// COUNT`.
#[must_use]
pub fn is_child(args: &Args, kinds: &[Kind]) -> bool {
    if args.at(0) != Some("--child") {
        return false;
    }
    let said = |at| args.at(at).unwrap();
    let kind = kinds.iter().find(|kind| kind.name == said(2)).unwrap();
    child(said(1), kind, Path::new(said(3)), said(4).parse().unwrap());
    true
}

fn child(what: &str, kind: &Kind, path: &Path, count: u64) {
    if what == "open" {
        println!("{}", open(&(*kind, path.to_owned())));
        return;
    }
    let peer = (kind.open)(path);
    if what == "kill" {
        let pts = 99 + 2 * i32::try_from(count).unwrap();
        peer.set_state(state(pts));
        peer.note_state(state(pts + 1));
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
