//! Users and chats as Telegram sends them: with usernames, phones and names.

use std::time::{SystemTime, UNIX_EPOCH};

use grammers_tl_types as tl;
use tgsession::{AccessHash, Entity, EntityKind, Error, PeerId, Session};

use crate::GrammersSession;

impl<S: Session> GrammersSession<S> {
    /// Stores the users and chats of an answer or of an update with usernames, phones and names. Users
    /// come first, each list in its order. Returns how many of them changed something.
    ///
    /// The rules of [`Session::process_entities`] hold: a `min` user or channel fills blanks only.
    /// A chat that is forbidden to the account keeps the stored fields that Telegram no longer sends.
    /// The call skips empty users and chats, and ids outside of Telegram's ranges.
    ///
    /// # Errors
    ///
    /// Those of writing the session. After an error nothing is changed.
    pub fn see(
        &self,
        users: &[tl::enums::User],
        chats: &[tl::enums::Chat],
    ) -> Result<usize, Error> {
        if !self.session().saves_entities()? {
            return Ok(0);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.ok().and_then(|now| i64::try_from(now.as_secs()).ok());
        let (mut views, mut parts) = (Vec::new(), Vec::new());
        views.extend(users.iter().filter_map(user));
        for chat in chats {
            match chat_entity(chat) {
                Some((entity, Shown::Whole)) => views.push(entity),
                Some((entity, Shown::Part)) => parts.push(entity),
                None => {}
            }
        }
        views.iter_mut().chain(&mut parts).for_each(|entity| entity.date = now);
        if parts.is_empty() {
            // A session can skip unchanged entities here without a write.
            return self.session().process_entities(&views);
        }
        self.session()
            .update(|batch| Ok(batch.process_entities(&views)? + batch.merge_entities(&parts)?))
    }
}

/// How much of a chat Telegram shows.
enum Shown {
    Whole,
    Part,
}

fn user(user: &tl::enums::User) -> Option<Entity> {
    let tl::enums::User::User(user) = user else { return None };
    let mut entity = Entity::new(PeerId::user(user.id)?);
    entity.kind = Some(if user.bot { EntityKind::Bot } else { EntityKind::User });
    entity.access_hash = user.access_hash.map(AccessHash);
    entity.min = user.min;
    entity.usernames = usernames(user.username.as_deref(), user.usernames.as_deref());
    entity.phone.clone_from(&user.phone);
    let names = [&user.first_name, &user.last_name].into_iter().flatten();
    let names: Vec<&str> = names.map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
    entity.name = (!names.is_empty()).then(|| names.join(" "));
    Some(entity)
}

/// The usernames that are in use, the main one first.
fn usernames(main: Option<&str>, all: Option<&[tl::enums::Username]>) -> Vec<String> {
    let active = all.unwrap_or_default().iter().filter_map(|username| {
        let tl::enums::Username::Username(username) = username;
        username.active.then_some(username.username.as_str())
    });
    main.into_iter().chain(active).map(str::to_owned).collect()
}

fn chat_entity(chat: &tl::enums::Chat) -> Option<(Entity, Shown)> {
    use tl::enums::Chat;
    let named = |id: PeerId, title: &str, kind| {
        let mut entity = Entity::new(id);
        entity.kind = kind;
        entity.name = Some(title.to_owned());
        entity
    };
    Some(match chat {
        Chat::Empty(_) => return None,
        Chat::Chat(chat) => {
            (named(PeerId::group(chat.id)?, &chat.title, Some(EntityKind::Group)), Shown::Whole)
        }
        Chat::Forbidden(chat) => {
            (named(PeerId::group(chat.id)?, &chat.title, Some(EntityKind::Group)), Shown::Part)
        }
        Chat::Channel(channel) => (channel_entity(channel)?, Shown::Whole),
        Chat::ChannelForbidden(channel) => {
            let kind = kind(channel.broadcast, channel.megagroup, false, false, channel.monoforum);
            let mut entity = named(PeerId::channel(channel.id)?, &channel.title, kind);
            entity.access_hash = Some(AccessHash(channel.access_hash));
            (entity, Shown::Part)
        }
        Chat::Community(community) => {
            let kind = Some(EntityKind::Community);
            let mut entity = named(PeerId::channel(community.id)?, &community.title, kind);
            entity.access_hash = community.access_hash.map(AccessHash);
            entity.min = community.min;
            (entity, Shown::Whole)
        }
        Chat::CommunityForbidden(community) => {
            let kind = Some(EntityKind::Community);
            let mut entity = named(PeerId::channel(community.id)?, &community.title, kind);
            entity.access_hash = community.access_hash.map(AccessHash);
            (entity, Shown::Part)
        }
    })
}

fn channel_entity(channel: &tl::types::Channel) -> Option<Entity> {
    let mut entity = Entity::new(PeerId::channel(channel.id)?);
    entity.kind = kind(
        channel.broadcast,
        channel.megagroup,
        channel.gigagroup,
        channel.forum,
        channel.monoforum,
    );
    entity.access_hash = channel.access_hash.map(AccessHash);
    entity.min = channel.min;
    entity.usernames = usernames(channel.username.as_deref(), channel.usernames.as_deref());
    entity.name = Some(channel.title.clone());
    Some(entity)
}

fn kind(
    broadcast: bool,
    megagroup: bool,
    gigagroup: bool,
    forum: bool,
    monoforum: bool,
) -> Option<EntityKind> {
    let kinds = [
        (monoforum, EntityKind::Direct),
        (gigagroup, EntityKind::Gigagroup),
        (forum, EntityKind::Forum),
        (megagroup, EntityKind::Supergroup),
        (broadcast, EntityKind::Channel),
    ];
    kinds.into_iter().find(|(is, _)| *is).map(|(_, kind)| kind)
}
