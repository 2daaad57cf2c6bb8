//! The rows of a dump: one JSON object a line, keys in the order that the format fixes.
//!
//! Written by hand, value by value: a dump may have a million rows, and none is kept.

use std::io::{self, Write};

use super::Secrets;
use crate::types::{
    ChannelState, DcOption, Endpoint, Entity, Extra, SelfUser, SentFile, UpdateState,
};

/// A value that can be written as JSON.
pub(super) trait Json {
    fn write(&self, out: &mut dyn Write) -> io::Result<()>;
}

impl Json for str {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }
}

impl Json for String {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.as_str().write(out)
    }
}

/// What `Display` writes as JSON has it.
macro_rules! plain {
    ($($plain:ty),*) => {$(
        impl Json for $plain {
            fn write(&self, out: &mut dyn Write) -> io::Result<()> {
                write!(out, "{self}")
            }
        }
    )*};
}

plain!(bool, u16, i32, i64);

impl<T: Json + ?Sized> Json for &T {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        (**self).write(out)
    }
}

impl<T: Json> Json for Option<T> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Some(value) => value.write(out),
            None => out.write_all(b"null"),
        }
    }
}

impl Json for [String] {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"[")?;
        for (at, text) in self.iter().enumerate() {
            if at > 0 {
                out.write_all(b", ")?;
            }
            text.write(out)?;
        }
        out.write_all(b"]")
    }
}

impl Json for Endpoint {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        Object::new(out)?.field("host", &self.host)?.field("port", &self.port)?.end()
    }
}

impl Json for SelfUser {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        Object::new(out)?.field("id", &self.id)?.field("bot", &self.bot)?.end()
    }
}

impl Json for UpdateState {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        Object::new(out)?
            .field("pts", &self.pts)?
            .field("qts", &self.qts)?
            .field("date", &self.date)?
            .field("seq", &self.seq)?
            .end()
    }
}

impl Json for ChannelState {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        Object::new(out)?.field("id", &self.id.marked())?.field("pts", &self.pts)?.end()
    }
}

impl Json for SentFile {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        Object::new(out)?
            .field("md5", &self.key.md5.to_string())?
            .field("size", &self.key.size)?
            .field("kind", self.key.kind.name())?
            .field("id", &self.id)?
            .field("access_hash", &self.access_hash.0)?
            .end()
    }
}

impl Json for Guarded<'_, Extra> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self(extra, secrets) = self;
        let object = Object::new(out)?.field("name", extra.name())?;
        match secrets.shown() {
            true => object.field("value", extra.to_hex().as_str())?.end(),
            false => object.field("bytes", &(extra.value().len() as i64))?.end(),
        }
    }
}

/// A row that has something to hide.
pub(super) struct Guarded<'a, T>(pub(super) &'a T, pub(super) Secrets);

/// A DC, and whether its auth key may be wrong.
pub(super) struct Dc<'a> {
    pub(super) dc: &'a DcOption,
    pub(super) secrets: Secrets,
    pub(super) unproven: bool,
}

impl Json for Dc<'_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { dc, secrets, unproven } = self;
        let key = dc.auth_key.as_ref();
        let mut row = Object::new(out)?
            .field("id", &dc.id.0)?
            .field("ipv4", &dc.ipv4)?
            .field("ipv6", &dc.ipv6)?;
        if secrets.shown() {
            row = row.field("auth_key", &key.map(|key| key.to_hex()))?;
        }
        row = row.field("auth_key_id", &key.map(|key| key.id()))?;
        if *unproven { row.field("auth_key_unproven", &true)?.end() } else { row.end() }
    }
}

impl Json for Guarded<'_, Entity> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self(entity, secrets) = self;
        let phone = entity.phone.as_deref();
        let row = Object::new(out)?
            .field("id", &entity.id.marked())?
            .field("kind", &entity.kind.map(|kind| kind.name()))?
            .field("access_hash", &entity.access_hash.map(|hash| hash.0))?
            .field("usernames", entity.usernames.as_slice())?;
        let row = match secrets {
            Secrets::Shown => row.field("phone", &phone)?,
            Secrets::Hidden => row.field("phone", &phone.map(masked_phone))?,
        };
        let row = row.field("name", &entity.name)?.field("date", &entity.date)?;
        if entity.min { row.field("min", &true)?.end() } else { row.end() }
    }
}

/// An object on one line, written field by field.
struct Object<'w> {
    out: &'w mut dyn Write,
    empty: bool,
}

impl<'w> Object<'w> {
    fn new(out: &'w mut dyn Write) -> io::Result<Self> {
        out.write_all(b"{")?;
        Ok(Self { out, empty: true })
    }

    /// `key` is one of ours and needs no escaping.
    fn field<T: Json + ?Sized>(mut self, key: &str, value: &T) -> io::Result<Self> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.write_all(b", ")?;
        }
        write!(self.out, "\"{key}\": ")?;
        value.write(self.out)?;
        Ok(self)
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(b"}")
    }
}

/// The phone with every digit but the last two hidden.
fn masked_phone(phone: &str) -> String {
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let mut left = digits;
    let mask = |c: char| {
        if !c.is_ascii_digit() {
            return c;
        }
        left -= 1;
        if left < 2 { c } else { '*' }
    };
    phone.chars().map(mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{AccessHash, AuthKey, DcId, EntityKind, PeerId};

    #[test]
    fn the_last_two_digits_of_a_phone_stay() {
        let cases = [("15550001111", "*********11"), ("42", "42"), ("7", "7"), ("", "")];
        for (phone, masked) in cases {
            assert_eq!(masked_phone(phone), masked);
        }
        assert_eq!(masked_phone("+1 555"), "+* *55");
    }

    fn text(value: &impl Json) -> io::Result<String> {
        let mut bytes = Vec::new();
        value.write(&mut bytes)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }

    #[test]
    fn an_entity_is_written_as_the_format_shows_it() -> io::Result<()> {
        let Some(id) = PeerId::from_marked(-1_001_234_567_890) else { return Ok(()) };
        let mut entity = Entity::new(id);
        entity.kind = Some(EntityKind::Channel);
        entity.access_hash = Some(AccessHash(-42));
        entity.usernames = vec!["durov".into(), "d\"".into()];
        entity.phone = Some("15550001111".into());
        entity.name = Some("Durov's\nChannel".into());
        let line = text(&Guarded(&entity, Secrets::Hidden))?;
        let expected = r#"{"id": -1001234567890, "kind": "channel", "access_hash": -42, "usernames": ["durov", "d\""], "phone": "*********11", "name": "Durov's\nChannel", "date": null}"#;
        assert_eq!(line, expected);
        assert!(text(&Guarded(&entity, Secrets::Shown))?.contains("\"15550001111\""));
        entity.min = true;
        let line = text(&Guarded(&entity, Secrets::Hidden))?;
        assert!(line.ends_with(r#""date": null, "min": true}"#), "{line}");
        Ok(())
    }

    #[test]
    fn a_key_is_absent_unless_secrets_are_shown() -> io::Result<()> {
        let mut dc = DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.51", 443));
        fn row(dc: &DcOption, secrets: Secrets) -> Dc<'_> {
            Dc { dc, secrets, unproven: false }
        }
        let hidden = text(&row(&dc, Secrets::Hidden))?;
        let expected = r#"{"id": 2, "ipv4": {"host": "149.154.167.51", "port": 443}, "ipv6": null, "auth_key_id": null}"#;
        assert_eq!(hidden, expected);
        assert!(text(&row(&dc, Secrets::Shown))?.contains("\"auth_key\": null"));
        dc.auth_key = Some(AuthKey::new(&[0xab; 256]));
        assert!(!text(&row(&dc, Secrets::Hidden))?.contains("abab"));
        assert!(text(&row(&dc, Secrets::Shown))?.contains(&"ab".repeat(256)));
        Ok(())
    }
}
