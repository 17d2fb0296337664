//! Pub/Sub (Google's emulator), Cloud Storage (fake-gcs-server), and Secret Manager (a server of our own).

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods alone are not general enough over lifetimes"
)]

mod start;

use super::secret_manager::SecretManager;
use super::{Cloud, wait};
use crate::connect::stand_in::{StandIn, TOKEN};
use crate::support::Place;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::QueueLimits;
#[cfg(target_os = "linux")]
use labelrelay_tests::client::once;
#[cfg(target_os = "linux")]
use labelrelay_tests::servers::Server;
use labelrelay_tests::servers::{FakeGcs, PubSub};
use serde_json::json;
#[cfg(target_os = "linux")]
use std::process::Command;

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

impl Servers {
    /// The same with a topic for dead letters, whose subscription has its name.
    fn with_dead_letters() -> Self {
        let mut servers = Self::start();
        servers.pubsub.topic("dead");
        let dead = "projects/labelrelay-test/topics/dead";
        let policy = json!({ "deadLetterTopic": dead, "maxDeliveryAttempts": 5 });
        let settings = json!({ "deadLetterPolicy": policy });
        servers.queue = servers.pubsub.topic_with("consumed", &settings);
        servers
    }

    fn assert_one_is_dead(&self) {
        assert!(self.pubsub.drain("consumed").is_empty());
        assert_eq!(self.pubsub.drain("dead").len(), 1);
    }
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn a_dataset_is_published_to_cloud_storage() {
    Servers::start().cloud(|cloud| cloud.takes_datasets());
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn consume_takes_events_from_pubsub() {
    let servers = Servers::with_dead_letters();
    servers.cloud(|cloud| cloud.is_consumed(&cloud.queue, &[]));
    servers.assert_one_is_dead();
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn programs_take_events_from_pubsub() {
    let servers = Servers::with_dead_letters();
    // What a killed program has received is hidden for as long as the subscription says, which is long here.
    servers.cloud(|cloud| cloud.is_consumed_by_python(&cloud.queue, "", false));
    servers.assert_one_is_dead();
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn events_from_pubsub_are_archived_in_cloud_storage() {
    Servers::with_dead_letters().cloud(|cloud| cloud.is_archived(&[]));
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn a_dataset_is_made_of_events_from_pubsub() {
    let servers = Servers::with_dead_letters();
    servers.cloud(|cloud| cloud.becomes_a_dataset(&cloud.queue, &[], false));
    servers.assert_one_is_dead();
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn a_fault_of_pubsub_is_named() {
    let missing = "pubsub://labelrelay-test/missing";
    Servers::start().cloud(|cloud| cloud.says_what_is_wrong(missing, "missing"));
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn a_pull_into_pubsub_sends_what_left_no_trace() {
    Servers::start().cloud(|cloud| cloud.sends_only_what_left_no_trace());
}

#[test]
#[ignore = "needs the Pub/Sub emulator, fake-gcs-server and Label Studio: cargo xtask test"]
fn missed_events_are_sent_to_pubsub() {
    Servers::start()
        .cloud(|cloud| cloud.fetches_what_was_missed("pubsub://labelrelay-test/missing"));
}

/// `connect` makes the secret in the store, and the relay and every later run read it there. What is there is never
/// replaced.
#[test]
fn connect_puts_a_secret_into_secret_manager_and_goes_by_it() {
    let (store, label_studio) = (SecretManager::start(), StandIn::start());
    let place = Place::new()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("SECRET_MANAGER_EMULATOR_HOST", &store.address)
        .with("GOOGLE_CLOUD_PROJECT", "proj");
    place.write(
        "labelrelay.toml",
        "queue = 'sqlite:queue.db'\n[[source]]\nname = 'label-studio'\nprovider = 'label-studio'\nsecret = 'gcp-secretmanager:ls'\n",
    );
    let words = ["connect", "label-studio", &label_studio.url];
    let relay = ["--relay", "http://relay.test:1"];
    let planned = place.run(&[&words[..], &relay, &["--plan"]].concat());
    let said = "a new secret would be put into gcp-secretmanager:ls";
    assert!(planned.good().contains(said), "{planned:?}");
    assert!(store.versions("projects/proj/secrets/ls").is_empty());

    let made = place.run(&[&words[..], &relay].concat());
    let said = "a new secret put into gcp-secretmanager:ls";
    assert!(made.good().contains(said), "{made:?}");
    let versions = store.versions("projects/proj/secrets/ls");
    let [version] = versions.as_slice() else {
        panic!("{} versions", versions.len());
    };
    let secret = String::from_utf8(STANDARD.decode(version).unwrap()).unwrap();
    assert!(!format!("{made:?}").contains(&secret));
    let shows = |webhook: &serde_json::Value| {
        webhook["headers"]["Authorization"] == format!("Bearer {secret}").as_str()
    };
    let webhooks = label_studio.webhooks();
    assert_eq!(webhooks.iter().filter(|hook| shows(hook)).count(), 2);

    // A relay with this configuration takes what the webhooks send, and refuses everybody else.
    let serving = place.serve(&[]);
    let url = serving.url("label-studio");
    let reference = ["--secret", "gcp-secretmanager:ls"];
    place
        .run(
            &[
                &["send", "--to", &url, "--provider", "label-studio"][..],
                &reference,
            ]
            .concat(),
        )
        .good();
    let forger = place.with("FORGED", "a secret that nobody has");
    let words_of_another = ["--provider", "label-studio", "--secret", "env:FORGED"];
    let refused = forger.run(&[&["send", "--to", &url][..], &words_of_another].concat());
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stdout.starts_with("401"), "{refused:?}");
    let again = forger.run(&[&words[..], &relay].concat());
    assert!(again.good().contains("nothing to change"), "{again:?}");
    assert_eq!(store.versions("projects/proj/secrets/ls"), versions);
    assert_eq!(serving.stop(), 0);
}

/// A place with a source whose secret is in Secret Manager, which has it, and a Label Studio that takes no webhook to it.
fn refused_place(store: &SecretManager, label_studio: &StandIn) -> Place {
    store.holds(
        "projects/proj/secrets/ls",
        &STANDARD.encode("a-secret-of-label-studio"),
    );
    label_studio.refuses_addresses();
    let place = Place::new()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("SECRET_MANAGER_EMULATOR_HOST", &store.address)
        .with("GOOGLE_CLOUD_PROJECT", "proj");
    place.write(
        "labelrelay.toml",
        "queue = 'sqlite:queue.db'\n[[source]]\nname = 'label-studio'\nprovider = 'label-studio'\nsecret = 'gcp-secretmanager:ls'\n",
    );
    place
}

const STORED_TOKEN: &str = "projects/proj/secrets/ls-token";

/// Where no webhook can work, `serve` pulls. Then the token is where the secret is.
#[test]
fn connect_puts_the_token_of_a_pull_into_secret_manager_too() {
    let (store, label_studio) = (SecretManager::start(), StandIn::start());
    let place = refused_place(&store, &label_studio);
    let relay = ["--relay", "http://relay.test:1", "--wait", "0s"];
    let words = [&["connect", "label-studio", &label_studio.url][..], &relay].concat();
    let planned = place.run(&[&words[..], &["--plan"]].concat());
    let said = "the token would be put into gcp-secretmanager:ls-token, which `serve` must be allowed to read";
    assert!(planned.good().contains(said), "{planned:?}");
    assert!(store.versions(STORED_TOKEN).is_empty());

    let done = place.run(&words);
    let said = "the token put into gcp-secretmanager:ls-token";
    assert!(done.good().contains(said), "{done:?}");
    assert!(!format!("{done:?}").contains(TOKEN));
    assert_eq!(store.versions(STORED_TOKEN), [STANDARD.encode(TOKEN)]);
    let written = place.read("labelrelay.toml");
    let said = "\ntoken = \"gcp-secretmanager:ls-token\"\n";
    assert!(written.contains(said), "{written}");
    assert!(!place.path("label-studio.token").exists());

    // `serve` has no variable, and reads it there.
    let place = place.without("LABEL_STUDIO_API_KEY");
    let serving = place.serve(&[]);
    place.logged(&["looked through the platform"]);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn another_token_in_secret_manager_stays_and_nothing_is_written() {
    let (store, label_studio) = (SecretManager::start(), StandIn::start());
    let place = refused_place(&store, &label_studio);
    let other = STANDARD.encode("another-token");
    store.holds(STORED_TOKEN, &other);
    let config = place.read("labelrelay.toml");
    let relay = ["--relay", "http://relay.test:1", "--wait", "0s"];
    let words = [&["connect", "label-studio", &label_studio.url][..], &relay].concat();
    for more in [&["--plan"][..], &[]] {
        let ran = place.run(&[&words[..], more].concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        let said = "gcp-secretmanager:ls-token is there already and holds something else";
        assert!(ran.stdout.contains(said), "{ran:?}");
        assert!(!format!("{ran:?}").contains("another-token"), "{ran:?}");
    }
    assert_eq!(store.versions(STORED_TOKEN), [other]);
    assert_eq!(place.read("labelrelay.toml"), config);
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the Pub/Sub emulator, fake-gcs-server and Label Studio: cargo xtask test"]
fn a_pull_sends_what_was_withheld_of_a_day_through_cloud_run() {
    Servers::start().cloud(|cloud| {
        let program = labelrelay_tests::program::of_another_package("labelrelay-cloud-function");
        let variables = cloud.function_variables();
        let service = Server::start("the service", "/-/ready", |port, _| {
            let mut command = Command::new(&program);
            command
                .env_clear()
                .envs(variables.iter().cloned())
                .env("LABELRELAY_LISTEN", format!("127.0.0.1:{port}"));
            command
        });
        cloud.sends_what_was_withheld_of_a_day(&|request| once(service.address, request).status);
    });
}

/// It takes every event, and nobody gets any.
#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn a_topic_that_nobody_subscribes_to_is_warned_of() {
    let servers = Servers::start();
    let deaf = servers.pubsub.topic_without_subscription("deaf");
    servers.cloud(|cloud| {
        for (queue, warns) in [(&deaf, true), (&cloud.queue, false)] {
            let place = cloud
                .place(super::LONG)
                .with("LABELRELAY_QUEUE", queue.as_str());
            let ran = place.run(&["status"]);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert_eq!(said.contains("has no subscription"), warns, "{ran:?}");
            assert_eq!(place.serve(&[]).stop(), 0);
            let log = place.read("serve.log");
            assert_eq!(log.contains("has no subscription"), warns, "{log}");
        }
    });
}
