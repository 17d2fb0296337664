//! `send`.

use crate::support::{Serving, configured, deriving_nothing, patient};

fn labelbox(serving: &Serving) -> String {
    serving.url("labelbox")
}

#[test]
fn every_sample_is_accepted_and_none_is_a_repeat() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    let listed = place.run(&["send", "--list", "--json"]).json();
    assert!(listed.len() > 25);
    for _ in 0..2 {
        for sample in &listed {
            let (event, provider) = (
                sample["event"].as_str().unwrap(),
                sample["provider"].as_str().unwrap(),
            );
            let ran = place.run(&[
                "send",
                "--event",
                event,
                "--provider",
                provider,
                "--to",
                &serving.url(provider),
                "--json",
            ]);
            ran.good();
            assert_eq!(ran.json()[0]["answer"]["outcome"], "accepted", "{event}");
        }
    }
    let types: Vec<_> = place
        .run(&["events", "list", "--limit", "1000", "--json"])
        .json();
    assert_eq!(types.len(), 2 * listed.len());
    for row in types {
        assert!(
            !row["type"].as_str().unwrap().ends_with("unrecognized"),
            "{row}"
        );
    }
}

#[test]
fn a_file_is_sent_byte_for_byte() {
    let place = configured();
    let serving = place.serve(&[]);
    let body = b"  {\"not\":\"what any platform sends\", \"\xc3\xa9\": 1e400}\r\n\n";
    place.write("body", body);
    let ran = place.run(&[
        "send",
        "--file",
        "body",
        "--to",
        &labelbox(&serving),
        "--delivery-id",
        "mine",
        "--json",
    ]);
    ran.good();
    assert_eq!(ran.json()[0]["delivery_id"], "mine");
    let shown = place
        .command(&["events", "show", "1", "--body"])
        .output()
        .unwrap();
    assert_eq!(shown.stdout, body);
    let again = place.run(&[
        "send",
        "--file",
        "body",
        "--to",
        &labelbox(&serving),
        "--delivery-id",
        "mine",
        "--json",
    ]);
    assert_eq!(again.json()[0]["answer"]["outcome"], "repeat");
}

#[test]
fn the_header_of_a_source_is_found_in_its_configuration() {
    let place = patient();
    let config = place.read("labelrelay.toml").replace(
        "provider = \"label-studio\"",
        "provider = \"label-studio\"\nheader = \"X-Token\"",
    );
    place.write("labelrelay.toml", config);
    let serving = place.serve(&[]);
    let url = serving.url("label-studio");
    place
        .run(&["send", "--event", "task.created", "--to", &url])
        .good();
    let other = place.run(&[
        "send",
        "--event",
        "task.created",
        "--to",
        &url,
        "--header",
        "X-Other",
    ]);
    assert_eq!(other.code, 1);
    assert!(other.stdout.starts_with("401"), "{other:?}");
}

#[test]
fn a_send_that_cannot_be_is_refused_with_the_cure() {
    let place = configured();
    place
        .run(&["send", "--event", "no.such"])
        .failed(2, &["no sample `no.such`", "--list"]);
    place
        .run(&["send", "--source", "nobody"])
        .failed(2, &["labelbox, label-studio"]);
    place
        .run(&["send", "--secret", "my actual secret"])
        .failed(2, &["where the secret is"]);
    place.run(&["send", "--file", "gone"]).failed(1, &["gone"]);
    // Port 9 has no listener.
    place
        .run(&["send", "--to", "http://127.0.0.1:9/labelbox"])
        .failed(1, &["cannot connect", "is `serve` running? `--to`"]);
    place
        .run(&["send", "--to", "relay.example"])
        .failed(2, &["neither http:// nor https://"]);
}
