//! `anon.json` beside `anon.session`: what it says of the account, where the session does not.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tgsession::{Account, Entity, PeerId, SelfUser};

/// The user id, phone and app id of a JSON file beside a session file. Nothing else of it is used.
#[derive(Default)]
pub(super) struct Companion {
    path: PathBuf,
    user_id: Option<i64>,
    app_id: Option<i32>,
    phone: Option<String>,
}

/// Such files have a few hundred bytes.
const LONGEST: u64 = 1 << 20;

/// The JSON file that belongs to a session file.
pub(super) fn path_beside(session: &Path) -> Option<PathBuf> {
    let fits = session.extension().is_some_and(|extension| extension == "session");
    Some(session.with_extension("json")).filter(|path| fits && path.is_file())
}

impl Companion {
    /// `None` where there is no such file, or nothing of use in it.
    pub(super) fn of(session: &Path) -> Option<Self> {
        let path = path_beside(session)?;
        if fs::metadata(&path).ok()?.len() > LONGEST {
            return None;
        }
        let json: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let number = |key: &str| -> Option<i64> {
            let value = json.get(key)?;
            value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
        };
        let user_id = number("id").or_else(|| number("user_id"));
        let user_id = user_id.filter(|id| PeerId::user(*id).is_some());
        let app_id = number("app_id").and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 0);
        let phone = json.get("phone").and_then(phone);
        let any = user_id.is_some() || app_id.is_some() || phone.is_some();
        any.then_some(Self { path, user_id, app_id, phone })
    }

    /// Fills in what the account lacks, and says in words what that was.
    pub(super) fn fill(&mut self, account: &mut Account) -> Vec<String> {
        let path = self.path.display().to_string();
        let login = &mut account.login;
        if let (Some(user), Some(id)) = (login.user, self.user_id)
            && user.id != id
        {
            self.phone = None;
            return vec![format!("{path} is of another user and was not used")];
        }
        let mut filled = Vec::new();
        if let (None, Some(id)) = (login.user, self.user_id) {
            login.user = Some(SelfUser { id, bot: None });
            filled.push("user id");
        }
        if let (None, Some(id)) = (login.api_id, self.app_id) {
            login.api_id = Some(id);
            filled.push("api id");
        }
        if login.user.is_none() {
            self.phone = None;
        }
        let said = |what: &str| format!("{what} taken from {path}");
        if filled.is_empty() { Vec::new() } else { vec![said(&filled.join(" and "))] }
    }

    /// The entities, in the order of their ids, with the phone on the account's own user where it
    /// has none.
    pub(super) fn with_phone<'a>(
        &mut self,
        account: &Account,
        entities: impl Iterator<Item = tgsession::Result<Entity>> + 'a,
    ) -> Box<dyn Iterator<Item = tgsession::Result<Entity>> + 'a> {
        let own = account.login.user.and_then(|user| PeerId::user(user.id));
        let (Some(own), Some(phone)) = (own, self.phone.take()) else { return Box::new(entities) };
        let mut phone = Some(phone);
        let mut entities = entities.peekable();
        Box::new(std::iter::from_fn(move || {
            let next = entities.peek();
            let behind = match next {
                Some(Ok(entity)) => entity.id > own,
                Some(Err(_)) => false,
                None => true,
            };
            if behind && let Some(phone) = phone.take() {
                let mut user = Entity::new(own);
                user.phone = Some(phone);
                return Some(Ok(user));
            }
            let mut next = entities.next()?;
            if let Ok(entity) = &mut next
                && entity.id == own
            {
                let phone = phone.take();
                entity.phone = entity.phone.take().or(phone);
            }
            Some(next)
        }))
    }
}

/// Digits, as text or as a number, with or without `+`.
fn phone(value: &Value) -> Option<String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digits: String =
        text.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')')).collect();
    let fits = (5..=15).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit());
    fits.then_some(digits)
}
