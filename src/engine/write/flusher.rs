//! The thread that flushes in the background.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Runs the work of a store in the background. Its thread starts with the first request.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    shared: Arc<Shared>,
    thread: Mutex<Thread>,
    threadless: AtomicBool,
}

#[derive(Debug, Default)]
enum Thread {
    #[default]
    NotYet,
    Running(JoinHandle<()>),
    /// No thread: a call that finds the deadline passed does the work.
    Never,
}

#[derive(Debug, Default)]
struct Shared {
    schedule: Mutex<Schedule>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Schedule {
    /// When the next flush is due.
    due: Option<Instant>,
    /// A checkpoint is due.
    checkpoint: bool,
    stop: bool,
}

/// A request to the flusher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Flush within this time.
    FlushWithin(Duration),
    /// Make a checkpoint at once: a memtable is frozen, or the log is long.
    Checkpoint,
}

/// One run of the flusher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Makes everything durable, by a checkpoint if it is time for one.
    Flush,
    /// Writes the frozen memtables into segments, and replaces a log that is long. Newer rows are not
    /// flushed: the next flush makes them durable.
    Checkpoint,
}

impl Schedule {
    /// Removes the most urgent work from the schedule, if its time has come.
    fn take_due(&mut self, now: Instant) -> Option<Work> {
        if self.due.is_some_and(|due| due <= now) {
            (self.due, self.checkpoint) = (None, false);
            return Some(Work::Flush);
        }
        std::mem::take(&mut self.checkpoint).then_some(Work::Checkpoint)
    }

    /// Adds a request. Returns whether the flusher has to wake up earlier for it.
    fn add(&mut self, request: Request, now: Instant) -> bool {
        match request {
            Request::FlushWithin(within) => {
                let before = self.due;
                self.due = before.into_iter().chain(now.checked_add(within)).min();
                self.due != before
            }
            Request::Checkpoint => !std::mem::replace(&mut self.checkpoint, true),
        }
    }
}

impl Flusher {
    /// Adds a request, and starts the thread if there is none yet. The thread calls `work`. If the system
    /// has refused a thread, this call runs `work` itself when its time has come.
    pub(super) fn schedule(
        &self,
        request: Request,
        threaded: bool,
        work: Arc<dyn Fn(Work) + Send + Sync>,
    ) {
        let sooner = self.shared.schedule().add(request, Instant::now());
        // Waking the thread takes longer than all the rest of a buffered write.
        if sooner {
            self.shared.changed.notify_one();
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*thread, Thread::NotYet) {
            *thread = self.start(threaded, &work);
        }
        let is_here = matches!(*thread, Thread::Never);
        drop(thread);
        if is_here && let Some(due) = self.take_due() {
            work(due);
        }
    }

    /// Removes work from the schedule, if its time has come. The caller does it.
    pub(super) fn take_due(&self) -> Option<Work> {
        self.shared.schedule().take_due(Instant::now())
    }

    /// Adds a request without waking or running anything. For the running work alone: the flusher reads
    /// the schedule again after it.
    pub(super) fn add(&self, request: Request) {
        self.shared.schedule().add(request, Instant::now());
    }

    /// Whether the thread is to end after its work.
    pub(super) fn is_stopping(&self) -> bool {
        self.shared.schedule().stop
    }

    /// Whether callers must do overdue work, because there is no thread.
    pub(super) fn has_no_thread(&self) -> bool {
        self.threadless.load(Ordering::Relaxed)
    }

    fn start(&self, threaded: bool, work: &Arc<dyn Fn(Work) + Send + Sync>) -> Thread {
        let (shared, work) = (Arc::clone(&self.shared), Arc::clone(work));
        let builder = std::thread::Builder::new().name("tgsession flush".to_owned());
        let spawned = match threaded {
            true => builder.spawn(move || shared.run(work.as_ref())),
            false => Err(std::io::ErrorKind::Unsupported.into()),
        };
        match spawned {
            Ok(thread) => Thread::Running(thread),
            Err(error) => {
                tracing::info!(%error, "no thread for flushing; calls flush when it is time");
                self.threadless.store(true, Ordering::Relaxed);
                Thread::Never
            }
        }
    }

    /// Ends the thread, after the work that it is doing.
    pub(super) fn stop(&self) {
        self.shared.schedule().stop = true;
        self.shared.changed.notify_one();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = std::mem::replace(&mut *thread, Thread::Never);
        // The thread itself may ask for it before it ends.
        drop(thread);
        if let Thread::Running(running) = ended {
            let _ = running.join();
        }
    }
}

impl Shared {
    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, work: &dyn Fn(Work)) {
        loop {
            let mut schedule = self.schedule();
            let due = loop {
                if schedule.stop {
                    return;
                }
                let now = Instant::now();
                if let Some(due) = schedule.take_due(now) {
                    break due;
                }
                let changed = &self.changed;
                schedule = match schedule.due.map(|due| due.saturating_duration_since(now)) {
                    Some(left) => {
                        let waited = changed.wait_timeout(schedule, left);
                        waited.unwrap_or_else(PoisonError::into_inner).0
                    }
                    None => changed.wait(schedule).unwrap_or_else(PoisonError::into_inner),
                };
            };
            drop(schedule);
            work(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_is_due_in_its_time_and_a_checkpoint_at_once() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(schedule.take_due(now), None);
        assert!(schedule.add(Request::FlushWithin(second), now), "nothing was due");
        assert!(!schedule.add(Request::FlushWithin(2 * second), now), "a flush is due earlier");
        assert!(schedule.add(Request::Checkpoint, now) && !schedule.add(Request::Checkpoint, now));
        assert_eq!(schedule.take_due(now), Some(Work::Checkpoint));
        assert_eq!(schedule.take_due(now), None, "the flush is not due, and not forgotten");
        assert!(schedule.add(Request::Checkpoint, now));
        assert_eq!(
            schedule.take_due(now + second),
            Some(Work::Flush),
            "which has the checkpoint in it"
        );
        assert_eq!(schedule.take_due(now + 2 * second), None);
    }
}
