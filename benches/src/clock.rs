//! Measuring: medians of rounds, so that one disturbance does not decide.

use std::time::{Duration, Instant};

/// How long `work` took, in microseconds, and what it gave.
pub fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let given = work();
    (start.elapsed().as_secs_f64() * 1e6, given)
}

/// The middle one; of none, not a number.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// When to stop: after so many repetitions or so much time, but not before the least of them.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// At least so many, however long that takes.
    pub least: usize,
    /// At most so many.
    pub most: usize,
    /// No new one is begun after this.
    pub time: Duration,
}

impl Limit {
    /// The median of the results of `each`, which gets the number of the repetition.
    pub fn median(self, each: impl FnMut(usize) -> f64) -> f64 {
        median(self.run(each))
    }

    /// What `each` says of every repetition.
    pub fn run(self, mut each: impl FnMut(usize) -> f64) -> Vec<f64> {
        let start = Instant::now();
        let mut figures = Vec::new();
        while figures.len() < self.least
            || (figures.len() < self.most && start.elapsed() < self.time)
        {
            figures.push(each(figures.len()));
        }
        figures
    }
}
