//! Session strings, written.

use zeroize::Zeroizing;

use super::Format;
use crate::error::{Error, Result};
use crate::format::{Losses, Outgoing, Output, Place, Target, the_only, written};
use crate::string::Unfit;
use crate::types::Account;

/// A session string.
pub(super) struct StringTarget {
    pub(super) format: Format,
    pub(super) place: &'static Place,
    pub(super) encode: fn(&Account) -> Result<Zeroizing<String>, Unfit>,
}

impl Target for StringTarget {
    fn name(&self) -> &'static str {
        self.format.name()
    }

    fn place(&self) -> &'static Place {
        self.place
    }

    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        _: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()> {
        let format = self.format.name();
        let text = (self.encode)(&the_only(sessions, format)?.account)
            .map_err(|why| Error::Unfit { format, why: why.to_string() })?;
        written(out.write_all(text.as_bytes()))?;
        written(out.write_all(b"\n"))
    }
}
