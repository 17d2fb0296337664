//! A start that fails says so in one line that names the key and the cure, and exits with 78.

use crate::setup::{Variables, variables, with};
use labelrelay_testkit::adapter_suite::SECRET;
use labelrelay_tests::servers::{Behaviour, Misbehaving};
use std::process::Command;

const QUEUE: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/events";

fn good() -> Variables {
    let variables = variables("http://127.0.0.1:9", QUEUE);
    with(variables, "LABELRELAY_WARM", "off")
}

fn without(mut variables: Variables, name: &str) -> Variables {
    variables.retain(|(set, _)| set != name);
    variables
}

/// The last line of a start that must fail.
fn refused(variables: &Variables) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_labelrelay-lambda"))
        .env_clear()
        .envs(variables.iter().cloned())
        .output()
        .unwrap();
    let log = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(78), "{log}");
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!log.contains(SECRET), "{log}");
    let line: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&line["event"], &line["level"]),
        (&"bad_configuration".into(), &"ERROR".into())
    );
    assert!(!line["cure"].as_str().unwrap().is_empty(), "{line}");
    line
}

#[test]
fn each_error_names_its_key() {
    let toml = "LABELRELAY_CONFIG_TOML";
    let redrive = || with(good(), "LABELRELAY_FUNCTION", "redrive");
    let cases = [
        (
            with(good(), "LABELRELAY_FUNCTION", "serve"),
            "LABELRELAY_FUNCTION",
        ),
        (with(good(), "LABELRELAY_LOG", "loud"), "LABELRELAY_LOG"),
        (without(good(), "LABELRELAY_QUEUE"), "LABELRELAY_QUEUE"),
        (with(good(), "LABELRELAY_QUEUE", ""), "LABELRELAY_QUEUE"),
        (
            with(good(), "LABELRELAY_QUEUE", "sqlite:///q.db"),
            "LABELRELAY_QUEUE",
        ),
        (
            with(good(), "LABELRELAY_BLOB_STORE", "file:///tmp"),
            "LABELRELAY_BLOB_STORE",
        ),
        (
            with(good(), "LABELRELAY_FALLBACK", "bucket"),
            "LABELRELAY_FALLBACK",
        ),
        (without(without(good(), toml), "SECRET"), toml),
        (without(good(), "SECRET"), "secret"),
        (with(good(), "SECRET", ""), "secret"),
        (with(good(), toml, "quue = 1"), "quue"),
        (
            with(
                good(),
                toml,
                "[[source]]\nname = \"a\"\nprovider = \"labelbox\"\nsecret = \"gcp-secretmanager:x\"",
            ),
            "secret",
        ),
        (
            with(good(), "LABELRELAY_CONFIG", "/nowhere/labelrelay.toml"),
            "LABELRELAY_CONFIG",
        ),
        (without(good(), "AWS_SECRET_ACCESS_KEY"), "AWS"),
        (without(redrive(), "LABELRELAY_QUEUE"), "LABELRELAY_QUEUE"),
        (redrive(), "LABELRELAY_FALLBACK"),
    ];
    for (variables, key) in cases {
        let line = refused(&variables);
        assert!(line["key"].as_str().unwrap().contains(key), "{key}: {line}");
    }
}

#[test]
fn a_secret_that_is_not_there_stops_the_start() {
    let toml = "[[source]]\nname = \"a\"\nprovider = \"labelbox\"\nsecret = \"aws-secretsmanager:missing\"";
    let server = Misbehaving::start(Behaviour::error(400, "ResourceNotFoundException", "gone"));
    let variables = with(good(), "AWS_ENDPOINT_URL", &server.endpoint());
    let line = refused(&with(variables, "LABELRELAY_CONFIG_TOML", toml));
    assert_eq!(line["key"], "source.a.secret");
    assert!(
        line["problem"].as_str().unwrap().contains("missing"),
        "{line}"
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_not_taken_for_absent() {
    use std::os::unix::ffi::OsStrExt as _;
    for name in [
        "LABELRELAY_CONFIG",
        "LABELRELAY_CONFIG_TOML",
        "LABELRELAY_FALLBACK",
        "LABELRELAY_FUNCTION",
        "LABELRELAY_WARM",
        "LABELRELAY_LOG",
        "AWS_ENDPOINT_URL_S3",
        "AWS_REGION",
        "AWS_SESSION_TOKEN",
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_labelrelay-lambda"))
            .env_clear()
            .envs(good())
            .env(name, std::ffi::OsStr::from_bytes(b"donn\xe9es"))
            .output()
            .unwrap();
        let log = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(78), "{name}: {log}");
        assert!(
            log.contains(name) && log.contains("not UTF-8"),
            "{name}: {log}"
        );
    }
}
