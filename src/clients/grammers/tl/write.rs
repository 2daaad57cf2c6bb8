//! A file, written.

use zeroize::Zeroizing;

use super::encode::encode;
use crate::error::{Error, Result};
use crate::format::{AccountTarget, Address, Need, OtherDcs, Place};
use crate::types::Account;

const FORMAT: &str = "grammers-tl";

/// The binary session file of grammers up to 0.7.
pub(super) const TARGET: AccountTarget = AccountTarget {
    name: FORMAT,
    place: &Place {
        other_dcs: OtherDcs::WithKeyOrAddress,
        address: Address::One,
        user: Need::Kept,
        bot: Need::Needed,
        update_state: true,
        channel_states: true,
        ..Place::LEAST
    },
    encode: bytes,
};

fn bytes(account: &Account) -> Result<Zeroizing<Vec<u8>>> {
    encode(account).map_err(|why| Error::Unfit { format: FORMAT, why: why.to_string() })
}
