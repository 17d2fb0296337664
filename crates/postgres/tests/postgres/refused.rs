//! What a start finds: wrong passwords, missing rights, settings by which events would be lost.

use crate::setup::{postgres, queue, queue_at, source};
use labelrelay_core::{EventQueue as _, QueueErrorKind, SourceOptions};
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::Postgres as Server;
use std::path::Path;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn whoever_may_not_use_it_hears_what_is_missing() {
    let server = Server::start();
    let wrong = [("PGPASSWORD".to_owned(), "wrong".to_owned())];
    for (variables, word) in [
        (&wrong[..], "password authentication failed"),
        (&wrong[..0], "there is none"),
    ] {
        let queue = postgres(variables)
            .queue(&server.url("denied"), Path::new("/"))
            .unwrap();
        let error = queue.check().await.unwrap_err();
        assert_eq!(error.kind, QueueErrorKind::Denied, "{error}");
        assert!(error.message.contains(word), "{error}");
    }
    let nowhere = server.url("denied").replace("/postgres?", "/nowhere?");
    let error = queue_at(&server, &nowhere).check().await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Misconfigured, "{error}");

    let password = server.environment().remove(0).1;
    server.sql(&format!("CREATE ROLE weak LOGIN PASSWORD '{password}'"));
    let url = server.url("denied").replace("postgres@", "weak@");
    let weak = queue_at(&server, &url);
    let mut said = Vec::new();
    let mut denied = async || {
        let error = weak.check().await.unwrap_err();
        assert_eq!(error.kind, QueueErrorKind::Denied, "{error}");
        said.push(error.message);
    };
    denied().await;
    server.sql("CREATE SCHEMA denied");
    denied().await;
    server.sql("GRANT USAGE ON SCHEMA denied TO weak");
    denied().await;
    let strong = queue(&server, "denied");
    strong.send(&message("made", b"1")).await.expect("taken");
    denied().await;
    server.sql("GRANT SELECT ON denied.schema_version TO weak");
    denied().await;
    let words = [
        "CREATE SCHEMA denied",
        "GRANT USAGE",
        "GRANT CREATE",
        "GRANT SELECT ON denied.schema_version",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON denied.ids",
    ];
    assert_eq!(said.len(), words.len());
    for (said, word) in said.iter().zip(words) {
        assert!(said.contains(word), "{said}");
    }
    // What the last of these says is enough.
    let (_, grants) = said[words.len() - 1].split_once("; ").unwrap();
    server.sql(grants);
    weak.check().await.expect("ready");
    // Without this one, ids would stay for ever.
    server.sql("REVOKE DELETE ON denied.ids FROM weak");
    let error = weak.check().await.unwrap_err();
    assert!(error.message.contains("DELETE"), "{error}");
    server.sql("GRANT DELETE ON denied.ids TO weak");
    assert!(
        weak.send(&message("made", b"1"))
            .await
            .expect("taken")
            .repeat
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_server_that_would_lose_events_is_refused() {
    let mut server = Server::start_with(&["fsync=off"]);
    let says = async |server: &Server, word: &str| {
        let error = queue(server, "unsafe").check().await.unwrap_err();
        assert_eq!(error.kind, QueueErrorKind::Misconfigured, "{error}");
        assert!(error.message.contains(word), "{error}");
    };
    says(&server, "set fsync = on").await;
    server.stop();
    server.start_again_with(&["full_page_writes=off"]);
    says(&server, "set full_page_writes = on").await;
    server.stop();
    // This one is each connection's own, and ours have it on.
    server.start_again_with(&["synchronous_commit=off"]);
    let queue = queue(&server, "unsafe");
    queue.check().await.expect("ready");
    queue.send(&message("one", b"1")).await.expect("taken");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_check_makes_nothing_and_tables_of_a_later_version_are_left_alone() {
    let server = Server::start();
    let queue = queue(&server, "later");
    queue.check().await.expect("ready");
    assert_eq!(server.sql("SELECT to_regnamespace('later') IS NULL"), "t");
    queue.send(&message("one", b"1")).await.expect("taken");
    queue.check().await.expect("ready");
    server.sql("INSERT INTO later.schema_version (version) VALUES (99)");
    // Whoever uses the tables goes on: replicas are updated one after the other.
    queue.send(&message("more", b"1")).await.expect("taken");
    queue.check().await.expect("ready");
    let next = self::queue(&server, "later");
    let word = "version 99";
    let error = next.check().await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Misconfigured, "{error}");
    assert!(error.message.contains(word), "{error}");
    let error = next.send(&message("two", b"1")).await.unwrap_err();
    assert!(error.message.contains(word), "{error}");
    let opened = postgres(&server.environment())
        .event_source(
            &server.url("later"),
            Path::new("/"),
            &SourceOptions::default(),
        )
        .await;
    let Err(error) = opened else {
        panic!("a later version is taken");
    };
    let error = error.to_string();
    assert!(error.contains(word), "{error}");
    assert_eq!(server.sql("SELECT count(*) FROM later.events"), "2");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_server_that_takes_no_writes_is_waited_for() {
    let server = Server::start();
    source(&server, "standby", &SourceOptions::default()).await;
    server.sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
    let queue = queue(&server, "standby");
    for error in [
        queue.check().await.unwrap_err(),
        queue.send(&message("one", b"1")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, QueueErrorKind::Unavailable, "{error}");
        assert!(
            error.retryable && error.message.contains("name the primary"),
            "{error}"
        );
    }
}

/// Of the hosts of a URL, the one that takes writes is used. A standby alone is waited for: it may become that one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_standby_is_told_from_the_server_that_it_follows() {
    let server = Server::start();
    source(&server, "followed", &SourceOptions::default()).await;
    let standby = server.start_standby(&[]);
    let alone = queue(&standby, "followed");
    let one = message("one", b"1");
    let begun = Instant::now();
    for sends in [false, true] {
        let error = loop {
            let tried = if sends {
                alone.send(&one).await.map(drop)
            } else {
                alone.check().await
            };
            let error = tried.unwrap_err();
            // On a slow machine it does not answer in time.
            if error.kind != QueueErrorKind::Late {
                break error;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
        };
        let expected = (QueueErrorKind::Unavailable, true);
        assert_eq!((error.kind, error.retryable), expected, "{error}");
        for word in [&*standby.address.to_string(), "name the primary"] {
            assert!(error.message.contains(word), "{error}");
        }
    }
    let only = format!("@{}", server.address);
    let both = format!("@{},{}", standby.address, server.address);
    let either = queue_at(&server, &server.url("followed").replace(&only, &both));
    let begun = Instant::now();
    while let Err(error) = either.send(&one).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    }
    // On a slow machine it does not answer in time.
    while let Err(error) = either.check().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    }
    assert_eq!(server.sql("SELECT count(*) FROM followed.events"), "1");
}
