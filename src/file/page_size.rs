//! The units of a store's file.

/// Length of a page in bytes: everything in a file begins at a multiple of it.
pub(crate) const PAGE: usize = 4096;

/// The unit in which disks write, in bytes: a write that is cut leaves each sector old or new.
pub(crate) const SECTOR: usize = 512;
