//! Verifies that a redb database is laid out as redb 4.6 lays one out, before redb reads it.
//!
//! redb trusts the pages that it reads: a page number that leads in a circle, or an offset after
//! the end of a page, is a panic, an endless loop or an abort. Checksums do not help against bytes
//! that somebody wrote on purpose. So each page that can be reached from the header is visited
//! once here. Source: docs/design.md of redb 4.6 and its file format 3.

use std::collections::BTreeSet;

use crate::file::{FileDamage, PAGE, u32_at, u64_at};

/// The first bytes of a database.
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";

const FLAGS_AT: usize = 9;
const SECOND_SLOT: u8 = 1;
const RECOVERY_REQUIRED: u8 = 2;
const TWO_PHASE: u8 = 4;
const UNFLUSHED: u8 = 8;

const PAGE_SIZE_AT: usize = 12;
const REGION_HEADER_AT: usize = 16;
const REGION_PAGES_AT: usize = 20;
const FULL_REGIONS_AT: usize = 24;
const TRAILING_PAGES_AT: usize = 28;

/// Where the two commit slots begin, and how long each is.
const SLOTS_AT: usize = 64;
const SLOT: usize = 128;

/// Where a slot has the roots of the tables of the user and of redb itself.
const ROOTS: [(usize, usize); 2] = [(1, 8), (2, 40)];

/// The greatest number of pages of a region.
const MOST_PAGES: u32 = 1 << 20;

const LEAF: u8 = 1;
const BRANCH: u8 = 2;
const CHECKSUM: usize = 16;
const NUMBER: usize = 8;

/// A table that is none of several rows to a key.
const NORMAL: u8 = 3;

/// The first byte of the name of a type is its class: one of these.
const TYPE_CLASSES: std::ops::RangeInclusive<u8> = 1..=4;

/// A tree is not deeper than this.
const DEEPEST: usize = 24;

/// Verifies the whole database.
pub(super) fn verify(image: &[u8]) -> Result<(), FileDamage> {
    let header = image.get(..PAGE).ok_or(FileDamage::BaseLayout { page: 0 })?;
    let flags = header.get(FLAGS_AT).copied().unwrap_or_default();
    let clean = flags & !SECOND_SLOT & !UNFLUSHED == TWO_PHASE && flags & RECOVERY_REQUIRED == 0;
    let field = |at| u32_at(header, at);
    let pages = u64::from(field(TRAILING_PAGES_AT)) + u64::from(field(REGION_HEADER_AT)) + 1;
    let sound = header.starts_with(MAGIC)
        && clean
        && field(PAGE_SIZE_AT) as usize == PAGE
        && field(REGION_HEADER_AT) == 0
        && (1..=MOST_PAGES).contains(&field(REGION_PAGES_AT))
        && field(FULL_REGIONS_AT) == 0
        && (1..=field(REGION_PAGES_AT)).contains(&field(TRAILING_PAGES_AT))
        && pages * PAGE as u64 == image.len() as u64;
    if !sound {
        return Err(FileDamage::BaseLayout { page: 0 });
    }
    let slot = SLOTS_AT + usize::from(flags & SECOND_SLOT) * SLOT;
    let slot = header.get(slot..slot + SLOT).unwrap_or_default();
    let mut verifier = TreeVerifier { image, seen: BTreeSet::new() };
    for (there, at) in ROOTS {
        if slot.get(there).is_some_and(|there| *there != 0) {
            verifier.tree_of_tables(u64_at(slot, at))?;
        }
    }
    Ok(())
}

/// The widths of keys and values of a table, where they are fixed.
type Widths = (Option<usize>, Option<usize>);

struct TreeVerifier<'a> {
    image: &'a [u8],
    /// The first block of each page that was visited.
    seen: BTreeSet<u64>,
}

impl<'a> TreeVerifier<'a> {
    fn tree_of_tables(&mut self, root: u64) -> Result<(), FileDamage> {
        let mut tables = Vec::new();
        self.tree(root, (None, None), 0, &mut |definition| tables.push(definition))?;
        for definition in tables {
            let (root, widths) =
                parse_definition(definition).ok_or(FileDamage::BaseLayout { page: 0 })?;
            if let Some(root) = root {
                self.tree(root, widths, 0, &mut |_| ())?;
            }
        }
        Ok(())
    }

    /// Visits the page of this number and all below it; `visit` gets the values.
    fn tree(
        &mut self,
        number: u64,
        widths: Widths,
        depth: usize,
        visit: &mut dyn FnMut(&'a [u8]),
    ) -> Result<(), FileDamage> {
        let (block, page) = self.page(number)?;
        let malformed = FileDamage::BaseLayout { page: block };
        if depth > DEEPEST || !self.seen.insert(block) {
            return Err(malformed);
        }
        match page.first() {
            Some(&LEAF) => verify_leaf(page, widths, visit).ok_or(malformed),
            Some(&BRANCH) => {
                for child in children(page, widths.0).ok_or(malformed)? {
                    self.tree(child, widths, depth + 1, visit)?;
                }
                Ok(())
            }
            _ => Err(malformed),
        }
    }

    /// The page of this number, and its first block.
    fn page(&self, number: u64) -> Result<(u64, &'a [u8]), FileDamage> {
        let order = number >> 59;
        let index = number & (0xf_ffff >> order.min(20));
        let region = number >> 20 & 0xf_ffff;
        let blocks = 1_u64 << order.min(20);
        let block = 1 + index * blocks;
        let bounds = usize::try_from(block * PAGE as u64)
            .ok()
            .zip(usize::try_from(blocks * PAGE as u64).ok());
        let page = bounds.and_then(|(at, len)| self.image.get(at..at.checked_add(len)?));
        match page {
            Some(page) if region == 0 && order <= 20 => Ok((block, page)),
            _ => Err(FileDamage::BaseLayout { page: block }),
        }
    }
}

fn count_of(page: &[u8]) -> Option<usize> {
    let count = page.get(2..4)?.first_chunk()?;
    Some(usize::from(u16::from_le_bytes(*count))).filter(|count| *count > 0)
}

/// Whether a leaf is sound; `visit` gets its values.
fn verify_leaf<'a>(
    page: &'a [u8],
    (key, value): Widths,
    visit: &mut dyn FnMut(&'a [u8]),
) -> Option<()> {
    let count = count_of(page)?;
    let keys_at = 4;
    let values_at = keys_at + if key.is_none() { 4 * count } else { 0 };
    let start = values_at + if value.is_none() { 4 * count } else { 0 };
    let keys_end =
        EndOffsets { page, at: keys_at, width: key, start }.verify(count, &mut |_, _| ())?;
    let values = EndOffsets { page, at: values_at, width: value, start: keys_end };
    values.verify(count, &mut |from, to| visit(page.get(from..to).unwrap_or_default()))?;
    Some(())
}

/// The page numbers of a branch's children, if the branch is sound.
fn children(page: &[u8], key: Option<usize>) -> Option<Vec<u64>> {
    let count = count_of(page)?;
    let numbers = 8 + CHECKSUM * (count + 1);
    let ends = numbers + NUMBER * (count + 1);
    let start = ends + if key.is_none() { 4 * count } else { 0 };
    EndOffsets { page, at: ends, width: key, start }.verify(count, &mut |_, _| ())?;
    let numbers = page.get(numbers..ends)?.chunks_exact(NUMBER);
    Some(numbers.map(|number| u64_at(number, 0)).collect())
}

/// Where byte strings end that follow each other in a page.
struct EndOffsets<'a> {
    page: &'a [u8],
    /// Where the ends are, unless the width is fixed.
    at: usize,
    width: Option<usize>,
    /// Where the first string begins.
    start: usize,
}

impl EndOffsets<'_> {
    /// Where the last of so many strings ends, if each is inside the page and after the one before.
    fn verify(&self, count: usize, visit: &mut dyn FnMut(usize, usize)) -> Option<usize> {
        let mut from = self.start;
        self.page.get(..from)?;
        for number in 0..count {
            let to = match self.width {
                Some(width) => from.checked_add(width)?,
                None => u32_at(self.page, self.at + 4 * number) as usize,
            };
            if to < from || to > self.page.len() {
                return None;
            }
            visit(from, to);
            from = to;
        }
        Some(from)
    }
}

/// Root and widths of the table that a definition describes.
fn parse_definition(bytes: &[u8]) -> Option<(Option<u64>, Widths)> {
    const ROOT_AT: usize = 10;
    const WIDTHS_AT: usize = ROOT_AT + NUMBER + CHECKSUM + 8;
    let width = |at: usize| Some((*bytes.get(at)? != 0).then(|| u32_at(bytes, at + 1) as usize));
    let (kind, rest) = bytes.split_first()?;
    let has_root = *rest.get(ROOT_AT - 2)? != 0;
    let widths = (width(WIDTHS_AT)?, width(WIDTHS_AT + 5)?);
    // Two alignments of 1, the name of the key's type with its length, the name of the value's.
    let names_at = WIDTHS_AT + 18;
    let key_len = u32_at(bytes, names_at) as usize;
    let value_type = bytes.get(names_at.checked_add(4)?.checked_add(key_len)?..)?;
    let texts = [bytes.get(names_at + 4..names_at + 4 + key_len)?, value_type];
    let sound = *kind == NORMAL
        && u32_at(bytes, WIDTHS_AT + 10) == 1
        && u32_at(bytes, WIDTHS_AT + 14) == 1
        && texts.iter().all(|name| {
            name.split_first().is_some_and(|(class, text)| {
                TYPE_CLASSES.contains(class) && std::str::from_utf8(text).is_ok()
            })
        });
    sound.then(|| (has_root.then(|| u64_at(bytes, ROOT_AT)), widths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::redb_base::image_of;
    use crate::engine::rows::Table;

    fn image() -> zeroize::Zeroizing<Vec<u8>> {
        image_of(&[Table::Logins, Table::Dcs], &mut |table, visit| {
            let rows = if table == Table::Logins { 0..3_000_u32 } else { 0..2 };
            for row in rows {
                visit(&row.to_be_bytes(), &[7; 90])?;
            }
            Ok(())
        })
        .unwrap()
    }

    #[test]
    fn what_redb_has_written_is_sound() {
        verify(&image()).unwrap();
        verify(&image_of(&[], &mut |_, _| Ok(())).unwrap()).unwrap();
    }

    #[test]
    fn names_of_types_that_redb_would_panic_on_are_refused() {
        let name = b"\x01&[u8]";
        let whole = image();
        let at = whole.windows(name.len()).position(|bytes| bytes == name).unwrap();
        for (place, byte) in [(at, 0), (at, 9), (at + 1, 0xff)] {
            let mut image = whole.to_vec();
            image[place] = byte;
            assert!(matches!(verify(&image), Err(FileDamage::BaseLayout { .. })), "{byte}");
        }
    }

    #[test]
    fn pages_that_lead_in_a_circle_or_outside_are_refused() {
        let mut image = image();
        let branch = (1..image.len() / PAGE).find(|page| image[page * PAGE] == BRANCH).unwrap();
        let at = branch * PAGE;
        let children = count_of(&image[at..]).unwrap() + 1;
        let numbers = at + 8 + CHECKSUM * children;
        for number in [branch as u64 - 1, 0xf_ffff, 1 << 20, 9 << 59] {
            image[numbers..numbers + 8].copy_from_slice(&number.to_le_bytes());
            assert!(matches!(verify(&image), Err(FileDamage::BaseLayout { .. })), "{number:x}");
        }
    }
}
