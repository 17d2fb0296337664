//! The verbs below `queue` and `events`.

use crate::support::{Place, Serving, deriving_nothing, send_laid_out, serving_with_an_event};
use std::io::Write as _;
use std::process::Stdio;

pub(crate) fn with_events(events: &[&str]) -> (Place, Serving) {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    for event in events {
        let source = if event.starts_with("label.") {
            "labelbox"
        } else {
            "label-studio"
        };
        place
            .run(&["send", "--event", event, "--to", &serving.url(source)])
            .good();
    }
    (place, serving)
}

#[test]
fn receive_acknowledge_and_prune() {
    let (place, serving) = with_events(&["annotation.created", "task.created"]);
    send_laid_out(&place, &serving);
    let received = place
        .run(&["queue", "receive", "--max", "2", "--json"])
        .json();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0]["receive_count"], 1);
    assert_eq!(
        received[0]["envelope"]["type"],
        "io.labelstud.annotation.created"
    );
    assert_eq!(
        received[0]["envelope"]["data"]["action"],
        "ANNOTATION_CREATED"
    );
    let receipt = received[0]["receipt"].as_str().unwrap();
    let stats = &place.run(&["queue", "stats", "--json"]).json()[0];
    assert_eq!(
        (&stats["ready"], &stats["in_flight"]),
        (&1.into(), &2.into())
    );

    assert_eq!(
        place.run(&["queue", "ack", receipt]).good(),
        "acknowledged 1 of 1\n"
    );
    place
        .run(&["queue", "ack", receipt])
        .failed(1, &[receipt, "used before"]);
    place
        .run(&["queue", "ack", "nonsense"])
        .failed(1, &["no receipt"]);
    let third = place
        .run(&["queue", "receive", "--json", "--max", "10"])
        .json();
    assert_eq!(third.len(), 1);
    // A body that is laid out over several lines must not split this one.
    assert!(third[0]["envelope"]["data_base64"].is_string());
    let pruned = place.run(&["queue", "prune", "--json"]);
    // Within the window of repeats an acknowledged event stays.
    assert_eq!(pruned.json()[0]["pruned"], 0);
}

#[test]
fn receipts_are_read_from_stdin() {
    let (place, _serving) = with_events(&["task.created", "task.deleted"]);
    let received = place
        .run(&["queue", "receive", "--max", "5", "--json"])
        .stdout;
    let mut ack = place
        .command(&["queue", "ack", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    ack.stdin
        .take()
        .unwrap()
        .write_all(received.as_bytes())
        .unwrap();
    let output = ack.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stdout)
            .unwrap()
            .matches("\"acknowledged\"")
            .count(),
        2
    );
}

#[test]
fn an_event_received_too_often_becomes_a_dead_letter_and_comes_back() {
    let (place, _serving) = serving_with_an_event("max_receives = 2");
    for count in 1..=2 {
        let received = place
            .run(&[
                "queue",
                "receive",
                "--visibility",
                "0s",
                "--wait",
                "5s",
                "--json",
            ])
            .json();
        assert_eq!(received[0]["receive_count"], count);
    }
    assert_eq!(place.run(&["queue", "receive", "--json"]).good(), "");
    let dead = place.run(&["events", "list", "--dead", "--json"]).json();
    assert_eq!(dead[0]["state"], "dead");
    place
        .run(&["events", "retry", "77"])
        .failed(1, &["not all of these"]);
    assert_eq!(
        place.run(&["events", "retry", "1"]).good(),
        "made 1 ready again\n"
    );
    assert_eq!(place.run(&["queue", "receive", "--json"]).json().len(), 1);
}

#[test]
fn export_writes_envelopes_and_bodies_in_order_and_takes_nothing() {
    let (place, serving) = with_events(&["task.created", "label.created", "action_alone.created"]);
    assert_eq!(
        place.run(&["events", "export", "--dir", "out"]).good(),
        "exported 3 events to out\n"
    );
    let mut names: Vec<_> = std::fs::read_dir(place.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "000001.body",
            "000001.json",
            "000002.body",
            "000002.json",
            "000003.body",
            "000003.json"
        ]
    );
    for number in 1..=3 {
        let envelope = place.read(&format!("out/{number:06}.json"));
        let body = place.read(&format!("out/{number:06}.body"));
        assert!(
            envelope.ends_with(&format!(",\"data\":{body}}}")),
            "{number}"
        );
    }
    assert_eq!(
        place.read("out/000003.body"),
        "{\"action\": \"ANNOTATION_CREATED\"}"
    );
    // Again, with one more: what is there stays, what is new is added.
    place
        .run(&[
            "send",
            "--event",
            "task.deleted",
            "--to",
            &serving.url("label-studio"),
        ])
        .good();
    let again = place.run(&["events", "export", "--dir", "out", "--json"]);
    assert_eq!(again.json()[0]["events"], 4);
    assert!(place.path("out/000004.body").exists());
    assert_eq!(
        place.run(&["queue", "stats", "--json"]).json()[0]["ready"],
        4
    );

    place.write("out/000002.body", "somebody else's");
    place
        .run(&["events", "export", "--dir", "out"])
        .failed(1, &["000002.body", "other contents"]);
    assert_eq!(place.read("out/000002.body"), "somebody else's");
}

#[test]
fn list_show_and_tail() {
    let (place, serving) = with_events(&["task.created", "label.created", "label.deleted"]);
    let of_labelbox = place
        .run(&[
            "events",
            "list",
            "--type",
            "com.labelbox.*",
            "--newest",
            "--json",
        ])
        .json();
    assert_eq!(of_labelbox.len(), 2);
    assert_eq!(of_labelbox[0]["seq"], 3);
    let id = of_labelbox[0]["id"].as_str().unwrap();
    let by_id = place.run(&["events", "show", id, "--envelope"]);
    assert_eq!(
        by_id.good(),
        place.run(&["events", "show", "3", "--envelope"]).good()
    );
    assert!(
        place
            .run(&["events", "show", "3"])
            .good()
            .contains("com.labelbox.label.deleted")
    );
    assert_eq!(
        place.run(&["events", "show", "3", "--json"]).json()[0]["envelope"]["id"],
        id
    );
    place
        .run(&["events", "show", "99"])
        .failed(1, &["no event 99"]);

    let tail = place
        .run(&["events", "tail", "--lines", "2", "--json"])
        .json();
    assert_eq!((tail.len(), &tail[0]["seq"]), (2, &2.into()));
    let output = place.path("tail.out");
    let mut follow = place
        .command(&["events", "tail", "--lines", "0", "--follow"])
        .stdout(std::fs::File::create(&output).unwrap())
        .spawn()
        .unwrap();
    // Which event is the first that it shows depends on when it began: so events arrive until one shows.
    while std::fs::read_to_string(&output).unwrap().is_empty() {
        place
            .run(&[
                "send",
                "--event",
                "task.deleted",
                "--to",
                &serving.url("label-studio"),
            ])
            .good();
    }
    follow.kill().unwrap();
    follow.wait().unwrap();
    assert!(
        std::fs::read_to_string(&output)
            .unwrap()
            .contains("io.labelstud.task.deleted")
    );
}

#[test]
fn a_queue_is_read_by_its_url_without_knowing_a_secret() {
    let (place, _serving) = with_events(&["task.created"]);
    let elsewhere = Place::new();
    let url = format!("sqlite://{}", place.path("queue.db").display());
    assert_eq!(
        elsewhere
            .run(&["queue", "stats", "--json", "--queue", &url])
            .json()[0]["ready"],
        1
    );
    let elsewhere = elsewhere.with("LABELRELAY_QUEUE", &url);
    assert_eq!(elsewhere.run(&["events", "list", "--json"]).json().len(), 1);
    elsewhere
        .run(&["queue", "stats", "--queue", "sqlite:gone.db"])
        .failed(1, &["gone.db", "`serve` makes it"]);
    elsewhere
        .run(&["queue", "stats", "--queue", "redis://x"])
        .failed(2, &["--queue", "write sqlite:"]);
    elsewhere
        .run(&["queue", "stats", "--queue", "postgres://relay@db/events"])
        .failed(2, &["in Postgres", "tables", "events list"]);
    Place::new()
        .run(&["queue", "stats"])
        .failed(78, &["labelrelay serve"]);
}
