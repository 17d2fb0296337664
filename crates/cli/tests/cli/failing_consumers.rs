//! A consumer that fails for some events: they alone are given back, and somebody hears of what it gave up.

use crate::displaced_queue::until;
use crate::queue::with_events;
use crate::support::{CONFIG, Place, Ran, get, patient};
use std::io::Write as _;
use std::process::Stdio;

fn with_stdin(place: &Place, words: &[&str], input: &str) -> Ran {
    let mut child = place
        .command(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    Ran::from(child.wait_with_output().unwrap())
}

#[test]
fn one_of_a_batch_is_given_back_alone() {
    let (place, _serving) = with_events(&["annotation.created", "task.created", "label.created"]);
    let receive = ["queue", "receive", "--max", "3", "--visibility", "1h"];
    let receive = || place.run(&[&receive[..], &["--json"]].concat());
    let batch = receive();
    let lines: Vec<_> = batch.good().lines().collect();
    let failed = &batch.json()[1];
    let ran = with_stdin(&place, &["queue", "nack", "-"], lines[1]);
    assert_eq!(ran.good(), "returned 1 of 1\n");
    let done = format!("{}\n{}\n", lines[0], lines[2]);
    let ran = with_stdin(&place, &["queue", "ack", "-"], &done);
    assert_eq!(ran.good(), "acknowledged 2 of 2\n");
    let again = receive().json();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0]["envelope"]["id"], failed["envelope"]["id"]);
    assert_eq!(again[0]["receive_count"], 2);
    let old = failed["receipt"].as_str().unwrap();
    for verb in ["nack", "extend", "ack"] {
        let ran = place.run(&["queue", verb, old]);
        ran.failed(1, &[old, "received again since"]);
    }
    place
        .run(&["queue", "nack", "nonsense"])
        .failed(1, &["nonsense", "no receipt"]);

    let receipt = again[0]["receipt"].as_str().unwrap();
    let extend = ["queue", "extend", "--visibility", "1h", "--json", receipt];
    assert_eq!(place.run(&extend).json()[0]["outcome"], "extended");
    let nack = ["queue", "nack", "--delay", "1h", "--json", receipt];
    assert_eq!(place.run(&nack).json()[0]["outcome"], "returned");
    let none = place.run(&["queue", "receive", "--json"]);
    assert_eq!(none.good(), "", "it is not to be received for an hour");
    assert_eq!(
        place.run(&["queue", "stats", "--json"]).json()[0]["in_flight"],
        1
    );
}

#[test]
fn a_dead_letter_is_told_of_and_counted() {
    let place = patient();
    let config = format!("{CONFIG}[embedded_queue]\nmax_receives = 1\nderive = false\n");
    place.write("labelrelay.toml", config);
    let serving = place.serve(&["--log", "json"]);
    for event in ["task.created", "annotation.created"] {
        let url = serving.url("label-studio");
        place.run(&["send", "--event", event, "--to", &url]).good();
    }
    let admin = admin_of_json(&place);
    let figure = |name: &str| {
        let (_, text) = get(&admin, "/metrics");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("labelrelay_queue_{name} ")));
        line.map(str::to_owned)
    };
    until("two events are ready", || {
        figure("ready").as_deref() == Some("2")
    });
    assert!(
        figure("oldest_ready_age_seconds")
            .unwrap()
            .parse::<f64>()
            .unwrap()
            >= 0.0
    );
    assert!(figure("file_bytes").unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(figure("dead_letters_total").as_deref(), Some("0"));
    let receive = ["queue", "receive", "--visibility", "1h", "--json"];
    let received = place.run(&receive).json();
    until("one is in flight", || {
        figure("in_flight").as_deref() == Some("1")
    });
    place
        .run(&["queue", "nack", received[0]["receipt"].as_str().unwrap()])
        .good();
    // Nobody receives any more: `serve` notices by itself.
    until("nobody hears of it", || {
        place.read("serve.log").contains("a dead letter")
    });
    let log = place.read("serve.log");
    let line = log
        .lines()
        .find(|line| line.contains("a dead letter"))
        .unwrap();
    for key in ["id", "type", "subject"] {
        let value = received[0]["envelope"][key].as_str().unwrap();
        assert!(line.contains(value), "{key} {value} in {line}");
    }
    assert!(line.contains("\"receive_count\":1"), "{line}");
    until("the dead are counted", || {
        figure("dead").as_deref() == Some("1")
    });
    assert_eq!(figure("dead_letters_total").as_deref(), Some("1"));
    assert_eq!(figure("ready").as_deref(), Some("1"));
    let (_, ready) = get(&admin, "/ready");
    for line in [
        "ready\n",
        "queue_ready 1\n",
        "queue_dead 1\n",
        "queue_in_flight 0\n",
    ] {
        assert!(ready.contains(line), "no {line:?} in {ready}");
    }
    place.run(&["events", "retry", "--dead"]).good();
    until("it is ready again", || {
        figure("ready").as_deref() == Some("2")
    });
    assert_eq!(figure("dead_letters_total").as_deref(), Some("1"));
    let stats = &place.run(&["queue", "stats", "--json"]).json()[0];
    assert_eq!(stats["dead_letters"], 1);
}

fn admin_of_json(place: &Place) -> String {
    let log = place.logged(&["\"listening\"", "\"admin\":"]);
    let line = log
        .lines()
        .find(|line| line.contains("\"listening\""))
        .unwrap();
    let (_, rest) = line.split_once("\"admin\":\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}
