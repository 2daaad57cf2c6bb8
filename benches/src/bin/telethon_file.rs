//! Writes a Telethon v7 session file with N entities: `telethon_file N OUT`.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::path::Path;
use std::process::ExitCode;

use tgsession_benches::args::Args;
use tgsession_benches::people::{World, auth_key, state};
use tgsession_benches::telethon;

fn main() -> ExitCode {
    let args = Args::of_process();
    let (Some(Ok(count)), Some(out)) = (args.at(0).map(str::parse), args.at(1)) else {
        eprintln!("usage: telethon_file N OUT");
        return ExitCode::from(2);
    };
    if Path::new(out).exists() {
        eprintln!("{out} is there already");
        return ExitCode::FAILURE;
    }
    write(count, Path::new(out));
    ExitCode::SUCCESS
}

fn write(count: u64, out: &Path) {
    let mut db = telethon::create(out, &auth_key());
    db.execute_batch("pragma synchronous = off").unwrap();
    let write = db.transaction().unwrap();
    telethon::put_entities(&write, &World::new(count).sorted());
    telethon::put_state(&write, state(1));
    telethon::put_files(&write, 20);
    write.commit().unwrap();
}
