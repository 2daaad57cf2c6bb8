//! The store under a disk that fails, under files that somebody wrote on purpose, and with a file
//! that others have open.

mod disk_state;
#[cfg(all(test, feature = "encryption"))]
mod encryption;
#[cfg(test)]
mod faults;
#[cfg_attr(not(feature = "convert"), allow(dead_code, reason = "fuzzing needs the rest"))]
mod forged_log;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod inherited;
mod life;
#[cfg(test)]
mod power_cut;
#[cfg(test)]
mod removed;
#[cfg(test)]
mod rules;
mod saga;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod scrub;
#[cfg(all(feature = "encryption", feature = "convert"))]
mod sealed;
mod sim_disk;

#[cfg(all(feature = "encryption", feature = "convert"))]
pub(crate) use self::sealed::sealed_of;
#[cfg(any(fuzzing, feature = "convert"))]
pub(crate) use self::{forged_log::forged_log, saga::saga_of};
