//! The common parts of all formats: how a format is read, which values it can hold, and how a
//! session is fitted to it. `clients` has the formats.

mod capabilities;
pub(crate) mod database;
mod entities;
pub(crate) mod facts;
pub(crate) mod field;
#[cfg(feature = "convert")]
mod files;
mod fit;
mod given;
#[cfg(feature = "convert")]
pub(crate) mod key_text;
pub(crate) mod lost;
mod notes;
mod parsed;
mod reader;
#[cfg(feature = "convert")]
mod spec;
pub(crate) mod sqlite_file;
mod target;
pub(crate) mod well_known;

pub(crate) use self::capabilities::{Address, Capabilities, EntityCapabilities, Need, OtherDcs};
pub(crate) use self::database::Tables;
pub(crate) use self::entities::Entities;
#[cfg(feature = "convert")]
pub(crate) use self::files::{Disk, Files, InMemory};
pub(crate) use self::fit::{account_for, fill};
pub(crate) use self::given::{Given, correct, given_setters, take_given};
pub use self::lost::Loss;
pub(crate) use self::lost::Losses;
pub(crate) use self::notes::Notes;
pub(crate) use self::parsed::{Parsed, ParsedSession};
pub(crate) use self::reader::Reader;
#[cfg(feature = "convert")]
pub(crate) use self::reader::{Known, damaged};
#[cfg(feature = "convert")]
pub(crate) use self::spec::{Encode, FormatSpec, NamedFiles, OutputKind, Writer};
pub(crate) use self::target::{
    AccountTarget, Outgoing, Output, Target, Writing, into_bytes, the_only, unwritten,
    without_entities, written,
};
