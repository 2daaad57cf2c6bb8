//! The thread that flushes in the background.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Runs the work of a store in the background. Its thread starts with the first order.
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
    /// When to work next.
    due: Option<Instant>,
    stop: bool,
}

impl Flusher {
    /// Has `work` run within this time, and again after `interval` as long as it fails. Without a
    /// thread it runs here if it is overdue.
    pub(super) fn schedule(
        &self,
        within: Duration,
        interval: Duration,
        threaded: bool,
        work: Arc<dyn Fn() -> bool + Send + Sync>,
    ) {
        let now = Instant::now();
        let due = now.checked_add(within);
        let mut schedule = self.shared.schedule();
        let before = schedule.due;
        schedule.due = before.into_iter().chain(due).min();
        let overdue = schedule.due.is_some_and(|due| due <= now);
        let sooner = schedule.due != before;
        drop(schedule);
        // Waking the thread takes longer than all the rest of a buffered write.
        if sooner {
            self.shared.changed.notify_one();
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*thread, Thread::NotYet) {
            *thread = self.start(interval, threaded, &work);
        }
        let due_here = overdue && matches!(*thread, Thread::Never);
        drop(thread);
        if due_here {
            self.shared.schedule().due = None;
            work();
        }
    }

    /// Whether callers must do overdue work, because there is no thread.
    pub(super) fn has_no_thread(&self) -> bool {
        self.threadless.load(Ordering::Relaxed)
    }

    fn start(
        &self,
        interval: Duration,
        threaded: bool,
        work: &Arc<dyn Fn() -> bool + Send + Sync>,
    ) -> Thread {
        let (shared, work) = (Arc::clone(&self.shared), Arc::clone(work));
        let builder = std::thread::Builder::new().name("tgsession flush".to_owned());
        let spawned = match threaded {
            true => builder.spawn(move || shared.run(interval, work.as_ref())),
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

    fn run(&self, interval: Duration, work: &dyn Fn() -> bool) {
        loop {
            let mut schedule = self.schedule();
            loop {
                if schedule.stop {
                    return;
                }
                let Some(due) = schedule.due else {
                    schedule = self.changed.wait(schedule).unwrap_or_else(PoisonError::into_inner);
                    continue;
                };
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                let waited = self.changed.wait_timeout(schedule, left);
                schedule = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            schedule.due = None;
            drop(schedule);
            if !work() {
                // Its data still waits: once more after another interval.
                let again = Instant::now().checked_add(interval);
                let mut schedule = self.schedule();
                schedule.due = schedule.due.or(again);
            }
        }
    }
}
