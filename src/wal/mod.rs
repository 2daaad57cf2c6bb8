//! The write-ahead log: recent changes, one record after the other.
//!
//! Each generation has a log of its own. It begins with a manifest, which names everything else
//! that the generation consists of. A record is durable after one write and one sync. A mark behind
//! it says so: it tells a record that is damaged from one that was being written when the power
//! went. What a record says is not known here.

mod reader;
mod record;
mod writer;

pub(crate) use self::reader::{Found, Tail, scan};
pub(crate) use self::record::{Kind, Log, LogRecord};
pub(crate) use self::writer::{Append, LogWriter};
