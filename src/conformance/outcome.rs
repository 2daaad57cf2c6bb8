//! What becomes of a case.

use std::fmt;

use crate::error::Result;

/// What a case ends with.
pub(super) type Case = Result<(), Failed>;

/// Why a case failed.
pub(super) struct Failed(pub(super) String);

impl From<crate::error::Error> for Failed {
    fn from(error: crate::error::Error) -> Self {
        let mut text = format!("an error where there is none: {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text.push_str(&format!(": {error}"));
            source = error.source();
        }
        Self(text)
    }
}

/// That what was got is what is expected.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, got: T, expected: T) -> Case {
    if got == expected {
        return Ok(());
    }
    let shown = |value: &T| format!("{value:?}").chars().take(300).collect::<String>();
    Err(Failed(format!("{what}: got {}, expected {}", shown(&got), shown(&expected))))
}
