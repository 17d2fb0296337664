//! Starts that fail, each with a line that says why.

use crate::setup::{SECRET, program};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Output};

/// Nothing is reached with these; a start that should fail does so before.
fn start(name: &str, value: &[u8]) -> Output {
    Command::new(program())
        .env_clear()
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
        .env("LABELBOX_WEBHOOK_SECRET", SECRET)
        .env("LABELRELAY_QUEUE", "azure-queue://account/events")
        .env(name, OsStr::from_bytes(value))
        .output()
        .unwrap()
}

#[test]
fn a_variable_that_is_not_utf_8_is_not_taken_for_absent() {
    for name in [
        "FUNCTIONS_CUSTOMHANDLER_PORT",
        "LABELRELAY_CONFIG",
        "LABELRELAY_CONFIG_TOML",
        "LABELRELAY_FALLBACK",
        "LABELRELAY_LOG",
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_ID",
        "AZURE_STORAGE_CONNECTION_STRING",
        "IDENTITY_ENDPOINT",
        "TMPDIR",
    ] {
        let output = start(name, b"donn\xe9es");
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(78), "{name}: {said}");
        assert!(
            said.contains(name) && said.contains("not UTF-8"),
            "{name}: {said}"
        );
    }
}
