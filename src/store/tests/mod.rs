//! The store under a disk that fails, under files that somebody wrote on purpose, and with a file
//! that others have open.

mod crash_runs;
mod disk_state;
#[cfg(all(test, feature = "encryption"))]
mod encryption;
#[cfg(test)]
mod fault_at_each_call;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod filters;
#[cfg_attr(not(feature = "convert"), allow(dead_code, reason = "fuzzing needs the rest"))]
mod forged_log;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod inherited;
#[cfg(test)]
mod load;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod power_cut;
mod random_ops;
#[cfg(test)]
mod removed;
#[cfg(test)]
mod root_slots;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod scrub;
#[cfg(all(feature = "encryption", feature = "convert"))]
mod sealed;
mod sim_disk;
#[cfg(test)]
mod two_threads;

#[cfg(all(feature = "encryption", feature = "convert"))]
pub(crate) use self::sealed::sealed_of;
#[cfg(any(fuzzing, feature = "convert"))]
pub(crate) use self::{crash_runs::crash_run_of, forged_log::forged_log};
