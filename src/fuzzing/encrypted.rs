//! Key slots, and encrypted stores that are changed without their key.

use zeroize::Zeroizing;

use crate::cipher::Costs;
use crate::file::{KEY_SLOTS, KeySecret, KeySlots, PAGE, SECTOR, SlotKind, put};

/// The first page of a file. A byte says whether the checksums of its key slots are made right.
pub fn key_slots(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let mut head = bytes.to_vec();
    head.resize(PAGE, 0);
    if choice & 1 > 0 {
        for at in KEY_SLOTS.map(|at| at as usize) {
            let sum = crc32fast::hash(head.get(at + 8..at + SECTOR).unwrap_or_default());
            put(&mut head, at + 4, &sum.to_le_bytes());
        }
    }
    let slots = KeySlots::parse(&head);
    for (at, slot) in KEY_SLOTS.into_iter().zip(slots.whole) {
        let sector = head.get(at as usize..at as usize + SECTOR);
        if let Some(slot) = slot {
            let again = KeySlots::parse(&head_with(at as usize, &slot.to_bytes()));
            assert!(again.whole.contains(&Some(slot)), "a slot is another one when it is written");
        }
        assert!(slot.is_some() || sector.is_some());
    }
    let raw = KeySecret::Raw(Zeroizing::new([7; 32]));
    let _ = slots.unlock(&raw);
    // Costly slots are skipped: a derivation may take seconds.
    let is_cheap = |kind| match kind {
        SlotKind::Passphrase(costs @ Costs { memory_kib, passes, .. }) => {
            !costs.are_bounded() || memory_kib <= 64 && passes == 1
        }
        SlotKind::Raw => true,
    };
    if slots.whole.iter().flatten().all(|slot| is_cheap(slot.kind)) {
        let passphrase = Zeroizing::new(b"correct horse".to_vec());
        let _ = slots.unlock(&KeySecret::Passphrase(passphrase, Costs::WRITTEN));
    }
}

fn head_with(at: usize, slot: &[u8]) -> Vec<u8> {
    let mut head = vec![0; PAGE];
    put(&mut head, at, slot);
    head
}

/// An encrypted store, changed at the places that the bytes name.
pub fn sealed(data: &[u8]) {
    crate::store::sealed_of(data);
}

#[cfg(test)]
mod tests {
    use super::super::replay;

    #[test]
    fn the_corpus_of_key_slots_comes_back() {
        replay("key_slots", super::key_slots);
    }

    #[test]
    fn the_corpus_of_changed_stores_comes_back() {
        replay("sealed", super::sealed);
    }
}
