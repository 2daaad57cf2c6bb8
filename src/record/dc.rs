use super::{Record, RecordError};
use crate::types::{AuthKey, DcId, DcOption, Endpoint};

impl Record for DcOption {
    const TAG: u8 = 0x21;

    type Key = DcId;

    /// IPv4 host and port; IPv6 host and port; auth key.
    type Fields<'a> = (Option<(&'a str, u16)>, Option<(&'a str, u16)>, Option<&'a [u8]>);

    fn fields(&self) -> Self::Fields<'_> {
        let key = self.auth_key.as_ref().map(|key| key.as_bytes().as_slice());
        (host_and_port(self.ipv4.as_ref()), host_and_port(self.ipv6.as_ref()), key)
    }

    fn from_fields(id: DcId, fields: Self::Fields<'_>) -> Result<Self, RecordError> {
        let (ipv4, ipv6, key) = fields;
        let key = key.map(|bytes| AuthKey::from_slice(bytes).ok_or(NOT_A_KEY)).transpose()?;
        Ok(Self { id, ipv4: endpoint(ipv4), ipv6: endpoint(ipv6), auth_key: key })
    }
}

const NOT_A_KEY: RecordError = RecordError::Value { field: "auth key" };

fn host_and_port(endpoint: Option<&Endpoint>) -> Option<(&str, u16)> {
    endpoint.map(|at| (at.host.as_str(), at.port))
}

fn endpoint(fields: Option<(&str, u16)>) -> Option<Endpoint> {
    fields.map(|(host, port)| Endpoint { host: host.to_owned(), port })
}
