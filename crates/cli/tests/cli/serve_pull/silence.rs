//! Metrics by which somebody hears of a webhook that brings nothing.

use super::platform::{Mode, Platform};
use super::{annotation_created, deliver, figure, looked_again, metrics, place, queued};
use crate::support::until;

const SILENCE: &str = "silence: 1 changes, and no delivery since the last run, in project 1;";

/// The same on the page.
#[cfg(unix)]
const SILENT: &str = "none came since, in project 1;";

/// A gauge of the source.
fn seconds(metrics: &str, name: &str) -> Option<f64> {
    let line = format!("labelrelay_{name}_age_seconds{{source=\"label-studio\"}} ");
    let value = metrics.lines().find_map(|found| found.strip_prefix(&line));
    value.map(|value| value.parse().unwrap())
}

#[test]
fn undelivered_events_that_pulling_found_are_counted() {
    let platform = Platform::start();
    platform.add_task(1, &[]);
    let place = place(&platform, "sqlite:queue.db");
    let serving = place.serve(&[]);
    until("what is there already came", || queued(&place).len() == 1);
    looked_again(&place);
    assert_eq!(figure(&place, "undelivered"), 0, "it was there before");
    let before = metrics(&place);
    assert_eq!(
        seconds(&before, "last_delivery"),
        None,
        "who pulls need not be delivered to: {before}"
    );
    assert_eq!(seconds(&before, "platform_last_change"), None, "{before}");

    // While the platform shows nothing, so that the delivery is first.
    platform.set(Mode::Hangs);
    until("a request hangs", || platform.is_waited_for());
    platform.add_annotation(1, 11);
    deliver(&serving, &annotation_created(11, 1));
    // A request is counted after its answer.
    until("from the first delivery on, silence counts", || {
        seconds(&metrics(&place), "last_delivery").is_some()
    });
    platform.set(Mode::Works);
    looked_again(&place);
    assert_eq!(figure(&place, "undelivered"), 0, "a delivery brought it");

    platform.add_annotation(1, 12);
    until("pulling counted it", || figure(&place, "undelivered") == 1);
    platform.remove_annotation(12);
    until("the deletion came", || queued(&place).len() == 4);
    looked_again(&place);
    assert_eq!(
        figure(&place, "undelivered"),
        1,
        "platforms leave deletions out"
    );
    let after = metrics(&place);
    assert!(seconds(&after, "platform_last_change").is_some(), "{after}");
    assert_eq!(serving.stop(), 0);
}

/// With a webhook in the configuration, silence counts from the start: nobody may have made the webhook.
#[test]
fn beside_a_configured_webhook_the_first_delivery_is_waited_for() {
    let platform = Platform::start();
    let place = place(&platform, "sqlite:queue.db");
    let text = place.read("labelrelay.toml");
    let webhook = "[source.webhook]\nprojects = [1]\n";
    place.write("labelrelay.toml", format!("{text}{webhook}"));
    let serving = place.serve(&[]);
    let text = metrics(&place);
    assert!(seconds(&text, "last_delivery").is_some(), "{text}");
    assert_eq!(serving.stop(), 0);
}

/// The page tells it for as long as it lasts, and asks nobody for it.
#[cfg(unix)]
#[test]
fn a_silent_project_stands_under_the_sources_of_the_page() {
    let platform = Platform::start();
    platform.add_task(1, &[]);
    let place = place(&platform, "sqlite:queue.db");
    let serving = place.serve(&[]);
    let page = crate::page::Page::of(&place);
    let says = |words: &str| page.json("/api/sources").to_string().contains(words);
    until("what is there already came", || queued(&place).len() == 1);
    until("the pull is told", || says("it came to its end"));
    // Who pulls needs no webhook, until one has brought something.
    platform.set(Mode::Hangs);
    until("a request hangs", || platform.is_waited_for());
    platform.add_annotation(1, 11);
    deliver(&serving, &annotation_created(11, 1));
    until("the delivery is told", || says("ago, accepted"));
    platform.set(Mode::Works);
    looked_again(&place);
    assert!(!says(SILENT));

    platform.add_annotation(1, 12);
    until("the silence is told", || says(SILENT));
    looked_again(&place);
    assert!(says(SILENT), "it lasts");
    deliver(&serving, &annotation_created(13, 1));
    until("it is over", || !says(SILENT));
    assert_eq!(serving.stop(), 0);
}

/// The templates' alarms read this line.
#[test]
fn a_pull_tells_of_changes_in_a_project_from_which_nothing_was_delivered() {
    let platform = Platform::start();
    platform.add_task(1, &[]);
    let place = place(&platform, "sqlite:queue.db");
    let config = place.read("labelrelay.toml");
    let (without_pull, _) = config.split_once("[source.pull]").unwrap();
    place.write("labelrelay.toml", without_pull);
    let pull = || place.run(&["pull", "label-studio", "--url", &platform.url]);
    let is_silent = || pull().good().lines().any(|line| line.starts_with(SILENCE));
    assert!(!is_silent(), "it was there before");
    platform.add_annotation(1, 11);
    assert!(is_silent());
    assert!(!is_silent(), "nothing changed any more");

    platform.add_annotation(1, 12);
    let serving = place.serve(&[]);
    deliver(&serving, &annotation_created(12, 1));
    assert_eq!(serving.stop(), 0);
    platform.add_annotation(1, 13);
    let ran = place.run(&["pull", "label-studio", "--url", &platform.url, "--json"]);
    ran.good();
    let summary = ran.json().remove(0);
    assert_eq!(summary["undelivered"], 1, "{summary}");
    assert_eq!(
        summary["silent"],
        serde_json::json!([]),
        "a delivery came besides: {summary}"
    );
}
