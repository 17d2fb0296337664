//! Starts that fail, each with one line that says why.

use crate::service::{SECRET, command, named, variables};
use labelrelay_tests::servers::{FakeGcs, PubSub};

/// The program's last line, before which it may only have said that it listens, and its exit code.
fn ends(variables: &[(String, String)], arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(variables).args(arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines = said.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut lines: Vec<serde_json::Value> = lines.collect();
    let line = lines.pop().unwrap();
    assert!(lines.len() <= 1, "{said}");
    assert!(
        lines.iter().all(|line| line["event"] == "listening"),
        "{said}"
    );
    assert_eq!(line["severity"], "ERROR", "{said}");
    assert!(output.stderr.is_empty());
    assert!(!said.contains(SECRET), "{said}");
    (
        output.status.code(),
        line["message"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn bad_configuration_is_one_line_that_names_the_key_and_78() {
    let secret = ("LABELBOX_WEBHOOK_SECRET", SECRET);
    let queue = ("LABELRELAY_QUEUE", "pubsub://proj/topic");
    for (variables, words) in [
        (
            vec![],
            &["LABELRELAY_CONFIG_TOML", "LABELBOX_WEBHOOK_SECRET"][..],
        ),
        (
            vec![secret],
            &["LABELRELAY_QUEUE", "pubsub://PROJECT/TOPIC"],
        ),
        (
            vec![secret, ("LABELRELAY_QUEUE", "sqs://x/y/z")],
            &["LABELRELAY_QUEUE", "pubsub://PROJECT/TOPIC"],
        ),
        (
            vec![secret, queue, ("LABELRELAY_BLOB_STORE", "s3://b/p")],
            &["LABELRELAY_BLOB_STORE", "gs://"],
        ),
        (
            vec![secret, queue, ("LABELRELAY_FALLBACK", "gs://")],
            &["LABELRELAY_FALLBACK", "gs://"],
        ),
        (vec![secret, queue, ("PORT", "http")], &["PORT"]),
        (
            vec![secret, queue, ("LABELRELAY_LISTEN", "everywhere")],
            &["LABELRELAY_LISTEN"],
        ),
        (
            vec![secret, queue, ("LABELRELAY_LOG", "loud")],
            &["LABELRELAY_LOG"],
        ),
        (
            vec![secret, queue, ("PUBSUB_EMULATOR_HOST", "a b")],
            &["PUBSUB_EMULATOR_HOST"],
        ),
        (
            vec![
                secret,
                queue,
                ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json"),
            ],
            &["`GOOGLE_APPLICATION_CREDENTIALS`"],
        ),
        (
            vec![secret, queue, ("LABELRELAY_CONFIG", "/nowhere.toml")],
            &["LABELRELAY_CONFIG", "/nowhere.toml"],
        ),
        (
            vec![
                queue,
                (
                    "LABELRELAY_CONFIG_TOML",
                    "[[source]]\nname = \"l\"\nprovider = \"labelbox\"\nsecret = \"aws-ssm:x\"\n",
                ),
            ],
            &["source.l.secret", "gcp-secretmanager"],
        ),
        (
            vec![
                queue,
                (
                    "LABELRELAY_CONFIG_TOML",
                    "[[source]]\nname = \"l\"\nprovider = \"labelbox\"\nsecret = \"gcp-secretmanager:x\"\n",
                ),
            ],
            &["source.l.secret", "GOOGLE_CLOUD_PROJECT"],
        ),
    ] {
        let (code, message) = ends(&named(&variables), &[]);
        assert_eq!(code, Some(78), "{message}");
        for word in words {
            assert!(message.contains(word), "{word}: {message}");
        }
    }
}

#[test]
fn wrong_usage() {
    let (code, message) = ends(&[], &["serve"]);
    assert_eq!(code, Some(1));
    assert!(message.contains("usage"), "{message}");
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn missing_resources_of_the_cloud_are_named() {
    let (pubsub, storage) = (PubSub::start(), FakeGcs::start());
    let there = pubsub.topic("there");
    let missing = variables(&pubsub, "pubsub://labelrelay-test/missing");
    let (code, message) = ends(&missing, &[]);
    assert_eq!(code, Some(78), "{message}");
    assert!(
        message.contains("projects/labelrelay-test/topics/missing"),
        "{message}"
    );
    for setting in ["LABELRELAY_BLOB_STORE", "LABELRELAY_FALLBACK"] {
        let mut variables = variables(&pubsub, &there);
        variables.extend(storage.environment());
        variables.extend(named(&[(setting, "gs://missing/x")]));
        let (code, message) = ends(&variables, &[]);
        assert_eq!(code, Some(78), "{message}");
        assert!(
            message.contains(setting) && message.contains("gs://missing"),
            "{message}"
        );
    }
}

#[test]
fn a_variable_that_is_not_utf_8_is_not_taken_for_absent() {
    use std::os::unix::ffi::OsStrExt as _;
    let latin_1 = std::ffi::OsStr::from_bytes(b"donn\xe9es");
    let good = named(&[
        ("LABELBOX_WEBHOOK_SECRET", SECRET),
        ("LABELRELAY_QUEUE", "pubsub://proj/topic"),
        ("PUBSUB_EMULATOR_HOST", "127.0.0.1:9"),
        ("STORAGE_EMULATOR_HOST", "127.0.0.1:9"),
        ("LABELRELAY_LISTEN", "127.0.0.1:0"),
    ]);
    for name in [
        "LABELRELAY_CONFIG",
        "LABELRELAY_CONFIG_TOML",
        "LABELRELAY_FALLBACK",
        "LABELRELAY_LISTEN",
        "LABELRELAY_LOG",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_CLOUD_QUOTA_PROJECT",
        "PUBSUB_EMULATOR_HOST",
    ] {
        let output = command(&good).env(name, latin_1).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(78), "{name}: {said}");
        assert!(
            said.contains(name) && said.contains("not UTF-8"),
            "{name}: {said}"
        );
    }
    // Nor does it panic over what stands on its command line.
    let output = command(&good).arg(latin_1).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("usage"), "{said}");
}
