//! Changes the key slots of an encrypted store.

use super::{Writer, locked};
use crate::error::{Error, Result};
use crate::file::{KeySlot, KeySlots};

impl Writer {
    /// Writes the slot that `change` chooses, durably. One sector is written: after a power cut the
    /// slot is old, new or damaged, and the other slots are unchanged.
    pub(crate) fn change_key_slots(
        &self,
        change: impl FnOnce(&KeySlots) -> Result<(usize, Option<KeySlot>)>,
    ) -> Result<usize> {
        self.check_writable()?;
        self.check_in_place()?;
        // One change at a time.
        let _durable = locked(&self.durable);
        let io = |source| Error::io("change the keys of", &self.path, source);
        let slots = KeySlots::read(self.disk()).map_err(io)?;
        let (number, slot) = change(&slots)?;
        KeySlots::write(self.disk(), number, slot.as_ref()).map_err(io)?;
        Ok(number + 1)
    }
}
