//! The outcome of a case.

use std::fmt;

use crate::error::Result;

/// The outcome of a case.
pub(super) type Case = Result<(), Failed>;

/// Why a case failed.
pub(super) struct Failed(pub(super) String);

impl From<crate::error::Error> for Failed {
    fn from(error: crate::error::Error) -> Self {
        let mut text = format!("an unexpected error: {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text.push_str(&format!(": {error}"));
            source = error.source();
        }
        Self(text)
    }
}

/// Fails unless `got` equals `expected`; `what` names the value in the message.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, got: T, expected: T) -> Case {
    if got == expected {
        return Ok(());
    }
    let shown = |value: &T| format!("{value:?}").chars().take(300).collect::<String>();
    Err(Failed(format!("{what}: got {}, expected {}", shown(&got), shown(&expected))))
}
