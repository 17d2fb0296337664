//! The job beside the service.

use crate::service::{command, named};
use labelrelay_tests::servers::{FakeGcs, PubSub};

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn an_empty_fallback_is_a_success_and_a_missing_topic_a_failure() {
    let (pubsub, storage) = (PubSub::start(), FakeGcs::start());
    storage.bucket("fallback");
    pubsub.topic("there");
    let run = |topic: &str| {
        let mut variables = pubsub.environment();
        variables.extend(storage.environment());
        let queue = format!("pubsub://labelrelay-test/{topic}");
        variables.extend(named(&[
            ("LABELRELAY_QUEUE", &queue),
            ("LABELRELAY_FALLBACK", "gs://fallback/x"),
        ]));
        command(&variables).arg("redrive").output().unwrap()
    };
    assert!(run("there").status.success());
    let output = run("missing");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("projects/labelrelay-test/topics/missing does not exist"),
        "{said}"
    );
}

#[test]
fn it_says_what_it_lacks() {
    for (variables, missing) in [
        (named(&[]), "LABELRELAY_QUEUE"),
        (
            named(&[("LABELRELAY_QUEUE", "pubsub://proj/topic")]),
            "LABELRELAY_FALLBACK",
        ),
    ] {
        let output = command(&variables).arg("redrive").output().unwrap();
        assert_eq!(output.status.code(), Some(78), "{missing}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(missing), "{said}");
    }
}
