//! `serve`: starting, refusing to start, stopping.

use crate::support::{configured, get, patient, send_laid_out, until};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

#[test]
fn a_port_that_is_taken_is_a_failure() {
    let place = configured();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    place.run(&["serve", "--listen", &address]).failed(
        1,
        &[&address, "taken by another program", "--listen 127.0.0.1:0"],
    );
}

#[test]
fn an_address_of_another_machine_is_a_failure_with_a_cure() {
    let place = configured();
    // An address for documentation, which no machine has.
    place.run(&["serve", "--listen", "192.0.2.1:8090"]).failed(
        1,
        &[
            "192.0.2.1:8090",
            "address of this machine",
            "--listen ADDRESS:PORT",
        ],
    );
}

#[test]
fn a_second_owner_of_the_queue_is_refused() {
    let place = configured();
    let serving = place.serve(&[]);
    let ran = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    ran.failed(1, &["queue.db", &format!("process {}", serving.pid())]);
}

#[test]
fn a_queue_that_cannot_be_used_is_left_as_it_is() {
    let newer = {
        // A queue file whose format number is set to one that does not exist yet.
        let place = configured();
        assert_eq!(place.serve(&[]).stop(), 0);
        let mut bytes = std::fs::read(place.path("queue.db")).unwrap();
        // "The database header": user version at offset 60, big-endian (SQLite file format, 1.3).
        bytes[60..64].copy_from_slice(&999_u32.to_be_bytes());
        bytes
    };
    for (contents, says) in [
        (newer, "format 999"),
        (b"these are somebody's notes".repeat(50), "not a queue file"),
    ] {
        let place = configured();
        place.write("queue.db", &contents);
        for verb in ["serve", "status"] {
            place.run(&[verb]).failed(78, &["queue.db", says]);
        }
        place
            .run(&["queue", "stats"])
            .failed(78, &["queue.db", says]);
        assert_eq!(std::fs::read(place.path("queue.db")).unwrap(), contents);
    }
}

#[test]
fn a_queue_without_a_directory_is_refused() {
    let place = configured().with("LABELRELAY_QUEUE", "sqlite:not/there/queue.db");
    place
        .run(&["serve"])
        .failed(78, &["not/there/queue.db", "must exist"]);
}

#[test]
fn the_ready_file_is_there_while_it_answers() {
    let place = configured();
    place.write("ready", "127.0.0.1:1\n");
    let mut child = place.serve(&[]);
    // The file of an earlier process was removed; it may take a moment until ours is written.
    while child.address == "127.0.0.1:1" {
        child.address = std::fs::read_to_string(place.path("ready"))
            .unwrap_or(child.address.clone())
            .trim()
            .to_owned();
    }
    let (status, body) = get(&child.address, "/-/ready");
    assert_eq!(
        (status.as_str(), body.as_str()),
        ("HTTP/1.1 200 OK", "{\"ready\":true}")
    );
    assert_eq!(child.stop(), 0);
    assert!(!place.path("ready").exists());
}

#[test]
fn metrics_stand_on_an_address_of_their_own() {
    let place = configured();
    let serving = place.serve(&[]);
    place
        .run(&["send", "--to", &serving.url("labelbox")])
        .good();
    let log = place.logged(&["/metrics"]);
    let admin = log
        .split("http://")
        .find_map(|rest| rest.split_once("/metrics"))
        .unwrap()
        .0;
    // A request is counted after its answer.
    until("it is counted", || {
        let (status, body) = get(admin, "/metrics");
        assert_eq!(status, "HTTP/1.1 200 OK");
        body.lines()
            .any(|line| line.contains("outcome=\"accepted\"") && line.ends_with(" 1"))
    });
    let (status, _) = get(&serving.address, "/metrics");
    assert_ne!(status, "HTTP/1.1 200 OK");
}

#[test]
fn a_stop_finishes_what_was_accepted() {
    let place = patient();
    let serving = place.serve(&[]);
    // A delivery whose head is there and whose body is not yet.
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    let body = b"{\"action\": \"ANNOTATION_CREATED\"}";
    write!(
        stream,
        "POST /label-studio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-secret-of-label-studio\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    )
    .unwrap();
    // The server asks for the body: so it has the head, and has begun to read.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert!(asked.starts_with(b"HTTP/1.1 100 Continue"));
    serving.signal("-TERM");
    let refused = std::time::Instant::now();
    while TcpStream::connect(&serving.address).is_ok() {
        assert!(refused.elapsed().as_secs() < 30, "it still listens");
    }
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let mut serving = serving;
    assert_eq!(serving.wait(), 0);
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 1);
}

#[test]
fn a_later_signal_ends_at_once() {
    let place = configured();
    let mut serving = place.serve(&[]);
    // A request that never ends keeps the first signal waiting.
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    stream
        .write_all(b"POST /label-studio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-secret-of-label-studio\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        .unwrap();
    stream.read_exact(&mut [0; 25]).unwrap();
    serving.signal("-INT");
    while !place.read("serve.log").contains("stopping") {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // Signals that come together count as one, so it is sent until one arrives later.
    while !serving.has_ended() {
        serving.signal("-INT");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(serving.wait(), 130);
    assert!(!place.path("ready").exists());
}

#[test]
fn logs_are_json_on_request_and_hold_no_secret() {
    let place = configured();
    let serving = place.serve(&["--log", "json", "--verbose"]);
    place
        .run(&["send", "--to", &serving.url("labelbox")])
        .good();
    place.write("wrong", "another secret, long enough");
    let forged = place.run(&[
        "send",
        "--to",
        &serving.url("labelbox"),
        "--secret",
        "file:wrong",
    ]);
    assert_eq!(forged.code, 1);
    assert!(forged.stdout.starts_with("401"), "{forged:?}");
    assert_eq!(serving.stop(), 0);
    let log = place.read("serve.log");
    let events: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        events.iter().any(|event| event["outcome"] == "accepted"),
        "{log}"
    );
    assert!(
        events
            .iter()
            .any(|event| event["outcome"] == "unauthorized"),
        "{log}"
    );
    assert!(
        events.iter().any(|event| event["url"]
            .as_str()
            .is_some_and(|url| url.ends_with("/labelbox"))),
        "{log}"
    );
    assert!(!log.contains("a secret of Labelbox") && !log.contains("another secret"));
}

#[test]
fn a_public_url_changes_what_is_to_be_entered() {
    let place = configured();
    let serving = place.serve(&["--public-url", "https://relay.example/hooks/"]);
    assert_eq!(serving.stop(), 0);
    let log = place.read("serve.log");
    assert!(
        log.contains("https://relay.example/hooks/labelbox"),
        "{log}"
    );
    assert!(
        log.contains("https://relay.example/hooks/label-studio"),
        "{log}"
    );
    assert!(!log.contains("HTTPS only"), "{log}");
}

#[test]
fn the_queue_stdout_prints_one_envelope_a_line() {
    let place = patient().with("LABELRELAY_QUEUE", "stdout:");
    let serving = place.serve(&[]);
    // The first one's body is laid out over several lines.
    send_laid_out(&place, &serving);
    let url = serving.url("label-studio");
    place
        .run(&["send", "--event", "annotation.created", "--to", &url])
        .good();
    assert_eq!(serving.stop(), 0);
    let lines: Vec<serde_json::Value> = place
        .read("serve.out")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0]["data_base64"].is_string() && lines[1]["data"].is_object());
    place.run(&["events", "list"]).failed(2, &["keeps nothing"]);
}

#[test]
fn a_reader_of_stdout_that_ends_is_said_and_loses_nothing_unsaid() {
    let place = configured().with("LABELRELAY_QUEUE", "stdout:");
    let log = std::fs::File::create(place.path("serve.log")).unwrap();
    let mut serving = place.serve_into(&[], Stdio::piped(), log.into());
    let url = serving.url("labelbox");
    let mut reader = BufReader::new(serving.stdout());
    place.run(&["send", "--to", &url]).good();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with('{') && line.ends_with("}\n"), "{line}");
    drop(reader);
    // A process that another test is just starting may hold our end open for a moment.
    let refused = (0..1000).find_map(|_| {
        let ran = place.run(&["send", "--to", &url]);
        (ran.code != 0).then_some(ran)
    });
    let ran = refused.expect("a refusal");
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.starts_with("503"), "{ran:?}");
    let log = place.logged(&["its reader has ended", "start labelrelay again"]);
    assert!(!log.contains("trying again"), "{log}");
    let (status, _) = get(&serving.address, "/-/ready");
    assert!(status.starts_with("HTTP/1.1 503"), "{status}");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_reader_of_the_log_that_ends_takes_nothing_with_it() {
    let place = configured();
    let mut serving = place.serve_into(&["--verbose"], Stdio::null(), Stdio::piped());
    drop(serving.stderr());
    let url = serving.url("labelbox");
    for _ in 0..2 {
        place.run(&["send", "--to", &url]).good();
    }
    assert_eq!(serving.stop(), 0);
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 2);
}

#[test]
fn connections_fit_into_the_limit_of_file_descriptors() {
    // The soft limit is raised as far as the hard one lets it.
    for (limit, warns) in [("ulimit -S -n 200", false), ("ulimit -n 200", true)] {
        let place = configured();
        let serve = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("{limit} && exec \"$0\" \"$@\""))
            .arg(serve.get_program())
            .args(serve.get_args())
            .current_dir(place.directory.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log: Vec<String> = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .take_while(|line| !line.contains("metrics http"))
            .collect();
        let _ = child.kill();
        child.wait().unwrap();
        let warned = log.iter().any(|line| line.contains("connections=100"));
        assert_eq!(warned, warns, "{log:?}");
    }
}

#[test]
fn a_blob_store_is_opened_where_one_is_configured() {
    let place = configured().with("LABELRELAY_BLOB_STORE", "file:blobs");
    place.run(&["status"]).good();
    assert!(!place.path("blobs").exists(), "check makes nothing");
    let serving = place.serve(&[]);
    assert_eq!(crate::support::mode(&place.path("blobs")), 0o700);
    assert_eq!(serving.stop(), 0);
    place.write("file", "");
    let place = place.with("LABELRELAY_BLOB_STORE", "file:file");
    for verb in ["serve", "status"] {
        place
            .run(&[verb])
            .failed(78, &["LABELRELAY_BLOB_STORE", "file"]);
    }
    let place = place.with("LABELRELAY_BLOB_STORE", "s3://bucket");
    place.run(&["serve"]).failed(78, &["LABELRELAY_BLOB_STORE"]);
}
