//! The program in front of Azurite, behind the host.

use labelrelay_event::Envelope;
use labelrelay_tests::azure::handler::Handler;
use labelrelay_tests::azure::host::Host;
use labelrelay_tests::azure::sas::{MARK, signature};
use labelrelay_tests::client::{Response, once};
use labelrelay_tests::servers::Azurite;
use std::path::Path;

pub(crate) const SECRET: &str = "azure0function0secret0forty0characters00";
pub(crate) const QUEUE: &str = "events";

/// Environment of the program.
pub(crate) fn variables(azurite: &Azurite) -> Vec<(&'static str, String)> {
    vec![
        ("LABELBOX_WEBHOOK_SECRET", SECRET.to_owned()),
        ("LABEL_STUDIO_WEBHOOK_SECRET", SECRET.to_owned()),
        ("LABELRELAY_QUEUE", azurite.queue_url(QUEUE)),
        ("LABELRELAY_BLOB_STORE", azurite.blob_url("claims/data")),
        ("LABELRELAY_LOG", "trace".to_owned()),
        // A test that is not about time must not fail because a machine is busy.
        ("LABELRELAY_DEADLINE_MS", "30000".to_owned()),
    ]
}

/// Azurite with a queue and containers.
pub(crate) fn azurite() -> Azurite {
    let azurite = Azurite::start();
    azurite.make_queue(QUEUE);
    azurite.make_container("claims");
    azurite.make_container("fallback");
    azurite
}

/// Starts the program.
pub(crate) fn start(variables: &[(&'static str, String)]) -> Handler {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Handler::start(program(), &variables)
}

/// The program, built with these tests.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_labelrelay-azure-function"))
}

/// A request's target, with the prefix in front that the host routes by.
pub(crate) fn under_the_prefix(request: &[u8]) -> Vec<u8> {
    let at = request.iter().position(|byte| *byte == b'/').unwrap();
    [&request[..at], b"/api", &request[at..]].concat()
}

/// Sends a delivery through the host.
pub(crate) fn deliver(host: &Host, request: &[u8]) -> Response {
    once(host.address, &under_the_prefix(request))
}

/// The data of all events of the queue, claimed ones fetched, by event id.
pub(crate) fn queued(azurite: &Azurite) -> std::collections::HashMap<String, Vec<u8>> {
    let messages = azurite.drain(QUEUE).into_iter();
    let events = messages.map(|message| {
        let envelope = Envelope::decode(&message.body).expect("an envelope");
        let data = match &envelope.attributes.dataref {
            Some(uri) => {
                let (_, path) = uri
                    .split_once("/labelrelay/")
                    .expect("a URL of the account");
                azurite.blob(path).expect("the claimed body")
            }
            None => envelope.data.bytes().unwrap().unwrap().into_owned(),
        };
        (envelope.attributes.id.clone(), data)
    });
    events.collect()
}

/// Asserts that a log holds JSON objects, one a line, and nothing that is secret.
pub(crate) fn assert_clean(log: &str, bodies: &[&str]) {
    assert!(!log.is_empty());
    // A program that runs may be writing the last one.
    let whole = log
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    for line in whole {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(
            line["event"].is_string() && line["level"].is_string(),
            "{line}"
        );
    }
    let signature = signature();
    let (_, value) = signature.split_once(MARK).unwrap();
    for secret in [SECRET, MARK, value].iter().chain(bodies) {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}
