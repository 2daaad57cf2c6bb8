//! What a sealed session says in clear of how its passphrase becomes a key.

use super::PortableError;
use super::bytes::{Reader, Writer};

/// What turning a passphrase into a key costs whoever does it: the parameters of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Costs {
    /// KiB of memory.
    pub(crate) memory_kib: u32,
    /// Passes over that memory.
    pub(crate) passes: u32,
    /// Lanes that could be computed at once.
    pub(crate) lanes: u32,
}

impl Costs {
    /// The most that is believed of a file, which may be hostile: four times the memory that this
    /// build writes, and seconds of work.
    pub(crate) const MOST: Self = Self { memory_kib: 256 * 1024, passes: 16, lanes: 16 };

    /// Argon2 wants eight blocks of 1 KiB for each lane.
    const LEAST_KIB_A_LANE: u32 = 8;

    fn checked(self) -> Result<Self, PortableError> {
        let Self { memory_kib, passes, lanes } = self;
        let most = Self::MOST;
        let holds = (1..=most.lanes).contains(&lanes)
            && (1..=most.passes).contains(&passes)
            && (lanes * Self::LEAST_KIB_A_LANE..=most.memory_kib).contains(&memory_kib);
        if holds { Ok(self) } else { Err(PortableError::Costs(self)) }
    }
}

/// Costs, salt and nonce, as they stand in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) costs: Costs,
    pub(crate) salt: [u8; 16],
    pub(crate) nonce: [u8; 24],
}

impl Lock {
    /// Reads a lock whose costs are bearable.
    pub(super) fn read(bytes: &mut Reader<'_>) -> Result<Self, PortableError> {
        let costs = Costs { memory_kib: bytes.u32()?, passes: bytes.u32()?, lanes: bytes.u32()? }
            .checked()?;
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
