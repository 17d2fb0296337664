//! JSON as [`docs/changes.md`](https://github.com/labelrelay/labelrelay/blob/main/docs/changes.md) reads it: every number as it
//! is written, half of a surrogate pair in its place, the last of equal keys, 500 levels.
//!
//! `serde_json` alone does not: it refuses half of a pair in a text, ends at 128 levels, and rounds numbers. So a body
//! becomes a list of words in one pass without recursion; each is a place in the text, and nothing is copied before
//! somebody asks for it.

mod document;
mod form;
mod index;
mod number;
mod parser;
mod quick;
mod string;
mod tokens;
mod value;

pub(crate) use document::{Document, Source};
pub(crate) use index::Index;
pub(crate) use parser::{Fault, Parser};
pub(crate) use string::{Halves, decode};
pub(crate) use value::Value;

/// Levels of a body that are read. Label Studio sends 200.
pub(crate) const MAX_LEVELS: usize = 500;

/// The longest number, in bytes, that is read as one: an integer of so many digits still is a double.
const MAX_NUMBER_BYTES: usize = 308;

#[cfg(test)]
mod tests;
