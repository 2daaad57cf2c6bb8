//! `get`: one entity, found as a client finds it.

use std::io::Write;

use tgsession::dump::write_entity;
use tgsession::{Entity, Lookup, Source};

use crate::args::{By, Get, Origin};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::query::Query;
use crate::source::{self, Reading};

pub(crate) fn run(args: Get) -> Outcome {
    let (origin, query) = arguments(&args)?;
    let wanted = Wanted::of(args.by, query)?;
    let source = source::open(&origin, Reading::salvage(args.damage.salvage))?;
    let session = source::pick_session(&source, args.session.as_deref())?;
    let Some(entity) = wanted.find(&source, &session)? else {
        let path = source.path().display();
        let what = wanted.in_words();
        return Err(Failure::Refused(format!("{path}: session {session:?} has no {what}")));
    };
    let mut out = output::results();
    write_entity(&mut out, &entity, args.secrets.into())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// With `--string-env` there is no SRC, and the first argument is the query.
fn arguments(args: &Get) -> Outcome<(Origin, Option<String>)> {
    let Get { source, query, string_env, passphrase_file, dc, key, .. } = args;
    let (source, query) = match (string_env, query, source) {
        (Some(_), None, Some(first)) => (None, Some(first.to_string_lossy().into_owned())),
        (Some(_), Some(_), _) => {
            let text = "SRC and --string-env cannot both be given";
            return Err(Failure::Usage(text.to_owned()));
        }
        (_, query, source) => (source.clone(), query.clone()),
    };
    let (string_env, passphrase_file) = (string_env.clone(), passphrase_file.clone());
    let (dc, key) = (*dc, key.clone());
    Ok((Origin { source, string_env, passphrase_file, dc, key }, query))
}

/// The query.
enum Wanted {
    /// By one option.
    Exactly(Lookup),
    /// By a word that may mean several things.
    Query(Query),
}

impl Wanted {
    fn of(by: By, query: Option<String>) -> Outcome<Self> {
        Ok(match (by, query) {
            (By { id: None, username: None, phone: None, name: None }, Some(query)) => {
                Self::Query(Query::new(&query))
            }
            (By { id: Some(id), .. }, None) => Self::Exactly(Lookup::Id(id)),
            (By { username: Some(name), .. }, None) => Self::Exactly(Lookup::Username(name)),
            (By { phone: Some(phone), .. }, None) => Self::Exactly(Lookup::Phone(phone)),
            (By { name: Some(name), .. }, None) => Self::Exactly(Lookup::Name(name)),
            (_, None) => {
                let text = "give a QUERY, or one of --id, --username, --phone, --name";
                return Err(Failure::Usage(text.to_owned()));
            }
            (_, Some(_)) => {
                let text = "QUERY cannot be given with --id, --username, --phone or --name";
                return Err(Failure::Usage(text.to_owned()));
            }
        })
    }

    fn find(&self, source: &Source, session: &str) -> Outcome<Option<Entity>> {
        let lookups = match self {
            Self::Exactly(lookup) => vec![lookup.clone()],
            Self::Query(Query::Me) => vec![Lookup::Id(own_id(source, session)?)],
            Self::Query(query) => query.lookups(),
        };
        for lookup in &lookups {
            if let Some(entity) = source.entity(session, lookup)? {
                return Ok(Some(entity));
            }
        }
        Ok(None)
    }

    /// A phone is not repeated: this line may end in a log.
    fn in_words(&self) -> String {
        match self {
            Self::Exactly(Lookup::Id(id)) => format!("entity with id {id}"),
            Self::Exactly(Lookup::Username(name)) => format!("entity with username {name:?}"),
            Self::Exactly(Lookup::Name(name)) => format!("entity named {name:?}"),
            Self::Exactly(_) => "entity with that phone number".to_owned(),
            Self::Query(query) => query.in_words(),
        }
    }
}

fn own_id(source: &Source, session: &str) -> Outcome<i64> {
    let user = source.session(session)?.account().login.user;
    user.map(|user| user.id).ok_or_else(|| {
        let path = source.path().display();
        Failure::Refused(format!("{path}: session {session:?} does not say which user it is of"))
    })
}
