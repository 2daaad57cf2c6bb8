//! Stores on simulated disks.

mod crash_disk;
mod power_cut;
