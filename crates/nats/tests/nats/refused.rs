//! What a start finds: wrong credentials, missing rights, streams and servers by which events would be lost.

use crate::setup::{nats, queue, queue_at};
use labelrelay_core::{EventQueue as _, QueueErrorKind, SourceOptions};
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::Nats as Server;
use serde_json::json;
use std::path::Path;

/// The error of a check, which no waiting mends.
async fn refused(url: &str, kind: QueueErrorKind, words: &[&str]) {
    let error = queue_at(url).check().await.unwrap_err();
    assert_eq!(error.kind, kind, "{url}: {error}");
    assert!(!error.retryable, "{error}");
    for word in words {
        assert!(error.message.contains(word), "{word}: {error}");
    }
    assert!(!error.message.contains(Server::PASSWORD), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_stream_that_would_lose_events_is_refused() {
    let server = Server::start();
    let misconfigured = QueueErrorKind::Misconfigured;
    let absent = server.url("absent");
    let command = "nats stream add absent --subjects=labels.absent --storage=file";
    refused(&absent, misconfigured, &["no stream absent", command]).await;
    for (stream, changes, word) in [
        ("memory", json!({"storage": "memory"}), "?storage=memory"),
        ("old", json!({"discard": "old"}), "--discard=new"),
        ("interest", json!({"retention": "interest"}), "drops"),
        ("silent", json!({"no_ack": true}), "acknowledges nothing"),
        (
            "short",
            json!({"duplicate_window": 120_000_000_000_u64}),
            "--dupe-window=300s",
        ),
        (
            "other",
            json!({"subjects": ["elsewhere"]}),
            "--subjects=labels.other",
        ),
    ] {
        server.add_stream(stream, &format!("labels.{stream}"), &changes);
        refused(&server.url(stream), misconfigured, &[word]).await;
    }
    let memory = queue_at(&(server.url("memory") + "&storage=memory"));
    memory.check().await.expect("allowed");
    let short = queue_at(&(server.url("short") + "&repeat_window_s=120"));
    short.check().await.expect("asked for");
    // What is meant for a stream goes to no other.
    server.add_streams("good");
    let wrong = server.url("good").replace("/good/", "/short/");
    let error = queue_at(&wrong)
        .send(&message("one", b"1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, misconfigured, "{error}");
    assert_eq!(server.messages("good"), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn somebody_has_to_say_that_a_server_syncs() {
    let syncs = Server::start();
    let comes_so = Server::start_with("", "");
    for server in [&syncs, &comes_so] {
        server.add_streams("events");
    }
    let misconfigured = QueueErrorKind::Misconfigured;
    queue(&syncs, "events")
        .check()
        .await
        .expect("it says so itself");
    let words = ["labelrelay-test", "120 s", "sync_interval: always"];
    refused(&comes_so.url("events"), misconfigured, &words).await;
    let bare = |server: &Server| {
        let url = server.url("events");
        url.split('?').next().unwrap().to_owned()
    };
    // A client sees no difference between the two.
    for server in [&syncs, &comes_so] {
        let words = ["every two minutes", "?monitor=", "?durability=sync_always"];
        refused(&bare(server), misconfigured, &words).await;
    }
    let stated = queue_at(&(bare(&syncs) + "?durability=sync_always"));
    stated.check().await.expect("the operator's word");
    let alone = bare(&syncs) + "?durability=replicated";
    refused(&alone, misconfigured, &["1 of 3 replicas", "--replicas=3"]).await;
    // One that cannot be asked may answer later.
    let other = bare(&syncs) + "?monitor=http://127.0.0.1:1";
    let error = queue_at(&other).check().await.unwrap_err();
    assert!(
        error.retryable && error.message.contains("127.0.0.1:1"),
        "{error}"
    );
    let another = format!("{}?monitor=http://{}", bare(&syncs), syncs.address);
    let error = queue_at(&another).check().await.unwrap_err();
    assert!(error.message.contains("monitoring port"), "{error}");
}

/// Users of a server with accounts: one may do everything, one may send, one may not even that.
const USERS: &str = r#"
authorization {
  users = [
    { user: "admin", password: "secret of the tests" }
    { user: "sender", password: "secret of the tests", permissions: {
        publish: ["labels.events", "$JS.API.STREAM.INFO.events"], subscribe: ["_INBOX.>"] } }
    { user: "looker", password: "secret of the tests", permissions: {
        publish: ["$JS.API.STREAM.INFO.events"], subscribe: ["_INBOX.>"] } }
    { user: "deaf", password: "secret of the tests", permissions: {
        publish: [">"], subscribe: ["nothing"] } }
  ]
}"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn whoever_may_not_use_it_hears_what_is_missing() {
    let server = Server::start_with("sync_interval: always", USERS);
    server.add_streams("events");
    let at = |user: &str, variable: &str| {
        format!(
            "{}&user={user}&password=env:{variable}",
            server.url("events")
        )
    };
    let denied = QueueErrorKind::Denied;
    let wrong = at("sender", "WRONG");
    refused(&wrong, denied, &["authorization violation", "?user="]).await;
    refused(&server.url("events"), denied, &["authorization violation"]).await;
    let sender = queue_at(&at("sender", "NATS_PASSWORD"));
    sender.check().await.expect("ready");
    sender.send(&message("one", b"1")).await.expect("taken");
    // It is told in time, and not only when no answer has come.
    let looker = queue_at(&at("looker", "NATS_PASSWORD"));
    looker.check().await.expect("it may look");
    let error = looker.send(&message("two", b"1")).await.unwrap_err();
    assert_eq!(error.kind, denied, "{error}");
    for word in ["labels.events", "docs/nats.md"] {
        assert!(error.message.contains(word), "{error}");
    }
    refused(&at("deaf", "NATS_PASSWORD"), denied, &["Subscription"]).await;
    // Whoever may only send may not consume.
    let nats = nats();
    let url = at("sender", "NATS_PASSWORD");
    let options = SourceOptions::default();
    let opened = nats.event_source(&url, Path::new("/"), &options).await;
    let Err(error) = opened else {
        panic!("it is opened");
    };
    let error = error.to_string();
    assert!(error.contains("STREAM.NAMES"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn connections_are_encrypted_and_whose_they_are_is_checked() {
    let (server, certificate) = Server::start_encrypted();
    let at = |host: &str, more: &str| {
        let url = server.url("events").replace("nats://127.0.0.1", host);
        format!("{url}{more}")
    };
    let trusted = format!("&tls_ca={}", certificate.display());
    // It is connected to, and says that there is no such stream.
    let known = at("tls://localhost", &trusted);
    refused(&known, QueueErrorKind::Misconfigured, &["no stream events"]).await;
    for (host, more) in [
        ("tls://localhost", ""),
        ("tls://127.0.0.1", trusted.as_str()),
    ] {
        let error = queue_at(&at(host, more)).check().await.unwrap_err();
        assert_eq!(error.kind, QueueErrorKind::Unavailable, "{error}");
        // A name may have another address, whose error is told then.
        if host == "tls://127.0.0.1" {
            assert!(error.message.contains("?tls_ca=FILE"), "{error}");
        }
    }
    // Nobody who was told to encrypt goes on without.
    let plain = Server::start();
    let url = plain
        .url("events")
        .replace("nats://127.0.0.1", "tls://localhost");
    let error = queue_at(&(url + &trusted)).check().await.unwrap_err();
    assert!(
        error.retryable || error.kind == QueueErrorKind::Late,
        "{error}"
    );
}
