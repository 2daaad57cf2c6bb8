//! Our own calls, one by one: what a record costs to encode and decode, and what stands around it.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tgsession::{Account, ImportSession, Session, Store, StoreSession};
use tgsession_benches::disk;
use tgsession_benches::people::{Dice, World, state};

const COUNT: u64 = 100_000;

fn filled(folder: &std::path::Path, world: World) -> StoreSession {
    let store = Store::create(folder.join("own")).unwrap();
    let entities = world.sorted().into_iter().map(Ok);
    store.import("anon", ImportSession::new(&Account::default(), entities)).unwrap();
    store.open_session("anon").unwrap()
}

fn lookups(c: &mut Criterion) {
    let (folder, world, mut dice) = (disk::folder(), World::new(COUNT), Dice::new(1));
    let session = filled(folder.path(), world);
    let mut number = || dice.below(COUNT / 10) * 10;
    let one = world.id(0);
    c.bench_function("one id, always the same: decode", |b| {
        b.iter(|| session.entity(black_box(one)).unwrap().unwrap());
    });
    c.bench_function("by id", |b| {
        let id = || world.id(number());
        b.iter_batched(id, |id| session.entity(id).unwrap().unwrap(), BatchSize::SmallInput);
    });
    c.bench_function("by username", |b| {
        let name = || world.username(dice.below(COUNT / 10) * 10).unwrap();
        let find = |name: String| session.entity_by_username(&name).unwrap().unwrap();
        b.iter_batched(name, find, BatchSize::SmallInput);
    });
    c.bench_function("1000 entities in order: decode", |b| {
        b.iter(|| session.entities(None, 1000).unwrap());
    });
}

fn writes(c: &mut Criterion) {
    let (folder, world, mut dice) = (disk::folder(), World::new(COUNT), Dice::new(2));
    let session = filled(folder.path(), world);
    c.bench_function("process_entities, 50 unchanged", |b| {
        let seen = || world.sample(&mut dice, 50);
        b.iter_batched(seen, |seen| session.process_entities(&seen), BatchSize::SmallInput);
    });
    let mut pts = 0;
    c.bench_function("set_update_state: encode and store", |b| {
        b.iter(|| {
            pts += 1;
            session.set_update_state(Some(state(pts))).unwrap();
        });
    });
}

/// Encoding of many: import is little else.
fn bulk(c: &mut Criterion) {
    let (folder, world) = (disk::folder(), World::new(10_000));
    let store = Store::create(folder.path().join("bulk")).unwrap();
    let entities = world.sorted();
    c.bench_function("import, 10,000 entities", |b| {
        let given = || entities.clone();
        let import = |given: Vec<_>| {
            let given = given.into_iter().map(Ok);
            store.replace("anon", ImportSession::new(&Account::default(), given)).unwrap()
        };
        b.iter_batched(given, import, BatchSize::LargeInput);
    });
}

criterion_group! {
    name = own;
    config = Criterion::default().sample_size(20).without_plots();
    targets = lookups, writes, bulk
}
criterion_main!(own);
