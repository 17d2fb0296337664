//! `queue pipe`: a program receives and settles through one process, which keeps nothing when either ends.

use crate::queue::with_events;
use crate::support::{Place, deriving_nothing, send_laid_out, until};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Pipe {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Pipe {
    fn start(place: &Place) -> Self {
        Self::start_with(place, &[])
    }

    pub(crate) fn start_with(place: &Place, words: &[&str]) -> Self {
        let mut child = place
            .command(&[&["queue", "pipe"], words].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            requests: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub(crate) fn write(&mut self, lines: &str) {
        let requests = self.requests.as_mut().unwrap();
        requests.write_all(lines.as_bytes()).unwrap();
    }

    pub(crate) fn line(&mut self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    fn text(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        self.write(&format!("{request}\n"));
        self.line()
    }

    /// Receipts and envelopes of what is received.
    pub(crate) fn receive(&mut self, request: &Value) -> Vec<(Value, String)> {
        let head = self.ask(request);
        let deliveries = head["deliveries"]
            .as_u64()
            .unwrap_or_else(|| panic!("{head}"));
        (0..deliveries)
            .map(|_| (self.line(), self.text()))
            .collect()
    }

    pub(crate) fn signal(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Ends stdin; the exit code.
    pub(crate) fn end(mut self) -> i32 {
        self.requests = None;
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stats(place: &Place) -> Value {
    place.run(&["queue", "stats", "--json"]).json()[0].clone()
}

#[test]
fn a_received_event_is_settled_by_its_receipt() {
    let (place, serving) = with_events(&["annotation.created", "task.created", "label.created"]);
    send_laid_out(&place, &serving);
    let mut pipe = Pipe::start(&place);
    let received = pipe.receive(&json!({"op": "receive", "max": 10}));
    assert_eq!(received.len(), 4);
    let seqs: Vec<_> = received
        .iter()
        .map(|(head, _)| head["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
    assert_eq!(received[0].0["receive_count"], 1);
    // The bytes as they were queued, and no line break of a body in them.
    let stored = place.run(&["events", "show", "1", "--envelope"]);
    assert_eq!(received[0].1.trim_end(), stored.good().trim_end());
    let laid_out: Value = serde_json::from_str(&received[3].1).unwrap();
    assert!(laid_out["data_base64"].is_string(), "{laid_out}");

    let receipt = |at: usize| received[at].0["receipt"].clone();
    let answer = pipe.ask(&json!({"op": "ack", "receipts": [receipt(0), receipt(0), "nonsense"]}));
    let outcomes = json!(["acknowledged", "stale", "malformed"]);
    assert_eq!(answer, json!({"op": "ack", "outcomes": outcomes}));
    let answer =
        pipe.ask(&json!({"op": "extend", "receipts": [receipt(1)], "visibility_ms": 60_000}));
    assert_eq!(answer["outcomes"], json!(["extended"]));
    let answer = pipe.ask(&json!({"op": "retry", "receipts": [receipt(1)]}));
    assert_eq!(answer["outcomes"], json!(["returned"]));
    let reason = "no \"use\" for it,\nsays é";
    let answer = pipe.ask(&json!({"op": "reject", "receipts": [receipt(2)], "reason": reason}));
    assert_eq!(answer["outcomes"], json!(["rejected"]));
    let dead = place.run(&["events", "list", "--dead", "--json"]).json();
    assert_eq!(dead[0]["reason"], json!(reason));
    let seq = dead[0]["seq"].to_string();
    let shown = place.run(&["events", "show", &seq, "--json"]).json();
    assert_eq!(shown[0]["reason"], json!(reason));
    let shown = place.run(&["events", "show", &seq]);
    assert!(
        shown.good().contains("reason           no \"use\" for it"),
        "{shown:?}"
    );
    let answer = pipe.ask(&json!({"op": "stats"}));
    assert_eq!(
        [
            &answer["ready"],
            &answer["in_flight"],
            &answer["acknowledged"],
            &answer["dead"]
        ],
        [1, 1, 1, 1]
    );
    let again = pipe.receive(&json!({"op": "receive"}));
    assert_eq!(
        (&again[0].0["seq"], &again[0].0["receive_count"]),
        (&json!(2), &json!(2))
    );

    // Two are held still: the one that was received again, and the one that was laid out.
    assert_eq!(stats(&place)["in_flight"], 2);
    assert_eq!(pipe.end(), 0);
    let stats = stats(&place);
    assert_eq!(
        (&stats["ready"], &stats["in_flight"]),
        (&json!(2), &json!(0))
    );
}

#[test]
fn nothing_waits_behind_a_receive_that_waits() {
    let (place, serving) = with_events(&["task.created"]);
    let mut pipe = Pipe::start(&place);
    let received = pipe.receive(&json!({"op": "receive"}));
    let receipt = received[0].0["receipt"].as_str().unwrap();
    // With an hour to wait, the second line is answered only if it ends the wait of the first.
    pipe.write("{\"op\":\"receive\",\"wait_ms\":3600000}\n");
    pipe.write(&format!(
        "{{\"op\":\"ack\",\"receipts\":[\"{receipt}\"]}}\n"
    ));
    assert_eq!(pipe.line(), json!({"op": "receive", "deliveries": 0}));
    assert_eq!(pipe.line()["outcomes"], json!(["acknowledged"]));
    // A wait ends with what arrives.
    pipe.write("{\"op\":\"receive\",\"wait_ms\":3600000}\n");
    let url = serving.url("label-studio");
    place
        .run(&["send", "--event", "task.deleted", "--to", &url])
        .good();
    assert_eq!(pipe.line()["deliveries"], 1);
}

#[test]
fn a_line_that_is_no_request_is_named_and_the_next_is_answered() {
    let (place, _serving) = with_events(&["task.created"]);
    let mut pipe = Pipe::start(&place);
    for (line, named) in [
        ("receive", "no request"),
        ("{\"op\":\"nack\",\"receipts\":[]}", "`nack`"),
        ("{\"op\":\"ack\",\"receipt\":\"1\"}", "`receipt`"),
    ] {
        pipe.write(&format!("{line}\n"));
        let answer = pipe.line();
        assert!(
            answer["error"].as_str().unwrap().contains(named),
            "{answer}"
        );
    }
    assert_eq!(pipe.receive(&json!({"op": "receive"})).len(), 1);
    assert_eq!(pipe.end(), 0);
}

#[test]
fn a_signal_stops_receiving_and_what_is_held_can_be_settled() {
    let (place, _serving) = with_events(&["task.created", "task.deleted", "annotation.created"]);
    let mut pipe = Pipe::start(&place);
    let received = pipe.receive(&json!({"op": "receive", "max": 2}));
    pipe.signal();
    let mut answer = Value::Null;
    until("the signal is heard", || {
        answer = pipe.ask(&json!({"op": "receive", "visibility_ms": 0}));
        for _ in 0..answer["deliveries"].as_u64().unwrap() {
            let receipt = pipe.line()["receipt"].clone();
            pipe.text();
            pipe.ask(&json!({"op": "retry", "receipts": [receipt]}));
        }
        answer["stopping"] == true
    });
    let receipt = |at: usize| received[at].0["receipt"].clone();
    let answer = pipe.ask(&json!({"op": "ack", "receipts": [receipt(0)]}));
    assert_eq!(answer["outcomes"], json!(["acknowledged"]));
    // With the last one it ends by itself.
    let answer = pipe.ask(&json!({"op": "ack", "receipts": [receipt(1)]}));
    assert_eq!(answer["outcomes"], json!(["acknowledged"]));
    assert_eq!(pipe.child.wait().unwrap().code(), Some(0));
    assert_eq!(stats(&place)["acknowledged"], 2);
}

#[test]
fn a_second_signal_gives_back_what_nobody_settles() {
    let (place, _serving) = with_events(&["task.created"]);
    let mut pipe = Pipe::start(&place);
    pipe.receive(&json!({"op": "receive", "visibility_ms": 3_600_000}));
    until("it ends", || {
        pipe.signal();
        pipe.child.try_wait().unwrap().is_some()
    });
    assert_eq!(pipe.child.wait().unwrap().code(), Some(0));
    assert_eq!(stats(&place)["ready"], 1);
}

#[test]
fn a_program_that_reads_no_answer_keeps_nothing() {
    let (place, _serving) = with_events(&["task.created"]);
    let mut pipe = Pipe::start(&place);
    let gone = std::mem::replace(&mut pipe.answers, BufReader::new(no_output()));
    drop(gone);
    // A process that another test is just starting may hold the other end open for a moment, and the answer has a reader.
    until("it ends", || {
        let requests = pipe.requests.as_mut().unwrap();
        let _ended = requests.write_all(b"{\"op\":\"receive\",\"visibility_ms\":3600000}\n");
        pipe.child.try_wait().unwrap().is_some()
    });
    assert_eq!(pipe.child.wait().unwrap().code(), Some(0));
    assert_eq!(stats(&place)["ready"], 1);
}

/// The output of a process that has none.
fn no_output() -> ChildStdout {
    let mut nothing = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
    nothing.wait().unwrap();
    nothing.stdout.take().unwrap()
}

#[test]
fn without_a_queue_it_says_so_and_ends() {
    let place = deriving_nothing();
    place
        .run(&["queue", "pipe"])
        .failed(1, &["queue.db", "`serve` makes it"]);
}
