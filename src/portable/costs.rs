//! The cost of deriving a key from a passphrase.

/// The parameters of Argon2id.
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
    pub(super) const LEAST_KIB_A_LANE: u32 = 8;
}
