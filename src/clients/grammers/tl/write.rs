//! A file, written.

use super::encode::encode;
use crate::error::{Error, Result};
use crate::format::{
    Address, Losses, Need, OtherDcs, Outgoing, Output, Place, Target, the_only, written,
};

/// The binary session file of grammers up to 0.7.
pub(super) struct Tl;

const FORMAT: &str = "grammers-tl";

impl Target for Tl {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn place(&self) -> &'static Place {
        const PLACE: Place = Place {
            other_dcs: OtherDcs::WithKeyOrAddress,
            address: Address::One,
            user: Need::Kept,
            bot: Need::Needed,
            update_state: true,
            channel_states: true,
            ..Place::LEAST
        };
        &PLACE
    }

    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        _: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()> {
        let bytes = encode(&the_only(sessions, FORMAT)?.account);
        let unfit = |why| Error::Unfit { format: FORMAT, why };
        written(out.write_all(&bytes.map_err(|why| unfit(why.to_string()))?))
    }
}
