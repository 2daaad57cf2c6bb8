//! The store under a disk that fails, and a file that others have open.

mod hostile;
mod inherited;
mod life;
mod power_cut;
mod removed;
mod saga;
mod scripted;
mod scrub;
mod sim_disk;
