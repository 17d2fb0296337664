//! The page of the record, as `serve` mounts it: who may look, and what the record and the queue say there.

use crate::support::{CONFIG, Place, Serving, mode, patient, until};
use crate::terminal_device::Terminal;
use labelrelay_tests::client::once;
use labelrelay_tests::sender::{self, label};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;

const SECRET: &str = "a secret of Labelbox, 27 bytes";

/// A place whose `serve` records, with these further settings of the record.
fn recording(settings: &str) -> Place {
    let place = patient();
    let record = format!("[serve.record]\nenabled = true\n{settings}\n");
    place.write("labelrelay.toml", format!("{CONFIG}{record}"));
    place
}

/// The page of a `serve`.
pub(crate) struct Page {
    address: String,
    token: String,
}

impl Page {
    /// As somebody asks for it who has no terminal with the start on it.
    pub(crate) fn of(place: &Place) -> Self {
        let told = place.run(&["status", "--page-url"]);
        let url = told.good().trim();
        let rest = url.strip_prefix("http://").unwrap();
        let (address, token) = rest.split_once("/?token=").unwrap();
        Self {
            address: address.to_owned(),
            token: token.to_owned(),
        }
    }

    /// As somebody finds it who reads the log of a replica, and the token beside the file of its record.
    #[cfg(all(
        feature = "aws",
        feature = "azure",
        feature = "google",
        feature = "postgres"
    ))]
    pub(crate) fn of_replica(place: &Place, record: &str) -> Self {
        let log = place.read("serve.log");
        let (_, rest) = log.split_once("page http://").unwrap();
        let (address, _) = rest.split_once('/').unwrap();
        Self {
            address: address.to_owned(),
            token: place.read(&format!("{record}.token")).trim().to_owned(),
        }
    }

    /// Status and body of a request with these further lines in its head.
    fn ask(&self, path: &str, host: &str, lines: &str) -> (u16, String) {
        self.ask_by("GET", path, host, lines)
    }

    /// The same by another method.
    fn ask_by(&self, method: &str, path: &str, host: &str, lines: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Has something done, as a program that has the token; status and answer.
    fn act(&self, path: &str) -> (u16, Value) {
        let token = format!("Authorization: Bearer {}\r\n", self.token);
        let (status, body) = self.ask_by("POST", path, &self.address, &token);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// Status of a request without a token.
    fn status(&self, path: &str, lines: &str) -> u16 {
        self.ask(path, &self.address, lines).0
    }

    /// JSON for who has the token.
    pub(crate) fn json(&self, path: &str) -> Value {
        let token = format!("Authorization: Bearer {}\r\n", self.token);
        let (status, body) = self.ask(path, &self.address, &token);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The list, once it has so many: a row is written a moment after its answer.
    fn list(&self, query: &str, many: usize) -> Vec<Value> {
        let mut found = Vec::new();
        until("the deliveries are listed", || {
            let answer = self.json(&format!("/api/deliveries{query}"));
            found.clone_from(answer["deliveries"].as_array().unwrap());
            found.len() >= many
        });
        assert_eq!(found.len(), many, "{found:?}");
        found
    }
}

fn deliver(serving: &Serving, secret: &str, delivery: &str, body: &[u8]) -> u16 {
    let to: SocketAddr = serving.address.parse().unwrap();
    once(
        to,
        &sender::labelbox(secret, "LABEL_UPDATED", delivery, body),
    )
    .status
}

#[test]
fn nobody_looks_without_the_token() {
    let place = recording("");
    let serving = place.serve(&[]);
    let page = Page::of(&place);
    assert_eq!(mode(&place.path("queue.db.record.token")), 0o600);
    let token = format!("Authorization: Bearer {}\r\n", page.token);
    for (path, lines, status) in [
        ("/", "", 401),
        ("/?token=0123456789012345678901234567890123456789", "", 401),
        ("/api/deliveries", "", 401),
        (
            "/api/strip",
            "Authorization: Bearer 01234567890123456789012345\r\n",
            401,
        ),
        ("/api/deliveries", &*token, 200),
        // Another web page of this browser.
        (
            "/api/deliveries",
            &*format!("{token}Origin: http://127.0.0.1:1\r\n"),
            403,
        ),
        (
            "/api/deliveries",
            &*format!("{token}Sec-Fetch-Site: same-site\r\n"),
            403,
        ),
        // For programs that watch.
        ("/metrics", "", 200),
        ("/ready", "", 200),
    ] {
        assert_eq!(page.status(path, lines), status, "{path} {lines}");
    }
    assert_eq!(page.status(&format!("/?token={}", page.token), ""), 200);
    assert_eq!(page.ask("/", "evil.example", &token).0, 421);

    // The log has the address alone: it is read by more people.
    let log = place.logged(&[&format!("page http://{}/", page.address)]);
    assert!(!log.contains(&page.token), "{log}");
    assert_eq!(serving.stop(), 0);
    place
        .run(&["status", "--page-url"])
        .failed(1, &["does not run"]);
    let serving = place.serve(&["--log", "json"]);
    let again = Page::of(&place);
    assert_eq!(again.token, page.token, "the URL stays");
    let log = place.logged(&["\"listening\""]);
    assert!(
        log.contains(&format!("\"page\":\"http://{}/\"", again.address)),
        "{log}"
    );
    assert!(!log.contains(&page.token), "{log}");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_delivery_is_shown_with_its_event_and_the_version_before() {
    let place = recording("");
    let serving = place.serve(&[]);
    let page = Page::of(&place);
    assert_eq!(page.list("", 0), [] as [Value; 0]);
    let first = label("17");
    let text = String::from_utf8(first.clone()).unwrap();
    let second = text.replace("9.5810", "10.5");
    assert_eq!(deliver(&serving, SECRET, "d-first", &first), 200);
    assert_eq!(deliver(&serving, SECRET, "d-other", &label("18")), 200);
    assert_eq!(
        deliver(&serving, SECRET, "d-second", second.as_bytes()),
        200
    );
    assert_eq!(
        deliver(&serving, "another", "d-refused", b"{\"of\":1}"),
        401
    );
    // Of a label whose time is in whole seconds, only the same delivery is a repeat.
    assert_eq!(
        deliver(&serving, SECRET, "d-second", second.as_bytes()),
        200
    );

    let all = page.list("", 5);
    let names: Vec<_> = all
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["r5", "r4", "r3", "r2", "r1"]);
    for (query, expected) in [
        ("?q=d-second", vec!["r5", "r3"]),
        ("?q=ckla17", vec!["r5", "r3", "r1"]),
        ("?show=refused", vec!["r4"]),
        ("?show=repeat", vec!["r5"]),
        ("?subject=label/ckla18", vec!["r2"]),
        ("?source=labelbox&after=3", vec!["r5", "r4"]),
        ("?before=3", vec!["r2", "r1"]),
        ("?q=nothing-has-this", vec![]),
    ] {
        let found = page.list(query, expected.len());
        let names: Vec<_> = found.iter().map(|row| &row["name"]).collect();
        assert_eq!(names, expected, "{query}");
    }

    let shown = page.json("/api/deliveries/r3");
    assert_eq!(shown["previous"], "r1");
    assert_eq!(shown["body"]["state"], "whole");
    assert!(shown["body"]["text"].as_str().unwrap().contains("10.5"));
    assert!(
        shown["envelope"]["text"]
            .as_str()
            .unwrap()
            .contains("datasha256")
    );
    // A repeat shows the event that it repeats, with the version before that.
    let repeat = page.json("/api/deliveries/r5");
    assert_eq!(repeat["previous"], "r1");
    assert_eq!(repeat["envelope"], shown["envelope"]);
    let refused = page.json("/api/deliveries/d-refused");
    assert_eq!(refused["body"]["text"], "{\"of\":1}");
    let cure = refused["cure"].as_str().unwrap();
    // With the place of the source's secret, in any folder.
    let command = format!(
        "verify --delivery r4 --secret file:{}",
        place.path("labelbox.secret").display()
    );
    assert!(cure.contains(&command), "{cure}");
    assert!(!refused.to_string().contains(SECRET), "{refused}");
    let received = place
        .run(&["queue", "receive", "--max", "10", "--json"])
        .json();
    assert_eq!(received.len(), 3);
    let strip = page.json("/api/strip");
    let parts: Vec<_> = strip["parts"].as_array().unwrap().iter().collect();
    let part = |name: &str| parts.iter().find(|part| part["part"] == name).unwrap();
    assert_eq!(part("queue")["ok"], true, "{strip}");
    assert_eq!(part("consumer")["ok"], true, "{strip}");
    assert_eq!(part("relay")["ok"], true, "{strip}");
    let sources = page.json("/api/sources");
    let text = sources.to_string();
    assert!(text.contains(&serving.url("label-studio")), "{text}");
    let sources = sources["sources"].as_array().unwrap().iter();
    for source in sources {
        let text = source.to_string();
        let came = source["name"] == "labelbox";
        assert_eq!(text.contains("ago, repeat"), came, "{text}");
        assert_eq!(
            text.contains("No delivery is in the record"),
            !came,
            "{text}"
        );
    }
    for secret in [SECRET, "a-secret-of-label-studio"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(serving.stop(), 0);
}

#[test]
fn an_event_is_retried_and_replayed() {
    let place = patient();
    let queue = "[embedded_queue]\nmax_receives = 1\nderive = false\n";
    place.write("labelrelay.toml", format!("{CONFIG}{queue}"));
    let serving = place.serve(&[]);
    let page = Page::of(&place);
    assert_eq!(deliver(&serving, SECRET, "d-1", &label("1")), 200);
    assert_eq!(deliver(&serving, "another", "d-refused", b"{}"), 401);
    page.list("", 2);
    let actions = |name: &str| page.json(&format!("/api/deliveries/{name}"))["actions"].clone();
    assert_eq!(actions("r1"), serde_json::json!(["replay"]));
    assert_eq!(actions("r2"), serde_json::json!([]));
    let (status, said) = page.act("/api/deliveries/r1/retry");
    assert_eq!(status, 409, "{said}");
    assert!(
        said["error"].as_str().unwrap().contains("no dead letter"),
        "{said}"
    );

    // Received once and given back, it is a dead letter.
    let receive = ["queue", "receive", "--visibility", "0s", "--json"];
    assert_eq!(place.run(&receive).json().len(), 1);
    let dead = ["events", "list", "--dead", "--json"];
    assert_eq!(place.run(&dead).json().len(), 1);
    assert_eq!(actions("r1"), serde_json::json!(["retry", "replay"]));
    let (status, said) = page.act("/api/deliveries/r1/retry");
    assert_eq!(status, 200, "{said}");
    assert!(
        said["words"].as_str().unwrap().contains("is ready again"),
        "{said}"
    );
    assert_eq!(place.run(&dead).json().len(), 0);

    let (status, said) = page.act("/api/deliveries/r1/replay");
    assert_eq!(status, 200, "{said}");
    let events = place.run(&["events", "list", "--json"]).json();
    let ids: Vec<_> = events.iter().map(|event| &event["id"]).collect();
    assert_eq!(ids.len(), 2, "{events:?}");
    assert_eq!(ids[0], ids[1]);
    let again = place.run(&["events", "show", "2", "--json"]).json();
    assert!(
        again[0]["envelope"]["replayedtime"].is_string(),
        "{again:?}"
    );
    place.logged(&["somebody did this on the page", "retry", "replay"]);

    for (path, status) in [
        ("/api/deliveries/r2/replay", 409),
        ("/api/deliveries/r99/replay", 404),
        // The beginning of an id is not enough.
        ("/api/deliveries/d-/replay", 404),
        ("/api/deliveries/d-1/remove", 405),
    ] {
        assert_eq!(page.act(path).0, status, "{path}");
    }
    // A link does nothing, and neither does the cookie alone: every port of this machine has that.
    let (_, port) = page.address.rsplit_once(':').unwrap();
    let cookie = format!("Cookie: labelrelay_{port}={}\r\n", page.token);
    assert_eq!(page.status("/api/deliveries/r1/replay", &cookie), 405);
    for (lines, status) in [
        (cookie.clone(), 403),
        (format!("{cookie}Origin: http://127.0.0.1:1\r\n"), 403),
        (format!("Origin: http://{}\r\n", page.address), 401),
    ] {
        let path = "/api/deliveries/r1/replay";
        let (said, _) = page.ask_by("POST", path, &page.address, &lines);
        assert_eq!(said, status, "{lines}");
    }
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 2);
    assert_eq!(serving.stop(), 0);
}

/// The platform's id of a delivery is not signed: whoever knows one may send it.
#[test]
fn an_id_under_which_others_came_means_no_other_event() {
    let place = recording("");
    let serving = place.serve(&[]);
    let page = Page::of(&place);
    assert_eq!(deliver(&serving, SECRET, "d-1", &label("1")), 200);
    assert_eq!(deliver(&serving, "another", "d-1", &label("2")), 401);
    page.list("", 2);
    let (status, said) = page.act("/api/deliveries/d-1/replay");
    assert_eq!(status, 200, "{said}");
    assert_eq!(deliver(&serving, SECRET, "d-1", &label("3")), 200);
    page.list("", 3);
    let (status, said) = page.act("/api/deliveries/d-1/replay");
    assert_eq!(status, 409, "{said}");
    assert!(
        said["error"].as_str().unwrap().contains("several events"),
        "{said}"
    );
    assert_eq!(page.act("/api/deliveries/r3/replay").0, 200);
    let events = place.run(&["events", "list", "--json"]).json();
    let ids: Vec<_> = events.iter().map(|event| &event["id"]).collect();
    assert_eq!(ids.len(), 4, "{ids:?}");
    assert_eq!((ids[0], ids[2]), (ids[1], ids[3]));
    assert_eq!(serving.stop(), 0);
}

#[test]
fn an_event_that_was_pruned_says_how_to_get_it() {
    for (archive, cure) in [
        ("", "retain_acknowledged_s"),
        (
            "[archive]\nurl = \"file:archive\"\nevery = \"1s\"\n",
            "--from file:/",
        ),
    ] {
        let place = patient();
        let queue = "[embedded_queue]\nrepeat_window_s = 0\nderive = false\n";
        place.write("labelrelay.toml", format!("{CONFIG}{queue}{archive}"));
        let serving = place.serve(&[]);
        let page = Page::of(&place);
        assert_eq!(deliver(&serving, SECRET, "d-1", &label("1")), 200);
        page.list("", 1);
        let received = place.run(&["queue", "receive", "--json"]).json();
        let receipt = received[0]["receipt"].as_str().unwrap();
        place.run(&["queue", "ack", receipt]).good();
        until("the event is pruned", || {
            place.run(&["queue", "prune"]).good() == "removed 1\n"
        });
        let shown = page.json("/api/deliveries/r1");
        assert_eq!(shown["body"]["state"], "missing");
        let words = shown["body"]["words"].as_str().unwrap();
        assert!(
            words.contains("pruned since") && words.contains(cure),
            "{words}"
        );
        if !archive.is_empty() {
            // The command is one for any folder.
            let command = words.split('`').nth(1).unwrap();
            let command: Vec<_> = command.split(' ').skip(1).collect();
            place.run(&command).good();
        }
        assert_eq!(page.act("/api/deliveries/r1/replay").0, 409);
        assert_eq!(serving.stop(), 0);
    }
}

/// It says what it cannot read, and shows the rest.
#[test]
fn a_record_that_cannot_be_read_leaves_the_page_usable() {
    let place = recording("");
    let serving = place.serve(&[]);
    assert_eq!(deliver(&serving, SECRET, "d-1", &label("1")), 200);
    Page::of(&place).list("", 1);
    assert_eq!(serving.stop(), 0);
    std::fs::remove_file(place.path("queue.db.record")).unwrap();
    std::fs::copy(place.path("queue.db"), place.path("queue.db.record")).unwrap();
    let serving = place.serve(&[]);
    let page = Page::of(&place);
    let token = format!("Authorization: Bearer {}\r\n", page.token);
    for path in ["/api/deliveries", "/api/deliveries/r1"] {
        let (status, body) = page.ask(path, &page.address, &token);
        assert_eq!(status, 503, "{path}: {body}");
        assert!(body.contains("is not a record of labelrelay"), "{body}");
    }
    let strip = page.json("/api/strip");
    let parts = strip["parts"].as_array().unwrap();
    let part = |name: &str| parts.iter().find(|part| part["part"] == name).unwrap();
    assert_eq!(part("relay")["ok"], false, "{strip}");
    assert_eq!(part("queue")["ok"], true, "{strip}");
    let sources = page.json("/api/sources");
    assert!(!sources["sources"].as_array().unwrap().is_empty());
    assert_eq!(page.status(&format!("/?token={}", page.token), ""), 200);
    assert_eq!(deliver(&serving, SECRET, "d-2", &label("2")), 200);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn it_can_be_switched_off() {
    let place = recording("page = false");
    let serving = place.serve(&["--admin-listen", "127.0.0.1:0"]);
    place
        .run(&["status", "--page-url"])
        .failed(1, &["there is no page", "page = false"]);
    assert!(!place.path("queue.db.record.token").exists());
    let log = place.logged(&["metrics http://"]);
    assert!(!log.contains("page http://"), "{log}");
    let (_, rest) = log.split_once("metrics http://").unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    let page = Page {
        address: address.to_owned(),
        token: String::new(),
    };
    assert_eq!(page.status("/", ""), 404);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_token_that_cannot_be_kept_stops_no_delivery() {
    let place = recording("");
    let victim = place.write("victim", "of somebody else");
    std::os::unix::fs::symlink(&victim, place.path("queue.db.record.token")).unwrap();
    let serving = place.serve(&[]);
    place.logged(&["there is no page until the next start", "is a link"]);
    assert_eq!(deliver(&serving, SECRET, "d-1", &label("1")), 200);
    assert_eq!(serving.stop(), 0);
    assert_eq!(place.read("victim"), "of somebody else");
}

#[test]
fn a_terminal_is_shown_the_whole_url() {
    let place = recording("").with("NO_COLOR", "1");
    let terminal = Terminal::open();
    let serving = place.serve_into(&[], Stdio::null(), terminal.end().into());
    let page = Page::of(&place);
    assert_eq!(serving.stop(), 0);
    let shown = String::from_utf8(terminal.read()).unwrap();
    let line = format!("page http://{}/?token={}", page.address, page.token);
    let mut first = shown.lines().map(str::trim_end);
    let mut first = first
        .by_ref()
        .take_while(|line| !line.starts_with("source "));
    assert!(first.any(|shown| shown == line), "{shown}");
}
