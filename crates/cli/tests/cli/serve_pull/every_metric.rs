//! The page of metrics, and the rules for Prometheus, held against what a running `serve` has.

use super::platform::Platform;
use super::{annotation_created, deliver, metrics, place};
use crate::support::until;
use crate::workspace;
use std::collections::BTreeSet;

/// The names in `text` that are metrics'.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_lowercase() || character == '_';
    let words = text.split(|character: char| !is_part(character));
    let names = words.filter(|word| word.starts_with("labelrelay_"));
    names.map(str::to_owned).collect()
}

/// The names that Prometheus knows them by.
fn told(metrics: &str) -> BTreeSet<String> {
    let types = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let name = |line: &str| match line.split_once(' ').unwrap() {
        (name, "counter") => format!("{name}_total"),
        (name, _) => name.to_owned(),
    };
    types.map(name).collect()
}

#[test]
fn the_page_has_every_metric_and_the_rules_use_no_other() {
    let platform = Platform::start();
    platform.add_task(1, &[11]);
    let place = place(&platform, "sqlite:queue.db");
    let config = place.read("labelrelay.toml");
    let archive = "[archive]\nurl = \"file:archive\"\nevery = \"1s\"\n";
    let derived = "[embedded_queue]\nderive = true\n";
    place.write("labelrelay.toml", format!("{config}{archive}{derived}"));
    let serving = place.serve(&[]);
    // A source that pulls is silent from its first delivery on.
    deliver(&serving, &annotation_created(12, 1));

    let page = workspace::file("docs/monitoring.md");
    let (_, section) = page.split_once("\n## Metrics\n").unwrap();
    let (section, _) = section.split_once("\n### ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let firsts: String = rows.filter_map(|row| row.split(" | ").next()).collect();
    let on_page = names(&firsts);
    assert!(on_page.len() > 30, "{on_page:?}");
    // Some come with the first look, at the queue, the platform and the archive.
    until("everything on the page is told", || {
        on_page.is_subset(&told(&metrics(&place)))
    });
    let there = told(&metrics(&place));
    let missing: Vec<_> = there.difference(&on_page).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");

    let rules = workspace::file("packaging/prometheus.rules.yaml");
    let expressions = rules
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("expr: "));
    for expression in expressions {
        let used = names(expression);
        assert!(
            !used.is_empty() && used.is_subset(&there),
            "no such metric: {expression}"
        );
        for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
            let count = |wanted: char| expression.matches(wanted).count();
            assert_eq!(count(open), count(close), "{expression}");
        }
    }

    // The first failure of each sort is an increase.
    let text = metrics(&place);
    for begins in [
        "labelrelay_requests_total{source=\"label-studio\",outcome=\"unavailable\"} 0",
        "labelrelay_late_total{source=\"label-studio\"} 0",
        "labelrelay_connections_closed_total{why=\"no_room\"} 0",
    ] {
        assert!(text.lines().any(|line| line == begins), "{text}");
    }
    assert_eq!(serving.stop(), 0);
}
