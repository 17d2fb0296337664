//! `serve` that pulls by itself, from a Label Studio as it comes: it refuses every webhook to this machine.

use super::older_versions::{Change, FIRST_EVENT};
use super::outage::assert_says_what_it_says;
use super::{applied, assert_each_once, of_origin};
use crate::connect::good;
use labelrelay_tests::export::Exported;
use labelrelay_tests::label_studio::{LabelStudio, choice};
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{Relay, Site, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TASKS: usize = 30;

/// Time for the first event on a machine that does much else.
const FIRST_EVENT_BESIDE_OTHERS: Duration = Duration::from_secs(180);

/// How many random changes there are; the campaign says it.
const CHANGES: &str = "LABELRELAY_TEST_CHANGES";
const SAMPLE: u32 = 40;

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn a_stock_label_studio_s_events_arrive_and_are_what_its_database_says() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start_stock();
    let site = Site::new();
    let token = site.folder().join("token");
    std::fs::write(&token, &label_studio.token).unwrap();
    let config = std::fs::read_to_string(site.config()).unwrap();
    // Below the last source, which is Label Studio's.
    let pull = format!(
        "[source.pull]\nevery = \"1s\"\nurl = \"{}\"\ntoken = \"file:token\"\n",
        label_studio.base
    );
    std::fs::write(site.config(), format!("{config}{pull}")).unwrap();
    let project = label_studio.project("pulled");
    let relay = site.serve();

    label_studio.import(project, TASKS, false);
    let mut random = Random::seeded();
    let tasks = label_studio.rows("select id from task order by id");
    assert_eq!(tasks.len(), TASKS);
    for task in tasks {
        let path = format!("/api/tasks/{}/annotations/", task[0]);
        let made = label_studio.call("POST", &path, &json!({"result": choice("a")}));
        let path = format!("/api/annotations/{}/", made["id"]);
        match random.below(4) {
            0 => {
                let value = json!({"result": choice("b")});
                label_studio.call("PATCH", &path, &value);
            }
            1 => {
                label_studio.call("DELETE", &path, &Value::Null);
            }
            _ => {}
        }
    }
    let first = label_studio.rows("select min(id) from task");
    let path = format!("/api/tasks/{}/", first[0][0]);
    label_studio.call("DELETE", &path, &Value::Null);
    eventually("the events say what Label Studio says", || {
        is_current(&mut label_studio, &site.export()).then_some(())
    });

    let events = site.export();
    assert_each_once(&events);
    assert_eq!(of_origin(&events, false), 0, "no webhook works");
    assert_says_what_it_says(&mut label_studio, project, &events);
    relay.terminate();
    assert!(relay.wait().success());
}

/// From nothing to the first event by one command, and then whatever people do there.
#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn what_connect_sets_up_tells_all_that_happens_on_a_stock_label_studio() {
    let _machine = crate::beside_others();
    let changes = std::env::var(CHANGES).map_or(SAMPLE, |count| count.parse().unwrap());
    let mut label_studio = LabelStudio::start_stock();
    let site = Site::new();
    let relay = site.serve();
    let project = label_studio.project("Cars");
    label_studio.import(project, TASKS, true);

    // The `serve` that runs takes up what the command writes.
    let begun = Instant::now();
    let said = [
        "push refused: ",
        "reserved network address",
        "[source.pull] written below the source `label-studio`",
        "pulling every 10 s instead (same events); ",
        "first event after ",
        ", project \"Cars\"",
    ];
    good(&site, &label_studio, &[], &said);
    assert!(!site.export().is_empty());
    let took = begun.elapsed();
    println!("stock: the first event after {took:.1?}");
    let longest = if std::env::var_os(CHANGES).is_some() {
        FIRST_EVENT
    } else {
        FIRST_EVENT_BESIDE_OTHERS
    };
    assert!(took <= longest, "{took:?}");
    let caught_up = |label_studio: &mut LabelStudio| {
        eventually("the events say what Label Studio says", || {
            is_current(label_studio, &site.export()).then_some(())
        });
    };
    caught_up(&mut label_studio);

    // More often, so that this is soon over.
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.replace("\"10s\"", "\"1s\"")).unwrap();
    let relay = started_again(relay, &site);
    let mut random = Random::seeded();
    for _ in 0..changes {
        let change = Change::any(&mut random);
        // What comes while as much goes shows in no number, and a bulk action in no time: together they are found by the
        // daily look at everything.
        if change.is_bulk() {
            caught_up(&mut label_studio);
        }
        change.make(&mut label_studio, project, &mut random);
        if change.is_bulk() {
            caught_up(&mut label_studio);
        }
    }
    caught_up(&mut label_studio);
    let events = site.export();
    println!("stock: {changes} changes, {} events", events.len());
    assert_each_once(&events);
    assert_eq!(of_origin(&events, false), 0, "no webhook works");
    assert_says_what_it_says(&mut label_studio, project, &events);
    relay.terminate();
    assert!(relay.wait().success());
}

fn started_again(relay: Relay, site: &Site) -> Relay {
    relay.terminate();
    assert!(relay.wait().success());
    site.serve()
}

/// Tells whether the events tell of every thing in its newest version, and of no other.
fn is_current(label_studio: &mut LabelStudio, events: &[Exported]) -> bool {
    let applied = applied(events);
    let of_kind = |kind: &str| {
        applied
            .keys()
            .filter(|subject| subject.starts_with(kind))
            .count()
    };
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let annotations = label_studio.rows("select id, updated_at from task_completion");
    let tasks = label_studio.rows("select id from task");
    let is_newest = |row: &Value| {
        let event = applied.get(&format!("annotation/{}", row[0]));
        let version = event.and_then(|event| event.attributes.sequence.as_deref());
        // `20261121T094710.371842000Z` against `2026-11-21 09:47:10.371842`.
        version
            .is_some_and(|version| digits(version).starts_with(&digits(row[1].as_str().unwrap())))
    };
    of_kind("task/") == tasks.len()
        && of_kind("annotation/") == annotations.len()
        && annotations.iter().all(is_newest)
}
