//! The rows that a session is made of.

use crate::types::{
    ChannelState, DcId, DcOption, Entity, Extra, FileKey, FileKind, Login, Md5, PeerId, SentFile,
    UpdateState,
};

/// A kind of rows.
///
/// ```
/// use std::collections::BTreeMap;
/// use tgsession::storage::{Key, Row, Table};
///
/// /// All rows of a table, in their order.
/// fn rows_of(rows: &BTreeMap<Key, Row>, table: Table) -> impl Iterator<Item = &Row> {
///     let rows = rows.range(table.first()..);
///     rows.take_while(move |(key, _)| key.table() == table).map(|(_, row)| row)
/// }
///
/// assert_eq!(rows_of(&BTreeMap::new(), Table::Dcs).count(), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Table {
    /// The login: one row, or none.
    Login,
    /// The addresses and the key of each DC.
    Dcs,
    /// The update state of the account: one row, or none.
    UpdateState,
    /// The update state of each channel.
    ChannelStates,
    /// The entities.
    Entities,
    /// Which entity a username finds.
    Usernames,
    /// Which entity a phone number finds.
    Phones,
    /// The files sent before.
    SentFiles,
    /// Small values of a client's own.
    Extras,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 9] = [
        Self::Login,
        Self::Dcs,
        Self::UpdateState,
        Self::ChannelStates,
        Self::Entities,
        Self::Usernames,
        Self::Phones,
        Self::SentFiles,
        Self::Extras,
    ];

    /// Whether a change of its rows is to be durable when the call that makes it returns.
    #[must_use]
    pub const fn is_durable(self) -> bool {
        matches!(self, Self::Login | Self::Dcs | Self::Extras)
    }

    /// A key that is not after any key of the table: ranges of an ordered map begin here.
    #[must_use]
    pub fn first(self) -> Key {
        // Not 0, so there is such a peer.
        let peer = PeerId::from_marked(i64::MIN);
        match (self, peer) {
            (Self::Dcs, _) => Key::Dc(DcId(i32::MIN)),
            (Self::ChannelStates, Some(peer)) => Key::ChannelState(peer),
            (Self::Entities, Some(peer)) => Key::Entity(peer),
            (Self::Usernames, _) => Key::Username(String::new()),
            (Self::Phones, _) => Key::Phone(String::new()),
            (Self::SentFiles, _) => Key::SentFile(FileKey {
                md5: Md5([0; 16]),
                size: i64::MIN,
                kind: FileKind::Document,
            }),
            (Self::Extras, _) => Key::Extra(String::new()),
            (Self::UpdateState, _) => Key::UpdateState,
            _ => Key::Login,
        }
    }
}

/// The key of a row. Keys are ordered by table, and within a table as its rows are listed.
///
/// ```
/// use tgsession::DcId;
/// use tgsession::storage::{Key, Table};
///
/// let keys = [Key::Dc(DcId(2)), Key::Dc(DcId(4)), Key::Username("durov".into())];
/// assert!(keys.is_sorted());
/// assert_eq!(keys.map(|key| key.table()), [Table::Dcs, Table::Dcs, Table::Usernames]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Key {
    /// The login.
    Login,
    /// A DC.
    Dc(DcId),
    /// The update state of the account.
    UpdateState,
    /// The update state of a channel.
    ChannelState(PeerId),
    /// An entity.
    Entity(PeerId),
    /// A username in lower case, without `@`.
    Username(String),
    /// The digits of a phone number without zeros in front.
    Phone(String),
    /// A file sent before.
    SentFile(FileKey),
    /// A small value of a client's own.
    Extra(String),
}

impl Key {
    /// The table of the row.
    #[must_use]
    pub const fn table(&self) -> Table {
        match self {
            Self::Login => Table::Login,
            Self::Dc(_) => Table::Dcs,
            Self::UpdateState => Table::UpdateState,
            Self::ChannelState(_) => Table::ChannelStates,
            Self::Entity(_) => Table::Entities,
            Self::Username(_) => Table::Usernames,
            Self::Phone(_) => Table::Phones,
            Self::SentFile(_) => Table::SentFiles,
            Self::Extra(_) => Table::Extras,
        }
    }
}

/// A row: a value and its key.
///
/// ```
/// use tgsession::storage::{Key, Row};
/// use tgsession::{DcId, Login};
///
/// let row = Row::Login(Login::default().with_home_dc(DcId(4)));
/// assert_eq!(row.key(), Key::Login);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Row {
    /// The login.
    Login(Login),
    /// A DC.
    Dc(DcOption),
    /// The update state of the account.
    UpdateState(UpdateState),
    /// The update state of a channel.
    ChannelState(ChannelState),
    /// An entity.
    Entity(Entity),
    /// The entity that a username finds.
    Username(String, PeerId),
    /// The entity that a phone number finds.
    Phone(String, PeerId),
    /// A file sent before.
    SentFile(SentFile),
    /// A small value of a client's own.
    Extra(Extra),
}

impl Row {
    /// The key of the row.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Login(_) => Key::Login,
            Self::Dc(dc) => Key::Dc(dc.id),
            Self::UpdateState(_) => Key::UpdateState,
            Self::ChannelState(state) => Key::ChannelState(state.id),
            Self::Entity(entity) => Key::Entity(entity.id),
            Self::Username(text, _) => Key::Username(text.clone()),
            Self::Phone(text, _) => Key::Phone(text.clone()),
            Self::SentFile(file) => Key::SentFile(file.key),
            Self::Extra(extra) => Key::Extra(extra.name().to_owned()),
        }
    }
}

/// A change of one row.
///
/// ```
/// use std::collections::BTreeMap;
/// use tgsession::storage::{Change, Key, Row};
/// use tgsession::{DcId, DcOption};
///
/// let mut rows = BTreeMap::new();
/// for change in [Change::Put(Row::Dc(DcOption::new(DcId(2)))), Change::Remove(Key::Dc(DcId(4)))] {
///     match change {
///         Change::Put(row) => rows.insert(row.key(), row),
///         Change::Remove(key) => rows.remove(&key),
///     };
/// }
/// assert_eq!(rows.len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Change {
    /// Stores the row, in place of the one with the same key.
    Put(Row),
    /// Removes the row of this key. A row that does not exist is no error.
    Remove(Key),
}

impl Change {
    /// The key of the row.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Put(row) => row.key(),
            Self::Remove(key) => key.clone(),
        }
    }
}

/// Reads a value out of a row. A storage that gives a row of another kind than its key asks for is
/// broken, and has no such value.
macro_rules! values {
    ($($name:ident: $variant:ident($value:ty),)*) => {
        impl Row {
            $(pub(crate) fn $name(self) -> Option<$value> {
                match self {
                    Self::$variant(value) => Some(value),
                    _ => None,
                }
            })*
        }
    };
}

values! {
    login: Login(Login),
    dc: Dc(DcOption),
    update_state: UpdateState(UpdateState),
    channel_state: ChannelState(ChannelState),
    entity: Entity(Entity),
    sent_file: SentFile(SentFile),
    extra: Extra(Extra),
}

impl Row {
    /// The entity that an index row names.
    pub(crate) fn owner(self) -> Option<PeerId> {
        match self {
            Self::Username(_, owner) | Self::Phone(_, owner) => Some(owner),
            _ => None,
        }
    }
}
