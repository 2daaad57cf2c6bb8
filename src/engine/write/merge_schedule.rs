//! When segments are merged in the background.

use std::time::{Duration, Instant};

use super::merge::{Merge, MergeEnd};
use crate::error::Result;

/// After this time without a full memtable a load is over, and what it has left unmerged is merged.
const CALM: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 2_000 });

/// After a merge that failed no other begins for `CALM`. Each time that the next one fails too, the pause
/// is twice as long, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

#[derive(Debug, Default)]
pub(super) struct MergeSchedule {
    /// When segments were left unmerged last, until they are merged.
    unmerged_since: Option<Instant>,
    /// Since when no merge begins, and for how long.
    pause: Option<(Instant, Duration)>,
}

impl MergeSchedule {
    /// A checkpoint under load has left segments unmerged.
    pub(super) fn leave_unmerged(&mut self, now: Instant) {
        self.unmerged_since = Some(now);
    }

    /// Whether segments were left unmerged. The caller merges them now.
    pub(super) fn take_unmerged(&mut self) -> bool {
        self.unmerged_since.take().is_some()
    }

    /// The merge that may begin now: of a few segments under load, and after a load or a long log of all
    /// that pays for later reads.
    pub(super) fn next(&self, now: Instant, was_long: bool) -> Option<Merge> {
        if !self.paused_for(now).is_zero() {
            return None;
        }
        match self.calm_within(now) {
            Some(left) if !left.is_zero() => Some(Merge::UnderLoad),
            Some(_) => Some(Merge::Eager),
            None => was_long.then_some(Merge::Eager),
        }
    }

    /// When the flusher has to ask again.
    pub(super) fn due_within(&self, now: Instant) -> Option<Duration> {
        self.calm_within(now).map(|left| left.max(self.paused_for(now)))
    }

    /// The result of a merge that began at `began`.
    pub(super) fn ended(
        &mut self,
        merge: Merge,
        began: Instant,
        end: &Result<MergeEnd>,
        now: Instant,
    ) {
        match end {
            Ok(MergeEnd::Merged | MergeEnd::Nothing) => {
                self.pause = None;
                let is_newer = self.unmerged_since.is_some_and(|since| since > began);
                if merge == Merge::Eager && !is_newer {
                    self.unmerged_since = None;
                }
            }
            Ok(MergeEnd::GivenUp) => self.unmerged_since = Some(now),
            Err(_) => {
                let pause = self.pause.map_or(CALM, |(_, pause)| (2 * pause).min(LONGEST_PAUSE));
                self.pause = Some((now, pause));
                self.unmerged_since = self.unmerged_since.or(Some(now));
            }
        }
    }

    /// How long no memtable may be full until the load is over, if there was one.
    fn calm_within(&self, now: Instant) -> Option<Duration> {
        let since = self.unmerged_since?;
        Some(CALM.saturating_sub(now.saturating_duration_since(since)))
    }

    fn paused_for(&self, now: Instant) -> Duration {
        let left = |(since, pause): (Instant, Duration)| {
            pause.saturating_sub(now.saturating_duration_since(since))
        };
        self.pause.map_or(Duration::ZERO, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn segments_are_merged_after_the_load_until_a_merge_has_ended_well() {
        let (mut schedule, start) = (MergeSchedule::default(), Instant::now());
        assert_eq!((schedule.next(start, false), schedule.due_within(start)), (None, None));
        assert_eq!(schedule.next(start, true), Some(Merge::Eager), "a long log");
        schedule.leave_unmerged(start);
        assert_eq!(schedule.next(start, true), Some(Merge::UnderLoad));
        schedule.ended(Merge::UnderLoad, start, &Ok(MergeEnd::Merged), start);
        assert_eq!(schedule.due_within(start), Some(CALM), "the load may be over");
        let calm = start + CALM;
        assert_eq!(schedule.next(calm, false), Some(Merge::Eager));
        schedule.ended(Merge::Eager, calm, &Ok(MergeEnd::GivenUp), calm);
        assert_eq!(schedule.due_within(calm), Some(CALM), "it is tried again");
        let (calm, later) = (calm + CALM, calm + 2 * CALM);
        schedule.leave_unmerged(later);
        schedule.ended(Merge::Eager, calm, &Ok(MergeEnd::Merged), later);
        assert_eq!(schedule.due_within(later), Some(CALM), "a load began during the merge");
        schedule.ended(Merge::Eager, later, &Ok(MergeEnd::Nothing), later);
        assert_eq!(schedule.due_within(later), None);
    }

    #[test]
    fn merges_that_fail_are_begun_less_and_less_often_and_not_forgotten() {
        let (mut schedule, mut now) = (MergeSchedule::default(), Instant::now());
        schedule.leave_unmerged(now);
        let mut pause = CALM;
        for _ in 0..40 {
            now += CALM;
            let failed = Err(Error::Forked { path: "store".into() });
            schedule.ended(Merge::Eager, now, &failed, now);
            assert_eq!((schedule.next(now, true), schedule.due_within(now)), (None, Some(pause)));
            now += pause;
            assert_eq!(schedule.next(now, false), Some(Merge::Eager));
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
        assert_eq!(pause, LONGEST_PAUSE);
        schedule.ended(Merge::Eager, now, &Ok(MergeEnd::GivenUp), now);
        assert!(schedule.take_unmerged() && !schedule.take_unmerged(), "closing merges");
        schedule.ended(Merge::Eager, now, &Ok(MergeEnd::Merged), now);
        let failed = Err(Error::Forked { path: "store".into() });
        schedule.ended(Merge::Eager, now, &failed, now);
        assert_eq!(schedule.due_within(now), Some(CALM), "the next pause is short again");
    }
}
