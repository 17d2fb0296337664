//! Checksums: of every file.

use crate::files;
use std::collections::BTreeSet;
use std::process::Command;

const FILE: &str = "SHA256SUMS";

#[test]
#[ignore = "needs files of a release: cargo xtask release --dry-run"]
fn every_file_has_one_and_it_is_right() {
    let folder = files::folder();
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", FILE])
        .current_dir(&folder)
        .status();
    assert!(checked.unwrap().success());
    let sums = std::fs::read_to_string(folder.join(FILE)).unwrap();
    let listed: BTreeSet<String> = sums
        .lines()
        .map(|line| line.split_once("  ").unwrap().1.to_owned())
        .collect();
    let mut files = files::names();
    // The one is made from the others; the other becomes the text of the release.
    files.remove(FILE);
    files.remove("NOTES.md");
    assert_eq!(listed, files);
}
