//! Programs that are installed beside the tests, run to their end.

use labelrelay_tests::servers::installed;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Root of the repository, which holds the template.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The program that `variable` names, with nothing in its environment that could reach the real AWS.
pub(crate) fn tool(variable: &str) -> Command {
    let mut command = Command::new(installed(variable));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
    }
    command
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .stdin(Stdio::null());
    command
}

/// `PATH` with the folders of these programs in front.
pub(crate) fn path(programs: &[PathBuf]) -> OsString {
    let before = programs.iter().filter_map(|program| program.parent());
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(
        before
            .map(Path::to_owned)
            .chain(std::env::split_paths(&rest)),
    )
    .unwrap()
}

/// Runs it and returns what it printed; it must succeed.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{printed}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}
