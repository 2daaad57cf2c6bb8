//! Guesses a damaged header.

use super::bytes;
use super::header::{self, Header};
use super::page::{Kind, Page};
use super::pages::Pages;
use super::{Encoding, SqliteError};

/// Guesses the layout from the rest of the header and from the pages.
pub(super) fn lay_out(pages: &mut Pages) -> Header {
    let head = pages.head();
    let page_size = page_size(pages);
    pages.uncover(page_size);
    let reserved = u32::from(head.get(20).copied().unwrap_or_default());
    let usable_size = match page_size - reserved {
        usable if usable >= 480 => usable,
        _ => page_size,
    };
    let encoding = Encoding::from_header(bytes::u32_at(&head, 56).unwrap_or_default());
    let held = pages.main_bytes().len().div_ceil(page_size as usize);
    pages.lay_out(page_size, u32::try_from(held).unwrap_or(u32::MAX));
    Header { page_size, usable_size, encoding, ..Header::EMPTY }
}

/// The header's page size, unless another one makes more pages of the file whole.
fn page_size(pages: &Pages) -> u32 {
    let stated: Result<u32, SqliteError> = header::page_size(&pages.head());
    let whole = |size: &u32| whole_pages(pages.main_bytes(), *size);
    let best = (9..=16).rev().map(|bits| 1 << bits).max_by_key(whole).unwrap_or(4096);
    match stated {
        Ok(stated) if whole(&stated) >= whole(&best) => stated,
        _ => best,
    }
}

/// Pages of this size that are b-tree pages from their first byte to their last pointer.
fn whole_pages(main: &[u8], size: u32) -> usize {
    let pages = main.chunks_exact(size as usize).zip(1..);
    let whole = |(page, no): (&[u8], u32)| {
        let parsed = |kind| Page::parse(no, page, kind).is_ok_and(|page| page.is_plausible());
        parsed(Kind::Table) || parsed(Kind::Index)
    };
    pages.filter(|page| whole(*page)).count()
}
