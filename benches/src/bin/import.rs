//! Measures the tool's `import` and `get` beside their limits.
//!
//! `import [--tool PATH] [--count 1000000] [--file FILE] [--runs 5]`: without `--tool` the tool is
//! built in release; without `--file` a Telethon file is made and removed again.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tgsession_benches::args::Args;
use tgsession_benches::clock::median;
use tgsession_benches::disk;
use tgsession_benches::people::World;
use tgsession_benches::process::{Taken, time, watch};

/// How often a `get` is run.
const GETS: usize = 20;

fn main() {
    let args = Args::of_process();
    let number = |name, or: u64| args.after(name).map_or(or, |text| text.parse().unwrap());
    let (count, runs) = (number("--count", 1_000_000), number("--runs", 5));
    let folder = disk::folder();
    let tool = args.after("--tool").map_or_else(built, PathBuf::from);
    let source = args.after("--file").map_or(folder.path().join("anon.session"), PathBuf::from);
    if !source.exists() {
        generate(count, &source);
    }
    let store = folder.path().join("all.tgsession");
    let imports = imports(&tool, &source, &store, runs);
    let bytes = fs::metadata(&store).unwrap().len() as f64 / count as f64;
    println!("{count} entities, {runs} runs, medians; the file has {} MB\n", megabytes(&source));
    println!("| | measured | at most |\n|---|---:|---:|");
    report(&imports, bytes, &store);
    gets(&tool, &store, count);
}

fn report(imports: &[Taken], bytes: f64, store: &Path) {
    let of = |what: fn(&Taken) -> f64| median(imports.iter().map(what).collect());
    let most = |what: fn(&Taken) -> f64| imports.iter().map(what).fold(0.0, f64::max);
    row("import, s", of(|run| run.wall.as_secs_f64()), "1.5");
    row("peak memory beyond mapped files, MB", most(|run| run.peak_anonymous as f64 / 1e6), "150");
    row("peak memory with mapped files, MB", most(|run| run.peak as f64 / 1e6), "");
    row("store, MB", megabytes(store), "");
    row("store, bytes an entity", bytes, "90");
}

fn row(what: &str, value: f64, limit: &str) {
    println!("| {what} | {value:.2} | {limit} |");
}

fn megabytes(path: &Path) -> f64 {
    (fs::metadata(path).unwrap().len() as f64 / 1e4).round() / 100.0
}

/// The release tool, built where cargo puts it.
fn built() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| manifest.with_file_name("target"));
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--features", "cli", "--bin", "tgsession"]);
    cargo.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(&target);
    assert!(cargo.status().unwrap().success(), "the tool does not build");
    target.join("release/tgsession")
}

/// The generator is a program of its own; it lies beside this one.
fn generate(count: u64, to: &Path) {
    let generator = std::env::current_exe().unwrap().with_file_name("telethon_file");
    let status = Command::new(generator).arg(count.to_string()).arg(to).status();
    assert!(status.unwrap().success(), "no file was made");
}

/// Each into a fresh store; the last one stays.
fn imports(tool: &Path, source: &Path, store: &Path, runs: u64) -> Vec<Taken> {
    let run = |_| {
        let _ = fs::remove_file(store);
        let mut command = Command::new(tool);
        command.arg("import").arg(source).arg("--into").arg(store).args(["--as", "anon"]);
        command.stderr(Stdio::null());
        let taken = watch(&mut command);
        assert!(taken.success, "import failed");
        taken
    };
    (0..runs).map(run).collect()
}

fn gets(tool: &Path, store: &Path, count: u64) {
    let world = World::new(count);
    let number = |at: usize| at as u64 * 7919 * 10 % count;
    get(tool, store, "--id", "20", |at| world.id(number(at)).to_string());
    get(tool, store, "--username", "", |at| world.username(number(at)).unwrap());
}

/// The whole process, from its start to its end.
fn get(tool: &Path, store: &Path, by: &str, limit: &str, what: impl Fn(usize) -> String) {
    let run = |at| {
        let mut command = Command::new(tool);
        let taken = time(command.arg("get").arg(store).arg(format!("{by}={}", what(at))));
        assert!(taken.success, "get failed");
        taken.wall.as_secs_f64() * 1e3
    };
    row(&format!("get {by}, whole process, ms"), median((0..GETS).map(run).collect()), limit);
}
