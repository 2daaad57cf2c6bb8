//! The adapter beside grammers' own storages, each through the type erasure that a client puts
//! around it. Prints one table in Markdown: microseconds a call, the median of the turns, and the
//! memory of a process of its own in which COUNT peers were cached and looked up.
//!
//! `adapter [COUNT]`, 10,000 peers by default. Data lies in a folder `.bench-*` of the working
//! directory.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::path::Path;
use std::process::{self, Command};
use std::sync::Arc;
use std::time::Instant;

use grammers_session::storages::{ErasedSession, MemorySession, SqliteSession, erase};
use grammers_session::types::{PeerAuth, PeerId, PeerInfo, UpdateState};
use tgsession::Store;
use tgsession_benches::process::resident;
use tgsession_grammers::GrammersSession;
use tokio::runtime::{Builder, Runtime};

const TURNS: usize = 5;
/// SQLite syncs each of its writes, so it gets fewer of them a turn.
const SYNCED: i64 = 200;

const NAMES: [&str; 4] =
    ["adapter, store", "adapter, memory", "grammers SqliteSession", "grammers MemorySession"];
const WORKS: [&str; 7] = [
    "cache_peer, new",
    "cache_peer, known",
    "peer_ref",
    "set_update_state, channel",
    "set_dc_option, unchanged",
    "home_dc_id and dc_option",
    "open",
];

fn open(which: usize, folder: &Path, runtime: &Runtime) -> Arc<ErasedSession> {
    match which {
        0 => {
            let store = Store::open_or_create(folder.join("ours")).unwrap();
            erase(Arc::new(GrammersSession::new(store.session("a").unwrap()).unwrap()))
        }
        1 => erase(Arc::new(GrammersSession::new(tgsession::MemorySession::new("m")).unwrap())),
        2 => {
            let opened = runtime.block_on(SqliteSession::open(folder.join("theirs.session")));
            erase(Arc::new(opened.unwrap()))
        }
        _ => erase(Arc::new(MemorySession::default())),
    }
}

fn peer(id: i64) -> PeerInfo {
    PeerInfo::User { id, auth: Some(PeerAuth::from_hash(id)), bot: Some(false), is_self: None }
}

/// Microseconds a call; all calls of a turn are one future, as in a client's task.
fn each<F: Future<Output = ()>>(runtime: &Runtime, calls: i64, work: impl FnOnce() -> F) -> f64 {
    let start = Instant::now();
    runtime.block_on(work());
    start.elapsed().as_secs_f64() * 1e6 / calls as f64
}

fn turn(session: &ErasedSession, runtime: &Runtime, from: i64, calls: i64) -> Vec<f64> {
    let dc = session.dc_option(2).unwrap().unwrap();
    let cache = async || {
        for id in from..from + calls {
            session.cache_peer(peer(id)).await.unwrap();
        }
    };
    vec![
        each(runtime, calls, cache),
        each(runtime, calls, cache),
        each(runtime, calls, async || {
            for id in from..from + calls {
                session.peer_ref(PeerId::user(id).unwrap()).await.unwrap().unwrap();
            }
        }),
        each(runtime, calls, async || {
            for pts in 0..calls {
                let (id, pts) = (1 + pts % 100, i32::try_from(from + pts).unwrap());
                session.set_update_state(UpdateState::Channel { id, pts }).await.unwrap();
            }
        }),
        each(runtime, calls, async || {
            for _ in 0..calls {
                session.set_dc_option(&dc).await.unwrap();
            }
        }),
        each(runtime, calls, async || {
            for _ in 0..calls {
                let home = session.home_dc_id().unwrap();
                std::hint::black_box(session.dc_option(home).unwrap());
            }
        }),
    ]
}

/// In a process of its own: bytes of its memory, without pages of files, that a session takes.
fn memory_of_session(which: usize, count: i64) {
    let runtime = Builder::new_current_thread().build().unwrap();
    let folder = tempfile::Builder::new().prefix(".bench-").tempdir_in(".").unwrap();
    let memory = || resident(process::id().cast_signed(), "RssAnon:");
    let before = memory();
    let session = open(which, folder.path(), &runtime);
    // One future, or SQLite's would be made anew for each call.
    runtime.block_on(async {
        for id in 1..=count {
            session.cache_peer(peer(id)).await.unwrap();
        }
        for id in 1..=count {
            session.peer_ref(PeerId::user(id).unwrap()).await.unwrap().unwrap();
        }
    });
    println!("{}", memory().saturating_sub(before));
}

fn print_memory(count: i64) {
    let megabytes = (0..NAMES.len()).map(|which| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let output = child.args(["memory", &which.to_string(), &count.to_string()]).output();
        let bytes: f64 = String::from_utf8(output.unwrap().stdout).unwrap().trim().parse().unwrap();
        bytes / 1e6
    });
    let megabytes: Vec<f64> = megabytes.collect();
    let shown: Vec<String> = megabytes.iter().map(|mb| format!("{mb:.1}")).collect();
    let [store, _, sqlite, memory] = megabytes[..] else { return };
    println!(
        "| memory with {count} peers, MB | {} | {:.1} | {:.1} |",
        shown.join(" | "),
        sqlite / store,
        store / memory
    );
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [word, which, count] = &args[..]
        && word == "memory"
    {
        return memory_of_session(which.parse().unwrap(), count.parse().unwrap());
    }
    let count: i64 = args.first().map_or(10_000, |count| count.parse().unwrap());
    let runtime = Builder::new_current_thread().build().unwrap();
    let folder = tempfile::Builder::new().prefix(".bench-").tempdir_in(".").unwrap();
    let sessions: Vec<_> = (0..NAMES.len()).map(|at| open(at, folder.path(), &runtime)).collect();
    let mut figures = vec![vec![Vec::new(); NAMES.len()]; WORKS.len()];
    let mut from = 1;
    for _ in 0..TURNS {
        for (at, session) in sessions.iter().enumerate() {
            let calls = if at == 2 { SYNCED.min(count) } else { count };
            for (work, figure) in turn(&**session, &runtime, from, calls).into_iter().enumerate() {
                figures[work][at].push(figure);
            }
        }
        from += count;
    }
    drop(sessions);
    for _ in 0..TURNS {
        for at in 0..NAMES.len() {
            let start = Instant::now();
            let session = open(at, folder.path(), &runtime);
            std::hint::black_box(session.dc_option(2).unwrap());
            figures[WORKS.len() - 1][at].push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    print(&mut figures);
    print_memory(count);
}

fn print(figures: &mut [Vec<Vec<f64>>]) {
    println!(
        "| us a call | {} | SqliteSession / store | store / MemorySession |",
        NAMES.join(" | ")
    );
    println!("|---|{}", "---|".repeat(NAMES.len() + 2));
    for (name, row) in WORKS.iter().zip(figures) {
        let medians: Vec<f64> = row
            .iter_mut()
            .map(|turns| {
                turns.sort_by(f64::total_cmp);
                turns[turns.len() / 2]
            })
            .collect();
        let shown: Vec<String> = medians.iter().map(|us| format!("{us:.2}")).collect();
        let [store, _, sqlite, memory] = medians[..] else { return };
        println!(
            "| {name} | {} | {:.0} | {:.1} |",
            shown.join(" | "),
            sqlite / store,
            store / memory
        );
    }
}
