//! Errors of the library as Python exceptions.

use std::error::Error as StdError;

use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use tgsession::ErrorKind;

create_exception!(tgsession_store, Error, PyException, "Why a store could not do something.");
create_exception!(
    tgsession_store,
    NotFoundError,
    Error,
    "There is no such file, folder or session."
);
create_exception!(
    tgsession_store,
    NoSessionError,
    NotFoundError,
    "The store has no session of this name."
);
create_exception!(
    tgsession_store,
    RefusedError,
    Error,
    "The request was refused; nothing was changed."
);
create_exception!(
    tgsession_store,
    ExistsError,
    RefusedError,
    "The file or the session exists already."
);
create_exception!(
    tgsession_store,
    ReadOnlyError,
    RefusedError,
    "The store was opened for reading only."
);
create_exception!(
    tgsession_store,
    StoreKeyError,
    RefusedError,
    "The key of an encrypted store is missing or wrong."
);
create_exception!(
    tgsession_store,
    ForkedError,
    RefusedError,
    "The store was opened by the parent of this process."
);
create_exception!(
    tgsession_store,
    ClosedError,
    RefusedError,
    "The store or the session was closed."
);
create_exception!(tgsession_store, DamagedError, Error, "The file is damaged.");
create_exception!(
    tgsession_store,
    BusyError,
    Error,
    "Another process uses the store; try again later."
);
create_exception!(
    tgsession_store,
    FailedError,
    Error,
    "The operating system or the engine failed."
);

/// The exception of an error, with its text and those of its causes, outermost first.
pub(crate) fn raised(error: tgsession::Error) -> PyErr {
    use tgsession::Error as E;
    let text = in_words(&error);
    match &error {
        E::NoSession { .. } => NoSessionError::new_err(text),
        E::AlreadyExists { .. } | E::SessionExists { .. } => ExistsError::new_err(text),
        E::ReadOnly { .. } => ReadOnlyError::new_err(text),
        E::Key { .. } => StoreKeyError::new_err(text),
        E::Forked { .. } => ForkedError::new_err(text),
        _ => match error.kind() {
            ErrorKind::NotFound => NotFoundError::new_err(text),
            ErrorKind::Damaged => DamagedError::new_err(text),
            ErrorKind::Busy => BusyError::new_err(text),
            ErrorKind::Failed => FailedError::new_err(text),
            _ => RefusedError::new_err(text),
        },
    }
}

/// The library repeats no cause in the text of an error.
pub(crate) fn in_words(error: &tgsession::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
