//! The forms that are written in one piece: strings, our own portable form, dumps.

use std::fmt::Display;
use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use super::Form;
use crate::dump::{Secrets, Writer};
use crate::error::{Error, Result};
use crate::format::{
    Address, EntityPlace, Losses, Need, OtherDcs, Outgoing, Output, Place, Target, grammers_tl,
};
use crate::types::{Account, EntityKind};
use crate::{portable, string};

/// A session string.
pub(super) struct StringTarget {
    pub(super) form: Form,
    pub(super) place: &'static Place,
    pub(super) encode: fn(&Account) -> Result<Zeroizing<String>, string::Unfit>,
}

impl StringTarget {
    /// Key and address of the home DC: Telethon and GramJS.
    pub(super) const WITH_ADDRESS: Place = Place { address: Address::One, ..Place::LEAST };

    pub(super) const PYROGRAM: Place = Place {
        test_mode: Need::Needed,
        api_id: Need::Needed,
        user: Need::Needed,
        bot: Need::Needed,
        ..Place::LEAST
    };

    pub(super) const MTCUTE: Place = Place {
        address: Address::One,
        test_mode: Need::Needed,
        user: Need::Kept,
        bot: Need::Needed,
        ..Place::LEAST
    };

    /// As Pyrogram's: both leave the addresses to the client.
    pub(super) const MTKRUTO: Place = Self::PYROGRAM;
}

impl Target for StringTarget {
    fn name(&self) -> &'static str {
        self.form.name()
    }

    fn place(&self) -> &'static Place {
        self.place
    }

    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        _: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()> {
        for session in sessions {
            let text = (self.encode)(&session.account).map_err(|why| unfit(self.form, &why))?;
            line(out, &text)?;
        }
        Ok(())
    }
}

/// The binary session file of grammers up to 0.7.
pub(super) struct Tl;

impl Target for Tl {
    fn name(&self) -> &'static str {
        Form::GrammersTl.name()
    }

    fn place(&self) -> &'static Place {
        const PLACE: Place = Place {
            other_dcs: OtherDcs::WithKeyOrAddress,
            address: Address::One,
            user: Need::Kept,
            bot: Need::Needed,
            update_state: true,
            channel_states: true,
            ..Place::LEAST
        };
        &PLACE
    }

    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        _: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()> {
        for session in sessions {
            let bytes = grammers_tl::encode(&session.account);
            put(out, &bytes.map_err(|why| unfit(Form::GrammersTl, &why))?)?;
        }
        Ok(())
    }
}

/// What forms of ours have a place for: everything.
const ALL: Place = Place {
    many: false,
    home: Need::Kept,
    other_dcs: OtherDcs::All,
    address: Address::Both,
    test_mode: Need::Kept,
    api_id: Need::Kept,
    user: Need::Kept,
    bot: Need::Kept,
    auth_key: Need::Kept,
    takeout_id: true,
    update_state: true,
    channel_states: true,
    sent_files: true,
    entities: Some(ENTITIES),
};

const ENTITIES: EntityPlace = EntityPlace {
    holds: |_| true,
    kinds: &EntityKind::ALL,
    min: true,
    no_hash: true,
    usernames: usize::MAX,
    phone: true,
    name: true,
    date: true,
};

/// Our own sealed form.
pub(super) struct Portable {
    pub(super) passphrase: Option<Zeroizing<Vec<u8>>>,
    /// As base64url text, not as bytes.
    pub(super) text: bool,
}

impl Target for Portable {
    fn name(&self) -> &'static str {
        if self.text { Form::PortableString.name() } else { Form::Portable.name() }
    }

    fn place(&self) -> &'static Place {
        &ALL
    }

    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        lost: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()> {
        for session in sessions {
            let mut entities = Vec::new();
            while let Some(entity) = session.entity(&ENTITIES, lost) {
                entities.push(entity?);
            }
            let passphrase = self.passphrase.as_ref().map(|passphrase| passphrase.as_slice());
            let (name, account) = (Some(session.name.as_str()), &session.account);
            let bytes = portable::encode(name, account, &entities, passphrase)
                .map_err(|why| Error::Unfit { form: self.name(), why: why.to_string() })?;
            if self.text {
                line(out, &portable::to_text(&bytes))?;
            } else {
                put(out, &bytes)?;
            }
        }
        Ok(())
    }
}

/// A dump with secrets.
pub(super) struct Json;

impl Target for Json {
    fn name(&self) -> &'static str {
        Form::Json.name()
    }

    fn place(&self) -> &'static Place {
        const PLACE: Place = Place { many: true, ..ALL };
        &PLACE
    }

    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        lost: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()> {
        let mut dump = Writer::new(out, "tgsession export", Secrets::Shown);
        for session in sessions {
            dump.begin(&session.name, &session.account).map_err(failed)?;
            while let Some(entity) = session.entity(&ENTITIES, lost) {
                dump.entity(&entity?).map_err(failed)?;
            }
            dump.finish(&session.account).map_err(failed)?;
        }
        dump.end(&[]).map(drop).map_err(failed)
    }
}

fn line(out: &mut dyn Output, text: &str) -> Result<()> {
    put(out, text.as_bytes())?;
    put(out, b"\n")
}

fn put(out: &mut dyn Output, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).map_err(failed)
}

/// The path is put in by who knows it.
fn failed(source: io::Error) -> Error {
    Error::io("write", Path::new(""), source)
}

fn unfit(form: Form, why: &dyn Display) -> Error {
    Error::Unfit { form: form.name(), why: why.to_string() }
}
