//! Plain readers of the queue of each cloud, by its own client: what labelrelay puts there has the bytes that were sent.

use crate::tool::{output, root};
use labelrelay_tests::servers::{Azurite, FakeGcs, PubSub, installed};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Bodies that the relay could have verified: numbers and escapes to keep, bytes that are no JSON, a large one.
const BODIES: [&[u8]; 3] = [
    b"{\"a\": 1.0 ,\"b\":\"\\u00e9\\ud83d\"}",
    b"\xff\x00 not JSON",
    b"{\"large\":true}",
];

#[test]
#[ignore = "needs Google's emulators and clients: cargo xtask test"]
fn the_consumer_of_google() {
    let (pubsub, gcs) = (PubSub::start(), FakeGcs::start());
    pubsub.topic("events");
    gcs.bucket("claims");
    let mut environment = pubsub.environment();
    environment.extend(gcs.environment());
    // The client asks for one, and the emulator takes any.
    environment.push((
        "GOOGLE_CLOUD_PROJECT".to_owned(),
        "labelrelay-test".to_owned(),
    ));
    consumes(
        &Consumer {
            script: "google_bytes.py",
            python: "LABELRELAY_TEST_GOOGLE_PYTHON",
            publisher: "google",
            from: "projects/labelrelay-test/subscriptions/events",
        },
        &environment,
    );
    assert!(pubsub.pull("events", 10).is_empty());
}

#[test]
#[ignore = "needs Azurite and Azure's clients: cargo xtask test"]
fn the_consumer_of_azure() {
    let azurite = Azurite::start();
    for queue in ["labelrelay-events", "labelrelay-events-poison"] {
        azurite.make_queue(queue);
    }
    azurite.make_container("claims");
    let environment = vec![(
        "AZURE_STORAGE_CONNECTION_STRING".to_owned(),
        azurite.connection_string(),
    )];
    consumes(
        &Consumer {
            script: "azure_bytes.py",
            python: "LABELRELAY_TEST_AZURE_PYTHON",
            publisher: "azure",
            from: "devstoreaccount1",
        },
        &environment,
    );
    assert!(azurite.drain("labelrelay-events").is_empty());
    assert!(azurite.drain("labelrelay-events-poison").is_empty());
}

struct Consumer {
    /// Beside this file.
    script: &'static str,
    /// Variable with the Python that has the cloud's clients.
    python: &'static str,
    /// The cloud's name in `publish.py`.
    publisher: &'static str,
    from: &'static str,
}

/// Publishes each body in an envelope, the first one twice; the consumer keeps each once, byte for byte.
fn consumes(consumer: &Consumer, environment: &[(String, String)]) {
    let folder = tempfile::tempdir().unwrap();
    let variables = || environment.iter().map(|(name, value)| (name, value));
    for (index, body) in BODIES.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{index}.bin")), body).unwrap();
    }
    output(
        Command::new(installed(consumer.python))
            .arg(root().join("tests/infra/publish.py"))
            .args([consumer.publisher, consumer.from])
            .arg(folder.path())
            .envs(variables()),
    );
    let said = crate::tool::run(
        Command::new(installed(consumer.python))
            .arg(root().join("tests/infra").join(consumer.script))
            .arg(consumer.from)
            .arg(folder.path())
            .envs(variables()),
    );
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && errors.is_empty(), "{errors}");
    let expected: BTreeMap<String, Vec<u8>> = BODIES
        .iter()
        .enumerate()
        .map(|(index, body)| (format!("event-{index}"), body.to_vec()))
        .collect();
    assert_eq!(consumer_output(folder.path()), expected);
}

/// Output of the consumer: each event's id, and the bytes of its body.
fn consumer_output(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "body"))
        .map(|path| {
            let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (id, std::fs::read(&path).unwrap())
        })
        .collect()
}
