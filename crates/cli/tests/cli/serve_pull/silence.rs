//! Metrics by which somebody hears of a webhook that brings nothing.

use super::platform::{Mode, Platform};
use super::{annotation_created, deliver, figure, looked_again, metrics, place, queued};
use crate::support::until;

/// A gauge of the source.
fn seconds(metrics: &str, name: &str) -> Option<f64> {
    let line = format!("labelrelay_{name}_age_seconds{{source=\"label-studio\"}} ");
    let value = metrics.lines().find_map(|found| found.strip_prefix(&line));
    value.map(|value| value.parse().unwrap())
}

#[test]
fn what_pulling_found_and_no_delivery_brought_is_counted() {
    let platform = Platform::start();
    platform.add_task(1, &[]);
    let place = place(&platform, "sqlite:queue.db");
    let serving = place.serve(&[]);
    until("what is there already came", || queued(&place).len() == 1);
    looked_again(&place);
    assert_eq!(figure(&place, "undelivered"), 0, "it was there before");
    let before = metrics(&place);
    assert!(seconds(&before, "last_delivery").is_some(), "{before}");
    assert_eq!(seconds(&before, "platform_last_change"), None, "{before}");

    // While the platform shows nothing, so that the delivery is first.
    platform.set(Mode::Hangs);
    until("a request hangs", || platform.is_waited_for());
    platform.add_annotation(1, 11);
    deliver(&serving, &annotation_created(11, 1));
    let delivered = metrics(&place);
    platform.set(Mode::Works);
    looked_again(&place);
    assert_eq!(figure(&place, "undelivered"), 0, "a delivery brought it");
    let age = |metrics: &str| seconds(metrics, "last_delivery").unwrap();
    assert!(age(&delivered) < age(&before), "{delivered}");

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
