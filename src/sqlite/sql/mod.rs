//! As much SQL as `sqlite_schema` holds.

mod constant;
mod create;
mod table;
mod token;

pub(super) use create::{Created, parse};
pub(super) use table::{CreateTable, Generated};
pub(super) use token::SyntaxError;

use super::table::{Affinity, Constant};
