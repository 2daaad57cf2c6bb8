//! Stores on simulated disks.

mod bad_disk;
mod crash_disk;
mod power_cut;
