//! Holds a build from fewer packages than ours to the lock file of all.

use crate::Outcome;
use std::collections::BTreeSet;
use std::path::Path;

/// Fails where `built` names a crate, a version or a checksum that `ours` does not have.
pub(super) fn compare(ours: &Path, built: &Path) -> Outcome {
    let (ours, built) = (
        std::fs::read_to_string(ours)?,
        std::fs::read_to_string(built)?,
    );
    let ours = crates(&ours);
    let others: Vec<String> = crates(&built).difference(&ours).cloned().collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the sdist was built with what Cargo.lock does not have: {}",
        others.join("; ")
    )
    .into())
}

/// The lines that say which crate it is, of each entry. Its dependencies can be written in another way where fewer
/// versions are there.
fn crates(lock: &str) -> BTreeSet<String> {
    let entries = lock.split("[[package]]").skip(1);
    let identities = entries.map(|entry| {
        let lines: Vec<&str> = entry
            .lines()
            .filter(|line| {
                ["name = ", "version = ", "source = ", "checksum = "]
                    .iter()
                    .any(|begin| line.starts_with(begin))
            })
            .collect();
        lines.join(", ")
    });
    identities.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"0a\"\ndependencies = [\n \"b 1.0.0\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";

    fn compared(built: &str) -> Outcome {
        let folder = std::env::temp_dir().join(format!("lock-file-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let (ours, theirs) = (folder.join("ours"), folder.join("built"));
        std::fs::write(&ours, OURS)?;
        std::fs::write(&theirs, built)?;
        let done = compare(&ours, &theirs);
        std::fs::remove_dir_all(folder)?;
        done
    }

    #[test]
    fn fewer_crates_are_the_same_build_and_another_version_is_not() {
        let fewer = OURS
            .replace("[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n", "")
            .replace("b 1.0.0", "b");
        compared(&fewer).unwrap();
        let newer = OURS.replace("2.0.0", "2.0.1");
        let refused = compared(&newer).unwrap_err().to_string();
        assert!(refused.contains("2.0.1"), "{refused}");
        assert!(!refused.contains("1.0.0"), "{refused}");
        compared(&OURS.replace("0a", "0b")).unwrap_err();
    }
}
