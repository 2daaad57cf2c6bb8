//! Children of the tool, and the signals that are meant for them.

use std::io::{self, IsTerminal};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::unistd::Pid;

use crate::failure::{Failure, Outcome};

/// What ends a process politely.
const POLITE: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

enum Event {
    Signal(Caught),
    Ended(io::Result<ExitStatus>),
}

/// A signal that came.
#[derive(Clone, Copy)]
struct Caught {
    signal: Signal,
    /// The terminal sent it, to every process in its foreground.
    by_terminal: bool,
}

/// Signals that end a process, caught so that the store can be saved first.
///
/// A child gets each of them once. Without a terminal it has a process group of its own, which a
/// signal to the tool's group does not reach: everything is forwarded. A child that reads a terminal
/// must be in the foreground with the tool, and then it has from the terminal what the tool has.
pub(super) struct Signals {
    set: SigSet,
    on_terminal: bool,
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
        let on_terminal = io::stdin().is_terminal();
        let mut wait = waiting_for(set).map_err(refused)?;
        thread::spawn(move || {
            while let Some(caught) = wait() {
                if to.send(Event::Signal(caught)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { set, on_terminal, sender, events, last: None })
    }

    /// Starts a child that gets signals as any process does. A child inherits the signals that its
    /// parent's thread has blocked, so it unblocks them itself, before it becomes the client. In the
    /// tool they stay blocked: there is no moment at which a signal ends the tool beside its client.
    #[expect(unsafe_code, reason = "no safe call sets the signal mask of a child")]
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        if !self.on_terminal {
            command.process_group(0);
        }
        let set = self.set;
        // SAFETY: between fork and exec only `pthread_sigmask` runs, which is async-signal-safe; the
        // closure owns a copy of the set and allocates nothing.
        unsafe { command.pre_exec(move || Ok(set.thread_unblock()?)) };
        command.spawn()
    }

    /// Gives a child a signal that it has not got yet. It may have ended just now.
    fn forward(&self, child: Option<Pid>, caught: Caught) {
        let Some(child) = child else { return };
        if !self.on_terminal {
            // What a shell has started as the client is in its group.
            let _ = killpg(child, caught.signal);
        } else if !caught.by_terminal {
            let _ = kill(child, caught.signal);
        }
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
                Ok(Event::Signal(caught)) => {
                    self.last = Some(caught.signal);
                    self.forward(pid, caught);
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

/// Gives the next of these signals each time it is called.
#[cfg(target_os = "linux")]
fn waiting_for(set: SigSet) -> nix::Result<impl FnMut() -> Option<Caught> + Send> {
    use nix::libc::SI_KERNEL;
    use nix::sys::signalfd::{SfdFlags, SignalFd};

    let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC)?;
    Ok(move || {
        loop {
            match signals.read_signal() {
                Ok(Some(info)) => {
                    let signal = i32::try_from(info.ssi_signo).ok()?;
                    let signal = Signal::try_from(signal).ok()?;
                    return Some(Caught { signal, by_terminal: info.ssi_code == SI_KERNEL });
                }
                Ok(None) | Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return None,
            }
        }
    })
}

/// Gives the next of these signals each time it is called. Who sent it is not known here: a
/// terminal, if it is the signal that only terminals are used to send.
#[cfg(not(target_os = "linux"))]
fn waiting_for(set: SigSet) -> nix::Result<impl FnMut() -> Option<Caught> + Send> {
    Ok(move || {
        let signal = set.wait().ok()?;
        Some(Caught { signal, by_terminal: signal == Signal::SIGINT })
    })
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
