//! A real Label Studio that fires every event it can at a URL.

use crate::recorder::Exchange;
use crate::servers::installed;
use std::collections::BTreeSet;
use std::path::Path;
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

/// One step of the driver's walk and the seconds that Label Studio's API took for it.
pub type Step = (String, f64);

/// Starts Label Studio and makes it send everything to the source below `place` (`host:port/path`),
/// as webhooks and as calls to an ML back end, with `secret`.
pub fn drive(place: &str, secret: &str) -> Vec<Step> {
    let label_studio = installed("LABELRELAY_TEST_LABEL_STUDIO");
    let template = installed("LABELRELAY_TEST_CACHE").join("label-studio-1.23.2-template");
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/label_studio/drive.py");
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
            &format!("http://{place}"),
        ])
        .args(["--header", &format!("Authorization: Bearer {secret}")])
        .args(["--ml-url", &format!("http://label-studio:{secret}@{place}")])
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

/// Those of the exchanges that reported an event; they must be of every kind that this version sends.
pub fn events(exchanges: &[Exchange]) -> Vec<&Exchange> {
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
    events
}

/// The action of a body; read by hand, because bodies hold things that a strict parser refuses.
pub fn action(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    text.split('"').nth(3).unwrap_or_default().to_owned()
}
