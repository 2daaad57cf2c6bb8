//! What holds for all formats: real strings, and every account there and back.

mod detect;
mod fixtures;
mod properties;

use zeroize::Zeroizing;

use crate::string::Unfit;
use crate::types::{Account, DcOption};

/// The account of a string that says no more than its DC.
pub(super) fn with_dc(dc: DcOption) -> Account {
    crate::string::home::account(dc)
}

pub(super) fn string_of(encoded: Result<Zeroizing<String>, Unfit>) -> String {
    encoded.unwrap().to_string()
}
