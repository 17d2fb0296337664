//! The consumer of the Python package over the embedded queue, beside a `serve` that takes deliveries:
//! `python/tests/embedded_suite.py`, and `label_studio_suite.py` with a real Label Studio.

use labelrelay_tests::program;
use labelrelay_tests::random::Random;
use labelrelay_tests::servers::installed;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

/// Edits of the test; the campaign makes more of them.
const EDITS: &str = "200";

/// Runs one of the suites, and prints what it says. `more` are the arguments behind the seed.
fn run(suite: &str, arguments: &[&OsStr], more: &[&OsStr]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let seed = Random::seeded().below(1 << 32);
    let output = Command::new("python3")
        .arg("-B")
        .arg(root.join("python/tests").join(suite))
        .arg(program::labelrelay())
        .args(arguments)
        .arg(seed.to_string())
        .args(more)
        .env("PYTHONPATH", root.join("python"))
        .output()
        .unwrap();
    let [said, errors] = [&output.stdout, &output.stderr].map(|out| String::from_utf8_lossy(out));
    assert!(output.status.success(), "seed {seed}: {said}{errors}");
    print!("{said}");
}

#[test]
#[ignore = "starts many processes: run it with `cargo xtask e2e python_consumer`"]
fn a_copy_ends_where_the_platform_is_though_workers_are_killed() {
    let _machine = crate::beside_others();
    run("embedded_suite.py", &[], &[]);
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e python_consumer`"]
fn a_copy_of_a_real_label_studio_is_its_export() {
    let _machine = crate::beside_others();
    edit_a_label_studio("label_studio_suite.py", EDITS, None);
}

/// Runs one of the suites with a real Label Studio, with its own workers, or else with this program. It makes as many edits
/// as the campaign says; `sample` in a test.
pub(crate) fn edit_a_label_studio(suite: &str, sample: &str, worker: Option<&Path>) {
    let template = installed("LABELRELAY_TEST_CACHE").join("label-studio-1.23.2-template");
    let edits = std::env::var_os("LABELRELAY_TEST_EDITS").unwrap_or_else(|| sample.into());
    let arguments = [
        installed("LABELRELAY_TEST_LABEL_STUDIO").into_os_string(),
        template.into_os_string(),
        edits,
    ];
    let worker: Vec<&OsStr> = worker.into_iter().map(Path::as_os_str).collect();
    run(
        suite,
        &arguments.each_ref().map(OsString::as_os_str),
        &worker,
    );
}
