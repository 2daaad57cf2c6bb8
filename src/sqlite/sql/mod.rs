//! As much SQL as `sqlite_schema` holds.

mod clause;
mod constant;
mod create;
mod table;
mod token;
mod types;

pub(super) use create::{Created, parse};
pub(super) use table::{CreateTable, Generated};
pub(super) use token::SyntaxError;

use super::table::{Affinity, Constant};
