//! Dumps: everything that sessions hold as JSON, in the format `tgsession-dump/1`.
//!
//! [`Writer`] writes one from top to bottom and keeps none of it; what it wrote with
//! [`Secrets::Shown`] is a source that can be opened and imported again.
//!
//! ```json
//! { "format": "tgsession-dump/1", "source": "telethon-sqlite v7",
//!   "sessions": [ {
//!     "name": "anon", "home_dc": 2, "test_mode": null, "api_id": null,
//!     "user": {"id": 10001, "bot": false}, "takeout_id": null,
//!     "dcs": [ {"id": 2, "ipv4": {"host": "149.154.167.51", "port": 443}, "ipv6": null,
//!               "auth_key": "<512 hex digits>", "auth_key_id": "<16 hex digits>"} ],
//!     "state": {"pts": 1, "qts": 2, "date": 1700000000, "seq": 4},
//!     "channel_states": [ {"id": -1001234567890, "pts": 5} ],
//!     "entities": [ {"id": -1001234567890, "kind": "channel", "access_hash": -42,
//!                    "usernames": ["durov"], "phone": null, "name": "Durov", "date": 1700000000} ],
//!     "files": [ {"md5": "<32 hex>", "size": 10, "kind": "document", "id": 1,
//!                 "access_hash": 2} ] } ],
//!   "notes": [] }
//! ```
//!
//! Ids are marked as the Bot API marks them: a user is `id`, a group `-id`, a channel
//! `-1000000000000 - id`. Lists are sorted by id, files by `(md5, size, kind)`. An entity of which
//! only a reduced (`min`) view was seen has one key more, `"min": true`, and a DC whose auth key
//! comes from a damaged page `"auth_key_unproven": true`. Small values of a client's own are in `"extras"`,
//! if there are any: `{"name": "pyrogram.date", "value": "<hex>"}`. Without secrets `auth_key` and these values are
//! absent and phones show their last two digits.

mod json;
mod read;
mod write;

pub(crate) use self::read::{looks_like, read};
pub use self::write::{Writer, write_entity};

/// The format name in a dump.
const FORMAT: &str = "tgsession-dump/1";

/// Whether auth keys and whole phone numbers are shown.
///
/// ```
/// use tgsession::dump::{Secrets, write_entity};
/// use tgsession::{Entity, PeerId};
///
/// let entity = Entity::new(PeerId::user(1).expect("a positive id")).with_phone("15550042");
/// let mut line = Vec::new();
/// write_entity(&mut line, &entity, Secrets::Hidden)?;
/// assert!(!String::from_utf8_lossy(&line).contains("15550042"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are not: a dump for the eyes of others.
    Hidden,
    /// They are shown. A key is a login for everyone who sees it.
    Shown,
}

impl Secrets {
    fn shown(self) -> bool {
        self == Self::Shown
    }
}

impl From<bool> for Secrets {
    fn from(shown: bool) -> Self {
        if shown { Self::Shown } else { Self::Hidden }
    }
}
