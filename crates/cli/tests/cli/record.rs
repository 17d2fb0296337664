//! The record of deliveries: what came, what was answered, and why; and what it never does.

use crate::support::{CONFIG, Place, Ran, Serving, get, patient, until};
use labelrelay_tests::client::{Client, once};
use labelrelay_tests::sender::{self, label};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SECRET: &str = "a secret of Labelbox, 27 bytes";
const FOREIGN: &str = "another secret, of 27 bytes";

/// A place whose `serve` records, with these further settings of the record.
fn recording(settings: &str) -> Place {
    let place = patient();
    let source = "exclude = [\"io.labelstud.task.*\"]\n";
    let queue = "[embedded_queue]\nrepeat_window_s = 0\nretain_acknowledged_s = 0\n";
    let record = format!("[serve.record]\nenabled = true\n{settings}\n");
    place.write(
        "labelrelay.toml",
        format!("{CONFIG}{source}{queue}{record}"),
    );
    place.write("foreign.secret", FOREIGN);
    place
}

fn address(serving: &Serving) -> SocketAddr {
    serving.address.parse().unwrap()
}

/// A delivery of Labelbox that is signed with this secret.
fn labelbox(secret: &str, delivery: &str, body: &[u8]) -> Vec<u8> {
    sender::labelbox(secret, "LABEL_CREATED", delivery, body)
}

/// Deliveries of the record that pass these filters.
fn recorded(place: &Place, words: &[&str]) -> Vec<Value> {
    let list = [
        "events",
        "list",
        "--recorded",
        "--json",
        "--limit",
        "1000000",
    ];
    place.run(&[&list[..], words].concat()).json()
}

/// The same, once there are so many: a row is written a moment after its answer.
fn once_recorded(place: &Place, words: &[&str], many: usize) -> Vec<Value> {
    let mut found = Vec::new();
    until("the deliveries are in the record", || {
        found = recorded(place, words);
        found.len() >= many
    });
    assert_eq!(found.len(), many, "{found:?}");
    found
}

fn name(delivery: &Value) -> &str {
    delivery["record"].as_str().unwrap()
}

fn verify(place: &Place, delivery: &str, secret: &str) -> Ran {
    place.run(&["verify", "--delivery", delivery, "--secret", secret])
}

#[test]
fn deliveries_are_recorded_unless_that_is_switched_off() {
    for (section, is_on) in [("", true), ("[serve.record]\nenabled = false\n", false)] {
        let place = patient();
        place.write("labelrelay.toml", format!("{CONFIG}{section}"));
        let serving = place.serve(&[]);
        let answer = once(address(&serving), &labelbox(SECRET, "d-1", &label("1")));
        assert_eq!(answer.status, 200);
        assert_eq!(serving.stop(), 0);
        if is_on {
            assert_eq!(name(&recorded(&place, &[])[0]), "r1");
            continue;
        }
        let names = fs::read_dir(place.directory.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let of_record: Vec<_> = names.filter(|name| name.contains(".record")).collect();
        assert!(of_record.is_empty(), "{of_record:?}");
        place
            .run(&["events", "list", "--refused"])
            .failed(1, &["no record", "enabled = false"]);
    }
}

#[test]
fn a_queue_beside_which_it_has_no_place_is_served_without_a_record() {
    let place = patient();
    let config = CONFIG.replacen("sqlite:queue.db", "stdout:", 1);
    place.write("labelrelay.toml", config);
    let serving = place.serve(&[]);
    let answer = once(address(&serving), &labelbox(SECRET, "d-1", &label("1")));
    assert_eq!(answer.status, 200);
    place
        .run(&["status", "--page-url"])
        .failed(1, &["there is no page", "name a `file`"]);
    assert_eq!(serving.stop(), 0);
    assert!(!place.read("serve.log").contains("record"));
}

/// Deliveries are worth more: whatever keeps the record from being kept is one line of the log.
#[test]
fn what_cannot_be_recorded_is_taken_all_the_same() {
    // Another `serve` records there; a directory is in its place; there is no such directory.
    for (file, reason) in [
        ("shared", "another process records into"),
        ("taken", "is no regular file"),
        ("nowhere/record", "cannot be made or looked at"),
    ] {
        let (place, other) = (Place::new(), patient());
        let shared = place.path(file);
        if file == "taken" {
            fs::create_dir(&shared).unwrap();
        }
        let section = format!("[serve.record]\nfile = \"{}\"\n", shared.display());
        other.write("labelrelay.toml", format!("{CONFIG}{section}"));
        let first = (file == "shared").then(|| {
            let first = patient();
            first.write("labelrelay.toml", format!("{CONFIG}{section}"));
            let serving = first.serve(&[]);
            let answer = once(address(&serving), &labelbox(SECRET, "d-0", &label("0")));
            assert_eq!(answer.status, 200);
            until("the first one records", || shared.exists());
            once_recorded(&first, &[], 1);
            (first, serving)
        });
        let serving = other.serve(&[]);
        let answer = once(address(&serving), &labelbox(SECRET, "d-1", &label("1")));
        assert_eq!(answer.status, 200, "{file}");
        other.logged(&["deliveries are not recorded", reason]);
        assert_eq!(serving.stop(), 0);
        let log = other.read("serve.log");
        assert_eq!(
            log.matches("deliveries are not recorded").count(),
            1,
            "{log}"
        );
        drop(first);
    }
}

/// `events show 99` means an event of the queue.
#[test]
fn a_number_is_no_beginning_of_an_id() {
    let place = recording("");
    let serving = place.serve(&[]);
    let to = address(&serving);
    for (delivery, tag) in [("99-of-the-platform", "1"), ("17", "2")] {
        let refused = labelbox(FOREIGN, delivery, &label(tag));
        assert_eq!(once(to, &refused).status, 401);
    }
    once_recorded(&place, &[], 2);
    place
        .run(&["events", "show", "99"])
        .failed(1, &["no event 99"]);
    for (which, name) in [("99-of", "r1"), ("17", "r2")] {
        let shown = place.run(&["events", "show", which, "--json"]).json();
        assert_eq!(shown[0]["record"], name, "{which}");
    }
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_number_below_zero_is_bad_configuration() {
    for (setting, cure) in [
        (
            "keep_events_bytes = -5",
            "give it a number of bytes, 0 or more",
        ),
        ("max_deliveries = -5", "give it a whole number, 0 or more"),
        (
            "max_deliveries = \"many\"",
            "give it a whole number, 0 or more",
        ),
    ] {
        let place = recording(setting);
        let (key, _) = setting.split_once(' ').unwrap();
        let ran = place.run(&["serve", "--listen", "127.0.0.1:0"]);
        ran.failed(78, &[key, cure]);
    }
}

/// The record and the queue are looked into, and an empty list says that it is one.
#[test]
fn what_is_not_there_is_told() {
    let place = recording("");
    let serving = place.serve(&[]);
    let refused = labelbox(FOREIGN, "d-1", &label("1"));
    assert_eq!(once(address(&serving), &refused).status, 401);
    once_recorded(&place, &[], 1);
    for which in ["r100000", "99", "no-such-id"] {
        let both = format!("no event {which}, and the record has no delivery {which}");
        place
            .run(&["events", "show", which])
            .failed(1, &[both.as_str()]);
    }
    for (words, said) in [
        (&[][..], "the queue has no event\n"),
        (
            &["--dead"],
            "the queue has no event that passes the filter\n",
        ),
        (
            &["--recorded", "--project", "77"],
            "the record has no delivery that passes the filter\n",
        ),
    ] {
        let list = [&["events", "list"], words].concat();
        let ran = place.run(&list);
        assert_eq!((ran.good(), ran.stderr.as_str()), ("", said), "{words:?}");
        let ran = place.run(&[&list[..], &["--json"]].concat());
        assert_eq!((ran.good(), ran.stderr.as_str()), ("", ""), "{words:?}");
    }
    assert_eq!(serving.stop(), 0);
}

/// No body is read of what its head alone decides; and none is kept with `bodies = false`.
#[test]
fn a_refused_delivery_without_a_body_says_why() {
    let place = recording("bodies = false");
    let serving = place.serve(&[]);
    let to = address(&serving);
    let unsigned = b"POST /labelbox HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(once(to, unsigned).status, 401);
    assert_eq!(once(to, &labelbox(FOREIGN, "d-2", &label("2"))).status, 401);
    once_recorded(&place, &[], 2);
    for (which, why) in [
        ("r1", "nothing of a body was read: the head alone decided"),
        ("r2", "`bodies = false`"),
    ] {
        let shown = place.run(&["events", "show", which, "--body"]);
        shown.failed(1, &[which, why]);
        let envelope = place.run(&["events", "show", which, "--envelope"]);
        envelope.failed(1, &[which, "became no event"]);
    }
    let said = verify(&place, "r2", "file:labelbox.secret");
    said.failed(1, &["`bodies = false`", "with --request"]);
    let said = verify(&place, "r1", "file:labelbox.secret");
    assert!(said.stdout.contains("has no credential"), "{said:?}");
    assert_eq!(serving.stop(), 0);
}

/// Each question of somebody on call, by one command.
#[test]
fn questions_are_answered_by_one_command() {
    let place = recording("");
    let serving = place.serve(&[]);
    let to = address(&serving);
    let body = label("17");
    assert_eq!(once(to, &labelbox(SECRET, "d-accepted", &body)).status, 200);
    assert_eq!(once(to, &labelbox(FOREIGN, "d-refused", &body)).status, 401);
    // Signed, then changed by something on the way.
    let signature = sender::signature(SECRET, &body);
    let changed = [&body[..], b"\n"].concat();
    let head = sender::Head {
        path: "/labelbox",
        event: "LABEL_CREATED",
        delivery: "d-changed",
        signature: &signature,
        more: "User-Agent: a proxy\r\nReferer: https://a.example/?token=hush\r\n",
    };
    assert_eq!(once(to, &head.followed_by(&changed)).status, 401);
    let task = br#"{"action":"TASKS_CREATED","tasks":[{"id":1}],"project":{"id":3}}"#;
    let filtered = sender::label_studio("Bearer a-secret-of-label-studio", task);
    assert_eq!(once(to, &filtered).outcome(), "filtered");
    let wrong = sender::label_studio("Bearer wrong", task);
    assert_eq!(once(to, &wrong).status, 401);
    assert!(get(&serving.address, "/labelbox").0.contains("405"));
    let all = once_recorded(&place, &[], 6);

    // What was refused, and why?
    let refused = recorded(&place, &["--refused", "--since", "1h"]);
    let statuses: Vec<_> = refused
        .iter()
        .map(|row| row["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [401, 401, 401, 405]);
    for row in &refused {
        assert!(!row["reason"].as_str().unwrap().is_empty(), "{row}");
    }
    let list = place.run(&["events", "list", "--refused"]);
    let lines: Vec<_> = list.good().lines().collect();
    assert_eq!(lines.len(), 1 + 4, "{list:?}");
    assert!(lines[0].contains("WHAT, OR WHY"), "{list:?}");
    assert!(lines[1].trim_start().starts_with("r2 "), "{list:?}");
    // Did X arrive, and how long did it take?
    let arrived = recorded(&place, &["--delivery", "d-accepted"]);
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0]["outcome"], "accepted");
    assert!(arrived[0]["elapsed_us"].as_u64().unwrap() > 0);
    assert!(arrived[0]["queue_us"].as_u64().unwrap() > 0);
    // What did Y send? What of this project, what about this subject?
    assert_eq!(
        all.iter()
            .filter(|row| row["client"] == "127.0.0.1")
            .count(),
        6
    );
    for (client, many) in [("127.0.0.1", 6), ("127.*", 6), ("192.0.2.7", 0)] {
        let sent = place.run(&["events", "list", "--client", client, "--json"]);
        assert_eq!(sent.json().len(), many, "{client}: {sent:?}");
    }
    assert_eq!(recorded(&place, &["--source", "label-studio"]).len(), 2);
    assert_eq!(recorded(&place, &["--project", "3"]).len(), 1);
    assert_eq!(recorded(&place, &["--type", "com.labelbox"]).len(), 1);
    // What was filtered?
    let filtered = &all[3];
    assert_eq!(filtered["outcome"], "filtered");
    let body_of = |which: &str| {
        let words = ["events", "show", which, "--body"];
        place.command(&words).output().unwrap().stdout
    };
    assert_eq!(body_of(name(filtered)), task);
    // Which body was refused?
    assert_eq!(body_of("d-refused"), body);
    // Whose secret was it?
    let said = verify(&place, "d-refused", "file:labelbox.secret");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.stdout.contains("no usual mistake explains it"),
        "{said:?}"
    );
    let said = verify(&place, "d-refused", "file:foreign.secret");
    assert!(
        said.good().contains("labelrelay had another one"),
        "{said:?}"
    );
    // What happened to the body on the way?
    let said = verify(&place, "d-changed", "file:labelbox.secret");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.contains("a line break was added"), "{said:?}");
    // What was in the header?
    place.write("wrong.secret", "wrong");
    let said = verify(&place, name(&all[4]), "file:label-studio.secret");
    assert_eq!(said.code, 1, "{said:?}");
    verify(&place, name(&all[4]), "file:wrong.secret").good();
    // What did the head look like?
    let shown = place.run(&["events", "show", "d-changed"]);
    let shown = shown.good();
    for words in [
        "user-agent: a proxy",
        "POST /labelbox",
        "x-hub-signature: sha1=[blotted out",
    ] {
        assert!(shown.contains(words), "no {words:?} in {shown}");
    }
    assert!(!shown.contains("hush"), "{shown}");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn an_event_that_was_acknowledged_and_pruned_is_still_found() {
    let place = recording("");
    let serving = place.serve(&[]);
    let request = labelbox(SECRET, "d-1", &label("1"));
    let id = once(address(&serving), &request).member("id").unwrap();
    once_recorded(&place, &[], 1);
    // On the queue, the platform's own id finds it too.
    let stored = place.run(&["events", "show", "d-1", "--json"]);
    assert_eq!(stored.json()[0]["envelope"]["id"], id.as_str());
    let received = place.run(&["queue", "receive", "--json"]).json();
    let receipt = received[0]["receipt"].as_str().unwrap();
    place.run(&["queue", "ack", receipt]).good();
    until("it is pruned", || {
        place.run(&["queue", "prune"]).good();
        place.run(&["events", "list", "--json"]).good().is_empty()
    });
    for which in ["d-1", "d-", id.as_str(), &id[..8], "r1"] {
        let shown = place.run(&["events", "show", which, "--json"]);
        assert_eq!(shown.json()[0]["id"], id.as_str(), "{which}");
    }
    let listed = place.run(&["events", "list", "--id", &id, "--json"]);
    assert_eq!(listed.json()[0]["record"], "r1");
    place
        .run(&["events", "show", "none"])
        .failed(1, &["no event none"]);
    assert_eq!(serving.stop(), 0);
}

/// Two events were acknowledged, and `serve` has pruned since: the newer one fits into what the queue keeps for the record.
#[test]
fn the_newest_acknowledged_events_of_deliveries_stay_within_a_bound() {
    let place = recording("");
    let configuration = place.read("labelrelay.toml");
    let serving = place.serve(&[]);
    for (delivery, label_id) in [("d-1", "1"), ("d-2", "2")] {
        let request = labelbox(SECRET, delivery, &label(label_id));
        assert_eq!(once(address(&serving), &request).status, 200);
        let received = place.run(&["queue", "receive", "--json"]).json();
        let receipt = received[0]["receipt"].as_str().unwrap();
        place.run(&["queue", "ack", receipt]).good();
    }
    once_recorded(&place, &[], 2);
    assert_eq!(serving.stop(), 0);
    let envelope = place.run(&["events", "show", "r1", "--envelope"]).stdout;
    let body_of = |which: &str| place.run(&["events", "show", which, "--body"]);
    assert_eq!(body_of("r1").stdout.as_bytes(), label("1"));

    // It prunes first of all when it starts.
    let keeping = |bytes: usize| {
        let setting = format!("{configuration}keep_events_bytes = {bytes}\n");
        place.write("labelrelay.toml", setting);
        place.serve(&[])
    };
    let serving = keeping(envelope.len() * 3 / 2);
    until("what does not fit is pruned", || {
        place.run(&["events", "list", "--json"]).json().len() < 2
    });
    assert_eq!(body_of("r2").stdout.as_bytes(), label("2"));
    let gone = [
        "acknowledged, and pruned since",
        "raise `keep_events_bytes`",
    ];
    body_of("r1").failed(1, &gone);
    assert_eq!(serving.stop(), 0);
    assert_eq!(body_of("r2").stdout.as_bytes(), label("2"));
    let id = recorded(&place, &[])[1]["id"].as_str().unwrap().to_owned();
    // What is accepted is explained out of its event.
    let verified = verify(&place, "r2", "file:labelbox.secret");
    assert!(verified.good().starts_with("matches"), "{verified:?}");

    let serving = keeping(0);
    until("all are pruned", || {
        place.run(&["events", "list", "--json"]).good().is_empty()
    });
    body_of("r2").failed(1, &gone);
    place
        .run(&["events", "show", "r2", "--envelope"])
        .failed(1, &gone);
    let verified = verify(&place, "r2", "file:labelbox.secret");
    verified.failed(1, &[&gone[..], &["with --request"]].concat());
    let again = place.run(&["events", "replay", "--id", id.as_str()]);
    assert_eq!(again.good(), "0 sent again\n");
    for words in [
        "acknowledged and pruned since",
        "raise `keep_events_bytes`",
        "list --recorded --id",
    ] {
        assert!(again.stderr.contains(words), "{again:?}");
    }
    let archive = "[archive]\nurl = \"file:archive\"\n";
    let configuration = place.read("labelrelay.toml");
    place.write("labelrelay.toml", format!("{configuration}{archive}"));
    let url = format!("--from file:{}", place.path("archive").display());
    body_of("r2").failed(1, &["events show ", &url]);
    let again = place.run(&["events", "replay", "--id", id.as_str()]);
    assert!(again.stderr.contains(&url), "{again:?}");
    assert_eq!(recorded(&place, &[]).len(), 2);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn no_secret_is_in_the_file_unless_asked_for() {
    for (settings, is_kept) in [("", false), ("blot_out = false", true)] {
        let place = recording(settings);
        let serving = place.serve(&[]);
        let to = address(&serving);
        let body = label("1");
        let signature = sender::signature(SECRET, &body);
        let tag = signature.strip_prefix("sha1=").unwrap();
        assert_eq!(once(to, &labelbox(SECRET, "d-1", &body)).status, 200);
        let studio = sender::label_studio("Bearer a-secret-of-label-studio", b"{\"action\":\"X\"}");
        assert_eq!(once(to, &studio).status, 200);
        let basic = sender::basic("any", "a-secret-of-label-studio");
        let studio = sender::label_studio(&basic, b"{\"action\":\"X\"}");
        assert_eq!(once(to, &studio).status, 200);
        assert_eq!(serving.stop(), 0);
        let bytes = fs::read(place.path("queue.db.record")).unwrap();
        let (_, encoded) = basic.split_once(' ').unwrap();
        for secret in [tag, "a-secret-of-label-studio", encoded] {
            let has = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert_eq!(has, is_kept, "{secret}");
        }
        // With the signature as it came, or by its fingerprint.
        let said = verify(&place, "d-1", "file:labelbox.secret");
        assert!(said.good().starts_with("matches"), "{said:?}");
    }
}

#[test]
fn a_strangers_flood_pushes_out_nothing_that_counts() {
    const FLOOD: usize = 2000;
    const BATCH: usize = 100;
    let place = recording("max_refused = 10");
    let serving = place.serve(&[]);
    let to = address(&serving);
    for n in 0..20 {
        let body = label(&n.to_string());
        let answer = once(to, &labelbox(SECRET, &format!("d-{n}"), &body));
        assert_eq!(answer.status, 200);
    }
    let mut stranger = Client::connect(to).unwrap();
    let request = b"POST /label-studio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nContent-Length: 0\r\n\r\n";
    for _ in 0..FLOOD / BATCH {
        stranger.write(&request.repeat(BATCH)).unwrap();
        for _ in 0..BATCH {
            assert_eq!(stranger.read().unwrap().status, 401);
        }
    }
    let body = label("last");
    assert_eq!(once(to, &labelbox(SECRET, "d-last", &body)).status, 200);
    assert_eq!(serving.stop(), 0);
    assert_eq!(recorded(&place, &["--source", "labelbox"]).len(), 21);
    assert_eq!(recorded(&place, &["--refused"]).len(), 10);
}

#[test]
fn a_record_that_is_damaged_or_of_somebody_else_stops_nobody() {
    let place = recording("");
    place.write(
        "queue.db.record",
        "this is no database, and nobody knows what it is".repeat(20),
    );
    let serving = place.serve(&[]);
    let to = address(&serving);
    assert_eq!(once(to, &labelbox(SECRET, "d-1", &label("1"))).status, 200);
    once_recorded(&place, &[], 1);
    place.logged(&["the record cannot be used; it was set aside"]);
    assert!(place.path("queue.db.record.damaged").exists());
    assert_eq!(serving.stop(), 0);
    fs::remove_file(place.path("queue.db.record")).unwrap();
    fs::copy(place.path("queue.db"), place.path("queue.db.record")).unwrap();
    let before = fs::read(place.path("queue.db.record")).unwrap();
    let serving = place.serve(&[]);
    let to = address(&serving);
    assert_eq!(once(to, &labelbox(SECRET, "d-2", &label("2"))).status, 200);
    place.logged(&[
        "deliveries are not recorded",
        "is not a record of labelrelay",
    ]);
    assert_eq!(serving.stop(), 0);
    assert_eq!(fs::read(place.path("queue.db.record")).unwrap(), before);
}

#[test]
fn an_author_is_forgotten() {
    let place = recording("");
    let serving = place.serve(&[]);
    let body = br#"{"label":"x","by":"Ann@example.org"}"#;
    assert_eq!(
        once(address(&serving), &labelbox(FOREIGN, "d-1", body)).status,
        401
    );
    once_recorded(&place, &[], 1);
    let ran = place.run(&["events", "forget", "--author", "ann@example.org"]);
    assert_eq!(ran.good(), "taken out of 1 delivery\n");
    let shown = place.run(&["events", "show", "d-1"]);
    assert!(shown.good().contains("[forgotten]"), "{shown:?}");
    place
        .run(&["events", "forget", "--author", "ann"])
        .failed(2, &["e-mail"]);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_record_without_a_place_is_bad_configuration() {
    let place = recording("");
    let config = place.read("labelrelay.toml");
    let stdout = config.replacen("sqlite:queue.db", "stdout:", 1);
    place.write("labelrelay.toml", &stdout);
    let ran = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    ran.failed(78, &["serve.record.file"]);
    let named = format!("{stdout}file = \"some.record\"\n");
    place.write("labelrelay.toml", named);
    let serving = place.serve(&[]);
    let answer = once(address(&serving), &labelbox(SECRET, "d-1", &label("1")));
    assert_eq!(answer.status, 200);
    once_recorded(&place, &[], 1);
    assert!(place.path("some.record").exists());
    assert_eq!(serving.stop(), 0);
}

/// What was answered so long before a kill is in the record. A second will do where nobody else has the disk: the campaign
/// `record-kills` says so.
fn due() -> Duration {
    let said = std::env::var("LABELRELAY_TEST_RECORD_DUE_MS");
    Duration::from_millis(said.map_or(4000, |ms| ms.parse().unwrap()))
}

/// Twenty kills, at moments that nobody chose.
#[test]
fn a_kill_loses_no_delivery_that_was_answered_some_seconds_before() {
    std::thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || killed_five_times(seed));
        }
    });
}

fn killed_five_times(seed: u64) {
    let place = recording("");
    let due = due();
    let mut all_due = 0;
    for round in 0..5 {
        let serving = place.serve(&[]);
        let to = address(&serving);
        let sending = std::thread::spawn(move || deliver_until_it_breaks(to, round));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let spread = now.subsec_micros().wrapping_mul(7919) % 400;
        let life = due + Duration::from_millis(500 + u64::from(spread) + 10 * seed);
        std::thread::sleep(life);
        let killed = Instant::now();
        // By SIGKILL.
        drop(serving);
        let answered = sending.join().unwrap();
        fs::remove_file(place.path("ready")).unwrap();
        let ids: std::collections::BTreeSet<_> = recorded(&place, &[])
            .iter()
            .map(|row| row["delivery_id"].as_str().unwrap().to_owned())
            .collect();
        let all = answered
            .iter()
            .filter(|(_, at)| killed.saturating_duration_since(*at) >= due);
        let missing: Vec<_> = all.clone().filter(|(id, _)| !ids.contains(id)).collect();
        assert!(missing.is_empty(), "round {round}: {missing:?}");
        all_due += all.count();
    }
    // A busy machine may answer nothing in the first moment of a round.
    assert!(all_due > 0, "nothing was due");
}

/// Ids of deliveries, with the moments at which each was answered.
fn deliver_until_it_breaks(to: SocketAddr, round: u32) -> Vec<(String, Instant)> {
    let mut client = Client::connect(to).unwrap();
    let mut answered = Vec::new();
    loop {
        let id = format!("k-{round}-{}", answered.len());
        match client.exchange(&labelbox(SECRET, &id, &label(&id))) {
            Ok(response) if response.status == 200 => answered.push((id, Instant::now())),
            _ => return answered,
        }
        // The other tests shall have something of the machine.
        std::thread::sleep(Duration::from_millis(2));
    }
}
