//! Finds snapshots that no test looks at any more: they would be believed and never checked.

use crate::Outcome;
use crate::paths::{root, target};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The file into which the tests write which snapshots they compared with.
pub(crate) struct References(PathBuf);

impl References {
    pub(crate) fn new() -> Outcome<Self> {
        let file = target()?.join("snapshot-references.txt");
        if file.exists() {
            std::fs::remove_file(&file)?;
        }
        Ok(Self(file))
    }

    /// Makes the tests that `command` runs write their references.
    pub(crate) fn record(&self, command: &mut Command) {
        command.env("INSTA_SNAPSHOT_REFERENCES_FILE", &self.0);
    }

    /// Fails when a snapshot below one of `folders` was compared with by no test.
    pub(crate) fn check(&self, folders: &[&str]) -> Outcome {
        let mut referenced = BTreeSet::new();
        for line in std::fs::read_to_string(&self.0).unwrap_or_default().lines() {
            referenced.insert(std::fs::canonicalize(line)?);
        }
        let mut unused = Vec::new();
        for folder in folders {
            visit(&root().join(folder), &mut |file| {
                if !referenced.contains(&std::fs::canonicalize(file)?) {
                    unused.push(file.display().to_string());
                }
                Ok(())
            })?;
        }
        if unused.is_empty() {
            Ok(())
        } else {
            Err(format!("no test compares with {}; delete them", unused.join(", ")).into())
        }
    }
}

fn visit(folder: &Path, seen: &mut impl FnMut(&Path) -> Outcome) -> Outcome {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            visit(&path, seen)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "snap")
        {
            seen(&path)?;
        }
    }
    Ok(())
}
