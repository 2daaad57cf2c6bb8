//! `get`: one entity, found as a client finds it.

use std::io::Write;

use tgsession::Lookup;
use tgsession::dump::write_entity;

use crate::args::{By, Get};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::source::{self, Reading};

pub(crate) fn run(args: Get) -> Outcome {
    let source = source::open(&args.origin, Reading::salvage(args.damage.salvage))?;
    let session = source::pick_session(&source, args.session.as_deref())?;
    let what = describe(&args.by);
    let Some(entity) = source.entity(&session, &lookup(args.by)?)? else {
        let path = source.path().display();
        return Err(Failure::Refused(format!("{path}: session {session:?} has no {what}")));
    };
    let mut out = output::results();
    write_entity(&mut out, &entity, args.secrets.into())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// What was looked for. A phone is not repeated: this line may end in a log.
fn describe(by: &By) -> String {
    match by {
        By { id: Some(id), .. } => format!("entity with id {id}"),
        By { username: Some(name), .. } => format!("entity with username {name:?}"),
        By { name: Some(name), .. } => format!("entity named {name:?}"),
        _ => "entity with that phone number".to_owned(),
    }
}

fn lookup(by: By) -> Outcome<Lookup> {
    match by {
        By { id: Some(id), .. } => Ok(Lookup::Id(id)),
        By { username: Some(name), .. } => Ok(Lookup::Username(name)),
        By { phone: Some(phone), .. } => Ok(Lookup::Phone(phone)),
        By { name: Some(name), .. } => Ok(Lookup::Name(name)),
        _ => Err(Failure::Usage("give one of --id, --username, --phone and --name".to_owned())),
    }
}
