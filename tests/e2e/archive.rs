//! The archive that a `serve` writes, read by tools that know nothing of labelrelay.

use flate2::read::MultiGzDecoder;
use labelrelay_event::Digest;
use labelrelay_tests::client::Client;
use labelrelay_tests::export::{Exported, event};
use labelrelay_tests::relay::{SECRET, Site, eventually};
use labelrelay_tests::sender;
use labelrelay_tests::servers::installed;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Deliveries of the test; each is another event.
const EVENTS: usize = 60;

/// A site whose `serve` archives into a directory, as often as it may.
pub(crate) fn archiving() -> Site {
    // No answer is late there because a machine is busy, and nothing is there but what is delivered.
    Site::with(
        "deadline_ms = 30000\nembedded_queue.derive = false\n[archive]\nurl = \"file:archive\"\nevery = \"1s\"",
    )
}

/// Files of the archive that have events.
pub(crate) fn files(site: &Site) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&site.folder().join("archive"), &mut files);
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    // `serve` makes it a moment after its start.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let name = name.to_string_lossy().into_owned();
        // A dot begins the name of what is not whole yet.
        if name.starts_with('.') {
            continue;
        }
        if name.ends_with(".ndjson.gz") {
            files.push(path);
        } else if path.is_dir() {
            collect(&path, files);
        }
    }
}

/// Events of the archive, as often as they are there.
pub(crate) fn archived(site: &Site) -> Vec<Exported> {
    files(site).iter().flat_map(|file| events(file)).collect()
}

fn events(file: &Path) -> Vec<Exported> {
    let mut text = Vec::new();
    let mut unpacked = MultiGzDecoder::new(File::open(file).unwrap());
    unpacked.read_to_end(&mut text).unwrap();
    let lines = text.strip_suffix(b"\n");
    let lines = lines.unwrap_or_else(|| panic!("{}: it is cut off", file.display()));
    lines
        .split(|byte| *byte == b'\n')
        .map(|line| event(line, file))
        .collect()
}

/// Deliveries of both platforms: with numbers and spaces that other programs write otherwise, and with line breaks.
fn request(number: usize) -> Vec<u8> {
    let tag = format!("0x{number}");
    if number.is_multiple_of(3) {
        return sender::labelbox(SECRET, "LABEL_CREATED", &tag, &sender::label(&tag));
    }
    let body = json!({
        "action": "ANNOTATION_CREATED",
        "annotation": {
            "id": number, "task": number, "updated_at": "2026-11-21T09:47:10.371842Z", "result": [],
            "lead_time": "LEAD TIME",
        },
        "project": {"id": 1, "title": "Cafés,\"data\":1"},
        "task": {"id": number, "data": {"text": "a\nb"}},
    });
    let body = if number % 3 == 1 {
        body.to_string()
    } else {
        serde_json::to_string_pretty(&body).unwrap()
    };
    let body = body.replace("\"LEAD TIME\"", "0.1250");
    sender::label_studio(&format!("Bearer {SECRET}"), body.as_bytes())
}

#[test]
fn duckdb_reads_an_archive_by_the_statements_that_the_document_prints() {
    let _machine = crate::beside_others();
    let site = archiving();
    let relay = site.serve();
    let mut client = Client::connect(relay.address).unwrap();
    for number in 0..EVENTS {
        let answer = client.exchange(&request(number)).unwrap();
        let is_accepted = (200..300).contains(&answer.status);
        assert!(is_accepted, "{number}: {}", answer.text());
    }
    let queue = site.export();
    assert_eq!(queue.len(), EVENTS);
    eventually("all of it is in the archive", || {
        (archived(&site).len() >= EVENTS).then_some(())
    });
    drop(relay);

    let mut days = BTreeMap::<_, u64>::new();
    let mut expected: Vec<_> = queue
        .iter()
        .map(|event| {
            let attributes = &event.attributes;
            let source = attributes.source.trim_start_matches('/');
            // The day, in UTC.
            let date = &attributes.receivedtime[..10];
            *days.entry((source, date)).or_default() += 1;
            let digest = Digest::of(&event.body).to_hex();
            json!([attributes.id, source, date, digest])
        })
        .collect();
    expected.sort_by_key(|event| event[0].as_str().unwrap().to_owned());
    let days: Vec<_> = days
        .into_iter()
        .map(|((source, date), count)| json!([source, date, count]))
        .collect();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = Command::new(installed("LABELRELAY_TEST_DATASET_PYTHON"))
        .arg("-B")
        .arg(tests.join("e2e/archive/as_a_table.py"))
        .arg(tests.join("../docs/archive.md"))
        .current_dir(site.folder())
        .output()
        .unwrap();
    assert!(
        read.status.success(),
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
    let told: Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(told, json!({"days": days, "events": expected}));
}
