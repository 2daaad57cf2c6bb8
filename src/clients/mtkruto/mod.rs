//! MTKruto: its session string.

pub(crate) mod string;

use crate::format::{FormatSpec, Reader};

/// The readers of MTKruto.
pub(super) const READERS: &[Reader] =
    &[Reader::String { versioned: false, decode: string::decode }];

pub(super) const STRING: FormatSpec =
    FormatSpec::string(string::FORMAT, &string::CAPABILITIES, string::encode);
