//! Checks of the templates that need no deployment. A file that linters and the scanner passed before, as it is,
//! they are not given again.

use crate::demands::resources;
use crate::tool::{output, root, tool};
use labelrelay_tests::passed_checks::Input;
use labelrelay_tests::servers::installed;

/// Template beside the stack, which fetches missed events.
const RECONCILE: &str = "infra/aws/reconcile.yaml";

/// Another one, with a function that consumes.
const CONSUMER: &str = "infra/aws/consumer.yaml";

/// A third one, which makes an archive.
const ARCHIVE: &str = "infra/aws/archive.yaml";

#[test]
#[ignore = "needs cfn-lint: cargo xtask test"]
fn cfn_lint_finds_nothing() {
    let input = input(
        "cfn-lint",
        "LABELRELAY_TEST_CFN_LINT",
        &["template.yaml", RECONCILE, CONSUMER, ARCHIVE],
    );
    input.unless_passed(|| {
        output(
            tool("LABELRELAY_TEST_CFN_LINT")
                .args(["template.yaml", RECONCILE, CONSUMER, ARCHIVE])
                .current_dir(root()),
        );
    });
}

#[test]
#[ignore = "needs the SAM command line: cargo xtask test"]
fn sam_validates_the_template() {
    let files = ["template.yaml", "samconfig.toml"];
    input("sam-validate", "LABELRELAY_TEST_SAM", &files).unless_passed(|| {
        output(
            tool("LABELRELAY_TEST_SAM")
                .args(["validate", "--lint", "--template-file", "template.yaml"])
                .env("AWS_DEFAULT_REGION", "us-east-1")
                .current_dir(root()),
        );
    });
}

#[test]
#[ignore = "needs checkov: cargo xtask test"]
fn the_security_scan_finds_nothing_that_is_not_explained() {
    for (template, checks) in [
        ("template.yaml", 20),
        (RECONCILE, 32),
        (CONSUMER, 15),
        (ARCHIVE, 50),
    ] {
        let input = input("cloudformation", "LABELRELAY_TEST_CHECKOV", &[template]);
        input.unless_passed(|| scan(template, checks));
    }
}

/// Events in the fallback, and the memory of reconcile, stay until somebody removes them.
#[test]
fn nothing_expires_but_claims_and_traces() {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let lines: Vec<_> = template.lines().map(str::trim).collect();
    let expiring: Vec<_> = lines
        .windows(2)
        .filter(|pair| pair[1].starts_with("ExpirationInDays:"))
        .map(|pair| pair[0])
        .collect();
    assert_eq!(expiring, ["Prefix: claims/", "Prefix: traces/"]);
}

/// Red if the alarm rings because AWS counts a request in another period than the function does, or no longer rings for
/// one that AWS refused. No stand-in knows its expressions, so this reckons as the documents of `CloudWatch` say.
#[test]
fn the_alarm_for_what_aws_refuses_does_not_hear_the_border_of_two_periods() {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let alarm = template.split("  OversizedBodyAlarm:").nth(1).unwrap();
    let alarm = alarm.split("AlarmActions:").next().unwrap();
    for line in [
        "Expression: 2 * unseen - DIFF(unseen)",
        "- FILL(answered, 0) - FILL(ours, 0) - FILL(throttled, 0)",
        "EvaluationPeriods: 3",
        "DatapointsToAlarm: 2",
        "ComparisonOperator: GreaterThanThreshold",
        "Threshold: 0",
    ] {
        assert!(alarm.lines().any(|found| found.trim() == line), "{line}");
    }
    // The periods of an evaluation; of the first one, nothing before it may be known.
    let rings = |unseen: &[i64]| {
        unseen.windows(3).any(|periods| {
            let both = periods
                .windows(2)
                .map(|pair| 2 * pair[1] - (pair[1] - pair[0]));
            both.filter(|both| *both > 0).count() >= 2
        })
    };
    for (unseen, heard) in [
        // AWS refused one, or some, beside none, or beside one that is counted late.
        (&[0, 0, 1, 0, 0][..], true),
        (&[0, 0, 5, 0, 0], true),
        (&[0, 1, 1, 0, 0], true),
        (&[0, 0, 2, -1, 0], true),
        // Counted by the function a period later, or a period earlier.
        (&[0, 0, 1, -1, 0], false),
        (&[0, 0, -1, 1, 0], false),
        (&[0, 0, 7, -7, 0], false),
        (&[0, 0, 0, 0, 0], false),
    ] {
        assert_eq!(rings(unseen), heard, "{unseen:?}");
    }
}

/// An alarm of something that never happens can ring only if the absence of data makes it. For all others that is
/// good news.
#[test]
fn only_alarms_of_what_does_not_happen_ring_without_data() {
    for (template, count, absent) in [
        ("template.yaml", 10, "RedriveSilentAlarm"),
        (RECONCILE, 3, "SilentAlarm"),
        (CONSUMER, 1, "none"),
        (ARCHIVE, 7, "ArchiveCompactAlarm"),
    ] {
        let alarms = alarms(template);
        assert_eq!(alarms.len(), count);
        for (name, text) in alarms {
            let rings = text.contains("TreatMissingData: breaching");
            let counts = text.contains("ComparisonOperator: LessThanThreshold");
            assert_eq!((rings, counts), (name == absent, name == absent), "{name}");
            assert!(rings || text.contains("TreatMissingData: notBreaching"));
            assert!(text.contains("AlarmActions: !If [WithAlarmTopic"), "{name}");
        }
    }
}

/// The page says of each alarm what makes it ring, and of no other.
#[test]
fn the_page_has_every_alarm() {
    let page = std::fs::read_to_string(root().join("docs/aws.md")).unwrap();
    let (_, section) = page.split_once("\n## Alarms\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut told: Vec<_> = rows.map(|row| row.split('`').next().unwrap()).collect();
    let alarms = ["template.yaml", RECONCILE, CONSUMER, ARCHIVE]
        .map(alarms)
        .concat();
    let mut there: Vec<_> = alarms.iter().map(|(name, _)| name.as_str()).collect();
    told.sort_unstable();
    there.sort_unstable();
    assert_eq!(told, there);
}

/// The page names every parameter and every output, and the console shows each parameter in a group.
#[test]
fn the_page_has_every_parameter_and_output() {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let page = std::fs::read_to_string(root().join("docs/aws.md")).unwrap();
    let (groups, rest) = template.split_once("\nParameters:\n").unwrap();
    let (parameters, rest) = rest.split_once("\nRules:\n").unwrap();
    let (_, outputs) = rest.split_once("\nOutputs:\n").unwrap();
    let (parameters, outputs) = (names(parameters), names(outputs));
    assert!(parameters.len() > 30 && outputs.len() > 10, "{template}");
    let grouped: Vec<_> = groups.split(|c: char| !c.is_alphanumeric()).collect();
    for name in &parameters {
        assert!(grouped.contains(name), "{name} is in no group");
    }
    for name in parameters.iter().chain(&outputs) {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

/// What somebody can turn on or off has its price in the table, if only none.
#[test]
fn the_page_says_what_each_switch_costs() {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let page = std::fs::read_to_string(root().join("docs/aws.md")).unwrap();
    let (_, table) = page.split_once("\nWhat each optional part adds").unwrap();
    let (table, _) = table.split_once("\n### ").unwrap();
    let (_, rest) = template.split_once("\nParameters:\n").unwrap();
    let (parameters, _) = rest.split_once("\nRules:\n").unwrap();
    let mut name = "";
    let mut switches = 0;
    for line in parameters.lines() {
        if let Some(&found) = names(line).first() {
            name = found;
        } else if line.trim() == r#"AllowedValues: ["true", "false"]"# {
            assert!(table.contains(&format!("`{name}`")), "{name}");
            switches += 1;
        }
    }
    assert!(switches >= 9, "{switches}");
}

/// Names of the members of a section.
fn names(section: &str) -> Vec<&str> {
    let lines = section.lines();
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    names
        .filter(|name| name.chars().all(char::is_alphanumeric))
        .collect()
}

/// The words that the three clouds look for begin a line of `labelrelay pull`, and stand nowhere else in it.
#[test]
fn every_cloud_reads_the_line_that_a_pull_writes() {
    let lines = read("crates/cli/src/pull/rounds.rs");
    assert!(lines.contains("\"silence: {silent_changes} changes, "));
    for (template, words) in [
        (
            RECONCILE,
            "FilterPattern: '[word=\"silence:\", changes, ...]'",
        ),
        (
            "infra/google/reconcile.tf",
            r#"textPayload =~ \"^silence: \""#,
        ),
        (
            "infra/azure/alerts.bicep",
            "| where Log startswith \"silence: \"",
        ),
    ] {
        assert!(read(template).contains(words), "{template}");
    }
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

/// A task that hangs must not keep all others from running.
#[test]
fn a_run_that_hangs_ends() {
    for (template, machines) in [(RECONCILE, 1), (ARCHIVE, 2)] {
        let template = read(template);
        let runs: Vec<_> = template.split("ecs:runTask.sync").skip(1).collect();
        assert_eq!(runs.len(), machines);
        for run in runs {
            let (run, _) = run.split_once("End: true").unwrap();
            assert!(run.contains("TimeoutSeconds: "), "{run}");
            // What AWS does with the task of a state whose time is over, it does not say.
            assert!(run.contains("Next: Look for what hangs"), "{run}");
        }
        let stop = "Resource: !Sub arn:${AWS::Partition}:states:::aws-sdk:ecs:stopTask";
        assert_eq!(template.matches(stop).count(), machines);
    }
}

/// Red if the stack's table is not what the package asks for, or if a batch that fails in part comes again whole.
#[test]
fn the_function_that_consumes_fits_the_package() {
    let template = std::fs::read_to_string(root().join(CONSUMER)).unwrap();
    let package = std::fs::read_to_string(root().join("python/labelrelay/_state_dynamodb.py"));
    let package = package.unwrap();
    for (key, kind) in [("pk", "HASH"), ("sk", "RANGE")] {
        assert!(package.contains(&format!("AttributeName={key},AttributeType=S")));
        assert!(package.contains(&format!("AttributeName={key},KeyType={kind}")));
        assert!(template.contains(&format!("{{ AttributeName: {key}, AttributeType: S }}")));
        assert!(template.contains(&format!("{{ AttributeName: {key}, KeyType: {kind} }}")));
    }
    assert!(package.contains(r#""ttl": {"N": ends}"#));
    assert!(template.contains("{ AttributeName: ttl, Enabled: true }"));
    assert!(template.contains("FunctionResponseTypes: [ReportBatchItemFailures]"));
    // What it calls, and nothing else.
    let allowed = template.lines().find_map(|line| {
        let list = line.trim().strip_prefix("Action: [dynamodb:")?;
        list.strip_suffix(']')
    });
    let allowed: Vec<_> = allowed.unwrap().split(", dynamodb:").collect();
    assert_eq!(allowed, ["GetItem", "PutItem", "Query", "UpdateItem"]);
    for call in ["get_item", "put_item", "query", "update_item"] {
        assert!(package.contains(&format!("_db.{call}(")), "{call}");
    }
}

/// Names and texts of a template's alarms.
fn alarms(template: &str) -> Vec<(String, String)> {
    resources(template, &["AWS::CloudWatch::Alarm"])
}

/// At least `checks` passed: the scan saw what it was given.
fn scan(template: &str, checks: u64) {
    let printed = output(
        tool("LABELRELAY_TEST_CHECKOV")
            .args(["--file", template, "--framework", "cloudformation"])
            // Guidelines to print beside findings would be fetched from a server.
            .args(["--skip-download", "--output", "json"])
            .current_dir(root()),
    );
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert!(
        report["summary"]["passed"].as_u64() >= Some(checks),
        "the scan saw the template: {}",
        report["summary"]
    );
    let skipped = report["results"]["skipped_checks"].as_array().unwrap();
    for check in skipped {
        let reason = check["check_result"]["suppress_comment"].as_str();
        assert!(
            reason.is_some_and(|reason| reason.len() > 20),
            "{} of {} is waived without a reason",
            check["check_id"],
            check["resource"]
        );
    }
}

/// The result of the tool that `variable` names depends on it and on these files, and on the questions in this
/// file.
fn input(name: &'static str, variable: &str, files: &[&str]) -> Input {
    let input = Input::new(name, &installed(variable), include_str!("checks.rs"));
    files
        .iter()
        .fold(input, |input, file| input.with(&root().join(file)))
}
