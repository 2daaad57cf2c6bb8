//! `list`: the names of a store's sessions.

use std::io::Write;

use serde_json::{Value, json};
use tgsession::{Progress, Session, Store};

use crate::args::List;
use crate::failure::Outcome;
use crate::{output, source};

pub(crate) fn run(args: &List) -> Outcome {
    let store = source::open_store_to_read(&args.store, &args.key, &Progress::default())?;
    let mut out = output::results();
    if args.json {
        let sessions: Vec<_> =
            store.list()?.iter().map(|name| session(&store, name)).collect::<Outcome<_>>()?;
        let list = json!({
            "format": "tgsession-list/1",
            "store": store.path().to_string_lossy(),
            "sessions": sessions,
        });
        writeln!(out, "{list:#}")?;
        return Ok(out.flush()?);
    }
    for name in store.list()? {
        writeln!(out, "{name}")?;
    }
    Ok(out.flush()?)
}

fn session(store: &Store, name: &str) -> Outcome<Value> {
    let session = store.open_session(name)?;
    let (login, dcs) = (session.login()?, session.dcs()?);
    let home = dcs.iter().find(|dc| Some(dc.id) == login.home_dc);
    Ok(json!({
        "name": name,
        "home_dc": login.home_dc.map(|dc| dc.0),
        "logged_in": home.is_some_and(|dc| dc.auth_key.is_some()),
        "user_id": login.user.map(|user| user.id),
        "bot": login.user.and_then(|user| user.bot),
    }))
}
