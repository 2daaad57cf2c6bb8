//! Why an account cannot be written as a session string.

use std::fmt;

/// A value that a format needs, and that the account lacks or has in a form that the format cannot
/// hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The home DC is not known.
    NoHomeDc,
    /// The home DC's number does not fit in the format's field.
    DcNumber {
        /// The number.
        dc: i32,
    },
    /// The home DC has no auth key.
    NoAuthKey,
    /// The home DC has no address.
    NoAddress,
    /// The format needs an IP address, and the home DC has only a host name.
    HostName,
    /// The host is no address, and no host name of 1 to 253 ASCII characters.
    Host,
    /// The format's field for the port ends below it.
    Port {
        /// The port.
        port: u16,
    },
    /// The account's own user id is not known, or is not positive.
    NoUser,
    /// The account's own user id is larger than the format's field.
    UserId,
    /// Whether the account is a bot is not known.
    NoBotFlag,
    /// The `api_id` is not known, or is not positive.
    NoApiId,
    /// Whether the account is one of the test servers is not known.
    NoTestMode,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHomeDc => "the string needs the home DC, and the session does not know it",
            Self::DcNumber { dc } => {
                return write!(f, "the string has no room for a DC of number {dc}");
            }
            Self::NoAuthKey => "the string needs the home DC's auth key, and the session has none",
            Self::NoAddress => "the string needs the home DC's address, and the session has none",
            Self::HostName => {
                "the string needs an IP address of the home DC, and the session has a host name"
            }
            Self::Host => "the home DC's address is neither an IP address nor a host name",
            Self::Port { port } => {
                return write!(f, "the string has no room for port {port}");
            }
            Self::NoUser => "the string needs the account's user id, and the session has none",
            Self::UserId => "the string has no room for the account's user id",
            Self::NoBotFlag => {
                "the string says whether the account is a bot, and the session does not know it"
            }
            Self::NoApiId => "the string needs the api_id, and the session has none",
            Self::NoTestMode => {
                "the string says whether the account is one of the test servers, and the session \
                 does not know it"
            }
        })
    }
}

impl std::error::Error for Unfit {}
