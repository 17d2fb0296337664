//! The consumer of the Python package over the embedded queue, beside a `serve` that takes deliveries:
//! `python/tests/embedded_suite.py`.

use labelrelay_tests::program;
use labelrelay_tests::random::Random;
use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "starts many processes: run it with `cargo xtask e2e python_consumer`"]
fn a_copy_ends_where_the_platform_is_though_workers_are_killed() {
    let _machine = crate::beside_others();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let seed = Random::seeded().below(1 << 32);
    let output = Command::new("python3")
        .arg(root.join("python/tests/embedded_suite.py"))
        .arg(program::labelrelay())
        .arg(seed.to_string())
        .env("PYTHONPATH", root.join("python"))
        .output()
        .unwrap();
    let [said, errors] = [&output.stdout, &output.stderr].map(|out| String::from_utf8_lossy(out));
    assert!(output.status.success(), "seed {seed}: {said}{errors}");
    print!("{said}");
}
