//! The trait that a client talks to, and its plain implementation in memory.

mod find;
mod memory;
pub(crate) mod merge;

use crate::error::Result;
use crate::types::{
    AuthKey, ChannelState, DcId, DcOption, Entity, FileKey, Login, PeerId, SentFile, UpdateState,
};

pub use self::memory::MemorySession;

/// One account's session, as a client uses it.
///
/// Every call takes `&self`, can fail, and takes and gives owned values: nothing is borrowed from
/// the storage and nothing stays locked between calls, so a session may live on another machine
/// as well as in this process. The trait is object safe; hold an `Arc<dyn Session>` if you do not
/// want to name the storage.
///
/// **Durability** is the storage's promise. Of [`StoreSession`](crate::StoreSession): what
/// [`set_login`](Session::set_login), [`set_dc`](Session::set_dc), [`remove_dc`](Session::remove_dc),
/// [`delete`](Session::delete) and what builds on them have written is on disk when the call
/// returns; all else within the store's
/// [flush interval](crate::StoreOptions::flush_interval), and after [`flush`](Session::flush).
pub trait Session: Send + Sync {
    /// The session's name within its storage.
    fn name(&self) -> Result<String>;

    /// The names of all sessions in the same storage, sorted.
    fn list_sessions(&self) -> Result<Vec<String>>;

    /// What the session says of the account as a whole.
    fn login(&self) -> Result<Login>;

    /// Replaces what the session says of the account as a whole.
    fn set_login(&self, login: &Login) -> Result<()>;

    /// What is known of one DC.
    fn dc(&self, id: DcId) -> Result<Option<DcOption>>;

    /// Every DC that something is known of, in the order of their ids.
    fn dcs(&self) -> Result<Vec<DcOption>>;

    /// Replaces what is known of one DC: addresses and key.
    fn set_dc(&self, dc: &DcOption) -> Result<()>;

    /// Forgets one DC, its key too. Unknown DCs are no error.
    fn remove_dc(&self, id: DcId) -> Result<()>;

    /// Where the account's updates stand, or `None` before the first is known.
    fn update_state(&self) -> Result<Option<UpdateState>>;

    /// Saves where the account's updates stand; `None` forgets it.
    fn set_update_state(&self, state: Option<UpdateState>) -> Result<()>;

    /// Where the updates of one channel stand.
    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>>;

    /// Where the updates of every known channel stand, in the order of their ids.
    fn channel_states(&self) -> Result<Vec<ChannelState>>;

    /// Saves where the updates of these channels stand.
    fn set_channel_states(&self, states: &[ChannelState]) -> Result<()>;

    /// Forgets where the updates of one channel stand.
    fn remove_channel_state(&self, id: PeerId) -> Result<()>;

    /// Takes in entities that the client has just seen, in this order, and says how many of them
    /// changed something.
    ///
    /// A full view replaces what was stored, except that what it does not say (no access hash, no
    /// kind, no date) stays. A [`min`](Entity::min) view only fills blanks and never replaces a
    /// full access hash. A username or phone belongs to the entity that showed it last: the
    /// one before loses it. A view that differs only by a `date` less than a day newer changes
    /// nothing. While [saving is off](Session::set_save_entities) nothing is stored.
    fn process_entities(&self, entities: &[Entity]) -> Result<usize>;

    /// The entity of this id.
    fn entity(&self, id: PeerId) -> Result<Option<Entity>>;

    /// The entity that holds this username, in any case, with or without `@`.
    fn entity_by_username(&self, username: &str) -> Result<Option<Entity>>;

    /// The entity that has this phone number; everything but digits, and zeros in front, are
    /// passed over.
    fn entity_by_phone(&self, phone: &str) -> Result<Option<Entity>>;

    /// The entity with exactly this name; the one with the smallest marked id where there are
    /// several. Names have no index: the time grows with the number of entities.
    fn entity_by_name(&self, name: &str) -> Result<Option<Entity>>;

    /// Up to `limit` entities in the order of their marked ids, starting behind `after`.
    fn entities(&self, after: Option<PeerId>, limit: usize) -> Result<Vec<Entity>>;

    /// How many entities are stored.
    fn entity_count(&self) -> Result<u64>;

    /// Forgets an entity, its usernames and its phone. An unknown one is no error.
    fn remove_entity(&self, id: PeerId) -> Result<()>;

    /// Whether [`process_entities`](Session::process_entities) stores anything. On at first.
    fn set_save_entities(&self, save: bool) -> Result<()>;

    /// A file sent before.
    fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>>;

    /// Every file sent before, in the order of their keys.
    fn sent_files(&self) -> Result<Vec<SentFile>>;

    /// Remembers a sent file; one with the same key is replaced.
    fn save_sent_file(&self, file: &SentFile) -> Result<()>;

    /// Makes sure that everything written so far is as durable as the storage can make it.
    fn flush(&self) -> Result<()>;

    /// Deletes the session and everything in it.
    fn delete(&self) -> Result<()>;

    /// The DC that the account lives on.
    fn home_dc(&self) -> Result<Option<DcOption>> {
        match self.login()?.home_dc {
            Some(id) => Ok(Some(self.dc(id)?.unwrap_or_else(|| DcOption::new(id)))),
            None => Ok(None),
        }
    }

    /// Makes this the DC that the account lives on.
    fn set_home_dc(&self, id: DcId) -> Result<()> {
        let mut login = self.login()?;
        login.home_dc = Some(id);
        self.set_login(&login)
    }

    /// The key of the DC that the account lives on.
    fn auth_key(&self) -> Result<Option<AuthKey>> {
        Ok(self.home_dc()?.and_then(|dc| dc.auth_key))
    }

    /// Saves a key for a DC, or forgets the one it has; its addresses stay.
    fn set_auth_key(&self, id: DcId, key: Option<AuthKey>) -> Result<()> {
        let mut dc = self.dc(id)?.unwrap_or_else(|| DcOption::new(id));
        dc.auth_key = key;
        self.set_dc(&dc)
    }

    /// The entity with this id as Telegram's API writes it, without a mark, or with a mark that
    /// lacks its sign. Where several fit, a channel comes before a group and a group before a
    /// user.
    fn entity_by_bare_id(&self, id: i64) -> Result<Option<Entity>> {
        let unsigned = id.checked_neg().filter(|_| id > 0).and_then(PeerId::from_marked);
        for id in [PeerId::channel(id), unsigned, PeerId::user(id)].into_iter().flatten() {
            if let Some(entity) = self.entity(id)? {
                return Ok(Some(entity));
            }
        }
        Ok(None)
    }

    /// The entity that a person means by this text: a phone number, a username with or without
    /// `@`, a `t.me` link, or the exact name.
    fn find(&self, text: &str) -> Result<Option<Entity>> {
        find::find(self, text)
    }
}
