//! In the place of `xchacha.rs` in a build without the feature `encryption`.

use std::io;

use zeroize::Zeroizing;

use super::costs::{Costs, DeriveError};
use super::sizes::{KEY, NONCE, TAG};

/// This build has no cipher: no value of this type exists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cipher {}

impl Cipher {
    pub(crate) fn new(_: &[u8; KEY]) -> Option<Self> {
        None
    }

    pub(crate) fn seal(&self, _: &[u8; NONCE], _: &[u8], _: &mut [u8]) -> io::Result<[u8; TAG]> {
        match *self {}
    }

    pub(crate) fn open(&self, _: &[u8; NONCE], _: &[u8], _: &mut [u8], _: &[u8; TAG]) -> bool {
        match *self {}
    }
}

pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn derive(
    _: &[u8],
    _: &[u8; 16],
    _: Costs,
) -> Result<Zeroizing<[u8; KEY]>, DeriveError> {
    Err(DeriveError::NoFeature)
}
