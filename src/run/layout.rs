//! Where the parts of a run lie.

use crate::record::{Record, RecordError};

/// The unit of checksums, and what each part of a run begins at a multiple of, in bytes.
pub(super) const SECTOR: usize = 512;

/// Length of a checksum in bytes.
pub(super) const SUM: usize = 4;

/// At most so many rows stand behind one entry of the index of ids.
pub(super) const GROUP: usize = 16;

/// Length of an entry of the index of ids: key, and where its rows begin.
pub(super) const GROUP_ENTRY: usize = KEY + 5;

/// Length of a key in bytes.
pub(super) const KEY: usize = 12;

/// Each entry of the index of ids whose number is a multiple of this has its key in the top index.
pub(super) const TOP: usize = 64;

/// Length of an entry of the directory of accounts in bytes.
pub(super) const ACCOUNT_ENTRY: usize = 16;

/// What the store's tables say of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunRow {
    /// The first of its pages, and how many they are.
    pub(crate) page: u32,
    pub(crate) pages: u32,
    /// Length of the rows in bytes.
    pub(crate) rows: u64,
    /// Entries of the index of ids.
    pub(crate) groups: u32,
    /// Accounts of which it has rows.
    pub(crate) accounts: u32,
    /// Buckets of the usernames and of the phones.
    pub(crate) usernames: u32,
    pub(crate) phones: u32,
    /// The smallest and the greatest number of an account.
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Record for RunRow {
    const TAG: u8 = 0x61;

    type Key = ();

    type Fields<'a> = ([u32; 2], u64, [u32; 6]);

    fn fields(&self) -> Self::Fields<'_> {
        let Self { page, pages, rows, groups, accounts, usernames, phones, first, last } = *self;
        ([page, pages], rows, [groups, accounts, usernames, phones, first, last])
    }

    fn from_fields((): (), fields: Self::Fields<'_>) -> Result<Self, RecordError> {
        let ([page, pages], rows, [groups, accounts, usernames, phones, first, last]) = fields;
        let row = Self { page, pages, rows, groups, accounts, usernames, phones, first, last };
        let fits = Layout::of(&row).is_some_and(|layout| {
            crate::file::pages_of(layout.len as u64) == pages && first <= last && accounts > 0
        });
        if fits { Ok(row) } else { Err(RecordError::Value { field: "length" }) }
    }
}

/// Where the parts of a run begin, in bytes behind its own beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) groups: usize,
    pub(super) tops: usize,
    pub(super) accounts: usize,
    pub(super) usernames: usize,
    pub(super) phones: usize,
    pub(super) sums: usize,
    pub(super) len: usize,
}

impl Layout {
    /// `None` where it could not be so long in memory.
    pub(super) fn of(row: &RunRow) -> Option<Self> {
        let count = |number: u32| usize::try_from(number).ok();
        let behind = |at: usize, count: usize, each: usize| {
            at.checked_add(count.checked_mul(each)?)?.checked_next_multiple_of(SECTOR)
        };
        let rows = usize::try_from(row.rows).ok()?;
        let groups = behind(0, rows, 1)?;
        let tops = behind(groups, count(row.groups)?, GROUP_ENTRY)?;
        let accounts = behind(tops, count(row.groups)?.div_ceil(TOP), KEY)?;
        let usernames = behind(accounts, count(row.accounts)?, ACCOUNT_ENTRY)?;
        let phones = behind(usernames, count(row.usernames)?, super::texts::BUCKET)?;
        let sums = behind(phones, count(row.phones)?, super::texts::BUCKET)?;
        let len = sums.checked_add((sums / SECTOR).checked_mul(SUM)?)?;
        Some(Self { rows, groups, tops, accounts, usernames, phones, sums, len })
    }
}
