//! When segments are merged in the background.

use std::time::{Duration, Instant};

use super::merge::{Merge, MergeEnd};

/// A load is over if no checkpoint has left segments unmerged for this time. Then the flusher merges them.
const CALM: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 2_000 });

/// The longest pause after merges that failed. The first pause is `CALM`. Each further failure of the same
/// kind of merge doubles it.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

#[derive(Debug, Default)]
pub(super) struct MergeSchedule {
    /// When segments were left unmerged last, until they are merged.
    unmerged_since: Option<Instant>,
    /// The current pause of each kind of merge.
    eager: Option<Pause>,
    under_load: Option<Pause>,
}

/// A time in which no merge begins.
#[derive(Clone, Copy, Debug)]
struct Pause {
    since: Instant,
    len: Duration,
}

impl Pause {
    /// The pause after one more merge that failed.
    fn after(before: Option<Self>, now: Instant) -> Self {
        let len = before.map_or(CALM, |before| (2 * before.len).min(LONGEST_PAUSE));
        Self { since: now, len }
    }

    fn left(self, now: Instant) -> Duration {
        self.len.saturating_sub(now.saturating_duration_since(self.since))
    }
}

impl MergeSchedule {
    /// Segments were left unmerged.
    pub(super) fn segments_left_unmerged(&mut self, now: Instant) {
        self.unmerged_since = Some(now);
    }

    /// Forgets everything: the caller merges all segments. Returns whether any were left unmerged.
    pub(super) fn reset(&mut self) -> bool {
        std::mem::take(self).unmerged_since.is_some()
    }

    /// The merge that may begin now: of a few segments under load, and after a load or a long log of all
    /// that pays for later reads.
    pub(super) fn next(&self, now: Instant, was_long: bool) -> Option<Merge> {
        let (merge, pause) = match self.calm_within(now) {
            Some(left) if !left.is_zero() => (Merge::UnderLoad, self.under_load),
            Some(_) => (Merge::Eager, self.eager),
            None if was_long => (Merge::Eager, self.eager),
            None => return None,
        };
        pause.is_none_or(|pause| pause.left(now).is_zero()).then_some(merge)
    }

    /// When the flusher has to ask again.
    pub(super) fn due_within(&self, now: Instant) -> Option<Duration> {
        let paused = self.eager.map_or(Duration::ZERO, |pause| pause.left(now));
        self.calm_within(now).map(|left| left.max(paused))
    }

    /// Notes the end of a merge that began at `began`. `None`: the merge failed, or a flush beside it did.
    pub(super) fn ended(
        &mut self,
        merge: Merge,
        began: Instant,
        end: Option<MergeEnd>,
        now: Instant,
    ) {
        let is_eager = merge == Merge::Eager;
        let pause = if is_eager { &mut self.eager } else { &mut self.under_load };
        match end {
            Some(MergeEnd::Merged | MergeEnd::Nothing) => {
                *pause = None;
                let is_newer = self.unmerged_since.is_some_and(|since| since > began);
                if is_eager && !is_newer {
                    self.unmerged_since = None;
                }
            }
            Some(MergeEnd::Cancelled) => self.unmerged_since = Some(now),
            None => {
                *pause = Some(Pause::after(*pause, now));
                self.unmerged_since = self.unmerged_since.or(Some(now));
            }
        }
    }

    /// How long no more segments may be left unmerged until the load is over, if there was one.
    fn calm_within(&self, now: Instant) -> Option<Duration> {
        let since = self.unmerged_since?;
        Some(CALM.saturating_sub(now.saturating_duration_since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_merged_after_the_load_until_a_merge_has_ended_well() {
        let (mut schedule, start) = (MergeSchedule::default(), Instant::now());
        assert_eq!((schedule.next(start, false), schedule.due_within(start)), (None, None));
        assert_eq!(schedule.next(start, true), Some(Merge::Eager), "a long log");
        schedule.segments_left_unmerged(start);
        assert_eq!(schedule.next(start, true), Some(Merge::UnderLoad));
        schedule.ended(Merge::UnderLoad, start, Some(MergeEnd::Merged), start);
        assert_eq!(schedule.due_within(start), Some(CALM), "the load may be over");
        let calm = start + CALM;
        assert_eq!(schedule.next(calm, false), Some(Merge::Eager));
        schedule.ended(Merge::Eager, calm, Some(MergeEnd::Cancelled), calm);
        assert_eq!(schedule.due_within(calm), Some(CALM), "it is tried again");
        let (calm, later) = (calm + CALM, calm + 2 * CALM);
        schedule.segments_left_unmerged(later);
        schedule.ended(Merge::Eager, calm, Some(MergeEnd::Merged), later);
        assert_eq!(schedule.due_within(later), Some(CALM), "a load began during the merge");
        schedule.ended(Merge::Eager, later, Some(MergeEnd::Nothing), later);
        assert_eq!(schedule.due_within(later), None);
    }

    #[test]
    fn merges_that_fail_are_begun_less_and_less_often_and_not_forgotten() {
        let (mut schedule, mut now) = (MergeSchedule::default(), Instant::now());
        schedule.segments_left_unmerged(now);
        let mut pause = CALM;
        for _ in 0..40 {
            now += CALM;
            schedule.ended(Merge::Eager, now, None, now);
            assert_eq!((schedule.next(now, true), schedule.due_within(now)), (None, Some(pause)));
            now += pause;
            assert_eq!(schedule.next(now, false), Some(Merge::Eager));
            schedule.ended(Merge::UnderLoad, now, Some(MergeEnd::Nothing), now);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
        assert_eq!(pause, LONGEST_PAUSE);
        schedule.ended(Merge::Eager, now, Some(MergeEnd::Cancelled), now);
        schedule.segments_left_unmerged(now);
        assert_eq!(schedule.next(now, false), Some(Merge::UnderLoad), "of other segments");
        assert!(schedule.reset() && !schedule.reset(), "closing merges");
        schedule.ended(Merge::Eager, now, None, now);
        assert_eq!(schedule.due_within(now), Some(CALM), "the next pause is short again");
    }
}
