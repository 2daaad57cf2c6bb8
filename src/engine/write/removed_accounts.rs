//! Bounds the list of removed accounts, which every manifest repeats.

use std::collections::BTreeSet;

use super::super::error::EngineResult;
use super::generation_builder::GenerationBuilder;

/// The most removed accounts with rows in segments. For more, all segments are merged.
const MOST_REMOVED: usize = if cfg!(test) { 100 } else { 1000 };

impl GenerationBuilder<'_> {
    /// Forgets removed accounts that no segment has rows of. If too many are left, drops the rows.
    pub(super) fn limit_removed(&mut self) -> EngineResult<()> {
        if self.segments.removed.is_empty() {
            return Ok(());
        }
        let mut with_rows = BTreeSet::new();
        for segment in self.segments.iter() {
            let read = segment.accounts(&mut |account, _, _| {
                with_rows.insert(account);
            });
            if read.is_err() {
                // A segment that cannot be read may have rows of any account.
                return Ok(());
            }
        }
        self.segments.removed.retain(|account| with_rows.contains(&account.0));
        if self.segments.removed.len() <= MOST_REMOVED {
            return Ok(());
        }
        match self.rewrite_segments(None) {
            // Rows of removed accounts stay in a damaged segment.
            Err(error) if error.is_damage() => Ok(()),
            written => written.map(drop),
        }
    }
}
