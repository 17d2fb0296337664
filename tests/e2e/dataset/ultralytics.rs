//! Ultralytics' own reader on the YOLO files of a snapshot. It is gigabytes, so only a campaign installs it.

use super::{FORMATS, latest};
use std::path::Path;
use std::process::Command;

/// The Python that has it.
const PYTHON: &str = "LABELRELAY_TEST_ULTRALYTICS";

/// Formats of the test; where Ultralytics reads them, all forms of YOLO besides.
pub(super) fn formats() -> String {
    if std::env::var_os(PYTHON).is_some() {
        format!("{FORMATS},yolo,yolo-seg")
    } else {
        FORMATS.to_owned()
    }
}

/// Has Ultralytics read the newest snapshot, in the campaign.
pub(super) fn assert_reads(dir: &Path) {
    let Some(python) = std::env::var_os(PYTHON) else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/dataset/read_by_ultralytics.py");
    let scratch = tempfile::tempdir().unwrap();
    let read = Command::new(python)
        .arg("-B")
        .arg(script)
        .arg(latest(dir))
        .arg(scratch.path())
        .env("YOLO_CONFIG_DIR", scratch.path())
        .env("YOLO_AUTOINSTALL", "false")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&read.stdout);
    assert!(
        read.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&read.stderr)
    );
    let last = said.lines().last().unwrap_or_default();
    println!("read by Ultralytics: {last}");
}
