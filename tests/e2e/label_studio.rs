//! A real Label Studio fires every event that it can at a real `serve`.

use labelrelay_tests::recorder::{Exchange, Recorder};
use labelrelay_tests::relay::{SECRET, Site};
use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What version 1.23.2 is known to send.
const ACTIONS: [&str; 13] = [
    "ANNOTATIONS_CREATED",
    "ANNOTATIONS_DELETED",
    "ANNOTATION_CREATED",
    "ANNOTATION_UPDATED",
    "LABEL_LINK_CREATED",
    "LABEL_LINK_DELETED",
    "LABEL_LINK_UPDATED",
    "PROJECT_CREATED",
    "PROJECT_DELETED",
    "PROJECT_UPDATED",
    "START_TRAINING",
    "TASKS_CREATED",
    "TASKS_DELETED",
];

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e label_studio`"]
fn every_event_of_a_real_label_studio_is_queued_and_its_api_is_not_slowed() {
    let site = Site::new();
    let relay = site.serve();
    let recorder = Recorder::start(relay.address);
    let with_relay = drive(recorder.address);
    let exchanges = recorder.exchanges();
    for exchange in &exchanges {
        assert!(
            matches!(exchange.status, Some(200..=299)),
            "{} of {} bytes: {:?} {}; the log of serve:\n{}",
            exchange.request_line,
            exchange.body.len(),
            exchange.status,
            String::from_utf8_lossy(&exchange.answer),
            relay.log()
        );
    }
    let events: Vec<&Exchange> = exchanges
        .iter()
        .filter(|exchange| exchange.body.starts_with(br#"{"action""#))
        .collect();
    let seen: BTreeSet<_> = events.iter().map(|event| action(&event.body)).collect();
    assert_eq!(
        seen,
        ACTIONS.map(str::to_owned).into(),
        "the actions that this Label Studio sent"
    );

    let mut queued: HashMap<String, Vec<u8>> = HashMap::new();
    for event in site.export() {
        assert!(
            queued
                .insert(event.attributes.id.clone(), event.body)
                .is_none(),
            "{} is queued twice",
            event.attributes.id
        );
    }
    let (mut accepted, mut repeats) = (0, 0);
    for event in &events {
        let answer: serde_json::Value = serde_json::from_slice(&event.answer).unwrap();
        let id = answer["id"].as_str().unwrap();
        match answer["outcome"].as_str() {
            Some("accepted") => accepted += 1,
            Some("repeat") => repeats += 1,
            other => panic!("{}: {other:?}", action(&event.body)),
        }
        assert!(
            queued.get(id) == Some(&event.body),
            "{}: not queued byte for byte",
            action(&event.body)
        );
    }
    assert_eq!(
        accepted,
        queued.len(),
        "every accepted delivery is one event, and nothing else is"
    );
    println!(
        "delivered {} = queued {accepted} + repeats {repeats}; 0 lost, 0 refused; {} other calls",
        events.len(),
        exchanges.len() - events.len()
    );

    let instant = Recorder::start(answer_at_once());
    let with_instant = drive(instant.address);
    compare(&with_relay, &with_instant);
}

/// One step of the driver's walk and the seconds that Label Studio's API took for it.
type Step = (String, f64);

/// Starts Label Studio and makes it send everything to `address`.
fn drive(address: SocketAddr) -> Vec<Step> {
    let variable = |name: &str| {
        PathBuf::from(
            std::env::var_os(name)
                .unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask e2e`")),
        )
    };
    let label_studio = variable("LABELRELAY_TEST_LABEL_STUDIO");
    let template = variable("LABELRELAY_TEST_CACHE").join("label-studio-1.23.2-template");
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let driver = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("e2e")
        .join("label_studio")
        .join("drive.py");
    let output = Command::new(label_studio.with_file_name("python"))
        .arg(driver)
        .arg("--label-studio")
        .arg(&label_studio)
        .arg("--template")
        .arg(template)
        .arg("--report")
        .arg(&report)
        .args([
            "--level",
            "both",
            "--target-url",
            &format!("http://{address}/label-studio"),
        ])
        .args(["--header", &format!("Authorization: Bearer {SECRET}")])
        .args([
            "--ml-url",
            &format!("http://label-studio:{SECRET}@{address}/label-studio"),
        ])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "the driver: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let steps = report["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| {
            (
                step["step"].as_str().unwrap().to_owned(),
                step["seconds"].as_f64().unwrap(),
            )
        })
        .collect()
}

/// The annotator waits for the receiver: compares what the same walk took with one that does nothing.
fn compare(relay: &[Step], instant: &[Step]) {
    let names = |steps: &[Step]| {
        steps
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(relay), names(instant), "both walks went the same way");
    let sum = |steps: &[Step]| steps.iter().map(|(_, seconds)| seconds).sum::<f64>();
    let median = |steps: &[Step]| {
        let mut seconds: Vec<_> = steps.iter().map(|(_, seconds)| *seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    };
    println!(
        "seconds of {} API calls: with labelrelay median {:.4}, sum {:.2}; with a receiver that answers at once median {:.4}, sum {:.2}",
        relay.len(),
        median(relay),
        sum(relay),
        median(instant),
        sum(instant)
    );
    // One run on a busy machine: the bound is for what a wait of a queue or a lock would cost.
    assert!(
        sum(relay) <= 1.5 * sum(instant) + 2.0,
        "labelrelay slows Label Studio's API"
    );
}

/// A receiver that reads a request, answers and forgets; good enough for an ML back end, too.
fn answer_at_once() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || {
                let (mut received, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
                while let Ok(length @ 1..) = stream.read(&mut buffer) {
                    received.extend_from_slice(&buffer[..length]);
                    while let Some(whole) = request_length(&received) {
                        received.drain(..whole);
                        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"results\":[]}";
                        if stream.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

/// Length of the request at the start of `bytes`, once it is whole.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    (bytes.len() >= end + length).then_some(end + length)
}

/// The action of a body; read by hand, because bodies hold things that a strict parser refuses.
fn action(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    text.split('"').nth(3).unwrap_or_default().to_owned()
}
