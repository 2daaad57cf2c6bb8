use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grammers_session::types::{
    DcOption, PeerAuth, PeerId, PeerInfo, PeerRef, UpdateState, UpdatesState,
};
use grammers_session::{BoxFuture, SessionData};
use tgsession::{ChannelState, DcId, Entity, Error, SelfUser, Session, Ticket, UpdateChange};

use crate::peers::{channel, dc_of, entity_of, info_of, stored_dc};

type Result<T, E = Error> = std::result::Result<T, E>;

/// A [`tgsession::Session`] as a `grammers_session::Session`.
///
/// The home DC and the DCs are in memory, since grammers asks for them with every request. So all
/// changes of them must come through one `GrammersSession`; [`reload`](Self::reload) reads them
/// again. Everything else may be read and written beside it, through
/// [`session`](Self::session).
pub struct GrammersSession<S> {
    session: S,
    known: Arc<Mutex<Known>>,
}

/// Copies of values that grammers reads too often to look them up in the session.
struct Known {
    home_dc: i32,
    /// The DCs of the session, over the DCs that are built into grammers.
    dcs: BTreeMap<i32, DcOption>,
    self_user: Option<SelfUser>,
    /// The values whose last write failed. Setting one again writes it, even if it is unchanged.
    unsaved: BTreeSet<Value>,
}

/// A value of [`Known`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    HomeDc,
    Dc(i32),
    SelfUser,
}

impl<S> fmt::Debug for GrammersSession<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrammersSession").finish_non_exhaustive()
    }
}

impl Known {
    fn of(session: &impl Session) -> Result<Self> {
        let SessionData { home_dc, dc_options, .. } = SessionData::default();
        let mut dcs: BTreeMap<_, _> = dc_options.into_iter().collect();
        for dc in session.dcs()? {
            if let Some(dc) = dc_of(&dc, dcs.get(&dc.id.0)) {
                dcs.insert(dc.id, dc);
            }
        }
        let login = session.login()?;
        let home_dc = login.home_dc.map_or(home_dc, |dc| dc.0);
        Ok(Self { home_dc, dcs, self_user: login.user, unsaved: BTreeSet::new() })
    }
}

impl<S: Session> GrammersSession<S> {
    /// Reads the home DC and the DCs of a session.
    ///
    /// # Errors
    ///
    /// Those of reading the session.
    pub fn new(session: S) -> Result<Self> {
        let known = Known::of(&session)?;
        Ok(Self { session, known: Arc::new(Mutex::new(known)) })
    }

    /// The session itself, for everything that grammers has no calls for: `find`, usernames,
    /// phones, files.
    pub fn session(&self) -> &S {
        &self.session
    }

    /// Reads home DC, DCs and the account's own user again. Call it after something else than this
    /// value has changed them.
    ///
    /// # Errors
    ///
    /// Those of reading the session.
    pub fn reload(&self) -> Result<()> {
        // Under the lock: no change happens between reading the session and replacing memory.
        let mut known = self.known();
        *known = Known::of(&self.session)?;
        Ok(())
    }

    /// No invariant spans two statements under this lock, so one left by a panic is sound.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a value in memory with `remember`, which says whether the value is new. Changes the
    /// session with `write` if the value is new or its last write failed. Memory and session have
    /// changed when the call returns. The future waits until the change is durable.
    fn change(
        &self,
        value: Value,
        remember: impl FnOnce(&mut Known) -> bool,
        write: impl FnOnce(&mut tgsession::SessionBatch<'_>) -> Result<()>,
    ) -> BoxFuture<'_, Result<()>> {
        let mut known = self.known();
        let is_new = remember(&mut known);
        if !is_new && !known.unsaved.contains(&value) {
            return Box::pin(std::future::ready(Ok(())));
        }
        // Under the lock, so that memory and session see changes in one order.
        let written = self.session.update_later(write);
        if written.is_ok() {
            known.unsaved.remove(&value);
        } else {
            known.unsaved.insert(value);
        }
        drop(known);
        let known = Arc::clone(&self.known);
        Box::pin(async move { durable(written, value, &known).await })
    }

    pub(crate) fn logged_in(&self) -> (i32, Vec<DcOption>, Option<SelfUser>) {
        let known = self.known();
        (known.home_dc, known.dcs.values().cloned().collect(), known.self_user)
    }

    /// The account's own user, whose record may lack what the login says.
    pub(crate) fn own(&self, user: SelfUser) -> Result<PeerInfo> {
        let id = crate::peers::user(user.id)?;
        let entity = self.session.entity(id)?.unwrap_or_else(|| Entity::new(id));
        let mut info = info_of(&entity, Some(user.id));
        if let PeerInfo::User { bot, .. } = &mut info {
            *bot = bot.or(user.bot);
        }
        Ok(info)
    }

    fn look_up(&self, peer: PeerId) -> Result<Option<PeerInfo>> {
        let user = self.known().self_user;
        let Some(id) = peer.bot_api_dialog_id() else {
            return user.map(|user| self.own(user)).transpose();
        };
        match user.filter(|user| user.id == id) {
            Some(user) => self.own(user).map(Some),
            None => {
                let id = tgsession::PeerId::from_marked(id);
                let entity = id.map(|id| self.session.entity(id)).transpose()?.flatten();
                Ok(entity.map(|entity| info_of(&entity, user.map(|user| user.id))))
            }
        }
    }

    fn reference(&self, peer: PeerId) -> Result<Option<PeerRef>> {
        let Some(info) = self.look_up(peer)? else { return Ok(None) };
        let is_self = matches!(info, PeerInfo::User { is_self: Some(true), .. });
        // The account needs no hash to name itself.
        let auth = info.auth().or(is_self.then(PeerAuth::default));
        Ok(auth.map(|auth| PeerRef { id: peer, auth }))
    }

    /// Stores peers. The account's own user is part of the login, which is durable when the future
    /// is done.
    fn take_in(&self, peers: &[PeerInfo]) -> BoxFuture<'_, Result<()>> {
        let entities: Result<Vec<Entity>> = peers.iter().map(entity_of).collect();
        let stored = entities.and_then(|entities| self.session.merge_entities(&entities));
        if let Err(error) = stored {
            return Box::pin(std::future::ready(Err(error)));
        }
        let own = peers.iter().rev().find_map(|peer| match *peer {
            PeerInfo::User { id, bot, is_self: Some(true), .. } => Some((id, bot)),
            _ => None,
        });
        match own {
            Some((id, bot)) => self.log_in(id, bot),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }

    fn log_in(&self, id: i64, bot: Option<bool>) -> BoxFuture<'_, Result<()>> {
        let user = move |old: Option<SelfUser>| {
            let old = old.filter(|old| old.id == id).and_then(|old| old.bot);
            Some(SelfUser { id, bot: bot.or(old) })
        };
        let remember = move |known: &mut Known| {
            let new = user(known.self_user);
            std::mem::replace(&mut known.self_user, new) != new
        };
        self.change(Value::SelfUser, remember, move |batch| {
            let mut login = batch.login()?;
            login.user = user(login.user);
            batch.set_login(&login)
        })
    }

    pub(crate) fn updates(&self) -> Result<UpdatesState> {
        let state = self.session.update_state()?.unwrap_or_default();
        let channels = self.session.channel_states()?;
        let channel = |state: &ChannelState| grammers_session::types::ChannelState {
            id: state.id.bare(),
            pts: state.pts,
        };
        Ok(UpdatesState {
            pts: state.pts,
            qts: state.qts,
            date: i32::try_from(state.date).unwrap_or(i32::MAX),
            seq: state.seq,
            // Marked ids ascend as bare ids descend.
            channels: channels.iter().rev().map(channel).collect(),
        })
    }

    fn move_on(&self, update: UpdateState) -> Result<()> {
        match update {
            UpdateState::All(all) => self.session.update(|batch| put_updates(batch, &all)),
            UpdateState::Primary { pts, date, seq } => {
                self.session.change_update_state(UpdateChange {
                    pts: Some(pts),
                    qts: None,
                    date: Some(date.into()),
                    seq: Some(seq),
                })
            }
            UpdateState::Secondary { qts } => self
                .session
                .change_update_state(UpdateChange { qts: Some(qts), ..UpdateChange::default() }),
            UpdateState::Channel { id, pts } => {
                self.session.set_channel_states(&[ChannelState { id: channel(id)?, pts }])
            }
        }
    }
}

pub(crate) fn put_updates(
    batch: &mut tgsession::SessionBatch<'_>,
    all: &UpdatesState,
) -> Result<()> {
    let state =
        tgsession::UpdateState { pts: all.pts, qts: all.qts, date: all.date.into(), seq: all.seq };
    batch.set_update_state(Some(state))?;
    let channels = all.channels.iter();
    let channels: Result<Vec<_>> =
        channels.map(|state| Ok(ChannelState { id: channel(state.id)?, pts: state.pts })).collect();
    batch.replace_channel_states(&channels?)
}

/// Waits until a change of a value is durable. If that fails, the value is marked as unsaved.
async fn durable(written: Result<((), Ticket)>, value: Value, known: &Mutex<Known>) -> Result<()> {
    let ((), ticket) = written?;
    let outcome = ticket.await;
    if outcome.is_err() {
        known.lock().unwrap_or_else(PoisonError::into_inner).unsaved.insert(value);
    }
    outcome
}

impl<S: Session + 'static> grammers_session::Session for GrammersSession<S> {
    type Error = Error;

    fn home_dc_id(&self) -> Result<i32> {
        Ok(self.known().home_dc)
    }

    fn set_home_dc_id(&self, dc_id: i32) -> BoxFuture<'_, Result<()>> {
        let remember =
            move |known: &mut Known| std::mem::replace(&mut known.home_dc, dc_id) != dc_id;
        self.change(Value::HomeDc, remember, move |batch| batch.set_home_dc(DcId(dc_id)))
    }

    fn dc_option(&self, dc_id: i32) -> Result<Option<DcOption>> {
        Ok(self.known().dcs.get(&dc_id).cloned())
    }

    fn set_dc_option(&self, dc_option: &DcOption) -> BoxFuture<'_, Result<()>> {
        let dc = stored_dc(dc_option);
        let remember = |known: &mut Known| {
            let old = known.dcs.insert(dc_option.id, dc_option.clone());
            old.as_ref() != Some(dc_option)
        };
        self.change(Value::Dc(dc_option.id), remember, move |batch| batch.set_dc(&dc))
    }

    fn peer(&self, peer: PeerId) -> BoxFuture<'_, Result<Option<PeerInfo>>> {
        Box::pin(async move { self.look_up(peer) })
    }

    fn peer_ref(&self, peer: PeerId) -> BoxFuture<'_, Result<Option<PeerRef>>> {
        Box::pin(async move { self.reference(peer) })
    }

    fn cache_peer(&self, peer: PeerInfo) -> BoxFuture<'_, Result<()>> {
        self.take_in(&[peer])
    }

    fn cache_peers(&self, peers: Vec<PeerInfo>) -> BoxFuture<'_, Result<()>> {
        self.take_in(&peers)
    }

    fn updates_state(&self) -> BoxFuture<'_, Result<UpdatesState>> {
        Box::pin(async move { self.updates() })
    }

    fn set_update_state(&self, update: UpdateState) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(self.move_on(update)))
    }
}
