//! The program under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Path of `labelrelay`: what `LABELRELAY_TEST_BINARY` names, else a build of the tests' own profile.
///
/// Built here because `cargo test` does not build the programs of other packages.
pub fn labelrelay() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = std::env::var_os("LABELRELAY_TEST_BINARY") {
            let path = PathBuf::from(path);
            assert!(
                path.is_file(),
                "LABELRELAY_TEST_BINARY names {}, which is not there",
                path.display()
            );
            return path;
        }
        built("--bin", "labelrelay", &[])
    })
}

/// Path of a program that another package of the workspace makes: a build of the tests' own profile, with the features
/// that `cargo xtask test` builds its own tests with.
pub fn of_another_package(name: &str) -> PathBuf {
    built("--bin", name, &["--features", "xtask/load"])
}

/// Path of an example that another package of the workspace has, built the same way.
pub fn example_of_another_package(name: &str) -> PathBuf {
    built("--example", name, &["--features", "xtask/load"])
}

/// `kind` is `--bin` or `--example`.
fn built(kind: &str, name: &str, more: &[&str]) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    // The same packages as `cargo test --workspace` has, so that nothing is compiled again.
    build.args(["build", "--quiet", "--workspace", kind, name]);
    build.args(more);
    // `<target>/<profile>/deps/e2e-…` runs this.
    let tests = std::env::current_exe().unwrap();
    let profile = tests.ancestors().nth(2).unwrap();
    as_by_hand(&mut build);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "{name} does not build");
    let folder = if kind == "--example" {
        profile.join("examples")
    } else {
        profile.to_owned()
    };
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Takes from a command that runs cargo what the cargo of this test has set. Build scripts look at some of it, and
/// would run again, with all that is built on them, each time that it is another cargo's turn.
pub fn as_by_hand(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            command.env_remove(name);
        }
    }
}

/// `labelrelay`, with nothing in its environment that this machine's owner may have set for it.
pub fn command() -> Command {
    without_settings(Command::new(labelrelay()))
}

/// The same, and a hang-up reaches it: under `nohup` these tests ignore it, and a program inherits that.
pub fn stoppable() -> Command {
    if cfg!(target_os = "linux") {
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP").arg(labelrelay());
        without_settings(command)
    } else {
        command()
    }
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let is_setting = |name: &str| name.starts_with("LABEL") || name.starts_with("OTEL_");
        if name.to_str().is_some_and(is_setting) {
            command.env_remove(name);
        }
    }
    command
}
