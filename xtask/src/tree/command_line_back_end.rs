//! Checks that nobody but the command line names the trait of what only the command line opens. A program links all
//! that a trait object of it could call, so functions would link the sources of events, for example.

use super::architecture_table;
use crate::{Outcome, paths};
use std::fs;
use std::path::{Path, PathBuf};

const TRAIT: &str = "CommandLineBackEnd";

/// The trait's own crate, the back ends that implement it, and the command line.
const MAY_NAME_IT: [&str; 8] = [
    "aws", "azure", "cli", "core", "google", "local", "nats", "postgres",
];

pub(super) fn check() -> Outcome {
    for name in architecture_table::crates()? {
        if MAY_NAME_IT.contains(&name.as_str()) {
            continue;
        }
        let source = paths::root().join("crates").join(&name).join("src");
        if let Some(file) = file_that_names_it(&source)? {
            return Err(format!(
                "{} names {TRAIT}, which is for the command line: take a BackEnd",
                file.display()
            )
            .into());
        }
    }
    println!("{TRAIT}: named by its back ends and the command line alone");
    Ok(())
}

fn file_that_names_it(folder: &Path) -> Outcome<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = file_that_names_it(&path)? {
                return Ok(Some(found));
            }
        } else if path.extension().is_some_and(|end| end == "rs")
            && fs::read_to_string(&path)?.contains(TRAIT)
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
