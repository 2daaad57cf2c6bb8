//! The nonces of the messages that a thread has sealed, for the test that none comes twice.

use std::cell::RefCell;

use super::sizes::NONCE;

thread_local! {
    static USED: RefCell<Option<Vec<[u8; NONCE]>>> = const { RefCell::new(None) };
}

/// The nonces of everything that `work` seals in this thread.
pub(crate) fn used_by(work: impl FnOnce()) -> Vec<[u8; NONCE]> {
    USED.with_borrow_mut(|used| *used = Some(Vec::new()));
    work();
    USED.take().unwrap_or_default()
}

pub(super) fn used(nonce: &[u8; NONCE]) {
    USED.with_borrow_mut(|used| {
        if let Some(used) = used {
            used.push(*nonce);
        }
    });
}
