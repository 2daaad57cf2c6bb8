//! Values of the library as tuples, and back.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tgsession::{
    AuthKey, DcId, DcOption, Endpoint, Entity, EntityKind, FileKey, FileKind, Login, Md5, PeerId,
    SentFile,
};

/// Id, kind, access hash, min, usernames, phone, name, date: the fields of `Entity` in Python.
pub(crate) type EntityRow = (
    i64,
    Option<&'static str>,
    Option<i64>,
    bool,
    Vec<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
);

pub(crate) fn entity_row(entity: Entity) -> EntityRow {
    (
        entity.id.marked(),
        entity.kind.map(EntityKind::name),
        entity.access_hash.map(|hash| hash.0),
        entity.min,
        entity.usernames,
        entity.phone,
        entity.name,
        entity.date,
    )
}

/// What can be addressed: the marked id and its access hash, 0 for a group.
pub(crate) fn address(entity: &Entity) -> Option<(i64, i64)> {
    let hash = entity.access_hash.filter(|_| !entity.min).map(|hash| hash.0);
    match entity.id.kind() {
        tgsession::PeerKind::Group => Some((entity.id.marked(), hash.unwrap_or(0))),
        _ => hash.map(|hash| (entity.id.marked(), hash)),
    }
}

pub(crate) fn peer(marked: i64) -> PyResult<PeerId> {
    PeerId::from_marked(marked).ok_or_else(|| PyValueError::new_err("0 is not the id of a peer"))
}

pub(crate) fn kind(name: &str) -> PyResult<EntityKind> {
    let known = EntityKind::ALL.into_iter().find(|kind| kind.name() == name);
    known.ok_or_else(|| PyValueError::new_err(format!("there is no kind of entity {name:?}")))
}

pub(crate) fn auth_key(bytes: &[u8]) -> PyResult<AuthKey> {
    AuthKey::from_slice(bytes).ok_or_else(|| {
        let (found, wanted) = (bytes.len(), AuthKey::LEN);
        PyValueError::new_err(format!("an auth key has {wanted} bytes, and this has {found}"))
    })
}

/// Home DC, user id, bot, api id, test mode, takeout id: the fields of `Login` in Python.
pub(crate) type LoginRow =
    (Option<i32>, Option<i64>, Option<bool>, Option<i32>, Option<bool>, Option<i64>);

pub(crate) fn login_row(login: &Login) -> LoginRow {
    (
        login.home_dc.map(|dc| dc.0),
        login.user.map(|user| user.id),
        login.user.and_then(|user| user.bot),
        login.api_id,
        login.test_mode,
        login.takeout_id,
    )
}

pub(crate) type EndpointRow = Option<(String, u16)>;

/// Id, IPv4 endpoint, IPv6 endpoint, auth key: the fields of `Dc` in Python.
pub(crate) type DcRow<'py> = (i32, EndpointRow, EndpointRow, Option<Bound<'py, PyBytes>>);

pub(crate) fn dc_row(py: Python<'_>, dc: DcOption) -> DcRow<'_> {
    let endpoint = |endpoint: Option<Endpoint>| endpoint.map(|at| (at.host, at.port));
    let key = dc.auth_key.map(|key| PyBytes::new(py, key.as_bytes()));
    (dc.id.0, endpoint(dc.ipv4), endpoint(dc.ipv6), key)
}

/// A DC at this endpoint alone, with the key that is known of it.
pub(crate) fn dc_at(id: DcId, endpoint: EndpointRow, key: Option<AuthKey>) -> DcOption {
    let mut dc = DcOption::new(id);
    if let Some((host, port)) = endpoint {
        dc = dc.at(Endpoint::new(&host, port));
    }
    dc.auth_key = key;
    dc
}

pub(crate) fn file_key(md5: &[u8], size: i64, photo: bool) -> PyResult<FileKey> {
    let wrong = |_| {
        PyValueError::new_err(format!("an MD5 digest has 16 bytes, and this has {}", md5.len()))
    };
    let md5 = Md5(md5.try_into().map_err(wrong)?);
    let kind = if photo { FileKind::Photo } else { FileKind::Document };
    Ok(FileKey { md5, size, kind })
}

pub(crate) fn file_row(file: &SentFile) -> (i64, i64) {
    (file.id, file.access_hash.0)
}
