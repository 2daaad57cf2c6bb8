//! A handle to a flush that runs, for callers that do not wait for it now.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::{Error, Result};

/// Says when data is durable: [`Session::flush_ticket`](super::Session::flush_ticket).
///
/// Wait for it with [`wait`](Self::wait), ask with [`is_done`](Self::is_done) or
/// [`try_wait`](Self::try_wait), or `.await` it: it is a future of any executor. The data
/// is made durable even if the ticket is dropped.
///
/// ```
/// use tgsession::{DcId, MemorySession, Session};
///
/// let session = MemorySession::new("alice");
/// let ((), ticket) = session.update_later(|batch| batch.set_home_dc(DcId(4)))?;
/// // Visible now, and durable after this:
/// ticket.wait()?;
/// # Ok::<(), tgsession::Error>(())
/// ```
#[must_use = "only the ticket says whether the data became durable"]
pub struct Ticket {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Waiting,
    Polled(Waker),
    Done(Result<()>),
    Taken,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("done", &self.is_done()).finish()
    }
}

impl Ticket {
    /// A ticket of work that is done.
    pub fn done(outcome: Result<()>) -> Self {
        let shared = Shared { state: Mutex::new(State::Done(outcome)), ..Shared::default() };
        Self { shared: Arc::new(shared) }
    }

    /// A ticket of this work, which runs in a thread of its own; here if there are no threads.
    pub fn spawn(work: impl FnOnce() -> Result<()> + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        // Kept here too, since a thread that cannot start takes its work with it.
        let work = Arc::new(Mutex::new(Some(work)));
        let (there, its_work) = (Arc::clone(&shared), Arc::clone(&work));
        let builder = std::thread::Builder::new().name("tgsession ticket".to_owned());
        if builder.spawn(move || run(&there, &its_work)).is_err() {
            run(&shared, &work);
        }
        Self { shared }
    }

    /// Whether waiting would return at once.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(*self.shared.state(), State::Done(_) | State::Taken)
    }

    /// Waits.
    ///
    /// # Errors
    ///
    /// Those of making the data durable.
    pub fn wait(mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        while matches!(*state, State::Waiting | State::Polled(_)) {
            state = shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        self.try_wait().unwrap_or(Ok(()))
    }

    /// The outcome, once it is there. It is given once; asked again the answer is `Ok`.
    pub fn try_wait(&mut self) -> Option<Result<()>> {
        let mut state = self.shared.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Done(outcome) => Some(outcome),
            State::Taken => Some(Ok(())),
            waiting => {
                *state = waiting;
                None
            }
        }
    }
}

impl Future for Ticket {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if let Some(outcome) = self.try_wait() {
            return Poll::Ready(outcome);
        }
        let mut state = self.shared.state();
        if matches!(*state, State::Waiting | State::Polled(_)) {
            *state = State::Polled(context.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        // It became done between the two looks.
        Poll::Ready(self.try_wait().unwrap_or(Ok(())))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, outcome: Result<()>) {
        let before = std::mem::replace(&mut *self.state(), State::Done(outcome));
        self.done.notify_all();
        if let State::Polled(waker) = before {
            waker.wake();
        }
    }
}

/// Does the work, unless the other holder of `work` has taken it, and finishes the ticket.
fn run<W: FnOnce() -> Result<()>>(shared: &Shared, work: &Mutex<Option<W>>) {
    let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(work) = work {
        let finish = Finish(shared);
        finish.with(work());
    }
}

/// Finishes a ticket also when the work panics, so that no caller waits for ever.
struct Finish<'a>(&'a Shared);

impl Finish<'_> {
    fn with(self, outcome: Result<()>) {
        self.0.finish(outcome);
        std::mem::forget(self);
    }
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.finish(Err(Error::other("the work of a ticket did not come to its end")));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Wake;

    use super::*;

    struct Count(Mutex<u32>);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            *self.0.lock().unwrap() += 1;
        }
    }

    #[test]
    fn a_ticket_is_asked_polled_woken_and_waited_for() {
        let (go, wait) = mpsc::channel::<()>();
        let mut ticket = Ticket::spawn(move || {
            wait.recv().map_err(Error::other)?;
            Ok(())
        });
        let count = Arc::new(Count(Mutex::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut context = Context::from_waker(&waker);
        assert!(!ticket.is_done() && ticket.try_wait().is_none());
        assert!(Pin::new(&mut ticket).poll(&mut context).is_pending());
        go.send(()).unwrap();
        while !ticket.is_done() {
            std::thread::yield_now();
        }
        while *count.0.lock().unwrap() == 0 {
            std::thread::yield_now();
        }
        assert!(matches!(Pin::new(&mut ticket).poll(&mut context), Poll::Ready(Ok(()))));
        ticket.wait().unwrap();
    }

    #[test]
    fn work_that_fails_or_panics_is_an_error_and_nobody_waits_for_ever() {
        assert!(Ticket::spawn(|| Err(Error::other("no"))).wait().is_err());
        assert!(Ticket::spawn(|| std::panic::resume_unwind(Box::new(()))).wait().is_err());
        Ticket::done(Ok(())).wait().unwrap();
    }
}
