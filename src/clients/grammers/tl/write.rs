//! A file, written.

use zeroize::Zeroizing;

use super::encode::encode;
use crate::error::{Error, Result};
use crate::format::{AccountTarget, Address, Capabilities, Need, OtherDcs};
use crate::types::Account;

const FORMAT: &str = "grammers-tl";

/// The binary session file of grammers up to 0.7.
pub(super) const TARGET: AccountTarget = AccountTarget {
    name: FORMAT,
    capabilities: &Capabilities {
        other_dcs: OtherDcs::WithKeyOrAddress,
        address: Address::One,
        user: Need::Kept,
        bot: Need::Needed,
        update_state: true,
        channel_states: true,
        ..Capabilities::MINIMAL
    },
    encode: bytes,
};

fn bytes(account: &Account) -> Result<Zeroizing<Vec<u8>>> {
    encode(account).map_err(|why| Error::Unfit { format: FORMAT, why: why.to_string() })
}
