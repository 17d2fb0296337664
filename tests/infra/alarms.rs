//! The tables of alarms on the clouds' pages against the templates: each alarm that a template makes is there, and no
//! other. Each has a command that makes it ring on an account, and perhaps a test that makes what it counts.

use crate::tool::root;
use std::collections::BTreeSet;
use std::path::Path;

/// A row of a table.
struct Row {
    alarm: String,
    command: String,
    test: Option<String>,
}

/// Rows of the tables below a heading of a page of `docs`.
fn rows(page: &str, heading: &str) -> Vec<Row> {
    let text = read(&format!("docs/{page}"));
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let lines = section.lines().filter(|line| {
        let begins = ["| `", "| *"];
        begins.iter().any(|begin| line.starts_with(begin))
    });
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [alarm, _, command, test] = cells[..] else {
        panic!("not four cells: {line}");
    };
    let plain = |cell: &str| {
        cell.trim_matches(|c: char| matches!(c, '`' | '*'))
            .to_owned()
    };
    Row {
        alarm: plain(alarm),
        command: command.to_owned(),
        test: (test != "–").then(|| plain(test)),
    }
}

fn names(rows: &[Row]) -> BTreeSet<String> {
    let names: BTreeSet<_> = rows.iter().map(|row| row.alarm.clone()).collect();
    assert_eq!(names.len(), rows.len(), "no alarm twice");
    names
}

/// Alarms of a template of `CloudFormation`.
fn of_cloud_formation(template: &str) -> BTreeSet<String> {
    let text = read(template);
    let lines: Vec<_> = text.lines().collect();
    let alarms = lines
        .windows(2)
        .filter(|pair| pair[1].trim() == "Type: AWS::CloudWatch::Alarm");
    alarms
        .map(|pair| pair[0].trim().trim_end_matches(':').to_owned())
        .collect()
}

/// Keys of the objects that a file of Terraform makes alarms of.
fn keys(file: &str) -> BTreeSet<String> {
    let text = read(file);
    let keys = text.lines().filter_map(|line| {
        let indented = line.starts_with("    ");
        let key = line.trim().strip_suffix(" = {")?.trim_end();
        let is_key = key.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        (indented && is_key).then(|| key.to_owned())
    });
    keys.collect()
}

/// `dead-letters` for `DeadLettersAlarm`.
fn in_terraform(alarm: &str) -> String {
    let mut name = String::new();
    for c in alarm.trim_end_matches("Alarm").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

#[test]
fn the_page_of_aws_has_the_alarms_of_both_tools() {
    let stack = of_cloud_formation("template.yaml");
    let mut all = stack.clone();
    all.extend(of_cloud_formation("infra/aws/reconcile.yaml"));
    all.extend(of_cloud_formation("infra/aws/consumer.yaml"));
    all.extend(of_cloud_formation("infra/aws/archive.yaml"));
    assert_eq!((stack.len(), all.len()), (10, 21));
    assert_eq!(names(&rows("aws.md", "Alarms")), all);

    let mut module = keys("infra/aws/alarms.tf");
    module.extend(named_ones(
        "infra/aws/alarms.tf",
        "alarm_name",
        "${var.name}-",
    ));
    let expected: BTreeSet<_> = stack.iter().map(|alarm| in_terraform(alarm)).collect();
    assert_eq!(module, expected);
}

#[test]
fn the_page_of_google_has_the_alerts_of_the_module() {
    let mut module = keys("infra/google/alerts.tf");
    for file in [
        "alerts.tf",
        "archive.tf",
        "consume.tf",
        "consume_pool.tf",
        "reconcile.tf",
    ] {
        let file = format!("infra/google/{file}");
        module.extend(named_ones(&file, "display_name", "${var.name}: "));
    }
    assert_eq!(module.len(), 12, "{module:?}");
    assert_eq!(names(&rows("google.md", "Alerts")), module);
}

#[test]
fn the_page_of_azure_has_the_alerts_of_the_template() {
    let text = read("infra/azure/alerts.bicep");
    let made = text.lines().filter_map(|line| {
        let name = line.strip_prefix("  name: '${name}-")?;
        Some(name.trim_end_matches('\'').to_owned())
    });
    let made: BTreeSet<_> = made.collect();
    assert_eq!(made.len(), 11, "{made:?}");
    assert_eq!(names(&rows("azure.md", "Alerts")), made);
}

/// Values of this argument, without what stands before each name. Those that a key of an object ends have no name here.
fn named_ones(file: &str, argument: &str, before: &str) -> BTreeSet<String> {
    let text = read(file);
    let names = text.lines().filter_map(|line| {
        let (name, value) = line.trim().split_once('=')?;
        let value = value.trim().trim_matches('"').strip_prefix(before)?;
        (name.trim() == argument && !value.contains('$')).then(|| value.to_owned())
    });
    names.collect()
}

#[test]
fn each_alarm_has_a_command_and_each_test_of_one_is_there() {
    let mut tests = String::new();
    for folder in ["crates", "tests"] {
        add_sources(&root().join(folder), &mut tests);
    }
    for (page, heading) in [
        ("aws.md", "Alarms"),
        ("google.md", "Alerts"),
        ("azure.md", "Alerts"),
    ] {
        let rows = rows(page, heading);
        let tested = rows.iter().filter(|row| row.test.is_some()).count();
        assert!(2 * tested >= rows.len(), "{page}: {tested} have a test");
        let mut before = "";
        for Row {
            alarm,
            command,
            test,
        } in &rows
        {
            // Some have no command of their own: deploy with a setting, or do as for the one above.
            let is_told = command.contains('`') || (command == "the same" && before.contains('`'));
            assert!(is_told, "{page}: {alarm}: {command}");
            before = command;
            if let Some(test) = test {
                assert!(
                    tests.contains(&format!("fn {test}(")),
                    "{page}: {alarm}: {test}"
                );
            }
        }
    }
}

/// Sources of all tests below `folder`.
fn add_sources(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_sources(&path, sources);
        } else if path.extension().is_some_and(|found| found == "rs") {
            sources.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}
