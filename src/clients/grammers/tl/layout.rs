//! The ids of the objects in a file, and the bytes in front of them.

use super::wire::Reader;

/// Takes an object's id, which has to be this one.
pub(super) fn expect(reader: &mut Reader<'_>, id: u32, what: &str) -> Result<(), String> {
    match reader.u32()? {
        found if found == id => Ok(()),
        found => Err(format!("{found:08x} stands where the id of a {what} should")),
    }
}

/// Reads flags, and refuses unknown ones: the fields that they announce cannot be skipped.
pub(super) fn flags(reader: &mut Reader<'_>, known: u32) -> Result<u32, String> {
    match reader.u32()? {
        flags if flags & !known == 0 => Ok(flags),
        flags => Err(format!("the flags {flags:x} have bits that are not known")),
    }
}

/// The count of a vector. It is not believed before as many elements were read.
pub(super) fn vector(reader: &mut Reader<'_>) -> Result<u32, String> {
    expect(reader, VECTOR, "vector")?;
    let count = reader.i32()?;
    u32::try_from(count).map_err(|_| format!("a vector of {count} elements is invalid"))
}

pub(super) const SESSION: u32 = 0xa73e_b8ce;

pub(super) const VECTOR: u32 = 0x1cb5_c415;

pub(super) const USER: u32 = 0x672f_428d;

pub(super) const UPDATE_STATE: u32 = 0xd0ca_dcc1;

pub(super) const CHANNEL_STATE: u32 = 0xc2b0_f8cd;

pub(super) const TRUE: u32 = 0x9972_75b5;

pub(super) const FALSE: u32 = 0xbc79_9737;

/// Flags of the session.
pub(super) const HAS_USER: u32 = 1;

pub(super) const HAS_STATE: u32 = 2;
