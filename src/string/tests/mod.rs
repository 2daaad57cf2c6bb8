//! What holds for all forms: real strings, and every account there and back.

mod detect;
mod fixtures;
mod properties;

use zeroize::Zeroizing;

use super::Unfit;
use crate::types::{Account, DcOption};

/// The account of a string that says no more than its DC.
pub(super) fn with_dc(dc: DcOption) -> Account {
    super::home::account(dc)
}

pub(super) fn string_of(encoded: Result<Zeroizing<String>, Unfit>) -> String {
    encoded.unwrap().to_string()
}
