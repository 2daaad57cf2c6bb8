//! How a command ends when it does not end well: one line and an exit code.

use std::io;
use std::process::ExitCode;

use tgsession::{Error, ErrorKind};

use crate::{explain, output};

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
            Self::Output(_) if self.code() == 0 => {}
            Self::Reported(_) => {}
            _ => output::complain(&self.text()),
        }
    }

    /// The line without the tool's name.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Library(error) => explain::in_words(error),
            Self::Refused(text) | Self::Usage(text) | Self::Problems(text) => text.clone(),
            Self::Output(error) => format!("cannot write to standard output: {error}"),
            Self::Bug(text) => format!("a bug, please report it: {text}"),
            Self::Reported(_) => String::new(),
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
