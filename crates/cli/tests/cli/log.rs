//! The log of `serve`, beside a stranger who decides how much there is to say, and a reader who stops reading.

use crate::support::{Place, Serving, configured, get, patient, unrecorded, until};
use labelrelay_tests::client::Client;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{ChildStderr, Stdio};

/// Requests that are under way at once on one connection.
const BATCH: usize = 100;

/// Sends as many deliveries with a wrong secret, and has each of them answered.
fn refused(address: &str, times: usize) {
    let mut client = Client::connect(address.parse().unwrap()).unwrap();
    let request = b"POST /label-studio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nContent-Length: 0\r\n\r\n";
    for _ in 0..times / BATCH {
        client.write(&request.repeat(BATCH)).unwrap();
        for _ in 0..BATCH {
            assert_eq!(client.read().unwrap().status, 401);
        }
    }
}

/// A `serve` that says all there is to say, and whose log nobody reads after its first lines; with the
/// address of its metrics.
fn nobody_reads(place: &Place) -> (Serving, BufReader<ChildStderr>, String) {
    let mut serving = place.serve_into(&["--log", "json"], Stdio::null(), Stdio::piped());
    let mut log = BufReader::new(serving.stderr());
    let admin = loop {
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        if let Some(admin) = line.get("admin").and_then(Value::as_str) {
            break admin.to_owned();
        }
    };
    (serving, log, admin)
}

#[test]
fn a_log_that_nobody_reads_keeps_no_request_waiting_and_its_gaps_are_told() {
    // Its lines are counted, and the record would say a moment later that it cannot keep up.
    let place = unrecorded(patient()).with("LABELRELAY_LOG", "debug");
    let (mut serving, mut log, admin) = nobody_reads(&place);
    refused(&serving.address, 6000);
    let mut client = Client::connect(serving.address.parse().unwrap()).unwrap();
    let delivery = b"POST /label-studio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-secret-of-label-studio\r\nContent-Length: 53\r\n\r\n{\"action\":\"ANNOTATION_CREATED\",\"annotation\":{\"id\":1}}";
    assert_eq!(client.exchange(delivery).unwrap().status, 200);
    assert!(get(&serving.address, "/-/ready").0.ends_with("200 OK"));

    let count = || {
        let (_, metrics) = get(&admin, "/metrics");
        let count = metrics
            .lines()
            .find_map(|line| line.strip_prefix("labelrelay_log_lines_dropped_total "))
            .expect("a metric");
        count.parse::<u64>().unwrap()
    };
    until("lines are dropped", || count() > 0);
    // As soon as somebody reads again. A request is logged after its answer, so there may be more of them meanwhile.
    let mut told = 0;
    loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "the log has ended");
        if let Some((before, _)) = line.split_once(" lines were dropped here") {
            let number = before.rsplit(|c: char| !c.is_ascii_digit()).next();
            told += number.unwrap().parse::<u64>().unwrap();
            if told == count() {
                break;
            }
        }
    }
    // The rest of it until the end, which is there as well.
    serving.signal("-TERM");
    let last = log.lines().map_while(Result::ok).last().unwrap();
    assert!(
        last.contains("everything that was accepted is finished"),
        "{last}"
    );
    assert_eq!(serving.wait(), 0);
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_a_stop_waiting() {
    let place = configured().with("LABELRELAY_LOG", "debug");
    let (serving, _log, _) = nobody_reads(&place);
    refused(&serving.address, 6000);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_stranger_does_not_decide_how_fast_the_log_grows() {
    const TIMES: usize = 20_000;
    let place = configured();
    let serving = place.serve(&["--log", "json"]);
    refused(&serving.address, TIMES);
    // Another kind beside it is explained all the same.
    assert!(get(&serving.address, "/label-studio").0.contains("405"));
    assert_eq!(serving.stop(), 0);
    let log = place.read("serve.log");
    // Lines are told by the second, however many there are: a slow machine has more seconds. In full, they are 10 MB.
    assert!(log.len() < 200_000, "{} bytes", log.len());
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let is_wrong = |line: &&Value| line["outcome"] == "unauthorized";
    let in_full = |line: &&Value| line["message"] == "delivery refused";
    let first = lines.iter().find(is_wrong).expect("the first is told");
    assert_eq!(first["client"], "127.0.0.1");
    assert_eq!(first["credential_headers"], "authorization");
    assert!(
        first["secrets_tried"]
            .as_str()
            .unwrap()
            .contains("label-studio.secret")
    );
    let told: u64 = lines
        .iter()
        .filter(is_wrong)
        .map(|line| line["times"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(told, TIMES as u64, "each is told or counted");
    assert!(lines.iter().filter(is_wrong).filter(in_full).count() >= 5);
    assert!(lines.iter().any(|line| line["outcome"] == "wrong_method"));
}
