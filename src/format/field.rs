//! One column of one row, taken as what it is meant to be. Type affinity never refuses, so any
//! column of a file can hold anything.

use crate::sqlite::Value;
use crate::types::AuthKey;

/// Why a value is not what its column is for, as in "name is `why`".
pub(crate) type Unfit = &'static str;

/// Text; `None` for NULL and empty text.
pub(crate) fn text(value: Value<'_>) -> Result<Option<String>, Unfit> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => match text.to_str() {
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) => Ok(Some(text.into_owned())),
            Err(_) => Err("text in a broken encoding"),
        },
        _ => Err("not text"),
    }
}

/// A phone number: the column's affinity turns text of digits into an integer, and one beyond 64
/// bits into a float. `None` for empty text.
pub(crate) fn phone(value: Value<'_>) -> Result<Option<String>, Unfit> {
    match value {
        Value::Null => Ok(None),
        Value::Integer(digits) if digits >= 0 => Ok(Some(digits.to_string())),
        Value::Real(digits) if (0.0..1e18).contains(&digits) && digits.fract() == 0.0 => {
            Ok(Some(format!("{digits:.0}")))
        }
        Value::Text(text) => match text.to_str() {
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) if text.bytes().all(|c| c.is_ascii_digit()) => Ok(Some(text.into_owned())),
            _ => Err("not a number"),
        },
        _ => Err("not a number"),
    }
}

/// A time in seconds since 1970; fractions are cut off.
pub(crate) fn seconds(value: Value<'_>) -> Result<Option<i64>, Unfit> {
    match value {
        Value::Null => Ok(None),
        Value::Integer(seconds) => Ok(Some(seconds)),
        #[expect(clippy::cast_possible_truncation, reason = "the fraction is cut off")]
        Value::Real(seconds) if seconds.abs() < 1e15 => Ok(Some(seconds as i64)),
        _ => Err("not a time"),
    }
}

/// Whether there is nothing: NULL, or text or bytes of no length.
pub(crate) fn is_blank(value: Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Blob(bytes) => bytes.is_empty(),
        Value::Text(text) => text.as_bytes().is_empty(),
        _ => false,
    }
}

/// An auth key; `None` for blank. The error completes "the auth key is".
pub(crate) fn auth_key(value: Value<'_>) -> Result<Option<AuthKey>, String> {
    match value {
        _ if is_blank(value) => Ok(None),
        Value::Blob(bytes) => match AuthKey::from_slice(bytes) {
            Some(key) => Ok(Some(key)),
            None => Err(format!("{} bytes long", bytes.len())),
        },
        Value::Text(_) => Err("text".into()),
        _ => Err("a number".into()),
    }
}

/// A 64-bit integer.
pub(crate) fn integer(value: Value<'_>) -> Result<i64, Unfit> {
    match value {
        Value::Integer(number) => Ok(number),
        _ => Err("not an integer"),
    }
}

/// One of Telegram's 32-bit counters.
pub(crate) fn counter(value: Value<'_>) -> Result<i32, Unfit> {
    i32::try_from(integer(value)?).map_err(|_| "more than 32 bits")
}
