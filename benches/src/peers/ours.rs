//! `tgsession` itself, through the public trait.

use std::path::Path;

use tgsession::{
    Account, AuthKey, DcId, DcOption, Endpoint, Entity, ImportSession, PeerId, Session, Store,
    StoreSession, UpdateState,
};

use super::{Kind, Peer};

pub(super) const KIND: Kind =
    Kind { name: "ours", title: "**tgsession**", create, open, volatile: false };

const NAME: &str = "anon";

struct Ours {
    store: Store,
    session: StoreSession,
}

fn create(folder: &Path, key: &AuthKey) -> Box<dyn Peer> {
    let store = Store::create(folder.join("all.tgsession")).unwrap();
    let session = store.session(NAME).unwrap();
    session.set_dc(&dc(key)).unwrap();
    session.set_home_dc(DcId(2)).unwrap();
    Box::new(Ours { store, session })
}

fn open(folder: &Path) -> Box<dyn Peer> {
    let store = Store::open(folder.join("all.tgsession")).unwrap();
    let session = store.open_session(NAME).unwrap();
    Box::new(Ours { store, session })
}

fn dc(key: &AuthKey) -> DcOption {
    DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.51", 443)).with_key(key.clone())
}

impl Peer for Ours {
    fn auth_key(&self) -> AuthKey {
        self.session.auth_key().unwrap().unwrap()
    }

    fn by_id(&self, id: PeerId) -> Option<Entity> {
        self.session.entity(id).unwrap()
    }

    fn by_username(&self, username: &str) -> Option<Entity> {
        self.session.entity_by_username(username).unwrap()
    }

    fn by_phone(&self, phone: &str) -> Option<Entity> {
        self.session.entity_by_phone(phone).unwrap()
    }

    fn state(&self) -> UpdateState {
        self.session.update_state().unwrap().unwrap()
    }

    fn see(&self, seen: &[Entity]) {
        self.session.process_entities(seen).unwrap();
        self.session.flush().unwrap();
    }

    fn set_state(&self, state: UpdateState) {
        self.session.set_update_state(Some(state)).unwrap();
        self.session.flush().unwrap();
    }

    /// Without a `flush`, the call promises no more than its documentation does.
    fn note_state(&self, state: UpdateState) -> bool {
        self.session.set_update_state(Some(state)).unwrap();
        true
    }

    fn load(&mut self, entities: Vec<Entity>) {
        let mut account = Account::default();
        account.login = self.session.login().unwrap();
        account.dcs = self.session.dcs().unwrap();
        let entities = entities.into_iter().map(Ok);
        self.store.replace(NAME, ImportSession::new(&account, entities)).unwrap();
        self.session = self.store.open_session(NAME).unwrap();
        self.session.flush().unwrap();
    }

    fn another(&self) -> Box<dyn Peer> {
        Box::new(Self { store: self.store.clone(), session: self.session.clone() })
    }
}
