//! `cargo xtask tree`: how the crates and their modules hang together, held against what ARCHITECTURE.md promises.

mod architecture_table;
mod command_line_back_end;
mod import_circles;
mod imports;
mod linked_crates;
mod module_files;

use crate::Outcome;

pub(crate) fn run() -> Outcome {
    architecture_table::check()?;
    import_circles::check()?;
    command_line_back_end::check()?;
    linked_crates::check()
}
