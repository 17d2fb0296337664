//! The wheel, installed by pip and by uv, with the commands of the documents. Variables take the package index away.

use crate::clean_root::{CleanRoot, demo_ran};
use crate::files;
use std::process::Command;

/// Most bytes of the wheel, with the queues of all clouds, datasets and the page in it. The goal is 12 MB, and it is
/// missed: docs/figures.md has what it weighs.
const WHEEL_BYTES: u64 = 15_500_000;

fn root_with_wheel() -> CleanRoot {
    let root = CleanRoot::new();
    root.put(&files::one(".whl"), "/dist");
    root
}

#[test]
#[ignore = "needs files of a release and a root: cargo xtask release --dry-run"]
fn pip_installs_it_and_the_module_runs_the_program_beside_it() {
    let root = root_with_wheel();
    root.run("python3 -m venv /opt/venv");
    let (demo, took) = root.timed(
        "wheel: pip install, and the demo",
        "export PATH=/opt/venv/bin:$PATH PIP_NO_INDEX=1 PIP_FIND_LINKS=/dist
         pip install labelrelay
         labelrelay serve --demo",
    );
    demo_ran(&demo, took);
    let version = root.run("/opt/venv/bin/labelrelay --version");
    assert!(version.starts_with("labelrelay "), "{version}");
    if files::are_released() {
        // Though it is built from the sdist, which has no git to ask.
        let built = format!(
            "commit   {}\nfeatures aws azure google nats otlp postgres",
            commit()
        );
        assert!(version.contains(&built), "{version}");
    }
    // Another program of the name is on the path, before this one.
    let module = root.run(
        "printf '#!/bin/sh\\necho another\\n' >/usr/local/bin/labelrelay
         chmod 755 /usr/local/bin/labelrelay
         test \"$(labelrelay)\" = another
         /opt/venv/bin/python -m labelrelay --version",
    );
    assert_eq!(module, version);
    let python = root.run(
        "/opt/venv/bin/python -c 'import labelrelay; print(\"labelrelay\", labelrelay.__version__); print(labelrelay.find_program())'",
    );
    let expected = format!(
        "{}\n/opt/venv/bin/labelrelay",
        version.lines().next().unwrap()
    );
    assert_eq!(python, expected);
    // Samples for those who try their handlers.
    root.run("/opt/venv/bin/python -c 'from labelrelay.testing import sample; sample(\"label-studio/brush\")'");
    // The reader of events, and the mark by which type checkers believe its types.
    root.run(
        "/opt/venv/bin/python -c 'import labelrelay; labelrelay.parse, labelrelay.Box'
         test -e /opt/venv/lib/python3*/site-packages/labelrelay/py.typed",
    );
    // Its exit code is the program's.
    root.run("/opt/venv/bin/python -m labelrelay serve --nonsense 2>&1 || test $? = 2");

    let target = root.run(
        "/opt/venv/bin/pip install --quiet --no-index --find-links /dist --target /opt/target labelrelay
         /opt/venv/bin/pip uninstall --quiet --yes labelrelay
         PYTHONPATH=/opt/target python3 -m labelrelay --version",
    );
    assert_eq!(target, version);
    let left = root.run("find /opt/venv -name '*labelrelay*'");
    assert_eq!(left, "", "what pip removes is gone");
}

fn commit() -> String {
    let asked = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let told = String::from_utf8(asked.unwrap().stdout).unwrap();
    told.trim().to_owned()
}

#[test]
#[ignore = "needs files of a release and a root: cargo xtask release --dry-run"]
fn uvx_runs_it_in_one_command() {
    let root = root_with_wheel();
    let uv = files::variable("LABELRELAY_TEST_UV");
    root.put(&uv, "/usr/local/bin");
    root.put(&uv.with_file_name("uvx"), "/usr/local/bin");
    let (demo, took) = root.timed(
        "wheel: uvx, and the demo",
        "export UV_OFFLINE=1 UV_FIND_LINKS=/dist
         uvx labelrelay serve --demo",
    );
    demo_ran(&demo, took);
}

#[test]
#[ignore = "needs files of a release and a root: cargo xtask release --dry-run"]
fn it_is_small_and_brings_all_licences() {
    let wheel = files::one(".whl");
    let bytes = wheel.metadata().unwrap().len();
    println!("{}: {bytes} of {WHEEL_BYTES} bytes", files::name(&wheel));
    let listed = files::python()
        .args(["-m", "zipfile", "--list"])
        .arg(&wheel)
        .output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    for file in [
        "licenses/LICENSE-MIT",
        "licenses/LICENSE-APACHE",
        "licenses/LICENSE-THIRD-PARTY.txt",
        "labelrelay/__main__.py",
        ".data/scripts/labelrelay",
    ] {
        assert!(listed.contains(file), "no {file} in {listed}");
    }
    if files::are_released() {
        assert!(listed.contains(".cyclonedx.json"), "{listed}");
        assert!(bytes <= WHEEL_BYTES, "{bytes}");
    }
}
