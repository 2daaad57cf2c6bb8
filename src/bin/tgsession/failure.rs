//! How a command ends when it does not end well: one line and an exit code.

use std::error::Error as StdError;
use std::io;
use std::process::ExitCode;

use tgsession::{Error, ErrorKind};

use crate::output;

/// What every command returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command stopped.
pub(crate) enum Failure {
    /// The library said no.
    Library(Error),
    /// The tool itself understood and refused, or did not find what was asked for.
    Refused(String),
    /// The arguments do not fit each other or the source.
    Usage(String),
    /// The input is damaged, as has been said on standard output.
    Problems(String),
    /// Standard output could not be written.
    Output(io::Error),
    /// A mistake in the tool or the library, with what the panic said.
    Bug(String),
    /// Everything has been said already; this is the worst of the exit codes.
    Reported(u8),
}

const REFUSED: u8 = 1;
const USAGE: u8 = 2;
const DAMAGED: u8 = 3;
const BUSY: u8 = 4;
/// As every Rust program ends that panics.
const BUG: u8 = 101;

impl Failure {
    /// Says it on standard error, in one line. A reader that left early wants no words.
    pub(crate) fn report(&self) {
        match self {
            Self::Library(error) => output::complain(&chain(error)),
            Self::Refused(text) | Self::Usage(text) | Self::Problems(text) => {
                output::complain(text);
            }
            Self::Output(_) if self.code() == 0 => {}
            Self::Output(error) => {
                output::complain(&format!("cannot write to standard output: {error}"));
            }
            Self::Bug(text) => output::complain(&format!("a bug, please report it: {text}")),
            Self::Reported(_) => {}
        }
    }

    /// The number of the exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Library(error) => match error.kind() {
                ErrorKind::Damaged => DAMAGED,
                ErrorKind::Busy => BUSY,
                _ => REFUSED,
            },
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Refused(_) | Self::Output(_) => REFUSED,
            Self::Usage(_) => USAGE,
            Self::Problems(_) => DAMAGED,
            Self::Bug(_) => BUG,
            Self::Reported(code) => *code,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

/// The error and what caused it, outermost first. The library repeats no cause in its own text.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

/// All I/O of the tool's own is on standard output; files are the library's.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
