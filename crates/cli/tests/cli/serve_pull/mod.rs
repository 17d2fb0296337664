//! `[source.pull]`: `serve` fetches by itself what happened on the platform.

mod every_metric;
#[cfg(feature = "otlp")]
mod exported;
mod platform;
#[cfg(feature = "postgres")]
mod replicas;
#[cfg(feature = "nats")]
mod replicas_over_nats;
mod silence;
mod taken_up;

use crate::support::{Place, Serving, get, until};
use platform::{Mode, Platform, TOKEN, annotation, task};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const SECRET: &str = "a-secret-of-label-studio";

/// A place with a configuration that pulls from the platform.
fn place(platform: &Platform, queue: &str) -> Place {
    let place = Place::new()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABELRELAY_ADMIN_LISTEN", "127.0.0.1:0")
        // No answer is late because a machine is busy.
        .with("LABELRELAY_DEADLINE_MS", "10000");
    place.write("label-studio.secret", SECRET);
    place.write("labelrelay.toml", config(platform, queue));
    place
}

fn config(platform: &Platform, queue: &str) -> String {
    format!(
        "queue = \"{queue}\"\n[[source]]\nname = \"label-studio\"\nprovider = \"label-studio\"\n\
         secret = \"file:label-studio.secret\"\n[source.pull]\nevery = \"1s\"\nurl = \"{}\"\n",
        platform.url
    )
}

/// One of two replicas pulls. The other one stands by, and takes over once the first one is gone. Task 1 is there, with one
/// annotation.
#[cfg(any(feature = "nats", feature = "postgres"))]
fn one_pulls_and_the_other_takes_over(platform: &Platform, places: &[Place; 2]) {
    let first = places[0].serve(&[]);
    until("the first one pulls", || queued(&places[0]).len() == 2);
    let second = places[1].serve(&[]);
    places[1].logged(&["another replica pulls from this source"]);
    platform.add_annotation(1, 11);
    until("it pulls again", || queued(&places[0]).len() == 3);
    assert_eq!(figure(&places[1], "events"), 0, "the second one stands by");
    assert_eq!(first.stop(), 0);
    platform.add_annotation(1, 12);
    until("the second one has taken over", || {
        queued(&places[1]).len() == 4
    });
    assert_each_once(&queued(&places[1]));
    assert_eq!(second.stop(), 0);
}

/// Id, type and subject of an event.
type Event = (String, String, String);

/// Id, type and subject of each event in the embedded queue, without the tasks that these completed.
fn queued(place: &Place) -> Vec<Event> {
    let ran = place.run(&["events", "list", "--json", "--limit", "10000"]);
    ran.good();
    let mut events: Vec<_> = ran.json().iter().map(event).collect();
    events.retain(|(_, name, _)| name != "io.labelstud.task.completed");
    events
}

/// The same of each envelope on stdout.
fn printed(place: &Place) -> Vec<Event> {
    let lines = place.read("serve.out");
    let whole = lines.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let envelopes = whole
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    envelopes.map(|envelope| event(&envelope)).collect()
}

fn event(value: &Value) -> Event {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    (text("id"), text("type"), text("subject"))
}

/// Asserts that each of these is there once.
#[track_caller]
fn assert_each_once(events: &[Event]) {
    let ids: BTreeSet<_> = events.iter().map(|(id, _, _)| id).collect();
    assert_eq!(ids.len(), events.len(), "{events:?}");
}

fn count(events: &[Event], event_type: &str) -> usize {
    let name = format!("io.labelstud.{event_type}");
    events.iter().filter(|(_, found, _)| *found == name).count()
}

fn metrics(place: &Place) -> String {
    let log = place.logged(&["/metrics"]);
    let admin = log
        .split("http://")
        .find_map(|rest| rest.split_once("/metrics"));
    get(admin.unwrap().0, "/metrics").1
}

/// A figure of pulling.
fn figure(place: &Place, name: &str) -> u64 {
    let line = format!("labelrelay_pull_{name}_total{{source=\"label-studio\"}} ");
    let metrics = metrics(place);
    let value = metrics.lines().find_map(|found| found.strip_prefix(&line));
    value.map_or(0, |value| value.parse().unwrap())
}

/// Waits until two more looks came to their end: one of them began after this.
#[track_caller]
fn looked_again(place: &Place) {
    let runs = figure(place, "runs");
    until("it was looked again", || figure(place, "runs") >= runs + 2);
}

/// Delivers a webhook's body.
fn deliver(serving: &Serving, body: &Value) {
    let body = body.to_string();
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    write!(
        stream,
        "POST /label-studio HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {SECRET}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn annotation_created(id: u64, of: u64) -> Value {
    json!({"action": "ANNOTATION_CREATED", "annotation": annotation(id, of), "project": {"id": 1}, "task": task(of)})
}

#[test]
fn events_come_without_any_webhook() {
    let platform = Platform::start();
    platform.add_task(1, &[11]);
    platform.add_task(2, &[]);
    let place = place(&platform, "sqlite:queue.db");
    let serving = place.serve(&[]);
    until("what is there already came", || queued(&place).len() == 3);
    platform.add_annotation(2, 12);
    until("the annotation came", || queued(&place).len() == 4);
    platform.remove_annotation(11);
    until("the deletion came", || {
        count(&queued(&place), "annotation.deleted") == 1
    });
    looked_again(&place);
    let events = queued(&place);
    assert_each_once(&events);
    assert_eq!(events.len(), 5);
    assert_eq!(count(&events, "task.created"), 2);
    assert_eq!(count(&events, "annotation.created"), 2);
    let first = place.run(&["events", "show", "1", "--json"]).json();
    assert_eq!(first[0]["envelope"]["origin"], "reconcile");
    assert_eq!(figure(&place, "events"), 5);
    assert_eq!(figure(&place, "failures"), 0);
    let metrics = metrics(&place);
    assert!(
        metrics.contains("labelrelay_pull_last_success_age_seconds{source=\"label-studio\"}"),
        "{metrics}"
    );
    // The verb goes by the same ledger, between two runs of `serve`.
    let pulled = place.run(&["pull", "label-studio", "--url", &platform.url, "--json"]);
    assert!(pulled.good().contains("\"sent\":0"), "{pulled:?}");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_webhook_and_pulling_beside_each_other_bring_each_event_once() {
    let platform = Platform::start();
    platform.add_task(1, &[]);
    let place = place(&platform, "sqlite:queue.db");
    let serving = place.serve(&[]);
    until("the task came", || queued(&place).len() == 1);
    for id in 20..40 {
        // As Label Studio does: the API shows it, then the webhook is called.
        platform.add_annotation(1, id);
        deliver(&serving, &annotation_created(id, 1));
    }
    looked_again(&place);
    let events = queued(&place);
    assert_each_once(&events);
    assert_eq!(count(&events, "annotation.created"), 20);
    assert_eq!(events.len(), 21);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_queue_that_cannot_be_looked_into_gets_each_event_once_too() {
    let platform = Platform::start();
    platform.add_task(1, &[11]);
    let place = place(&platform, "stdout:");
    let serving = place.serve(&[]);
    until("what is there already came", || printed(&place).len() == 2);
    // While the platform shows nothing, so that only the ledger can tell.
    platform.set(Mode::Hangs);
    until("a request hangs", || platform.is_waited_for());
    platform.add_annotation(1, 12);
    platform.add_task(2, &[]);
    platform.add_task(3, &[]);
    deliver(&serving, &annotation_created(12, 1));
    let import =
        json!({"action": "TASKS_CREATED", "tasks": [task(2), task(3)], "project": {"id": 1}});
    deliver(&serving, &import);
    // The last delivery is recorded before `serve` ends.
    assert_eq!(serving.stop(), 0);
    let events = printed(&place);
    assert_each_once(&events);
    assert_eq!(events.len(), 4, "{events:?}");
    assert!(place.path(".labelrelay/label-studio.ledger").exists());

    platform.set(Mode::Works);
    platform.add_annotation(1, 14);
    let serving = place.serve(&[]);
    until("the new one came", || !printed(&place).is_empty());
    looked_again(&place);
    let events = printed(&place);
    assert_eq!(
        events.len(),
        1,
        "what the start before knew is not sent again: {events:?}"
    );
    assert_eq!(events[0].2, "annotation/14");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_ledger_in_a_store_is_saved_at_the_end_and_taken_up() {
    let platform = Platform::start();
    platform.add_task(1, &[11]);
    let place = place(&platform, "stdout:");
    let config = config(&platform, "stdout:");
    place.write(
        "labelrelay.toml",
        format!("{config}ledger = \"file:ledger\"\n"),
    );
    let serving = place.serve(&[]);
    until("what is there already came", || printed(&place).len() == 2);
    platform.add_annotation(1, 12);
    deliver(&serving, &annotation_created(12, 1));
    assert_eq!(serving.stop(), 0);
    assert!(place.path("ledger/label-studio").exists());
    assert!(!place.path(".labelrelay/label-studio.ledger").exists());
    let serving = place.serve(&[]);
    looked_again(&place);
    assert_eq!(printed(&place), []);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_platform_that_is_down_stops_no_delivery_and_is_told_of_once() {
    let platform = Platform::start();
    platform.set(Mode::Broken);
    platform.add_task(1, &[]);
    let place = place(&platform, "sqlite:queue.db");
    let serving = place.serve(&[]);
    until("it failed twice", || figure(&place, "failures") >= 2);
    assert_eq!(get(&serving.address, "/-/ready").0, "HTTP/1.1 200 OK");
    deliver(&serving, &annotation_created(11, 1));
    assert_eq!(queued(&place).len(), 1);
    let log = place.logged(&["pulling failed", "500"]);
    assert_eq!(log.matches("pulling failed").count(), 1, "{log}");
    assert!(!log.contains(TOKEN), "{log}");

    platform.add_annotation(1, 11);
    platform.set(Mode::Works);
    until("the task came", || queued(&place).len() == 2);
    place.logged(&["pulling works again"]);
    looked_again(&place);
    assert_each_once(&queued(&place));
    assert_eq!(queued(&place).len(), 2);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_signal_in_the_middle_ends_it_and_nothing_is_lost() {
    let platform = Platform::start();
    for task in 1..=1000 {
        platform.add_task(task, &[10_000 + task]);
    }
    let place = place(&platform, "sqlite:queue.db");
    let serving = place.serve(&[]);
    until("some of it came", || !queued(&place).is_empty());
    platform.set(Mode::Hangs);
    until("a request hangs", || platform.is_waited_for());
    let begun = std::time::Instant::now();
    assert_eq!(serving.stop(), 0);
    // A request of a run is given up after a minute.
    assert!(begun.elapsed().as_secs() < 40, "{:?}", begun.elapsed());
    platform.set(Mode::Works);
    let serving = place.serve(&[]);
    until("all of it came", || queued(&place).len() >= 2000);
    looked_again(&place);
    let events = queued(&place);
    assert_each_once(&events);
    assert_eq!(events.len(), 2000);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn variables_alone_let_it_pull() {
    let platform = Platform::start();
    platform.add_task(1, &[11]);
    let place = Place::new()
        .with("LABELRELAY_ADMIN_LISTEN", "127.0.0.1:0")
        .with("LABEL_STUDIO_WEBHOOK_SECRET", SECRET)
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABEL_STUDIO_URL", &platform.url)
        .with("LABEL_STUDIO_PULL_EVERY", "1s");
    let serving = place.serve(&[]);
    until("what is there came", || queued(&place).len() == 2);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_serve_that_cannot_pull_does_not_start() {
    let platform = Platform::start();
    let place = place(&platform, "sqlite:queue.db");
    place
        .command(&["serve", "--listen", "127.0.0.1:0"])
        .env_remove("LABEL_STUDIO_API_KEY")
        .output()
        .map(crate::support::Ran::from)
        .unwrap()
        .failed(
            78,
            &[
                "source.label-studio.pull.token",
                "LABEL_STUDIO_API_KEY is not set",
            ],
        );
    let config = config(&platform, "sqlite:queue.db");
    place.write(
        "labelrelay.toml",
        format!("{config}ledger = \"file:ledger\"\n"),
    );
    let ran = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    ran.failed(78, &["source.label-studio.pull.ledger", "queue.db.ledger"]);
    place.write("labelrelay.toml", format!("{config}tokn = \"x\"\n"));
    let ran = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    ran.failed(78, &["tokn"]);
}
