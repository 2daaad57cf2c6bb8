use std::fmt;
use std::net::SocketAddr;

use super::AuthKey;

/// The number of a data centre (DC).
///
/// Production DCs are 1 to 5; other numbers exist (CDN and test DCs, and 0 where an old file
/// does not know), so any value is kept.
///
/// ```
/// use tgsession::{DcId, MemorySession, Session};
///
/// let session = MemorySession::new("alice");
/// session.set_home_dc(DcId(4))?;
/// assert_eq!(session.login()?.home_dc, Some(DcId(4)));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DcId(pub i32);

impl fmt::Display for DcId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a DC listens: a host and a port.
///
/// The host is kept as text, since some clients connect to names and not only to addresses. An
/// IPv6 address is written without brackets.
///
/// ```
/// use tgsession::Endpoint;
///
/// assert_eq!(Endpoint::new("149.154.167.51", 443).to_string(), "149.154.167.51:443");
/// let endpoint = Endpoint::new("[2001:67c:4e8:f002::a]", 443);
/// assert!(endpoint.is_ipv6());
/// assert_eq!(endpoint.host, "2001:67c:4e8:f002::a");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Endpoint {
    /// An address or a host name.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint at `host` and `port`; brackets around an IPv6 address are taken off.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        Self { host: bare.unwrap_or(host).to_owned(), port }
    }

    /// Whether the host is written as an IPv6 address: it has a colon, as clients decide it.
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.host.contains(':')
    }
}

impl Endpoint {
    /// The address to connect to, or `None` where the host is a name.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use tgsession::Endpoint;
    ///
    /// let address: SocketAddr = "[2001:67c:4e8:f002::a]:443".parse()?;
    /// assert_eq!(Endpoint::from(address).socket_addr(), Some(address));
    /// assert_eq!(Endpoint::new("venus.web.telegram.org", 443).socket_addr(), None);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse().ok()?, self.port))
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if self.is_ipv6() { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// The known addresses of one DC, and the key to it.
///
/// ```
/// use tgsession::{AuthKey, DcId, DcOption, Endpoint};
///
/// let dc = DcOption::new(DcId(2))
///     .at(Endpoint::new("149.154.167.51", 443))
///     .at(Endpoint::new("2001:67c:4e8:f002::a", 443))
///     .with_key(AuthKey::new(&[7; 256]));
/// assert!(dc.ipv4.is_some() && dc.ipv6.is_some() && dc.auth_key.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DcOption {
    /// The number of the DC.
    pub id: DcId,
    /// Its IPv4 address or host name.
    pub ipv4: Option<Endpoint>,
    /// Its IPv6 address.
    pub ipv6: Option<Endpoint>,
    /// The permanent key made with it, if any.
    pub auth_key: Option<AuthKey>,
}

impl DcOption {
    /// A DC without addresses and key.
    #[must_use]
    pub fn new(id: DcId) -> Self {
        Self { id, ipv4: None, ipv6: None, auth_key: None }
    }

    /// The same DC with this endpoint, stored as `ipv6` if the host is an IPv6 address, else as
    /// `ipv4`.
    #[must_use]
    pub fn at(mut self, endpoint: Endpoint) -> Self {
        if endpoint.is_ipv6() {
            self.ipv6 = Some(endpoint);
        } else {
            self.ipv4 = Some(endpoint);
        }
        self
    }

    /// The same DC with this key.
    #[must_use]
    pub fn with_key(mut self, key: AuthKey) -> Self {
        self.auth_key = Some(key);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_of_an_ipv6_address_are_notation_and_not_kept() {
        let endpoint = Endpoint::new("[2001:67c:4e8:f002::a]", 443);
        assert_eq!(endpoint.host, "2001:67c:4e8:f002::a");
        assert_eq!(endpoint.to_string(), "[2001:67c:4e8:f002::a]:443");
        assert!(DcOption::new(DcId(2)).at(endpoint).ipv6.is_some());
    }

    #[test]
    fn a_host_name_is_kept_as_text_in_the_place_of_ipv4() {
        let dc = DcOption::new(DcId(2)).at(Endpoint::new("venus.web.telegram.org", 80));
        assert_eq!(dc.ipv4.map(|e| e.to_string()).as_deref(), Some("venus.web.telegram.org:80"));
    }
}
