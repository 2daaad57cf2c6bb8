//! Stores on simulated disks.

mod bad_disk;
mod crash_disk;
mod ordering;
mod power_cut;
mod runs;
