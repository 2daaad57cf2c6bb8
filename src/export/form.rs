//! The forms that sessions are written in.

use std::fmt;
use std::str::FromStr;

/// A form that sessions can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// Telethon's SQLite file in its newest schema.
    Telethon,
    /// Telethon's SQLite file in schema 7, which releases 1.17 to 1.42 need.
    TelethonV7,
    /// The SQLite file of Telethon's v2 branch.
    Telethon2,
    /// Telethon's `StringSession`.
    TelethonString,
    /// Pyrogram's SQLite file.
    Pyrogram,
    /// Kurigram's SQLite file.
    Kurigram,
    /// Pyrofork's SQLite file.
    Pyrofork,
    /// Hydrogram's SQLite file.
    Hydrogram,
    /// The session string of Pyrogram and its forks.
    PyrogramString,
    /// grammers' `SqliteSession`.
    Grammers,
    /// The binary session file of grammers up to 0.7.
    GrammersTl,
    /// GramJS's `StringSession`.
    GramjsString,
    /// The folder of GramJS's `StoreSession`.
    GramjsStore,
    /// mtcute's SQLite file.
    Mtcute,
    /// mtcute's session string.
    MtcuteString,
    /// MTKruto's session string.
    MtkrutoString,
    /// gotd's JSON session.
    Gotd,
    /// gotgproto's session string.
    GotgprotoString,
    /// gogram's session string.
    GogramString,
    /// WTelegramClient's file, encrypted under its `session_key`, which is the passphrase.
    Wtelegram,
    /// TDLib's `td.binlog`.
    Tdlib,
    /// The folder of Telegram Desktop, with one or several accounts; a passphrase is its passcode.
    /// Only a build with the feature `tdata` writes it.
    Tdata,
    /// The tables of telethon-session-sqlalchemy, with any number of sessions.
    Sqlalchemy,
    /// Our own sealed form of one session, as bytes.
    Portable,
    /// Our own sealed form of one session, as text.
    PortableString,
    /// A dump with secrets, with any number of sessions.
    Json,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 26] = [
        Self::Telethon,
        Self::TelethonV7,
        Self::Telethon2,
        Self::TelethonString,
        Self::Pyrogram,
        Self::Kurigram,
        Self::Pyrofork,
        Self::Hydrogram,
        Self::PyrogramString,
        Self::Grammers,
        Self::GrammersTl,
        Self::GramjsString,
        Self::GramjsStore,
        Self::Mtcute,
        Self::MtcuteString,
        Self::MtkrutoString,
        Self::Gotd,
        Self::GotgprotoString,
        Self::GogramString,
        Self::Wtelegram,
        Self::Tdlib,
        Self::Tdata,
        Self::Sqlalchemy,
        Self::Portable,
        Self::PortableString,
        Self::Json,
    ];

    /// The name that it is asked for by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Telethon => "telethon",
            Self::TelethonV7 => "telethon-v7",
            Self::Telethon2 => "telethon2",
            Self::TelethonString => "telethon-string",
            Self::Pyrogram => "pyrogram",
            Self::Kurigram => "kurigram",
            Self::Pyrofork => "pyrofork",
            Self::Hydrogram => "hydrogram",
            Self::PyrogramString => "pyrogram-string",
            Self::Grammers => "grammers",
            Self::GrammersTl => "grammers-tl",
            Self::GramjsString => "gramjs-string",
            Self::GramjsStore => "gramjs-store",
            Self::Mtcute => "mtcute",
            Self::MtcuteString => "mtcute-string",
            Self::MtkrutoString => "mtkruto-string",
            Self::Gotd => "gotd",
            Self::GotgprotoString => "gotgproto-string",
            Self::GogramString => "gogram-string",
            Self::Wtelegram => "wtelegram",
            Self::Tdlib => "tdlib",
            Self::Tdata => "tdata",
            Self::Sqlalchemy => "sqlalchemy",
            Self::Portable => "portable",
            Self::PortableString => "portable-string",
            Self::Json => "json",
        }
    }

    /// Whether it is one line of text.
    #[must_use]
    pub const fn is_string(self) -> bool {
        matches!(
            self,
            Self::TelethonString
                | Self::PyrogramString
                | Self::GramjsString
                | Self::MtcuteString
                | Self::MtkrutoString
                | Self::GotgprotoString
                | Self::GogramString
                | Self::PortableString
        )
    }

    /// Whether it is sealed under a passphrase where one is given.
    #[must_use]
    pub const fn takes_passphrase(self) -> bool {
        matches!(self, Self::Portable | Self::PortableString | Self::Wtelegram | Self::Tdata)
    }

    /// Whether it is a folder of files.
    #[must_use]
    pub const fn is_folder(self) -> bool {
        matches!(self, Self::GramjsStore | Self::Tdata)
    }

    /// Whether one file can hold several sessions.
    #[must_use]
    pub const fn holds_many(self) -> bool {
        matches!(self, Self::Sqlalchemy | Self::Json | Self::Tdata)
    }

    /// What its files are usually called after the name, with the dot.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Sqlalchemy => ".sqlite",
            Self::Tdlib => ".binlog",
            Self::Portable => ".tgsp",
            Self::Gotd | Self::Json => ".json",
            Self::GramjsStore | Self::Tdata => "",
            form if form.is_string() => ".txt",
            _ => ".session",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|form| form.name() == name);
        known.ok_or_else(|| UnknownForm { name: name.to_owned() })
    }
}

/// There is no form of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownForm {
    name: String,
}

impl fmt::Display for UnknownForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = Form::ALL.iter().map(|form| form.name()).collect();
        write!(f, "there is no form {:?}; the forms are {}", self.name, known.join(", "))
    }
}

impl std::error::Error for UnknownForm {}
