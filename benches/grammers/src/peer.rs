//! `SqliteSession` through grammers' public trait. Each call that writes is a transaction with
//! SQLite's defaults, synced; of an entity it keeps the id, the access hash and a kind.

use std::path::Path;
use std::sync::Arc;

use grammers_session::Session;
use grammers_session::storages::SqliteSession;
use grammers_session::types::{PeerAuth, PeerId, PeerInfo, UpdateState, UpdatesState};
use tgsession::{AccessHash, AuthKey, Entity, PeerKind};
use tgsession_benches::grammers::{NAME, TITLE};
use tgsession_benches::peers::{Kind, Peer};
use tokio::runtime::{Builder, Runtime};

pub const KIND: Kind = Kind {
    name: NAME,
    title: TITLE,
    create,
    open: |folder| Box::new(Grammers::open(folder)),
    volatile: false,
};

const DC: i32 = 2;

struct Grammers {
    session: Arc<SqliteSession>,
    /// Of one thread, as the handle is.
    runtime: Runtime,
}

fn create(folder: &Path, key: &AuthKey) -> Box<dyn Peer> {
    let made = Grammers::open(folder);
    let mut dc = made.session.dc_option(DC).unwrap().unwrap();
    dc.auth_key = Some(*key.as_bytes());
    made.wait(made.session.set_dc_option(&dc)).unwrap();
    made.wait(made.session.set_home_dc_id(DC)).unwrap();
    Box::new(made)
}

impl Grammers {
    fn open(folder: &Path) -> Self {
        let runtime = runtime();
        let session = runtime.block_on(SqliteSession::open(folder.join("grammers.session")));
        Self { session: Arc::new(session.unwrap()), runtime }
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

impl Peer for Grammers {
    fn auth_key(&self) -> AuthKey {
        AuthKey::new(&self.session.dc_option(DC).unwrap().unwrap().auth_key.unwrap())
    }

    fn by_id(&self, id: tgsession::PeerId) -> Option<Entity> {
        let info = self.wait(self.session.peer(peer(id))).unwrap()?;
        let mut entity = Entity::new(id);
        // A group has none, which the world calls 0.
        entity.access_hash = Some(AccessHash(info.auth().unwrap_or_default().hash()));
        Some(entity)
    }

    fn by_username(&self, _: &str) -> Option<Entity> {
        None
    }

    fn by_phone(&self, _: &str) -> Option<Entity> {
        None
    }

    fn state(&self) -> tgsession::UpdateState {
        let UpdatesState { pts, qts, date, seq, .. } =
            self.wait(self.session.updates_state()).unwrap();
        tgsession::UpdateState { pts, qts, date: date.into(), seq }
    }

    fn see(&self, seen: &[Entity]) {
        self.wait(self.session.cache_peers(seen.iter().map(info).collect())).unwrap();
    }

    fn set_state(&self, state: tgsession::UpdateState) {
        let tgsession::UpdateState { pts, qts, date, seq } = state;
        let date = i32::try_from(date).unwrap();
        let all = UpdatesState { pts, qts, date, seq, channels: Vec::new() };
        self.wait(self.session.set_update_state(UpdateState::All(all))).unwrap();
    }

    fn note_state(&self, _: tgsession::UpdateState) -> bool {
        false
    }

    fn load(&mut self, entities: Vec<Entity>) {
        self.see(&entities);
    }

    fn another(&self) -> Box<dyn Peer> {
        Box::new(Self { session: Arc::clone(&self.session), runtime: runtime() })
    }

    fn keeps_hashes_only(&self) -> bool {
        true
    }
}

fn peer(id: tgsession::PeerId) -> PeerId {
    PeerId::from_bot_api_dialog_id(id.marked()).unwrap()
}

fn info(entity: &Entity) -> PeerInfo {
    let auth = entity.access_hash.map(|hash| PeerAuth::from_hash(hash.0));
    let id = peer(entity.id).bare_id().unwrap();
    match entity.id.kind() {
        PeerKind::User => PeerInfo::User { id, auth, bot: None, is_self: None },
        PeerKind::Group => PeerInfo::Chat { id },
        PeerKind::Channel => PeerInfo::Channel { id, auth, kind: None },
    }
}
