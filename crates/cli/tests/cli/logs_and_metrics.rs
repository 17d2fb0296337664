//! Logs and metrics of a delivery.

use crate::support::{configured, get, until};
use serde_json::Value;
use std::process::Stdio;

/// The log's lines with this message.
fn lines(log: &str, message: &str) -> Vec<Value> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["message"] == message)
        .collect()
}

#[test]
fn a_refusal_before_the_body_was_read_says_so() {
    let place = configured();
    let serving = place.serve(&["--log", "json"]);
    place.write("body", "{\"action\":\"X\"}");
    place.write("foreign.secret", "another-secret-of-label-studio");
    let to = serving.url("label-studio");
    let send = [
        "send",
        "--source",
        "label-studio",
        "--file",
        "body",
        "--to",
        &to,
    ];
    let ran = place.run(&[&send[..], &["--secret", "file:foreign.secret"]].concat());
    assert!(ran.stdout.starts_with("401"), "{ran:?}");
    until("the refusal is logged", || {
        !lines(&place.read("serve.log"), "delivery refused").is_empty()
    });
    let line = lines(&place.read("serve.log"), "delivery refused").remove(0);
    let why = line["no_digest"].as_str().unwrap_or_default();
    assert!(why.contains("the body was not read"), "{line}");
    assert_eq!(line["claimed_bytes"], 14, "{line}");
    // A refusal that needs the body logs both values.
    let to = serving.url("labelbox");
    let ran = place.run(&[
        "send",
        "--source",
        "labelbox",
        "--file",
        "body",
        "--to",
        &to,
        "--secret",
        "file:foreign.secret",
    ]);
    assert!(ran.stdout.starts_with("401"), "{ran:?}");
    until("the refusal is logged", || {
        lines(&place.read("serve.log"), "delivery refused").len() == 2
    });
    let line = lines(&place.read("serve.log"), "delivery refused").remove(1);
    assert_eq!(line["body_bytes"], 14, "{line}");
    assert!(
        line["data_sha256"].is_string() && line.get("no_digest").is_none(),
        "{line}"
    );
}

#[test]
fn times_in_logs_and_answers_are_rounded_to_the_microsecond() {
    let place = configured();
    let serving = place.serve(&["--log", "json", "--verbose"]);
    let url = serving.url("labelbox");
    let digits = |value: &Value| {
        let text = value.to_string();
        text.split_once('.').map_or(0, |(_, digits)| digits.len())
    };
    for number in 1..=5 {
        let sent = place.run(&["send", "--to", &url, "--json"]);
        sent.good();
        assert!(digits(&sent.json()[0]["elapsed_ms"]) <= 3, "{sent:?}");
        until("the delivery is logged", || {
            lines(&place.read("serve.log"), "delivery").len() == number
        });
    }
    for line in lines(&place.read("serve.log"), "delivery") {
        for name in ["elapsed_ms", "queue_ms"] {
            assert!(digits(&line[name]) <= 3, "{line}");
        }
    }
}

#[test]
fn every_attempt_that_failed_is_counted() {
    let place = configured().with("LABELRELAY_QUEUE", "stdout:");
    let log = std::fs::File::create(place.path("serve.log")).unwrap();
    let config = place.read("labelrelay.toml");
    place.write(
        "labelrelay.toml",
        config.replace("sqlite:queue.db", "stdout:"),
    );
    let mut serving = place.serve_into(&[], Stdio::piped(), log.into());
    drop(serving.stdout());
    let url = serving.url("labelbox");
    // A process that another test is just starting may hold our end open for a moment.
    let refused = (0..1000).find(|_| place.run(&["send", "--to", &url]).code != 0);
    assert!(refused.is_some());
    let log = place.logged(&["/metrics"]);
    let admin = log
        .split("http://")
        .find_map(|rest| rest.split_once("/metrics"))
        .map(|(address, _)| address.to_owned())
        .unwrap();
    let (_, metrics) = get(&admin, "/metrics");
    let failed =
        "labelrelay_queue_attempts_failed_total{source=\"labelbox\",kind=\"queue_unavailable\"} ";
    let count = metrics.lines().find_map(|line| line.strip_prefix(failed));
    let count: u32 = count.expect("counted").parse().unwrap();
    assert!(count >= 1, "{metrics}");
}
