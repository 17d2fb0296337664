//! The rules for Prometheus, by its own checker.

use crate::tool::{output, root};
use labelrelay_tests::servers::installed;
use std::process::Command;

const RULES: &str = "packaging/prometheus.rules.yaml";

/// When each alert rings, and when none does.
const TRIALS: &str = include_str!("prometheus.test.yaml");

#[test]
#[ignore = "needs promtool: cargo xtask test"]
fn each_alert_rings_when_something_is_wrong_and_none_when_all_is_well() {
    let promtool = installed("LABELRELAY_TEST_PROMTOOL");
    let rules = root().join(RULES);
    output(Command::new(&promtool).args(["check", "rules"]).arg(&rules));
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(&rules, folder.path().join("prometheus.rules.yaml")).unwrap();
    std::fs::write(folder.path().join("prometheus.test.yaml"), TRIALS).unwrap();
    output(
        Command::new(&promtool)
            .args(["test", "rules", "prometheus.test.yaml"])
            .current_dir(folder.path()),
    );
}

/// A rule that nobody tries may have an expression that is always false.
#[test]
fn each_alert_is_tried_both_ways() {
    let rules = std::fs::read_to_string(root().join(RULES)).unwrap();
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: Vec<_> = alerts.collect();
    assert!(alerts.len() >= 14, "{alerts:?}");
    for alert in alerts {
        let rings = format!("alertname: {alert}\n        exp_alerts:\n          - ");
        let is_silent = format!("alertname: {alert}, exp_alerts: [] }}");
        for trial in [rings, is_silent] {
            assert!(TRIALS.contains(&trial), "{alert}: {trial}");
        }
    }
}
