//! What redb is given is what redb gave, or it is said.

use redb::backends::InMemoryBackend;

use super::*;

const OURS: Superblock = Superblock { file_id: [5; 16], log: 8192 };

fn sealed() -> SealedBlocks<InMemoryBackend> {
    let blocks = SealedBlocks::new(InMemoryBackend::new(), OURS, Arc::default());
    blocks.set_len(4 * BLOCK as u64).unwrap();
    blocks.write(0, &[1; HEAD]).unwrap();
    blocks
}

#[test]
fn what_is_written_is_read_back_one_block_or_many() {
    let blocks = sealed();
    let data: Vec<u8> = (0..2 * BLOCK).map(|at| (at % 251) as u8).collect();
    blocks.write(BLOCK as u64, &data).unwrap();
    let mut both = vec![0; 2 * BLOCK];
    blocks.read(BLOCK as u64, &mut both).unwrap();
    assert!(both == data);
    let mut second = vec![0; BLOCK];
    blocks.read(2 * BLOCK as u64, &mut second).unwrap();
    assert!(second == data[BLOCK..]);
    assert_eq!(blocks.len().unwrap(), 4 * BLOCK as u64);
    assert_eq!(blocks.watch().damage(), None);
}

#[test]
fn a_damaged_block_reads_as_zeros_and_is_reported() {
    let blocks = sealed();
    blocks.write(2 * BLOCK as u64, &[7; BLOCK]).unwrap();
    blocks.disk.write(blocks.place(2).unwrap().0 + 100, &[8]).unwrap();
    let mut out = vec![1; BLOCK];
    blocks.read(2 * BLOCK as u64, &mut out).unwrap();
    assert!(out.iter().all(|byte| *byte == 0));
    assert_eq!(blocks.watch().damage(), Some(Damage::Block { number: 2 }));
}

#[test]
fn blocks_pass_unchecked_while_the_engine_recovers() {
    let blocks = sealed();
    blocks.write(BLOCK as u64, &[7; BLOCK]).unwrap();
    blocks.disk.write(blocks.place(1).unwrap().0, &[9]).unwrap();
    let mut head = [1; HEAD];
    head[9] |= 2;
    blocks.write(0, &head).unwrap();
    assert!(blocks.prepare().unwrap().unfinished);
    let mut out = vec![0; BLOCK];
    blocks.read(BLOCK as u64, &mut out).unwrap();
    assert_eq!((out[0], out[1]), (9, 7));
    blocks.watch().recovered();
    blocks.read(BLOCK as u64, &mut out).unwrap();
    assert_eq!(out[1], 0);
}

#[test]
fn the_header_reads_back_in_parts_with_zeros_behind_it() {
    let blocks = sealed();
    let mut out = [9; 8];
    blocks.read(HEAD as u64 - 4, &mut out).unwrap();
    assert_eq!(out, [1, 1, 1, 1, 0, 0, 0, 0]);
}

#[test]
fn a_header_that_only_says_in_use_waits_for_the_first_other_write() {
    let blocks = sealed();
    blocks.prepare().unwrap();
    let before = on_disk(&blocks);
    blocks.write(0, &[3; HEAD]).unwrap();
    blocks.sync_data().unwrap();
    assert!(on_disk(&blocks) == before, "the file has not changed");
    let mut out = [0; HEAD];
    blocks.read(0, &mut out).unwrap();
    assert_eq!(out, [3; HEAD], "redb sees what it wrote");
    blocks.write(BLOCK as u64, &[7; BLOCK]).unwrap();
    assert_eq!(on_disk(&blocks)[AT..AT + HEAD], [3; HEAD]);
    blocks.write(0, &[4; HEAD]).unwrap();
    assert_eq!(on_disk(&blocks)[AT..AT + HEAD], [4; HEAD], "held no longer");
}

const AT: usize = BLOCK + 8192;

fn on_disk(blocks: &SealedBlocks<InMemoryBackend>) -> Vec<u8> {
    let mut all = vec![0; blocks.disk.len().unwrap() as usize];
    blocks.disk.read(0, &mut all).unwrap();
    all
}

#[test]
fn nothing_is_written_once_closed() {
    let blocks = sealed();
    blocks.watch().close();
    assert!(blocks.write(BLOCK as u64, &[0; BLOCK]).is_err());
    assert!(blocks.set_len(0).is_err() && blocks.sync_data().is_err());
}

#[test]
fn a_part_of_a_block_is_refused_rather_than_written_unsealed() {
    let blocks = sealed();
    assert!(blocks.write(BLOCK as u64 + 1, &[0; BLOCK]).is_err());
    assert!(blocks.write(BLOCK as u64, &[0; 10]).is_err());
}
