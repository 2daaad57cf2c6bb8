//! The thread that brings changes to the disk when nobody waits for them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::core::Core;

/// Flushes an engine in the background. Its thread starts with the first change that may wait.
#[derive(Default)]
pub(super) struct Flusher {
    shared: Arc<Shared>,
    thread: Mutex<Thread>,
    threadless: AtomicBool,
}

#[derive(Default)]
enum Thread {
    #[default]
    NotYet,
    Running(JoinHandle<()>),
    /// The system has none for us: calls that find the time over flush.
    Never,
}

#[derive(Default)]
struct Shared {
    orders: Mutex<Orders>,
    changed: Condvar,
}

#[derive(Default)]
struct Orders {
    /// When to flush next.
    due: Option<Instant>,
    stop: bool,
}

impl Flusher {
    /// Sees to it that what was changed now is flushed within the interval.
    pub(super) fn expect(&self, core: &Arc<Core>) {
        self.order(core, core.options.flush_interval);
    }

    /// Sees to it that what was set aside is brought into the tables.
    pub(super) fn expect_at_once(&self, core: &Arc<Core>) {
        self.order(core, Duration::ZERO);
    }

    fn order(&self, core: &Arc<Core>, within: Duration) {
        let now = Instant::now();
        let due = now.checked_add(within);
        let mut orders = self.shared.orders();
        let before = orders.due;
        orders.due = before.into_iter().chain(due).min();
        let overdue = orders.due.is_some_and(|due| due <= now);
        let sooner = orders.due != before;
        drop(orders);
        // Waking the thread takes longer than all the rest of a buffered write.
        if sooner {
            self.shared.changed.notify_one();
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*thread, Thread::NotYet) {
            *thread = self.start(core);
        }
        if overdue && matches!(*thread, Thread::Never) {
            self.shared.orders().due = None;
            core.work_behind();
        }
    }

    /// Whether calls must see to the time themselves.
    pub(super) fn has_no_thread(&self) -> bool {
        self.threadless.load(Ordering::Relaxed)
    }

    fn start(&self, core: &Arc<Core>) -> Thread {
        let (shared, core) = (Arc::clone(&self.shared), Arc::clone(core));
        let builder = std::thread::Builder::new().name("tgsession flush".to_owned());
        let spawned = match core.options.thread {
            true => builder.spawn(move || shared.run(&core)),
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

    /// Ends the thread; a flush that it is at is waited for.
    pub(super) fn stop(&self) {
        self.shared.orders().stop = true;
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
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, core: &Arc<Core>) {
        loop {
            let mut orders = self.orders();
            loop {
                if orders.stop {
                    return;
                }
                let Some(due) = orders.due else {
                    orders = self.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
                    continue;
                };
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                let waited = self.changed.wait_timeout(orders, left);
                orders = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            orders.due = None;
            drop(orders);
            if !core.work_behind() {
                // Its data still waits: once more after another interval.
                let again = Instant::now().checked_add(core.options.flush_interval);
                let mut orders = self.orders();
                orders.due = orders.due.or(again);
            }
        }
    }
}
