//! `type` of `peers`.

pub(super) const USER: i64 = 1;
pub(super) const GROUP: i64 = 2;
pub(super) const CHANNEL: i64 = 3;
