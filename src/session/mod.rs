//! The trait `Session` that a client calls, its implementation over any storage, and one in memory.

mod batch;
pub(crate) mod entities;
mod find;
mod forward;
mod memory;
pub(crate) mod merge;
mod pages;
mod rows;
/// Sessions kept anywhere: the trait [`Storage`](storage::Storage), its rows, and the [`Session`]
/// over them.
pub mod storage;
mod ticket;

use crate::error::{Error, Result};
use crate::types::{
    Account, AuthKey, ChannelState, DcId, DcOption, Entity, Extra, FileKey, Login, PeerId,
    SentFile, UpdateChange, UpdateState,
};

pub(crate) use self::batch::BatchRows;
pub use self::batch::SessionBatch;
pub use self::memory::{MemorySession, MemoryStorage};
pub use self::pages::Entities;
pub use self::ticket::Ticket;

/// Whether a call that changes a session waits until the change is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// It waits as the storage promises for these changes: see [`Session`].
    Durable,
    /// It does not wait. The changes are visible when the call returns, and durable within the
    /// storage's flush interval or with the next [`Session::flush`] or [`Session::flush_ticket`].
    Buffered,
}

/// One account's session, as a client uses it.
///
/// Every call takes `&self`, can fail, and takes and gives owned values: nothing is borrowed from
/// the storage and nothing stays locked between calls, so a session may live on another machine
/// as well as in this process. The trait is object safe; hold an `Arc<dyn Session>` if you do not
/// want to name the storage. `&T`, `Box<T>` and `Arc<T>` of a session are sessions too.
///
/// Do not implement it to keep sessions elsewhere: a [`Storage`](storage::Storage) is a few short
/// methods, and [`StorageSession`](storage::StorageSession) makes a session of it.
///
/// **Every call is atomic**, also one that reads, changes and writes, as
/// [`set_home_dc`](Session::set_home_dc) and [`set_auth_key`](Session::set_auth_key) do: no change
/// of another thread is lost. [`update`](Session::update) makes several changes atomically.
///
/// **Durability** is the storage's promise. Of [`StoreSession`](crate::StoreSession): logins and
/// DCs are on disk when the call that changes them returns; all else within the store's
/// [flush interval](crate::StoreOptions::flush_interval), and after [`flush`](Session::flush).
///
/// ```
/// use std::sync::Arc;
/// use tgsession::{DcId, MemorySession, Session, Store};
///
/// /// It works with any storage.
/// fn client(session: Arc<dyn Session>) -> tgsession::Result<Option<DcId>> {
///     session.set_home_dc(DcId(4))?;
///     Ok(session.login()?.home_dc)
/// }
///
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let store = Store::create(path)?;
/// assert_eq!(client(Arc::new(store.session("alice")?))?, Some(DcId(4)));
/// // A test needs no file.
/// assert_eq!(client(Arc::new(MemorySession::new("alice")))?, Some(DcId(4)));
/// # Ok(())
/// # }
/// ```
pub trait Session: Send + Sync {
    /// The session's name within its storage.
    fn name(&self) -> Result<String>;

    /// The names of all sessions in the same storage, sorted.
    fn list_sessions(&self) -> Result<Vec<String>>;

    /// The login: home DC, own user, API id and more. Empty if nothing is known.
    fn login(&self) -> Result<Login>;

    /// Replaces the login.
    fn set_login(&self, login: &Login) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.set_login(login))
    }

    /// The addresses and the key of one DC, if any are stored.
    fn dc(&self, id: DcId) -> Result<Option<DcOption>>;

    /// Every stored DC, in the order of their ids.
    fn dcs(&self) -> Result<Vec<DcOption>>;

    /// Replaces the addresses and the key of one DC.
    fn set_dc(&self, dc: &DcOption) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.set_dc(dc))
    }

    /// Forgets one DC, its key too. Unknown DCs are no error.
    fn remove_dc(&self, id: DcId) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.remove_dc(id))
    }

    /// Where the account's updates stand, or `None` before the first is known.
    fn update_state(&self) -> Result<Option<UpdateState>>;

    /// Saves where the account's updates stand; `None` forgets it.
    fn set_update_state(&self, state: Option<UpdateState>) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.set_update_state(state))
    }

    /// Changes some counters of the account's update state and keeps the others. Before the first
    /// state is stored, the others are 0.
    fn change_update_state(&self, change: UpdateChange) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.change_update_state(change))
    }

    /// Where the updates of one channel stand.
    fn channel_state(&self, id: PeerId) -> Result<Option<ChannelState>>;

    /// Where the updates of every known channel stand, in the order of their ids.
    fn channel_states(&self) -> Result<Vec<ChannelState>>;

    /// Saves where the updates of these channels stand.
    fn set_channel_states(&self, states: &[ChannelState]) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.set_channel_states(states))
    }

    /// Saves where the updates of these channels stand, and forgets all others.
    fn replace_channel_states(&self, states: &[ChannelState]) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.replace_channel_states(states))
    }

    /// Forgets where the updates of one channel stand.
    fn remove_channel_state(&self, id: PeerId) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.remove_channel_state(id))
    }

    /// Stores entities that the client has just seen, in this order, and returns how many of them
    /// changed something.
    ///
    /// A full view replaces the stored entity, but the access hash, kind and date stay where the view
    /// has none. A [`min`](Entity::min) view only fills blanks and never replaces a
    /// full access hash. A username or phone belongs to the entity that showed it last: the
    /// one before loses it. A view that differs only by a `date` less than a day newer changes
    /// nothing. While [saving is off](Session::set_save_entities) nothing is stored.
    fn process_entities(&self, entities: &[Entity]) -> Result<usize> {
        if !self.saves_entities()? {
            return Ok(0);
        }
        run(self, Commit::Durable, |batch| batch.process_entities(entities))
    }

    /// Merges partial entities into the stored ones, in this order, and returns how many of them
    /// changed something. A part is an id with its access hash, or with the usernames alone.
    ///
    /// A part replaces the fields that it has and keeps the others. Otherwise the rules of
    /// [`process_entities`](Session::process_entities) hold: the hash of a `min` part never
    /// replaces a full one, and a username or phone belongs to the entity that showed it last.
    ///
    /// ```
    /// # use tgsession::{AccessHash, Entity, MemorySession, PeerId, Session};
    /// let session = MemorySession::new("alice");
    /// let mut durov = Entity::new(PeerId::user(1).expect("a positive id"));
    /// durov.usernames = vec!["durov".into()];
    /// session.process_entities(&[durov.clone()])?;
    ///
    /// let mut hash = Entity::new(durov.id);
    /// hash.access_hash = Some(AccessHash(7));
    /// session.merge_entities(&[hash])?;
    /// let both = session.entity_by_username("durov")?.expect("nothing was wiped");
    /// assert_eq!(both.access_hash, Some(AccessHash(7)));
    /// # Ok::<(), tgsession::Error>(())
    /// ```
    fn merge_entities(&self, entities: &[Entity]) -> Result<usize> {
        if !self.saves_entities()? {
            return Ok(0);
        }
        run(self, Commit::Durable, |batch| batch.merge_entities(entities))
    }

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

    /// Up to `limit` entities in the order of their marked ids, starting after `after`.
    fn entities(&self, after: Option<PeerId>, limit: usize) -> Result<Vec<Entity>>;

    /// How many entities are stored.
    fn entity_count(&self) -> Result<u64>;

    /// Forgets an entity, its usernames and its phone. An unknown one is no error.
    fn remove_entity(&self, id: PeerId) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.remove_entity(id))
    }

    /// Whether [`process_entities`](Session::process_entities) and
    /// [`merge_entities`](Session::merge_entities) store anything.
    fn saves_entities(&self) -> Result<bool>;

    /// Has [`process_entities`](Session::process_entities) and
    /// [`merge_entities`](Session::merge_entities) store what they are given, or not. On at first;
    /// it holds for this handle and its clones, and is not stored.
    fn set_save_entities(&self, save: bool) -> Result<()>;

    /// Everything but the entities. Of a store and a [`StorageSession`](storage::StorageSession) it
    /// is of one moment.
    fn account(&self) -> Result<Account> {
        Ok(Account {
            login: self.login()?,
            dcs: self.dcs()?,
            update_state: self.update_state()?,
            channel_states: self.channel_states()?,
            sent_files: self.sent_files()?,
            extras: self.extras()?,
        })
    }

    /// A file sent before.
    fn sent_file(&self, key: FileKey) -> Result<Option<SentFile>>;

    /// Every file sent before, in the order of their keys.
    fn sent_files(&self) -> Result<Vec<SentFile>>;

    /// Remembers a sent file; one with the same key is replaced.
    fn save_sent_file(&self, file: &SentFile) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.save_sent_file(file))
    }

    /// A small value of a client's own.
    fn extra(&self, name: &str) -> Result<Option<Extra>>;

    /// All small values of clients, in the order of their names.
    fn extras(&self) -> Result<Vec<Extra>>;

    /// Saves a small value of a client's own; `None` removes it. It is as durable as a login, and
    /// stays with the session in stores, portable sessions and dumps; other formats have no
    /// place for it, and an export says so.
    ///
    /// # Errors
    ///
    /// [`Error::BadExtra`] beyond the bounds of [`Extra`]; those of writing.
    fn set_extra(&self, name: &str, value: Option<&[u8]>) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.set_extra(name, value))
    }

    /// Runs `work` once and makes its changes all at once: after an error of it, or a crash, none
    /// of them. [`update`](Session::update) is easier to call.
    fn transact(
        &self,
        commit: Commit,
        work: &mut dyn FnMut(&mut SessionBatch<'_>) -> Result<()>,
    ) -> Result<()>;

    /// Makes several changes all at once: after an error of `change`, or a crash, none of them.
    ///
    /// `change` sees its own changes. Other calls that write wait until it is done, so it must not
    /// write through the session itself, and should not do I/O. If it changes logins or DCs,
    /// everything is durable when the call returns, else within the storage's flush interval.
    /// Call it through a reference where the session is a `dyn Session`.
    ///
    /// # Errors
    ///
    /// Those of `change`, and those of writing.
    ///
    /// ```
    /// # use tgsession::{DcId, DcOption, Session, Store, UpdateState};
    /// # fn main() -> tgsession::Result<()> {
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let store = Store::create(directory.path().join("accounts"))?;
    /// let session = store.session("alice")?;
    /// session.update(|batch| {
    ///     batch.set_dc(&DcOption::new(DcId(4)))?;
    ///     batch.set_home_dc(DcId(4))?;
    ///     batch.set_update_state(None)
    /// })?;
    /// assert_eq!(session.login()?.home_dc, Some(DcId(4)));
    /// # Ok(())
    /// # }
    /// ```
    fn update<T>(&self, change: impl FnOnce(&mut SessionBatch<'_>) -> Result<T>) -> Result<T>
    where
        Self: Sized,
    {
        run(self, Commit::Durable, change)
    }

    /// Makes several changes all at once without waiting for the disk. They are visible when the
    /// call returns; the ticket says when they are durable.
    ///
    /// # Errors
    ///
    /// Those of `change`, and those of writing.
    fn update_later<T>(
        &self,
        change: impl FnOnce(&mut SessionBatch<'_>) -> Result<T>,
    ) -> Result<(T, Ticket)>
    where
        Self: Sized,
    {
        let done = run(self, Commit::Buffered, change)?;
        Ok((done, self.flush_ticket()))
    }

    /// Makes sure that everything written so far is as durable as the storage can make it.
    fn flush(&self) -> Result<()>;

    /// Begins to [`flush`](Session::flush) and does not wait: the ticket says when it is done, to a
    /// thread or to a future.
    fn flush_ticket(&self) -> Ticket {
        Ticket::done(self.flush())
    }

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
        run(self, Commit::Durable, |batch| batch.set_home_dc(id))
    }

    /// The key of the DC that the account lives on.
    fn auth_key(&self) -> Result<Option<AuthKey>> {
        Ok(self.home_dc()?.and_then(|dc| dc.auth_key))
    }

    /// Saves a key for a DC, or forgets the one it has; its addresses stay.
    fn set_auth_key(&self, id: DcId, key: Option<AuthKey>) -> Result<()> {
        run(self, Commit::Durable, |batch| batch.set_auth_key(id, key))
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

    /// The entity that a person means by this text: `me`, a phone number, a username with or without
    /// `@`, a link of `t.me`, `telegram.me` or `tg://`, the exact name, or an id, marked or bare.
    fn find(&self, text: &str) -> Result<Option<Entity>> {
        find::find(self, text)
    }
}

/// Makes changes of a session; gives what `change` gives.
fn run<S: Session + ?Sized, T>(
    session: &S,
    commit: Commit,
    change: impl FnOnce(&mut SessionBatch<'_>) -> Result<T>,
) -> Result<T> {
    let (mut change, mut done) = (Some(change), None);
    session.transact(commit, &mut |batch| {
        if let Some(change) = change.take() {
            done = Some(change(batch)?);
        }
        Ok(())
    })?;
    done.ok_or_else(|| Error::other("the session did not run the change"))
}
