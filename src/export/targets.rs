//! Which form is written by what.

use zeroize::Zeroizing;

use super::Form;
use super::small::{Json, Portable, StringTarget, Tl};
use crate::error::{Error, Result};
use crate::format::{
    Target, alchemy, gogram, gotd, gotgproto, grammers, mtcute, pyrogram, tdlib, telethon,
    telethon2, wtelegram,
};
use crate::string;

/// What writes a form.
pub(super) fn of(form: Form, passphrase: Option<&Zeroizing<Vec<u8>>>) -> Result<Box<dyn Target>> {
    let string = |place, encode| StringTarget { form, place, encode };
    Ok(match form {
        Form::Telethon => Box::new(telethon::TELETHON),
        Form::TelethonV7 => Box::new(telethon::TELETHON_V7),
        Form::Telethon2 => Box::new(telethon2::Telethon2File),
        Form::TelethonString => {
            Box::new(string(&StringTarget::WITH_ADDRESS, string::telethon::encode))
        }
        Form::Pyrogram => Box::new(pyrogram::PYROGRAM),
        Form::Kurigram => Box::new(pyrogram::KURIGRAM),
        Form::Pyrofork => Box::new(pyrogram::PYROFORK),
        Form::Hydrogram => Box::new(pyrogram::HYDROGRAM),
        Form::PyrogramString => Box::new(string(&StringTarget::PYROGRAM, string::pyrogram::encode)),
        Form::Grammers => Box::new(grammers::Grammers),
        Form::GrammersTl => Box::new(Tl),
        Form::GramjsString => Box::new(string(&StringTarget::WITH_ADDRESS, string::gramjs::encode)),
        Form::Mtcute => Box::new(mtcute::Mtcute),
        Form::MtcuteString => Box::new(string(&StringTarget::MTCUTE, string::mtcute::encode)),
        Form::MtkrutoString => Box::new(string(&StringTarget::MTKRUTO, string::mtkruto::encode)),
        Form::Gotd => Box::new(gotd::GotdFile),
        Form::GotgprotoString => Box::new(gotgproto::GotgprotoString),
        Form::GogramString => Box::new(gogram::GogramString),
        Form::Wtelegram => {
            let key = passphrase.map(|key| key.as_slice());
            Box::new(wtelegram::WTelegramFile::new(key)?)
        }
        Form::Tdlib => Box::new(tdlib::TdlibFile),
        Form::Sqlalchemy => Box::new(alchemy::AlchemyFile),
        Form::Portable => Box::new(Portable { passphrase: passphrase.cloned(), text: false }),
        Form::PortableString => Box::new(Portable { passphrase: passphrase.cloned(), text: true }),
        Form::Json => Box::new(Json),
        Form::GramjsStore | Form::Tdata => {
            let why = "it is a folder of files".to_owned();
            return Err(Error::Unfit { form: form.name(), why });
        }
    })
}
