//! `SessionData`, grammers' session as one value, in and out.

use grammers_session::SessionData;
use tgsession::{DcId, Entities, Entity, Error, SelfUser, Session};

use crate::GrammersSession;
use crate::peers::{entity_of, info_of, stored_dc};
use crate::session::put_updates;
use grammers_session::types::PeerInfo;

impl<S: Session> GrammersSession<S> {
    /// Stores everything that a `SessionData` holds, in one step: after an error nothing is changed.
    /// Home DC, DCs and update states are replaced, peers are merged.
    ///
    /// # Errors
    ///
    /// Those of writing the session, and ids that no peer has.
    pub fn import_data(&self, data: &SessionData) -> Result<(), Error> {
        let entities: Result<Vec<Entity>, Error> =
            data.peer_infos.values().map(entity_of).collect();
        let mut entities = entities?;
        entities.sort_unstable_by_key(|entity| entity.id);
        let own = data.peer_infos.values().find_map(|peer| match *peer {
            PeerInfo::User { id, bot, is_self: Some(true), .. } => Some(SelfUser { id, bot }),
            _ => None,
        });
        let built_in = SessionData::default().dc_options;
        self.session().update(|batch| {
            let mut login = batch.login()?;
            login.home_dc = Some(DcId(data.home_dc));
            login.user = own.or(login.user);
            batch.set_login(&login)?;
            for (id, dc) in &data.dc_options {
                // DCs that are built into grammers need not be stored.
                if built_in.get(id) != Some(dc) {
                    batch.set_dc(&stored_dc(dc))?;
                }
            }
            batch.merge_entities(&entities)?;
            put_updates(batch, &data.updates_state)
        })?;
        self.reload()
    }

    /// Everything that a `SessionData` has a field for. Usernames, phones, names, sent files and
    /// everything else in the session are left out.
    ///
    /// # Errors
    ///
    /// Those of reading the session.
    pub fn to_data(&self) -> Result<SessionData, Error> {
        let (home_dc, dcs, self_user) = self.logged_in();
        let mut data = SessionData {
            home_dc,
            dc_options: dcs.into_iter().map(|dc| (dc.id, dc)).collect(),
            updates_state: self.updates()?,
            ..SessionData::default()
        };
        for entity in Entities::of(self.session()) {
            let entity = entity?;
            let marked = entity.id.marked();
            // Ids outside of Telegram's ranges have no place.
            if let Some(id) = grammers_session::types::PeerId::from_bot_api_dialog_id(marked) {
                data.peer_infos.insert(id, info_of(&entity, self_user.map(|user| user.id)));
            }
        }
        if let Some(user) = self_user
            && let Some(id) = grammers_session::types::PeerId::user(user.id)
        {
            data.peer_infos.insert(id, self.own(user)?);
        }
        Ok(data)
    }
}
