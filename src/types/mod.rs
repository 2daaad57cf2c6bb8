//! The values a session is made of. They know no file format and do no I/O.

mod auth_key;
mod dc;
mod entity;
mod extra;
mod fold;
mod hex;
mod login;
mod peer;
mod progress;
mod sent_file;
mod snapshot;
mod updates;

pub use self::auth_key::AuthKey;
pub use self::dc::{DcId, DcOption, Endpoint};
pub use self::entity::{AccessHash, Entity, EntityKind};
pub use self::extra::Extra;
pub(crate) use self::fold::{
    bare_username, fold_phone, fold_username, folded_username, is_digits, is_plain_username,
};
pub use self::login::{Login, SelfUser};
pub use self::peer::{PeerId, PeerKind};
pub use self::progress::Progress;
pub use self::sent_file::{FileKey, FileKind, Md5, SentFile};
pub use self::snapshot::{Account, Snapshot};
pub use self::updates::{ChannelState, UpdateChange, UpdateState};
