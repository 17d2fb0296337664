//! `cargo xtask tree`: how the crates and their modules hang together, held against what ARCHITECTURE.md promises.

mod circles;
mod links;
mod modules;
mod names;
mod table;

use crate::Outcome;

pub(crate) fn run() -> Outcome {
    table::check()?;
    circles::check()?;
    links::check()
}
