use super::PeerId;

/// The number that Telegram requires of this account when it names a peer. It belongs to one account
/// and one peer, and is worth nothing to another account. Any value is possible, 0 too.
///
/// ```
/// use tgsession::{AccessHash, Entity, PeerId};
///
/// let durov = Entity::new(PeerId::user(1).expect("a positive id"));
/// assert_eq!(durov.with_access_hash(AccessHash(-42)).access_hash, Some(AccessHash(-42)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccessHash(pub i64);

/// The kind of an entity, finer than the range of its id tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum EntityKind {
    /// A person.
    User,
    /// A bot.
    Bot,
    /// A basic group.
    Group,
    /// A supergroup (megagroup).
    Supergroup,
    /// A broadcast channel.
    Channel,
    /// A supergroup in which only administrators write.
    Gigagroup,
    /// A community.
    Community,
    /// A supergroup with topics.
    Forum,
    /// The direct messages of a channel (monoforum).
    Direct,
}

impl EntityKind {
    /// Every kind, in the order of their codes in the file.
    pub const ALL: [Self; 9] = [
        Self::User,
        Self::Bot,
        Self::Group,
        Self::Supergroup,
        Self::Channel,
        Self::Gigagroup,
        Self::Community,
        Self::Forum,
        Self::Direct,
    ];

    /// The kind's name in dumps: lower case, one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Bot => "bot",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Channel => "channel",
            Self::Gigagroup => "gigagroup",
            Self::Community => "community",
            Self::Forum => "forum",
            Self::Direct => "direct",
        }
    }
}

/// A user, group or channel that the account has seen.
///
/// ```
/// use tgsession::{AccessHash, Entity, EntityKind, PeerId};
///
/// let durov = Entity::new(PeerId::user(1).expect("a positive id"))
///     .with_kind(EntityKind::User)
///     .with_access_hash(AccessHash(-42))
///     .with_username("durov")
///     .with_name("Pavel Durov");
/// assert_eq!(durov.usernames, ["durov"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Entity {
    /// The id of the entity.
    pub id: PeerId,
    /// The kind, if it is known more exactly than from the range of the id.
    pub kind: Option<EntityKind>,
    /// The hash this account needs to name it. Basic groups need none, and have 0 or nothing.
    pub access_hash: Option<AccessHash>,
    /// Telegram sent only a reduced (`min`) view: the hash is not valid on its own, and what is
    /// missing here may exist.
    pub min: bool,
    /// Its public usernames as last seen, the main one first, without `@`.
    pub usernames: Vec<String>,
    /// Its phone number, digits only.
    pub phone: Option<String>,
    /// Its full name or title.
    pub name: Option<String>,
    /// When it was last seen, in seconds since 1970 (UTC).
    pub date: Option<i64>,
}

impl Entity {
    /// An entity with an id and no other value.
    #[must_use]
    pub fn new(id: PeerId) -> Self {
        Self {
            id,
            kind: None,
            access_hash: None,
            min: false,
            usernames: Vec::new(),
            phone: None,
            name: None,
            date: None,
        }
    }

    /// The same entity, of this kind.
    #[must_use]
    pub fn with_kind(mut self, kind: EntityKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The same entity with this access hash.
    #[must_use]
    pub fn with_access_hash(mut self, hash: AccessHash) -> Self {
        self.access_hash = Some(hash);
        self
    }

    /// The same entity, as a reduced view.
    #[must_use]
    pub fn as_min(mut self) -> Self {
        self.min = true;
        self
    }

    /// The same entity with one more username, after those it has.
    #[must_use]
    pub fn with_username(mut self, username: &str) -> Self {
        self.usernames.push(username.to_owned());
        self
    }

    /// The same entity with this phone number.
    #[must_use]
    pub fn with_phone(mut self, phone: &str) -> Self {
        self.phone = Some(phone.to_owned());
        self
    }

    /// The same entity with this name or title.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The same entity, last seen at this time, in seconds since 1970 (UTC).
    #[must_use]
    pub fn with_date(mut self, date: i64) -> Self {
        self.date = Some(date);
        self
    }
}
