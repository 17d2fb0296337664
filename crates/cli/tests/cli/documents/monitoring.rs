//! The page of log events and alerts, held against the code and the templates.

use crate::workspace;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A section of the page.
fn section(heading: &str) -> String {
    let page = workspace::file("docs/monitoring.md");
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    section.split("\n## ").next().unwrap().to_owned()
}

/// What stands between two of these signs in a text, each time.
fn quoted(text: &str, sign: char) -> BTreeSet<String> {
    text.split(sign)
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The code of every crate, without its tests.
fn code() -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(workspace::root().join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 300, "{} files only", files.len());
    files.iter().map(|file| without_tests(file)).collect()
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|found| found == "rs")
            && !path.ends_with("tests.rs")
            && path
                .parent()
                .is_none_or(|folder| !folder.ends_with("tests"))
        {
            files.push(path);
        }
    }
}

fn without_tests(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    // A module of a file of its own is no end of the code.
    let ends = text.match_indices("\n#[cfg(test)]\n").find(|(at, _)| {
        let module = text[*at..].lines().find(|line| line.contains("mod "));
        module.is_some_and(|line| line.ends_with('{'))
    });
    let end = ends.map_or(text.len(), |(at, _)| at);
    text[..end].to_owned()
}

/// Names of the events that this code logs.
fn logged(code: &str) -> impl Iterator<Item = &str> {
    let calls = ["error!(", "warn!(", "info!(", "debug!(", "event!("];
    let calls = calls
        .into_iter()
        .flat_map(move |call| code.split(call).skip(1));
    calls.filter_map(|call| {
        let name = call.trim_start().strip_prefix("name: \"")?;
        name.split('"').next()
    })
}

#[test]
fn the_page_has_every_log_event_and_no_other() {
    let code = code();
    let rows = section("Log events");
    let rows = rows.lines().filter_map(|line| line.strip_prefix("| `"));
    let on_page: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    assert!(on_page.len() > 100, "{on_page:?}");
    let there: BTreeSet<&str> = code.iter().flat_map(|file| logged(file)).collect();
    let missing: Vec<_> = there.difference(&on_page).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
    // The functions write some lines by themselves, whose names stand in their code.
    let of_nobody: Vec<_> = on_page
        .iter()
        .filter(|name| {
            let name = format!("\"{name}\"");
            !code.iter().any(|file| file.contains(&name))
        })
        .collect();
    assert!(of_nobody.is_empty(), "nobody logs {of_nobody:?}");
}

/// One word for one thing: the templates count silence, and `serve` what is undelivered.
#[test]
fn the_page_has_the_metrics_of_the_templates() {
    let metrics = section("Metrics");
    let (_, silence) = metrics.split_once("\n### Silence\n").unwrap();
    let rows = silence.lines().filter(|line| line.starts_with("| "));
    let table: String = rows.collect();
    let on_page: BTreeSet<String> = quoted(&table, '`')
        .into_iter()
        .filter(|name| !name.contains('/'))
        .collect();
    let aws = workspace::file("infra/aws/reconcile.yaml");
    let filters = aws.split("MetricTransformations:").skip(1);
    let mut there: BTreeSet<String> = filters
        .filter_map(|filter| {
            let mut lines = filter.lines();
            lines.find_map(|line| line.trim_start().strip_prefix("MetricName: "))
        })
        .map(str::to_owned)
        .collect();
    let google = workspace::file("infra/google/reconcile.tf");
    let metrics = google.split("resource \"google_logging_metric\"").skip(1);
    there.extend(metrics.filter_map(|metric| {
        let (_, name) = metric.split_once("= \"${var.name}-")?;
        let name = name.split('"').next()?;
        Some(format!("labelrelay-{name}"))
    }));
    assert_eq!(on_page, there);
}

#[test]
fn the_page_has_every_alert_and_no_other() {
    let section = section("Alerts");
    let table: String = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    let on_page: BTreeSet<String> = quoted(&table, '`')
        .into_iter()
        .filter(|name| name != "serve")
        .collect();
    let rules = workspace::file("packaging/prometheus.rules.yaml");
    let after = |text: &str, word: &str| -> Vec<String> {
        let names = text.lines().filter_map(|line| {
            let rest = line.trim_start().strip_prefix(word)?;
            rest.split(['\'', '"']).next()
        });
        names.map(str::to_owned).collect()
    };
    let mut there = BTreeSet::from_iter(after(&rules, "- alert: "));
    for template in [
        "template.yaml",
        "infra/aws/archive.yaml",
        "infra/aws/consumer.yaml",
        "infra/aws/reconcile.yaml",
    ] {
        let text = workspace::file(template);
        let (_, resources) = text.split_once("\nResources:\n").unwrap();
        let names = resources
            .lines()
            .filter_map(|line| line.strip_suffix("Alarm:"));
        there.extend(names.map(|name| format!("{}Alarm", name.trim_start())));
    }
    let azure = workspace::file("infra/azure/alerts.bicep");
    there.extend(after(&azure, "name: '${name}-"));
    for file in [
        "alerts.tf",
        "archive.tf",
        "consume.tf",
        "consume_pool.tf",
        "reconcile.tf",
    ] {
        let text = workspace::file(&format!("infra/google/{file}"));
        let names = after(&text, "display_name          = \"${var.name}: ");
        there.extend(names.into_iter().filter(|name| !name.starts_with("${")));
    }
    let google = workspace::file("infra/google/alerts.tf");
    for (before, _) in google.match_indices(" = {\n      says ") {
        there.extend(
            google[..before]
                .split_whitespace()
                .next_back()
                .map(str::to_owned),
        );
    }
    assert_eq!(on_page, there);
}
