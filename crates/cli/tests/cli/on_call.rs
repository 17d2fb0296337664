//! Twelve questions of somebody on call, about a prepared fault: each is answered by the one command that
//! docs/operations.md has for it.

use crate::support::{CONFIG, Place, Ran, Serving, patient, until};
use labelrelay_tests::client::once;
use labelrelay_tests::sender::{self, label};
use std::fs;
use std::path::Path;

const SECRET: &str = "a secret of Labelbox, 27 bytes";
const FOREIGN: &str = "another secret, of 27 bytes";

/// What is in the record: which delivery is which.
const GONE: &str = "r1";
const DEAD: &str = "r2";
const REFUSED: &str = "r3";
const FILTERED: &str = "r4";
const WAITS: &str = "r5";

const FILTERED_BODY: &[u8] = br#"{"action":"TASKS_CREATED","tasks":[{"id":1}],"project":{"id":3}}"#;

/// An evening: one event was consumed and pruned, the consumer failed at the next one and ended. Since then a webhook has
/// come with another secret, one that is not forwarded, and an event that waits.
fn evening() -> (Place, Serving, String) {
    let place = patient();
    let filter = "exclude = [\"io.labelstud.task.*\"]\n";
    let queue = "[embedded_queue]\nmax_receives = 1\nrepeat_window_s = 0\nretain_acknowledged_s = 0\nderive = false\n";
    place.write("labelrelay.toml", format!("{CONFIG}{filter}{queue}"));
    place.write("foreign.secret", FOREIGN);
    let serving = place.serve(&[]);
    let to = serving.address.parse().unwrap();
    let labelbox = |secret: &str, delivery: &str, body: &[u8]| {
        once(
            to,
            &sender::labelbox(secret, "LABEL_CREATED", delivery, body),
        )
    };
    let gone = labelbox(SECRET, "d-gone", &label("1"));
    let gone = gone.member("id").unwrap();
    let received = place.run(&["queue", "receive", "--json"]).json();
    let receipt = received[0]["receipt"].as_str().unwrap();
    place.run(&["queue", "ack", receipt]).good();
    until("it is pruned", || {
        place.run(&["queue", "prune"]).good();
        place.run(&["events", "list", "--json"]).good().is_empty()
    });
    assert_eq!(labelbox(SECRET, "d-dead", &label("17")).status, 200);
    let receive = ["queue", "receive", "--visibility", "0s", "--json"];
    assert_eq!(place.run(&receive).json().len(), 1);
    assert_eq!(labelbox(FOREIGN, "d-refused", &label("17")).status, 401);
    let filtered = sender::label_studio("Bearer a-secret-of-label-studio", FILTERED_BODY);
    assert_eq!(once(to, &filtered).outcome(), "filtered");
    assert_eq!(labelbox(SECRET, "d-waits", &label("18")).status, 200);
    until("all are in the record", || {
        let all = place.run(&["events", "list", "--recorded", "--json"]);
        all.json().len() == 5
    });
    (place, serving, gone)
}

/// Questions of the document, with their commands.
fn questions() -> Vec<(String, Vec<String>)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("### Twelve questions on call").unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        let (question, command) = (cells.next().unwrap(), cells.next().unwrap());
        let command = command.trim().trim_matches('`');
        let words = command.strip_prefix("labelrelay ").unwrap().split(' ');
        let words = words.map(str::to_owned).collect();
        (question.trim().to_owned(), words)
    })
    .collect()
}

/// The same words, about this evening.
fn about(words: &[String], delivery: &str, gone: &str) -> Vec<String> {
    let word = |word: &String| match word.as_str() {
        "r17" => REFUSED.to_owned(),
        "file:.labelrelay/labelbox.secret" => "file:foreign.secret".to_owned(),
        "DELIVERY" => delivery.to_owned(),
        "EVENT" => gone.to_owned(),
        "task/17" => "label/ckla17".to_owned(),
        other => other.to_owned(),
    };
    words.iter().map(word).collect()
}

/// Names of the deliveries that a list for people shows.
fn names(ran: &Ran) -> Vec<&str> {
    let lines = ran.good().lines().skip(1);
    lines
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

#[test]
fn each_of_twelve_questions_is_answered_by_one_command() {
    let (place, serving, gone) = evening();
    let questions = questions();
    assert_eq!(questions.len(), 12, "{questions:?}");
    let ask = |question: &str| -> Ran {
        let found = questions.iter().find(|(asked, _)| asked == question);
        let (_, words) = found.unwrap_or_else(|| panic!("no {question} in {questions:?}"));
        let words = about(words, "d-waits", &gone);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        place.run(&words)
    };
    let has = |ran: &Ran, words: &[&str]| {
        let said = ran.good();
        for word in words {
            assert!(said.contains(word), "no {word:?} in {ran:?}");
        }
    };

    let refused = ask("What was refused, and why?");
    assert_eq!(names(&refused), [REFUSED]);
    has(&refused, &["401", "unauthorized"]);
    let secret = ask("Whose secret was it, and what is wrong with it?");
    has(&secret, &["labelrelay had another one"]);
    let body = ask("Which body was it?");
    assert_eq!(body.good().as_bytes(), label("17"));
    let arrived = ask("Did delivery X arrive?");
    has(
        &arrived,
        &["d-waits", "state            ready", "label/ckla18"],
    );
    let sent = ask("What did Labelbox send?");
    assert_eq!(names(&sent), [GONE, DEAD, REFUSED, WAITS]);
    let happened = ask("What was delivered about task 17 itself?");
    assert_eq!(names(&happened), [DEAD]);
    has(&happened, &["200", "accepted"]);
    let came = ask("What came of project 3?");
    assert_eq!(names(&came), [FILTERED]);
    let outcomes = ask("Why is a delivery not on the queue?");
    assert_eq!(names(&outcomes), [WAITS, FILTERED, REFUSED, DEAD, GONE]);
    has(&outcomes, &["filtered", "unauthorized"]);
    let was = ask("What was an event that the queue no longer has?");
    assert_eq!(names(&was), [GONE]);
    has(&was, &["com.labelbox.label", "label/ckla1"]);
    let took = ask("How long did it take, and how much of that was the queue?").json();
    let [elapsed, queue] = ["elapsed_us", "queue_us"].map(|name| took[0][name].as_u64().unwrap());
    assert!(elapsed >= queue && queue > 0, "{took:?}");
    let chokes = ask("What does the consumer choke on?");
    has(&chokes, &["label/ckla17", "dead"]);
    assert_eq!(chokes.stdout.lines().count(), 1 + 1, "{chokes:?}");
    // Whoever looked has made a dead letter of it.
    let consumer = ask("Is the consumer dead?");
    has(
        &consumer,
        &["  consumer    ", "1 ready, 0 in flight, 1 dead"],
    );
    assert_eq!(serving.stop(), 0);
}
