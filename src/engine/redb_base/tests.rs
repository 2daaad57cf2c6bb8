//! Bases whose checksums match, and whose content redb would panic on.

use std::sync::Arc;

use super::{Base, BaseInfo, image_of, sealed};
use crate::engine::error::caught_panics;
use crate::engine::rows::Table;
use crate::file::{Disk, Extent, FileSeal, MemoryDisk, PAGE};

/// The offsets of the keys in the leaves of redb's table `allocator_state`. Each key has 5 bytes. The
/// keys stand for the region, the tracker of regions and the number of the transaction.
fn allocator_keys(image: &[u8]) -> Vec<usize> {
    let leaves = (1..image.len() / PAGE).map(|page| page * PAGE).filter(|at| image[*at] == 1);
    let keys = leaves.flat_map(|at| {
        let count = usize::from(u16::from_le_bytes([image[at + 2], image[at + 3]]));
        (0..count.min(3)).map(move |number| at + 4 + 4 * count + 5 * number)
    });
    keys.filter(|at| matches!(image[*at..*at + 5], [3..=5, 0, 0, 0, 0])).collect()
}

fn base_of(image: zeroize::Zeroizing<Vec<u8>>) -> Base {
    let seal = FileSeal::plain(*b"0123456789abcdef");
    let (blocks, salt, bytes) = sealed(&seal, 1, image).unwrap();
    let extent = Extent { page: 1, pages: (bytes.len() / PAGE) as u32 };
    let disk = MemoryDisk::default();
    disk.set_len(extent.at() + extent.len()).unwrap();
    disk.write(extent.at(), &bytes).unwrap();
    let info = BaseInfo { number: 1, born: 1, extent, blocks, salt };
    Base::new(Arc::new(disk), seal, info, 0)
}

#[test]
fn redb_does_not_read_the_state_of_its_allocator() {
    for (offset, byte) in [(0, 6), (0, 4), (1, 1)] {
        let mut image = image_of(&[Table::Logins], &mut |_, visit| {
            for row in 0..3_000_u32 {
                visit(&row.to_be_bytes(), &[7; 90])?;
            }
            Ok(())
        })
        .unwrap();
        let keys = allocator_keys(&image);
        assert!(keys.len() >= 3, "{keys:?}");
        keys.iter().for_each(|at| image[at + offset] = byte);
        let base = base_of(image);
        let rows = base.table(Table::Logins).unwrap().unwrap();
        assert!(rows.get(&7_u32.to_be_bytes()).unwrap().is_some());
        assert_eq!(caught_panics(), 0);
    }
}
