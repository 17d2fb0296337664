//! Pub/Sub (Google's emulator) and Cloud Storage (fake-gcs-server).

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods alone are not general enough over lifetimes"
)]

use super::{Cloud, wait};
use labelrelay_core::QueueLimits;
use labelrelay_tests::servers::{FakeGcs, PubSub};
use serde_json::json;

struct Servers {
    pubsub: PubSub,
    storage: FakeGcs,
    queue: String,
}

impl Servers {
    fn start() -> Self {
        let (pubsub, storage) = (PubSub::start(), FakeGcs::start());
        storage.bucket("bucket");
        let queue = pubsub.topic("events");
        Self {
            pubsub,
            storage,
            queue,
        }
    }

    fn cloud<T>(&self, test: impl FnOnce(&Cloud<'_>) -> T) -> T {
        let mut variables = self.pubsub.environment();
        variables.extend(self.storage.environment());
        let drain = || {
            let pulled = self.pubsub.drain("events").into_iter();
            pulled.map(|message| message.data).collect()
        };
        test(&Cloud {
            variables,
            queue: self.queue.clone(),
            blob_store: "gs://bucket/claims".to_owned(),
            fallback: "gs://bucket/fallback".to_owned(),
            limits: QueueLimits::bytes(10_000_000),
            drain: &drain,
            hang: &|| self.pubsub.freeze(),
            go_on: &|| self.pubsub.thaw(),
        })
    }
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn serve_sends_to_pubsub() {
    Servers::start().cloud(|cloud| wait(cloud.conforms()));
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn nothing_is_lost_while_pubsub_hangs() {
    Servers::start().cloud(|cloud| cloud.loses_nothing());
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn events_are_sent_again_to_pubsub() {
    Servers::start().cloud(|cloud| cloud.takes_replays());
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn consume_takes_events_from_pubsub() {
    let mut servers = Servers::start();
    servers.pubsub.topic("dead");
    let dead = "projects/labelrelay-test/topics/dead";
    let policy = json!({ "deadLetterTopic": dead, "maxDeliveryAttempts": 5 });
    let settings = json!({ "deadLetterPolicy": policy });
    // The subscription has the topic's name.
    servers.queue = servers.pubsub.topic_with("consumed", &settings);
    servers.cloud(|cloud| cloud.is_consumed(&cloud.queue, &[]));
    assert!(servers.pubsub.drain("consumed").is_empty());
    assert_eq!(servers.pubsub.drain("dead").len(), 1);
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn a_fault_of_pubsub_is_named() {
    let missing = "pubsub://labelrelay-test/missing";
    Servers::start().cloud(|cloud| cloud.says_what_is_wrong(missing, "missing"));
}

#[test]
#[ignore = "needs the Pub/Sub emulator, fake-gcs-server and Label Studio: cargo xtask test"]
fn missed_events_are_sent_to_pubsub() {
    Servers::start()
        .cloud(|cloud| cloud.fetches_what_was_missed("pubsub://labelrelay-test/missing"));
}
