//! One line for every failure, panics included.
//!
//! The engine under a store may panic on damage. The library catches that and gives an error, and
//! the panic's own message beside it would only frighten. So messages are held back, and shown for
//! an uncaught panic.

use std::panic::{self, UnwindSafe};
use std::sync::{Mutex, PoisonError};

use crate::failure::{Failure, Outcome};

static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Runs a command; a panic that comes out of it is a failure like others.
pub(crate) fn contained(run: impl FnOnce() -> Outcome + UnwindSafe) -> Outcome {
    panic::set_hook(Box::new(|info| drop(keep(Some(info.to_string())))));
    panic::catch_unwind(run).unwrap_or_else(|_| {
        let message = keep(None).unwrap_or_default();
        Err(Failure::Bug(message))
    })
}

/// Puts a message in the place of the last one, which it gives back.
fn keep(message: Option<String>) -> Option<String> {
    std::mem::replace(&mut *LAST.lock().unwrap_or_else(PoisonError::into_inner), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic, reason = "it is what is tested")]
    fn a_panic_that_nobody_caught_is_a_failure_with_its_message() {
        let outcome = contained(|| panic::panic_any("boom"));
        let _ = panic::take_hook();
        assert!(matches!(outcome, Err(Failure::Bug(text)) if text.contains("panics.rs")));
    }
}
