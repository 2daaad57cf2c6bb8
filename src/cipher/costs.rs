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
    /// The costs of new passphrases. OWASP's least for Argon2id is 19 MiB, 2 passes and 1 lane
    /// (Password Storage Cheat Sheet), for servers that compute it at every login. Here it is
    /// computed once, for a file that an attacker can take home: memory and passes are those of the
    /// second recommendation of RFC 9106, section 4. One thread does the work, so there is one lane.
    pub(crate) const WRITTEN: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// The most that is believed of a file, which may be hostile: four times the memory that this
    /// build writes, and seconds of work.
    pub(crate) const MOST: Self = Self { memory_kib: 256 * 1024, passes: 16, lanes: 16 };

    /// Argon2 wants eight blocks of 1 KiB for each lane.
    const LEAST_KIB_A_LANE: u32 = 8;

    /// Whether a release may have written them: memory and time are bounded then.
    pub(crate) fn are_bounded(self) -> bool {
        let Self { memory_kib, passes, lanes } = self;
        let most = Self::MOST;
        (1..=most.lanes).contains(&lanes)
            && (1..=most.passes).contains(&passes)
            && (lanes * Self::LEAST_KIB_A_LANE..=most.memory_kib).contains(&memory_kib)
    }
}

/// A passphrase could not be made a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "encryption"), expect(dead_code, reason = "no key is made"))]
pub(crate) enum DeriveError {
    /// Argon2 refuses these costs.
    Costs,
    /// There is not enough memory.
    NoMemory,
    /// This build has no cipher.
    #[cfg_attr(feature = "encryption", allow(dead_code, reason = "only without the feature"))]
    NoFeature,
}
