//! Checksums of a release's files.

use super::folder::Folder;
use crate::Outcome;
use crate::step::output;
use std::process::Command;

const FILE: &str = "SHA256SUMS";

pub(super) fn write(folder: &Folder) -> Outcome {
    let mut files = folder.files()?;
    files.retain(|name| name != FILE && name != "NOTES.md");
    let mut sum = Command::new("sha256sum");
    sum.arg("--").args(files).current_dir(folder.path());
    std::fs::write(folder.join(FILE), output(&mut sum)?)?;
    Ok(())
}
