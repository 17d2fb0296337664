//! The table of ARCHITECTURE.md names every crate, and nothing else.

use crate::{Outcome, paths};
use std::collections::BTreeSet;
use std::fs;

pub(super) fn check() -> Outcome {
    let crates = crates()?;
    let text = fs::read_to_string(paths::root().join("ARCHITECTURE.md"))?;
    let told: BTreeSet<String> = text.lines().filter_map(row).collect();
    let missing: Vec<_> = crates.difference(&told).collect();
    if !missing.is_empty() {
        return Err(format!("the table of ARCHITECTURE.md does not name {missing:?}").into());
    }
    let gone: Vec<_> = told.difference(&crates).collect();
    if !gone.is_empty() {
        return Err(
            format!("the table of ARCHITECTURE.md names {gone:?}, which are not there").into(),
        );
    }
    println!(
        "ARCHITECTURE.md: all {} crates are in its table",
        crates.len()
    );
    Ok(())
}

/// The folders of the crates.
pub(super) fn crates() -> Outcome<BTreeSet<String>> {
    let mut crates = BTreeSet::new();
    for entry in fs::read_dir(paths::root().join("crates"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            crates.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(crates)
}

/// The crate that a line of the table is about.
fn row(line: &str) -> Option<String> {
    let rest = line.strip_prefix("| `crates/")?;
    let (name, _) = rest.split_once('`')?;
    Some(name.to_owned())
}
