//! Output to a terminal: no byte that it obeys, whatever somebody placed where labelrelay reads.

use crate::support::{Place, Ran, configured};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};

/// Escapes, the bell, DEL, C1 controls, bidi and other format characters, line and paragraph separators, tags,
/// private use; and what has to stay readable.
const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;title\u{7}\u{8}\u{7f}\u{85}\u{9b}2J\u{9d}\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{2060}\u{feff}\u{fff9}\u{ad}\u{e000}\u{e0041}\u{3164}\nSEQ\r\tend é 漢 नि 😀";

/// The part of it that is text.
const READABLE: &str = "end é 漢 नि 😀";

/// Tells whether a terminal obeys the character, or shows something else than what is there.
fn is_obeyed(c: char) -> bool {
    c != '\n' && c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..)
}

#[track_caller]
fn assert_harmless(what: &[&str], text: &str) {
    let obeyed: Vec<_> = text.chars().filter(|c| is_obeyed(*c)).collect();
    assert!(obeyed.is_empty(), "{what:?} prints {obeyed:?}: {text:?}");
}

/// An envelope whose attributes and data are hostile, as somebody would place it who may write there.
fn envelope(id: &str, data: &[u8], form: DataEncoding) -> Vec<u8> {
    let mut attributes = Attributes::new(
        format!("{id}{HOSTILE}"),
        "/label-studio",
        &EventType::from_static("a.b"),
        &Digest::of(data),
        HOSTILE,
    );
    attributes.event_type = format!("a.{HOSTILE}");
    attributes.subject = Some(HOSTILE.to_owned());
    attributes.time = Some(HOSTILE.to_owned());
    attributes.deliveryid = Some(HOSTILE.to_owned());
    encode(&attributes, form, data.len(), [data])
}

/// JSON as it may stand in an envelope: its strings are raw but for C0 controls.
fn json() -> Vec<u8> {
    let raw: String = HOSTILE.chars().filter(|c| *c >= ' ').collect();
    format!("{{\r\n\t\"a\":\"{raw}\"}}").into_bytes()
}

/// A place whose queue holds such events, moved there from a fallback; and what `events retry` said.
fn hostile_queue() -> (Place, Ran) {
    let place = configured();
    std::fs::create_dir(place.path("fallback")).unwrap();
    let config = place.read("labelrelay.toml");
    let fallback = format!(
        "fallback = \"file://{}\"\n",
        place.path("fallback").display()
    );
    place.write("labelrelay.toml", fallback + &config);
    for (number, data, form) in [
        ("1", json(), DataEncoding::Json),
        ("2", b"\xff\x9b2J\x1b[31m".to_vec(), DataEncoding::Base64),
        ("3", HOSTILE.as_bytes().to_vec(), DataEncoding::Base64),
    ] {
        let file = format!("fallback/20260101T00000{number}Z-{number}.json");
        place.write(&file, envelope(number, &data, form));
    }
    place.write("fallback/20260101T000009Z-\u{1b}[31m\u{202e}.json", HOSTILE);
    let redriven = place.run(&["events", "retry"]);
    redriven.failed(1, &["stays: "]);
    assert!(redriven.stdout.contains("3 moved"), "{redriven:?}");
    (place, redriven)
}

/// The number of the event whose id begins like this: what is redriven comes in any order.
fn number(place: &Place, id: &str) -> String {
    let rows = place.run(&["events", "list", "--json"]).json();
    let of_id = |row: &&serde_json::Value| row["id"].as_str().unwrap().starts_with(id);
    rows.iter().find(of_id).unwrap()["seq"].to_string()
}

const FOR_PEOPLE: &[&[&str]] = &[
    &["events", "list"],
    &["events", "show", "1"],
    &["events", "show", "2"],
    &["events", "show", "3"],
    &["events", "tail"],
    &["events", "list", "--dead"],
    &["queue", "receive", "--max", "10", "--visibility", "0s"],
    &["queue", "ack", HOSTILE],
    &["events", "show", HOSTILE],
    &["queue", HOSTILE],
    &["events", "list", "--limit", HOSTILE],
    &["events", "list", "--queue", HOSTILE],
    &["queue", "stats", "--config", HOSTILE],
    &["events", "export", "--dir", "\u{1b}[31m\u{202e}"],
    &["events", "replay", "--dry-run", "--since", "10h"],
    &["send", "--to", "http://127.0.0.1:1/\u{9b}\u{202e}"],
    &["send", "--event", HOSTILE],
    &[
        "verify",
        "--authorization",
        HOSTILE,
        "--secret",
        "file:label-studio.secret",
    ],
    &[
        "verify",
        "--file",
        "labelrelay.toml",
        "--signature",
        HOSTILE,
        "--secret",
        "file:labelbox.secret",
    ],
    &["events", "retry"],
];

#[test]
fn words_for_people_are_printable_wherever_they_go() {
    let (place, redriven) = hostile_queue();
    assert_harmless(&["events", "retry"], &(redriven.stdout + &redriven.stderr));
    for words in FOR_PEOPLE {
        let ran = place.run(words);
        assert_harmless(words, &(ran.stdout + &ran.stderr));
    }
    let list = place.run(&["events", "list"]);
    assert_eq!(
        list.good().lines().count(),
        4,
        "an event is one line: {list:?}"
    );
    assert!(list.stdout.contains("\\u{1b}[31m") && list.stdout.contains(READABLE));
    let show = place.run(&["events", "show", &number(&place, "1")]);
    let lines_that_say_state = show.good().lines().filter(|line| line.starts_with("state"));
    assert_eq!(lines_that_say_state.count(), 1);
    assert!(
        !show.stdout.lines().any(|line| line.starts_with("SEQ")),
        "{show:?}"
    );
}

#[test]
fn logs_for_people_are_printable() {
    let place = configured();
    let fallback = place.path("fallback\u{9b}31m\u{202e}\u{2028}");
    let config = place.read("labelrelay.toml");
    let line = format!("fallback = \"file://{}\"\n", fallback.display());
    place.write("labelrelay.toml", line + &config);
    let serving = place.serve(&[]);
    std::fs::remove_dir(&fallback).unwrap();
    crate::support::until("the log tells of the fallback", || {
        place
            .read("serve.log")
            .contains("fallback cannot be listed")
    });
    assert_eq!(serving.stop(), 0);
    let log = place.read("serve.log");
    assert_harmless(&["serve"], &log);
    assert!(
        log.contains("fallback\\u{9b}31m\\u{202e}\\u{2028}"),
        "{log}"
    );
}

#[cfg(unix)]
mod at_a_terminal {
    use super::*;
    use crate::support::patient;
    use crate::terminal_device::Terminal;
    use std::process::{Command, Stdio};

    fn run(command: Command) -> String {
        let shown = Terminal::open().run(command);
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn exact_bytes_are_escaped_and_json_stays_the_same_json() {
        let (place, _) = hostile_queue();
        for words in FOR_PEOPLE {
            assert_harmless(words, &run(place.command(words)));
        }
        for words in [
            &["events", "show", "1", "--json"][..],
            &["events", "show", "1", "--envelope"],
            &["events", "list", "--json"],
            &["events", "tail", "--json"],
            &["events", "replay", "--dry-run", "--since", "10h", "--json"],
        ] {
            let shown = run(place.command(words));
            assert_harmless(words, &shown);
            let piped = place.run(words);
            let of_piped: Vec<serde_json::Value> = values(piped.good());
            let of_shown: Vec<serde_json::Value> = values(&shown);
            for (shown, piped) in of_shown.iter().zip(&of_piped) {
                for member in ["subject", "id", "type", "data"] {
                    assert_eq!(shown.get(member), piped.get(member), "{words:?}");
                }
            }
            assert_eq!(of_shown.len(), of_piped.len(), "{words:?}: {shown}");
        }
        let words = ["queue", "receive", "--json", "--max", "3"];
        let shown = run(place.command(&words));
        assert_harmless(&words, &shown);
        let received: Vec<_> = values(&shown);
        assert_eq!(received.len(), 3);
        assert_eq!(received[0]["envelope"]["subject"], HOSTILE);
        for which in ["1", "2", "3"] {
            let words = ["events", "show", which, "--body"];
            let shown = run(place.command(&words));
            assert_harmless(&words, &shown);
            assert!(
                shown.contains("> FILE"),
                "says how to get the bytes: {shown}"
            );
        }
    }

    /// The JSON values in `text`, which may have words for people after them.
    fn values(text: &str) -> Vec<serde_json::Value> {
        serde_json::Deserializer::from_str(text)
            .into_iter()
            .map_while(Result::ok)
            .take_while(serde_json::Value::is_object)
            .collect()
    }

    #[test]
    fn nothing_is_escaped_that_does_not_go_there() {
        let (place, _) = hostile_queue();
        let body = place
            .command(&["events", "show", &number(&place, "3"), "--body"])
            .output()
            .unwrap();
        assert_eq!(body.stdout, HOSTILE.as_bytes());
        let body = place
            .command(&["events", "show", &number(&place, "1"), "--body"])
            .output()
            .unwrap();
        assert_eq!(body.stdout, json());
        let whole = place.run(&["events", "show", "1", "--envelope"]);
        assert!(whole.good().contains('\u{202e}'), "{whole:?}");
        let seen: serde_json::Value = serde_json::from_str(&whole.stdout).unwrap();
        assert_eq!(seen["subject"], HOSTILE);
    }

    #[test]
    fn a_queue_that_is_the_terminal_shows_harmless_envelopes() {
        let place = patient();
        let terminal = Terminal::open();
        let config = place.read("labelrelay.toml");
        place.write(
            "labelrelay.toml",
            config.replace("sqlite:queue.db", "stdout:"),
        );
        place.write("body", json());
        let log = std::fs::File::create(place.path("serve.log")).unwrap();
        let serving = place.serve_into(&[], terminal.end().into(), log.into());
        let url = serving.url("label-studio");
        place
            .run(&[
                "send",
                "--file",
                "body",
                "--source",
                "label-studio",
                "--to",
                &url,
            ])
            .good();
        assert_eq!(serving.stop(), 0);
        let shown = String::from_utf8(terminal.read()).unwrap();
        assert!(shown.contains("\"datasha256\""), "{shown}");
        assert_harmless(&["serve"], &shown);
    }

    #[test]
    fn a_delivery_is_a_line_of_its_own_unless_silence_is_asked_for() {
        for (words, is_shown) in [(&[] as &[&str], true), (&["--quiet"], false)] {
            let place = configured().with("NO_COLOR", "1");
            let terminal = Terminal::open();
            let serving = place.serve_into(words, Stdio::null(), terminal.end().into());
            let url = serving.url("labelbox");
            place.run(&["send", "--to", &url]).good();
            place.write("foreign.secret", "another secret, of 27 bytes");
            let foreign = ["--secret", "file:foreign.secret"];
            let send = ["send", "--to", &url, "--source", "labelbox"];
            place.run(&[&send[..], &foreign].concat()).failed(1, &[]);
            assert_eq!(serving.stop(), 0);
            let shown = String::from_utf8(terminal.read()).unwrap();
            assert_harmless(&["serve"], &shown);
            let has = |words: &[&str]| {
                let is_it = |line: &&str| words.iter().all(|word| line.contains(word));
                shown.lines().any(|line| is_it(&line))
            };
            let line = ["  accepted ", " ms  labelbox ", "com.labelbox.label"];
            assert_eq!(has(&line), is_shown, "{shown}");
            let why = ["`labelrelay verify --delivery NAME", "explains it"];
            assert_eq!(has(&why), is_shown, "{shown}");
            // The log's own line is there in any case.
            assert!(has(&["WARN", "delivery refused"]), "{shown}");
        }
    }
}
