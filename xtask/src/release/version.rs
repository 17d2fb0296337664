//! The version, which stands in the root manifest alone, and the changelog's section about it.

use super::folder::Folder;
use crate::Outcome;
use crate::paths::root;
use crate::step::output;
use std::process::Command;

/// `[workspace.package] version`, which this program has too.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Refuses a tag that does not name the version, or a version that the changelog does not have.
pub(super) fn check_tag(tag: &str) -> Outcome {
    let changelog = changelog()?;
    expected(tag, VERSION, &changelog)?;
    print!("{}", section(&changelog, VERSION).unwrap_or_default());
    Ok(())
}

fn expected(tag: &str, version: &str, changelog: &str) -> Outcome {
    if tag != format!("v{version}") {
        return Err(format!(
            "the tag {tag} is not v{version}: tag the commit as v{version}, or set `version` in Cargo.toml, under [workspace.package] and at our own crates under [workspace.dependencies]"
        )
        .into());
    }
    if section(changelog, version).is_none() {
        return Err(format!(
            "CHANGELOG.md has no section {version}: rename [Unreleased] to [{version}] - DATE, and begin a new [Unreleased]"
        )
        .into());
    }
    Ok(())
}

/// Writes the notes of a release: the changelog's section of this version, or of what is not released yet.
pub(super) fn notes(folder: &Folder) -> Outcome {
    let changelog = changelog()?;
    let notes = section(&changelog, VERSION)
        .or_else(|| section(&changelog, "Unreleased"))
        .ok_or("CHANGELOG.md has no section [Unreleased]")?;
    std::fs::write(folder.join("NOTES.md"), notes)?;
    Ok(())
}

fn changelog() -> Outcome<String> {
    Ok(std::fs::read_to_string(root().join("CHANGELOG.md"))?)
}

/// Text below the heading `## [name]`, to the next one.
fn section(changelog: &str, name: &str) -> Option<String> {
    let heading = format!("## [{name}]");
    let mut lines = changelog
        .lines()
        .skip_while(|line| !line.starts_with(&heading));
    lines.next()?;
    let text: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    Some(format!("{}\n", text.join("\n").trim()))
}

/// The commit, which sources without git do not know.
pub(super) fn commit() -> Outcome<String> {
    of_commit("%H")
}

/// The time of the commit: archives say the same whenever they are made.
pub(super) fn commit_time() -> Outcome<String> {
    of_commit("%ct")
}

fn of_commit(format: &str) -> Outcome<String> {
    let mut git = Command::new("git");
    git.args(["log", "-1", &format!("--format={format}")])
        .current_dir(root());
    Ok(output(&mut git)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n- new\n\n## [1.2.0] - 2026-01-02\n\n### Added\n\n- old\n\n## [1.1.0]\n\n- older\n";

    #[test]
    fn a_tag_names_the_version_and_the_changelog_has_it() {
        expected("v1.2.0", "1.2.0", CHANGELOG).unwrap();
        for (tag, version, word) in [
            ("1.2.0", "1.2.0", "v1.2.0"),
            ("v1.2.1", "1.2.0", "v1.2.0"),
            ("v1.3.0", "1.3.0", "CHANGELOG.md"),
        ] {
            let refused = expected(tag, version, CHANGELOG).unwrap_err().to_string();
            assert!(refused.contains(word), "{refused}");
        }
    }

    #[test]
    fn notes_are_one_section() {
        let notes = section(CHANGELOG, "1.2.0").unwrap();
        assert_eq!(notes, "### Added\n\n- old\n");
        assert_eq!(section(CHANGELOG, "Unreleased").unwrap(), "- new\n");
        assert_eq!(section(CHANGELOG, "2.0.0"), None);
    }
}
