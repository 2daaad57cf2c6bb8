//! Children of the tool, and the signals that are meant for them.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::failure::{Failure, Outcome};

/// What ends a process politely.
const POLITE: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

enum Event {
    Signal(Signal),
    Ended(io::Result<ExitStatus>),
}

/// Signals that end a process, caught so that the store can be saved first.
pub(super) struct Signals {
    set: SigSet,
    sender: Sender<Event>,
    events: Receiver<Event>,
    /// The last one that came.
    pub(super) last: Option<Signal>,
}

impl Signals {
    pub(super) fn catch() -> Outcome<Self> {
        let set: SigSet = POLITE.into_iter().collect();
        let refused = |error| Failure::Refused(format!("cannot catch signals: {error}"));
        set.thread_block().map_err(refused)?;
        let (sender, events) = channel();
        let to = sender.clone();
        thread::spawn(move || {
            while let Ok(signal) = set.wait() {
                if to.send(Event::Signal(signal)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { set, sender, events, last: None })
    }

    /// Starts a child that gets signals as any process does. A child inherits what its parent's
    /// thread has blocked, so for this moment nothing is: a signal that comes just now ends the
    /// tool before the client did anything.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        self.set.thread_unblock()?;
        let child = command.spawn();
        self.set.thread_block()?;
        child
    }

    /// Waits until a child has ended, forwards signals to it, and does something every so often.
    /// The answer is an exit code.
    pub(super) fn attend(
        &mut self,
        mut child: Child,
        every: Option<Duration>,
        mut tick: impl FnMut(),
    ) -> Outcome<u8> {
        let pid = i32::try_from(child.id()).ok().map(Pid::from_raw);
        let sender = self.sender.clone();
        thread::spawn(move || sender.send(Event::Ended(child.wait())));
        let mut next = every.map(|every| Instant::now() + every);
        loop {
            let event = match next {
                None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(next) => {
                    self.events.recv_timeout(next.saturating_duration_since(Instant::now()))
                }
            };
            match event {
                Ok(Event::Signal(signal)) => {
                    self.last = Some(signal);
                    // It may have ended just now.
                    let _ = pid.map(|pid| kill(pid, signal));
                }
                Ok(Event::Ended(status)) => {
                    let failed = |error| Failure::Refused(format!("cannot wait: {error}"));
                    return status.map(exit_code).map_err(failed);
                }
                Err(RecvTimeoutError::Timeout) => {
                    tick();
                    next = every.map(|every| Instant::now() + every);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Refused("cannot wait for the client".to_owned()));
                }
            }
        }
    }
}

/// As a shell counts it.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    let by_signal = || status.signal().map(|signal| 128 + signal);
    status.code().or_else(by_signal).and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// The exit code of what a signal ended.
pub(super) fn code_of(signal: Signal) -> u8 {
    u8::try_from(128 + signal as i32).unwrap_or(u8::MAX)
}
