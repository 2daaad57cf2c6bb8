//! The store under a disk that fails.

mod hostile;
mod life;
mod power_cut;
mod scrub;
mod sim_disk;
