//! Every format: those that are read, and those that are written.

#[cfg(feature = "convert")]
use std::fmt;
#[cfg(feature = "convert")]
use std::str::FromStr;

use super::{alchemy, grammers, pyrogram, telethon, telethon2};
#[cfg(feature = "convert")]
use super::{
    android, apple, gogram, gotd, gotgproto, gramjs, hex_key, mtcute, mtkruto, tdata, tdlib,
    tgsession, web, wtelegram,
};
use crate::format::Reader;
#[cfg(feature = "convert")]
use crate::format::{FormatSpec, OutputKind};

/// The readers of each client.
const CLIENTS: &[&[Reader]] = &[
    #[cfg(feature = "convert")]
    tgsession::READERS,
    telethon::READERS,
    alchemy::READERS,
    telethon2::READERS,
    #[cfg(feature = "convert")]
    gramjs::READERS,
    pyrogram::READERS,
    grammers::READERS,
    #[cfg(feature = "convert")]
    mtcute::READERS,
    #[cfg(feature = "convert")]
    mtkruto::READERS,
    #[cfg(feature = "convert")]
    gotd::READERS,
    #[cfg(feature = "convert")]
    gotgproto::READERS,
    #[cfg(feature = "convert")]
    gogram::READERS,
    #[cfg(feature = "convert")]
    wtelegram::READERS,
    #[cfg(feature = "convert")]
    tdata::READERS,
    #[cfg(feature = "convert")]
    tdlib::READERS,
    #[cfg(feature = "convert")]
    android::READERS,
    #[cfg(feature = "convert")]
    web::READERS,
    #[cfg(feature = "convert")]
    apple::READERS,
    #[cfg(feature = "convert")]
    hex_key::READERS,
];

/// Every format that is read.
pub(crate) fn readers() -> impl Iterator<Item = &'static Reader> {
    CLIENTS.iter().copied().flatten()
}

#[cfg(feature = "convert")]
macro_rules! formats {
    ($($(#[$about:meta])* $format:ident => $($spec:ident)::+,)*) => {
        /// A format that sessions can be written in.
        ///
        /// ```
        /// use tgsession::Format;
        ///
        /// let format: Format = "pyrogram-string".parse()?;
        /// assert_eq!(format, Format::PyrogramString);
        /// assert!(Format::ALL.contains(&format));
        /// # Ok::<(), tgsession::UnknownFormat>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[$about])* $format,)*
        }

        impl Format {
            /// Every format.
            pub const ALL: [Self; [$(Self::$format),*].len()] = [$(Self::$format),*];

            pub(crate) const fn spec(self) -> &'static FormatSpec {
                match self {
                    $(Self::$format => &$($spec)::+,)*
                }
            }
        }
    };
}

#[cfg(feature = "convert")]
formats! {
    /// Telethon's SQLite file in its newest schema.
    Telethon => telethon::FILE,
    /// Telethon's SQLite file in schema 7, which releases 1.17 to 1.42 need.
    TelethonV7 => telethon::FILE_V7,
    /// The SQLite file of Telethon's v2 branch.
    Telethon2 => telethon2::FILE,
    /// Telethon's `StringSession`.
    TelethonString => telethon::STRING,
    /// Pyrogram's SQLite file.
    Pyrogram => pyrogram::FILE,
    /// Kurigram's SQLite file.
    Kurigram => pyrogram::KURIGRAM_FILE,
    /// Pyrofork's SQLite file.
    Pyrofork => pyrogram::PYROFORK_FILE,
    /// Hydrogram's SQLite file.
    Hydrogram => pyrogram::HYDROGRAM_FILE,
    /// The session string of Pyrogram and its forks.
    PyrogramString => pyrogram::STRING,
    /// grammers' `SqliteSession`.
    Grammers => grammers::FILE,
    /// The binary session file of grammers up to 0.7.
    GrammersTl => grammers::tl::FILE,
    /// GramJS's `StringSession`.
    GramjsString => gramjs::STRING,
    /// The folder of GramJS's `StoreSession`.
    GramjsStore => gramjs::STORE,
    /// mtcute's SQLite file.
    Mtcute => mtcute::FILE,
    /// mtcute's session string.
    MtcuteString => mtcute::STRING,
    /// MTKruto's session string.
    MtkrutoString => mtkruto::STRING,
    /// gotd's JSON session.
    Gotd => gotd::FILE,
    /// gotgproto's SQLite file.
    Gotgproto => gotgproto::FILE,
    /// gotgproto's session string.
    GotgprotoString => gotgproto::STRING,
    /// gogram's session string.
    GogramString => gogram::STRING,
    /// WTelegramClient's file, encrypted under its `session_key`, which is the passphrase.
    Wtelegram => wtelegram::FILE,
    /// TDLib's `td.binlog`.
    Tdlib => tdlib::FILE,
    /// The folder of Telegram Desktop, with one or several accounts; a passphrase is its passcode.
    /// Only a build with the feature `tdata` writes it.
    Tdata => tdata::FOLDER,
    /// The tables of telethon-session-sqlalchemy, with any number of sessions.
    Sqlalchemy => alchemy::FILE,
    /// Our own sealed format of one session, as bytes.
    Portable => tgsession::PORTABLE,
    /// Our own sealed format of one session, as text.
    PortableString => tgsession::PORTABLE_STRING,
    /// A dump with secrets, with any number of sessions.
    Json => tgsession::DUMP,
}

#[cfg(feature = "convert")]
impl Format {
    /// The name that it is asked for by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether it is one line of text.
    #[must_use]
    pub const fn is_string(self) -> bool {
        matches!(self.spec().kind, OutputKind::Text)
    }

    /// Whether it is sealed under a passphrase where one is given.
    #[must_use]
    pub const fn takes_passphrase(self) -> bool {
        self.spec().takes_passphrase
    }

    /// Whether it is a folder of files.
    #[must_use]
    pub const fn is_folder(self) -> bool {
        matches!(self.spec().kind, OutputKind::Folder)
    }

    /// Whether one file can hold several sessions.
    #[must_use]
    pub const fn holds_many(self) -> bool {
        self.spec().holds_many
    }

    /// What its files are usually called after the name, with the dot.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        self.spec().ending
    }
}

#[cfg(feature = "convert")]
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(feature = "convert")]
impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|format| format.name() == name);
        known.ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}

/// There is no format of this name.
///
/// ```
/// let unknown = "icq".parse::<tgsession::Format>().unwrap_err();
/// assert!(unknown.to_string().starts_with("there is no format \"icq\"; the formats are "));
/// ```
#[cfg(feature = "convert")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat {
    name: String,
}

#[cfg(feature = "convert")]
impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
        write!(f, "there is no format {:?}; the formats are {}", self.name, known.join(", "))
    }
}

#[cfg(feature = "convert")]
impl std::error::Error for UnknownFormat {}

#[cfg(all(test, feature = "convert"))]
mod tests {
    use super::*;
    use crate::format::Writer;

    #[test]
    fn a_spec_says_of_its_format_what_its_writer_says() {
        for format in Format::ALL {
            let spec = format.spec();
            assert_eq!(format.name().parse(), Ok(format));
            let many = match &spec.writer {
                Writer::File(target) => {
                    assert_eq!(target.name(), spec.name);
                    target.capabilities().many
                }
                Writer::Sealed(target) => {
                    let target = target(Some(b"000102030405060708090a0b0c0d0e0f")).unwrap();
                    assert_eq!(target.name(), spec.name);
                    target.capabilities().many
                }
                Writer::String { capabilities, .. } | Writer::Folder { capabilities, .. } => {
                    capabilities.many
                }
                Writer::Absent(_) => spec.holds_many,
            };
            assert_eq!(spec.holds_many, many, "{format}");
        }
        assert!("no-format".parse::<Format>().unwrap_err().to_string().contains("gotgproto"));
    }
}
