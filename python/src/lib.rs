//! The native module of the Python package `tgsession-store`.
//!
//! It is private: the typed package above it is the interface. Values cross as plain tuples, so that
//! a look-up makes no object but its answer. Calls that may wait for the disk or take more than
//! some 20 us release the interpreter lock; look-ups of one row keep it.

#![allow(
    clippy::type_complexity,
    reason = "tuples are what crosses to Python; the package above names their fields"
)]

mod error;
mod handle;
mod login;
mod peers;
mod session;
mod store;
mod transfer;
mod values;

use pyo3::prelude::*;

/// Everything that the package above uses.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::error::{
        BusyError, ClosedError, DamagedError, Error, ExistsError, FailedError, ForkedError,
        NoSessionError, NotFoundError, ReadOnlyError, RefusedError, StoreKeyError,
    };
    #[pymodule_export]
    use crate::handle::forked_child;
    #[pymodule_export]
    use crate::session::NativeSession;
    #[pymodule_export]
    use crate::store::NativeStore;
    #[pymodule_export]
    use crate::transfer::formats;
}
