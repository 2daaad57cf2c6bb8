//! In the place of `cipher.rs` in a build without the feature `passphrase`.

use super::PortableError;
use super::lock::Lock;

pub(super) fn new_lock() -> Result<Lock, PortableError> {
    Err(PortableError::NoFeature)
}

pub(super) fn seal(
    _passphrase: &[u8],
    _lock: &Lock,
    _head: &[u8],
    _body: &mut [u8],
) -> Result<[u8; 16], PortableError> {
    Err(PortableError::NoFeature)
}

pub(super) fn open(
    _passphrase: &[u8],
    _lock: &Lock,
    _head: &[u8],
    _body: &mut [u8],
    _tag: [u8; 16],
) -> Result<(), PortableError> {
    Err(PortableError::NoFeature)
}
