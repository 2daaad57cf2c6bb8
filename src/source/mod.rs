//! Anything that sessions can be read from, whatever wrote it.

mod database;
mod database_location;
mod lookup;
mod open;
mod opened;
mod refuse;
mod session;
#[cfg(feature = "convert")]
mod small;
mod text_mode;
#[cfg(feature = "convert")]
mod unwrap;
#[cfg(feature = "convert")]
mod wrapped;

pub use self::lookup::Lookup;
pub use self::open::SourceOptions;
pub use self::opened::Source;
pub use self::session::SourceSession;
