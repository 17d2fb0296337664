//! Linters and the security scanner: nothing is found that is not explained where it stands. What they passed
//! before, as it is, they are not given again.

use crate::tool::{output, root};
use labelrelay_tests::passed_checks::Input;
use labelrelay_tests::servers::installed;
use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs checkov: cargo xtask test"]
fn the_scan_of_terraform_finds_nothing_that_is_not_explained() {
    scan("terraform", "--directory", "infra/google", 15);
}

#[test]
#[ignore = "needs checkov: cargo xtask test"]
fn the_scan_of_the_module_of_aws_finds_nothing_that_is_not_explained() {
    scan("terraform", "--directory", "infra/aws", 55);
}

#[test]
#[ignore = "needs checkov: cargo xtask test"]
fn the_scan_of_bicep_finds_nothing_that_is_not_explained() {
    scan("bicep", "--directory", "infra/azure", 29);
}

#[test]
#[ignore = "needs checkov: cargo xtask test"]
fn the_scan_of_the_dockerfile_finds_nothing_that_is_not_explained() {
    scan("dockerfile", "--file", "Dockerfile", 36);
}

#[test]
#[ignore = "needs hadolint: cargo xtask test"]
fn hadolint_finds_nothing_in_the_dockerfile() {
    let hadolint = installed("LABELRELAY_TEST_HADOLINT");
    input("hadolint", &hadolint, "Dockerfile").unless_passed(|| {
        output(
            Command::new(&hadolint)
                .arg("Dockerfile")
                .current_dir(root()),
        );
    });
}

#[test]
#[ignore = "needs terraform: cargo xtask test"]
fn terraform_files_are_in_the_form_that_terraform_writes() {
    output(
        Command::new(installed("LABELRELAY_TEST_TERRAFORM"))
            .args(["fmt", "-check", "-diff", "-recursive", "infra"])
            .current_dir(root()),
    );
}

/// The scan of `path`, below the repository: at least `checks` passed, so it saw what it was given.
fn scan(framework: &'static str, flag: &str, path: &str, checks: u64) {
    let checkov = installed("LABELRELAY_TEST_CHECKOV");
    input(framework, &checkov, path).unless_passed(|| {
        let printed = output(
            Command::new(&checkov)
                .args([flag, path, "--framework", framework])
                // Guidelines to print beside findings would be fetched from a server.
                .args(["--skip-download", "--output", "json"])
                .current_dir(root()),
        );
        let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
        let summary = &report["summary"];
        assert!(summary["passed"].as_u64() >= Some(checks), "{summary}");
        assert_eq!(summary["parsing_errors"], 0, "{summary}");
        for check in report["results"]["skipped_checks"].as_array().unwrap() {
            let reason = check["check_result"]["suppress_comment"].as_str();
            assert!(
                reason.is_some_and(|reason| reason.len() > 20),
                "{} of {} is waived without a reason",
                check["check_id"],
                check["resource"]
            );
        }
    });
}

/// The result of `tool` for `path` depends on both, and on the questions in this file.
fn input(name: &'static str, tool: &Path, path: &str) -> Input {
    Input::new(name, tool, include_str!("scan.rs")).with(&root().join(path))
}
