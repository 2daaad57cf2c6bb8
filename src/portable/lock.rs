//! The unencrypted parameters that make a passphrase a key.

use super::bytes::{Reader, Writer};
use super::error::PortableError;
use crate::cipher::Costs;

/// Costs, salt and nonce, as in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) costs: Costs,
    pub(crate) salt: [u8; 16],
    pub(crate) nonce: [u8; 24],
}

impl Lock {
    /// Reads a lock. Excessive costs are an error.
    pub(super) fn read(bytes: &mut Reader<'_>) -> Result<Self, PortableError> {
        let costs = Costs { memory_kib: bytes.u32()?, passes: bytes.u32()?, lanes: bytes.u32()? };
        let costs = checked(costs)?;
        Ok(Self { costs, salt: bytes.array()?, nonce: bytes.array()? })
    }

    pub(super) fn write(&self, out: &mut Writer) {
        let Costs { memory_kib, passes, lanes } = self.costs;
        for number in [memory_kib, passes, lanes] {
            out.put(&number.to_le_bytes());
        }
        out.put(&self.salt);
        out.put(&self.nonce);
    }
}

/// Refuses costs that no release writes.
fn checked(costs: Costs) -> Result<Costs, PortableError> {
    if costs.are_bounded() { Ok(costs) } else { Err(PortableError::Costs(costs)) }
}
